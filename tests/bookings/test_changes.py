"""What is kept of who ended a booking, and of who made its party smaller."""

from collections.abc import Callable
from uuid import UUID

import pytest

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.history import By, Ended, Reduced, ended, reduced
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats import holds
from azionelab.bookings.seats.network_holds import release_network
from tests.factories import a_party, a_performance, fresh, let_lapse

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize(
    ("end", "by"),
    [
        (lambda party: rules.cancel(party.id), By.VISITOR),
        (lambda party: rules.cancel(party.id, by=By.STAFF), By.STAFF),
        (
            lambda party: performance_changes.cancel_performance(party.performance_id),
            By.PERFORMANCE,
        ),
    ],
    ids=["visitor", "staff", "performance"],
)
def test_who_cancelled_a_booking(end: Callable[[Reservation], object], by: By) -> None:
    party = a_party(a_performance())
    assert ended(party) is None
    end(party)
    party = fresh(party.id)
    assert party.ended_at is not None
    assert ended(party) == Ended(party.ended_at, by)


def test_who_expired_a_booking() -> None:
    performance = a_performance(capacity=20)
    lapsed = a_party(performance, confirmed=False)
    let_lapse(lapsed)
    holds.expire_lapsed_holds()
    assert _by(lapsed.id) is None
    visitor = rules.Visitor("Ada Rossi", "ada@example.org", "en", "192.0.2.7")
    held = rules.reserve(performance.id, visitor, 2)
    release_network(performance.id, held.network or b"")
    assert _by(held.id) == By.STAFF


def test_how_large_a_party_was_at_first() -> None:
    party = a_party(a_performance(), 4)
    assert reduced(party) is None
    rules.reduce_seats(party.id, 3)
    first = reduced(fresh(party.id))
    rules.reduce_seats(party.id, 2, by=By.STAFF)
    rules.reduce_seats(party.id, 2)  # pressed again: nothing changes
    party = fresh(party.id)
    assert party.reduced_at is not None
    assert reduced(party) == Reduced(party.reduced_at, By.STAFF, 4)
    assert first is not None
    assert (first.by, first.seats) == (By.VISITOR, 4)
    assert party.reduced_at > first.at


def _by(identity: UUID) -> str | None:
    told = ended(fresh(identity))
    assert told is not None
    return told.by
