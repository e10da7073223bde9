"""Fills a text's fields: the message's subject, heading and parts, for its plain and its HTML form."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from azionelab.bookings.mails.templates.fields import Block, block_of, split
from azionelab.bookings.mails.templates.models import TemplateText
from azionelab.mail.fields import field_names, fill


@dataclass(frozen=True)
class Part:
    """A paragraph with its lines, or the place of a block."""

    block: Block | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Values:
    """What stands for the fields: `words` in a line, `sentences` each a paragraph of its own, or none.

    `button` and `link` are the label of the message's button and where it leads.
    """

    words: Mapping[str, str]
    sentences: Mapping[str, list[str]]
    button: str
    link: str


@dataclass(frozen=True)
class MessageText:
    """The text of a message; `link` is where its one button leads."""

    subject: str
    title: str
    parts: tuple[Part, ...]
    button: str
    link: str

    @property
    def with_ticket(self) -> bool:
        """Whether it has a QR."""
        return any(part.block is Block.TICKET for part in self.parts)

    @property
    def paragraphs(self) -> list[str]:
        """Its words."""
        return ["\n".join(part.lines) for part in self.parts if part.lines]

    @property
    def opening(self) -> list[str]:
        """Its words above the ticket."""
        above = takewhile(lambda part: part.block is not Block.TICKET, self.parts)
        return ["\n".join(part.lines) for part in above if part.lines]


def compose(text: TemplateText, values: Values) -> MessageText:
    """The message of a text without faults; what is left empty by its fields is left out."""
    in_line = dict(values.words) | {
        name: " ".join(sentences) for name, sentences in values.sentences.items()
    }
    # A name of another direction stays by itself; mail programs do not know <bdi>.
    in_line["name"] = f"\u2068{values.words['name']}\u2069"
    parts: list[Part] = []
    for paragraph in split(text.body):
        lines: list[str] = []
        for line in paragraph:
            block = block_of(line)
            alone = _sentences(line, values)
            if block is None and alone is None:
                lines.append(fill(line, in_line).strip())
                continue
            _add(parts, lines)
            lines = []
            if block is not None:
                parts.append(Part(block))
            for sentence in alone or ():
                _add(parts, [sentence])
        _add(parts, lines)
    return MessageText(
        subject=fill(text.subject, values.words),
        title=fill(text.heading, values.words),
        parts=tuple(parts),
        button=values.button,
        link=values.link,
    )


def _sentences(line: str, values: Values) -> list[str] | None:
    """The sentences of the field that a line consists of; None for any other line."""
    names = field_names(line)
    alone = len(names) == 1 and line.startswith("{") and line.endswith("}")
    return values.sentences.get(names[0]) if alone else None


def _add(parts: list[Part], lines: list[str]) -> None:
    if left := tuple(line for line in lines if line):
        parts.append(Part(lines=left))
