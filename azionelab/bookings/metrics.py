"""What became of what visitors asked: counted for the metrics where the rules answer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import Counter

from azionelab.bookings import errors


class Action(StrEnum):
    """What was asked for."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    REDUCE = "reduce"


DONE = "done"
UNCHANGED = "unchanged"  # asked again: it was so already
_FAULT = "fault"  # no rule said no: the database was away, or we are broken


class Answer:
    """What a rule says; DONE if it does not say otherwise."""

    outcome = DONE


def _name(refusal: type[errors.BookingError]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", refusal.__name__).lower()


_COUNT = Counter(
    "azionelab_bookings",
    "What visitors and staff asked of the booking rules, and what became of it.",
    ["action", "outcome"],
)
_REFUSALS = {
    Action.RESERVE: (
        errors.SoldOut, errors.TooManyUnconfirmed, errors.BookingClosed, errors.PartyTooLarge,
        errors.PerformanceUnknown,
    ),
    Action.CONFIRM: (errors.HoldExpired, errors.ReservationEnded),
    Action.CANCEL: (errors.ReservationEnded, errors.PartyInside, errors.PerformanceStarted),
    Action.REDUCE: (
        errors.ReservationEnded, errors.NotFewerSeats, errors.PartyInside, errors.PerformanceStarted,
        errors.SeatsChanged,
    ),
}  # fmt: skip
# A series that begins with its first event shows no increase for it: all begin at 0.
for _action, _refusals in _REFUSALS.items():
    for _outcome in (DONE, UNCHANGED, _FAULT, *map(_name, _refusals)):
        _COUNT.labels(_action, _outcome)


@contextmanager
def counted(action: Action) -> Iterator[Answer]:
    """Count the block as one answer: what it says, or the refusal that it raises.

    To stand around the transaction, so that nothing is counted that is rolled back.
    """
    answer = Answer()
    try:
        yield answer
    except errors.BookingError as refusal:
        answer.outcome = _name(type(refusal))
        raise
    except BaseException:
        answer.outcome = _FAULT
        raise
    finally:
        _COUNT.labels(action, answer.outcome).inc()
