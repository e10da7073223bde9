"""The parts of a run's line (sentence.py), and what cannot be understood of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from azionelab.shows.runs.words import AT, FILLER, TOKEN, fold


class Misread(StrEnum):
    """What cannot be understood."""

    WORD = "word"  # an unknown word
    TIME = "time"  # no such time of day
    DATE = "date"  # no such date
    NO_TIME = "no_time"  # days without a time
    NO_PERIOD = "no_period"  # weekdays without a first and last day
    TWO_PERIODS = "two_periods"
    BACKWARDS = "backwards"  # the last day is before the first
    WHICH_MONTH = "which_month"  # a day number without its month
    WEEKDAY = "weekday"  # "Friday 4 October", which is a Sunday
    NOTHING = "nothing"


class SentenceError(ValueError):
    """The line cannot be read; `what` is the part of it that is meant, as far as there is one."""

    def __init__(self, kind: Misread, what: str = "") -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind
        self.what = what


@dataclass(frozen=True)
class Token:
    """A word, number or sign of the line; `kind` is its group in TOKEN."""

    kind: str
    text: str


def read_time(word: str) -> time:
    """A time of day such as 20:30, 20.30, 20h30, 20 or 8:30pm; raises SentenceError."""
    hour, minute, half = re.match(r"(\d{1,2})(?:[:.h](\d{2}))?\s*([ap]m)?$", word).groups()  # type: ignore[union-attr]
    number = int(hour)
    if half and 1 <= number <= 12:
        number = number % 12 + (12 if half == "pm" else 0)
    elif half:
        number = 24
    try:
        return time(number, int(minute or 0))
    except ValueError:
        raise SentenceError(Misread.TIME, word) from None


def tokens(text: str) -> Iterator[Token]:
    for match in TOKEN.finditer(fold(text)):
        yield Token(
            match.lastgroup or "", match[0] if match.lastgroup != "number" else match["number"]
        )


def read_times(text: str) -> list[time]:
    """The times of a list such as "16:00 and 20:30"; raises SentenceError."""
    found = []
    for token in tokens(text):
        if token.kind in ("time", "number"):
            found.append(read_time(token.text))
        elif token.text not in FILLER | AT and token.kind != "sign":
            raise SentenceError(Misread.WORD, token.text)
    return found
