"""The fields of each text: which there are, which it cannot do without, and where they may stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.mail.fields import FieldFaults, check_fields, field_names
from azionelab.validation.text import paragraphs


class Block(StrEnum):
    """Fields that are no words: each stands on a line of its own."""

    BUTTON = "button"
    TICKET = "ticket"  # the QR, where pictures are shown
    CHOICES = "choices"  # links to come, to another evening, or to cancel
    GIVE_BACK = "give_back"  # links to cancel, or to the booking for fewer seats
    FILES = "ticket_files"  # links to the PDF and to the calendar file
    BOOKINGS = "bookings"  # a list of them


# Words for a line; they may stand in subject and heading, too.
INLINE = ("name", "show", "date", "time", "venue", "seats", "reference")
# Sentences that say what is true when the mail is sent, or nothing.
GREETING, NEWS, HOLD, STATE = "greeting", "news", "hold", "state"
ANSWER = "answer"  # of a reminder: the question whether one comes, or thanks
OTHER_REFERENCE, UNTIL = "other_reference", "until"


@dataclass(frozen=True)
class FieldsOf:
    """The fields of a text beside its words, GREETING and the button, and those that must not be missing."""

    more: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    words: tuple[str, ...] = INLINE
    greets: bool = True


_TICKET = (Block.TICKET, Block.FILES)
_OF: Mapping[TemplateName, FieldsOf] = {
    TemplateName.CONFIRM: FieldsOf((NEWS, HOLD, UNTIL), (HOLD, Block.BUTTON)),
    TemplateName.TICKET: FieldsOf((NEWS, *_TICKET), (Block.TICKET, Block.BUTTON)),
    TemplateName.CHANGED: FieldsOf((NEWS, *_TICKET), (NEWS, Block.TICKET, Block.BUTTON)),
    TemplateName.MERGED: FieldsOf((OTHER_REFERENCE,), (OTHER_REFERENCE,)),
    TemplateName.MOVED: FieldsOf((Block.CHOICES, *_TICKET), (Block.TICKET, Block.BUTTON)),
    TemplateName.MOVED_UNCONFIRMED: FieldsOf((STATE,), (STATE, Block.BUTTON)),
    TemplateName.EXISTING: FieldsOf((STATE,), (STATE, Block.BUTTON)),
    TemplateName.WAITLIST_JOIN: FieldsOf((), (Block.BUTTON,)),
    TemplateName.WAITLIST_PLACE: FieldsOf((), (Block.BUTTON,)),
    TemplateName.OFFER: FieldsOf((UNTIL,), (UNTIL, Block.BUTTON)),
    TemplateName.WAITLIST_LAPSED: FieldsOf((), (Block.BUTTON,)),
    TemplateName.WAITLIST_NEAR: FieldsOf((), (Block.BUTTON,)),
    TemplateName.WAITLIST_MOVED: FieldsOf((), (Block.BUTTON,)),
    TemplateName.REMINDER: FieldsOf(
        (ANSWER, Block.GIVE_BACK, *_TICKET), (ANSWER, Block.BUTTON, Block.GIVE_BACK)
    ),
    TemplateName.QUESTION: FieldsOf(
        (UNTIL, Block.GIVE_BACK), (UNTIL, Block.BUTTON, Block.GIVE_BACK)
    ),
    TemplateName.MY_BOOKINGS: FieldsOf(
        (Block.BOOKINGS,), (Block.BUTTON,), words=("hours",), greets=False
    ),
    # The name is that of whoever gives the seats; their reference is theirs.
    TemplateName.FOR_FRIEND: FieldsOf(
        (UNTIL,),
        ("name", UNTIL, Block.BUTTON),
        words=("name", "show", "date", "time", "venue", "seats"),
        greets=False,
    ),
    TemplateName.BOOKING: FieldsOf((STATE,), (STATE, Block.BUTTON)),
}


@dataclass(frozen=True)
class TextFaults:
    """What is wrong with one part of a text. `misplaced` blocks share their line with words."""

    fields: FieldFaults
    misplaced: tuple[str, ...] = ()
    is_empty: bool = False

    def __bool__(self) -> bool:
        return bool(self.fields or self.misplaced or self.is_empty)


def known_fields(name: TemplateName) -> tuple[str, ...]:
    """The fields of a text's body."""
    known = _OF.get(name, FieldsOf())
    return (*known.words, *([GREETING] if known.greets else []), Block.BUTTON, *known.more)


def required_fields(name: TemplateName) -> tuple[str, ...]:
    """The fields without which a mail does not do what it is for."""
    return _OF.get(name, FieldsOf()).required


def line_fields(name: TemplateName) -> tuple[str, ...]:
    """The fields of a subject and a heading."""
    words = _OF.get(name, FieldsOf()).words
    return (*words, *(each for each in known_fields(name) if each in (OTHER_REFERENCE, UNTIL)))


def find_faults(name: TemplateName, text: TemplateText) -> dict[str, TextFaults]:
    """What is wrong with a text, by its part; empty when it can be sent."""
    lines = line_fields(name)
    found = {
        "subject": TextFaults(check_fields(text.subject, lines), is_empty=not text.subject.strip()),
        "heading": TextFaults(check_fields(text.heading, lines), is_empty=not text.heading.strip()),
        "body": TextFaults(
            check_fields(text.body, known_fields(name), required_fields(name)),
            _misplaced(text.body),
            is_empty=not text.body.strip(),
        ),
    }
    return {part: faults for part, faults in found.items() if faults}


def block_of(line: str) -> Block | None:
    """The block that a line consists of; None for a line of words."""
    names = field_names(line)
    alone = len(names) == 1 and line.startswith("{") and line.endswith("}")
    return Block(names[0]) if alone and names[0] in tuple(Block) else None


def split(body: str) -> list[list[str]]:
    """A body's paragraphs, each a list of lines."""
    return paragraphs(body)


def _misplaced(body: str) -> tuple[str, ...]:
    lines: Sequence[str] = [line for lines in split(body) for line in lines]
    inside = [name for line in lines if block_of(line) is None for name in field_names(line)]
    return tuple(dict.fromkeys(name for name in inside if name in tuple(Block)))
