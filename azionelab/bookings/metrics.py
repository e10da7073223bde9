"""Counts what visitors and staff ask of the booking rules, and the outcome."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import Counter

from azionelab.bookings import errors


class Action(StrEnum):
    """The use case."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    REDUCE = "reduce"
    ENLARGE = "enlarge"
    SWAP = "swap"
    OFFER_TO_FRIEND = "offer_to_friend"
    TAKE_OVER = "take_over"
    BOOK_FOR = "book_for"


DONE = "done"
UNCHANGED = "unchanged"  # a repeated request
_FAULT = "fault"  # no rule refused: the database was unavailable, or the code failed


class Answer:
    """The outcome of a use case; DONE unless the rule sets another."""

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
        errors.SeatsChanged, errors.ReservationChanged,
    ),
    Action.ENLARGE: (
        errors.SoldOut, errors.BookingClosed, errors.PartyTooLarge, errors.NotConfirmed, errors.ReservationChanged,
    ),
    Action.SWAP: (
        errors.SoldOut, errors.BookingClosed, errors.PartyTooLarge, errors.NotConfirmed, errors.ReservationChanged,
        errors.AddressTaken,
    ),
    Action.OFFER_TO_FRIEND: (errors.ReservationEnded, errors.NotConfirmed, errors.ReservationChanged),
    Action.TAKE_OVER: (errors.ReservationEnded, errors.ReservationChanged, errors.AddressTaken),
    Action.BOOK_FOR: (errors.SoldOut, errors.BookingClosed),
}  # fmt: skip
# A series that starts with its first event shows no increase for it, so all start at 0.
for _action, _refusals in _REFUSALS.items():
    for _outcome in (DONE, UNCHANGED, _FAULT, *map(_name, _refusals)):
        _COUNT.labels(_action, _outcome)


@contextmanager
def counted(action: Action) -> Iterator[Answer]:
    """Count the block once, with the outcome that it sets or the error that it raises.

    Use it around the transaction, so that nothing is counted as done that is rolled back.
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
