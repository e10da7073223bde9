"""Fields such as {name} in texts that staff write: found, checked, and filled in. No other markup exists."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_FIELD = re.compile(r"\{([^{}\n]*)\}")


@dataclass(frozen=True)
class FieldFaults:
    """What is wrong with the fields of a text: names that do not exist, and whether a brace has no partner."""

    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    has_single_brace: bool = False

    def __bool__(self) -> bool:
        return bool(self.unknown or self.missing or self.has_single_brace)


def field_names(text: str) -> list[str]:
    """The names of a text's fields, each once, in their order."""
    return list(dict.fromkeys(_name(found[1]) for found in _FIELD.finditer(text)))


def check_fields(text: str, known: Collection[str], required: Collection[str] = ()) -> FieldFaults:
    """Find fields that are not `known`, `required` ones that are missing, and braces without a partner."""
    names = field_names(text)
    rest = _FIELD.sub("", text)
    return FieldFaults(
        tuple(name for name in names if name not in known),
        tuple(name for name in required if name not in names),
        "{" in rest or "}" in rest,
    )


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields' values. A field without a value stays as it is written."""
    return _FIELD.sub(lambda found: values.get(_name(found[1]), found[0]), text)


def _name(written: str) -> str:
    """{Booking page} is {booking_page}."""
    return "_".join(written.casefold().split())
