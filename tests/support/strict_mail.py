"""Parses mails strictly by the RFCs, where email.parser tolerates nearly everything.

Independent of Python's email package, which wrote what is read here.
"""

import base64
import quopri
import re
from dataclasses import dataclass

_FIELD = re.compile(r"([!-9;-~]+): ?(.*)", re.DOTALL)  # RFC 5322, 2.2
_ENCODED_WORD = re.compile(r"=\?utf-8\?([bq])\?([!->@-~]+)\?=", re.IGNORECASE)
_Q_IN_PHRASE = re.compile(r"[A-Za-z0-9!*+/=_-]+")  # RFC 2047, 5 (3)
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(r"<([^<>@\s]+@[A-Za-z0-9.\-\[\]:]+)>")
_QP_LINE = re.compile(r"(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?")
_TEXT_LINE = 76  # characters, RFC 2045, 6.7
_HEADER_LINE = 78  # characters, RFC 5322, 2.1.1
_WORD = 75  # characters, RFC 2047, 2


@dataclass(frozen=True)
class Part:
    """A part: its fields unfolded, its body decoded, its subparts."""

    fields: dict[str, str]
    content: bytes
    parts: list["Part"]

    @property
    def kind(self) -> str:
        """Its media type, without parameters."""
        return self.fields["content-type"].partition(";")[0]

    def walk(self) -> list["Part"]:
        """This part and all parts in it."""
        return [self, *(inner for part in self.parts for inner in part.walk())]

    def only(self, kind: str) -> "Part":
        """The one part of a media type."""
        (part,) = [part for part in self.walk() if part.kind == kind]
        return part

    def text(self) -> str:
        """The content as text, with line feeds alone."""
        assert re.search(r'charset="?utf-8"?', self.fields["content-type"])
        return self.content.decode().replace("\r\n", "\n")


def read(raw: bytes) -> Part:
    """Parse a message; raises AssertionError where it violates an RFC."""
    text = raw.decode("ascii")
    assert "\r" not in text.replace("\r\n", ""), "a lone carriage return"
    assert "\n" not in text.replace("\r\n", ""), "a lone line feed"
    assert "\0" not in text
    assert all(len(line) <= 998 for line in text.split("\r\n"))
    return _part(text)


def unstructured(value: str) -> str:
    """A Subject's text (RFC 2047, 5 (1)): encoded words stand by themselves, between spaces."""
    return _decoded(value.split(" "), in_phrase=False)


def mailbox(value: str) -> tuple[str, str]:
    """The name and the address of a field that has one mailbox, in angle brackets."""
    start = value.rindex("<")
    address = _ADDRESS.fullmatch(value[start:])
    assert address, value
    phrase = value[:start].rstrip(" ")
    if not phrase:
        return "", address[1]
    assert value[start - 1] == " "
    if quoted := _QUOTED.fullmatch(phrase):
        assert "=?" not in quoted[1]
        return re.sub(r"\\(.)", r"\1", quoted[1]), address[1]
    return _decoded(phrase.split(" "), in_phrase=True), address[1]


def _decoded(words: list[str], *, in_phrase: bool) -> str:
    shown, after_encoded = "", False
    for number, word in enumerate(words):
        found = _ENCODED_WORD.fullmatch(word)
        if found:
            assert len(word) <= _WORD, word
            shown += ("" if after_encoded or number == 0 else " ") + _word(found, in_phrase)
        else:
            assert "=?" not in word, word
            assert "?=" not in word, word
            assert not in_phrase or _ATOM.fullmatch(word), word
            shown += ("" if number == 0 else " ") + word
        after_encoded = bool(found)
    return shown


def _word(found: re.Match[str], in_phrase: bool) -> str:
    how, what = found[1].lower(), found[2]
    if how == "b":
        return base64.b64decode(what, validate=True).decode()
    assert not in_phrase or _Q_IN_PHRASE.fullmatch(what), what
    return quopri.decodestring(what.replace("_", "=20")).decode()


def _part(text: str) -> Part:
    head, _, body = text.partition("\r\n\r\n")
    fields = _fields(head)
    kind, _, rest = fields["content-type"].partition(";")
    if not kind.startswith("multipart/"):
        return Part(fields, _body(fields, body), [])
    boundary = re.search(r'boundary="([^"]+)"', rest)
    assert boundary, rest
    before, *inner, after = f"\r\n{body}".split(f"\r\n--{boundary[1]}")
    assert before == ""
    assert after == "--\r\n"
    assert all(part.startswith("\r\n") for part in inner)
    return Part(fields, b"", [_part(part.removeprefix("\r\n")) for part in inner])


def _fields(head: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for folded in re.split(r"\r\n(?![ \t])", head):
        lines = folded.split("\r\n")
        assert all(line.strip() for line in lines), "a line of spaces alone"
        assert all(len(line) <= _HEADER_LINE or " " not in line[1:] for line in lines), lines
        found = _FIELD.fullmatch("".join(lines))
        assert found, folded
        name = found[1].lower()
        assert name not in fields, f"{name} twice"
        fields[name] = found[2].lstrip(" ")
    return fields


def _body(fields: dict[str, str], body: str) -> bytes:
    lines = body.split("\r\n")
    assert all(len(line) <= _TEXT_LINE for line in lines)
    match fields["content-transfer-encoding"]:
        case "base64":
            return base64.b64decode("".join(lines), validate=True)
        case "quoted-printable":
            assert all(_QP_LINE.fullmatch(line) for line in lines)
            assert not any(line.endswith((" ", "\t")) for line in lines)
            return quopri.decodestring("\n".join(lines)).replace(b"\n", b"\r\n")
        case other:
            raise AssertionError(f"no way to write content: {other}")
