"""Parties that told us they come late."""

from datetime import timedelta
from uuid import uuid4

import pytest

from azionelab.bookings import rules
from azionelab.bookings.door_notes import minutes_offered, set_lateness
from azionelab.bookings.errors import LatenessClosed, PartyInside, ReservationEnded
from azionelab.bookings.models import Reservation
from azionelab.checkin.devices.offline_list import changes_since
from azionelab.checkin.scanning.scans import admit
from tests.factories import DOOR_A, a_party, a_performance, fresh, move

pytestmark = pytest.mark.usefixtures("in_app")


def offered(party: Reservation, at: timedelta) -> list[int]:
    return minutes_offered(party, party.performance.starts_at + at)


def test_what_a_visitor_may_tell_depends_on_the_hour() -> None:
    party = a_party(a_performance())
    second = timedelta(seconds=1)
    assert offered(party, -timedelta(hours=12) - second) == []
    assert offered(party, -timedelta(hours=12)) == [5, 10, 15, 20, 30]
    assert offered(party, timedelta(minutes=10) - second) == [10, 15, 20, 30]
    assert offered(party, timedelta(minutes=10)) == [15, 20, 30]
    assert offered(party, timedelta(minutes=30)) == []
    with pytest.raises(LatenessClosed):
        set_lateness(party.id, 20)
    curtain = party.performance.starts_at
    assert set_lateness(party.id, 20, by_staff=True).late_at == curtain + timedelta(minutes=20)
    assert set_lateness(party.id, 20, by_staff=True).is_unchanged
    assert offered(rules.cancel(party.id), timedelta()) == []
    with pytest.raises(ReservationEnded):
        set_lateness(party.id, 0)


def test_the_door_is_told_until_all_of_them_are_in() -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    before = changes_since(performance.id, None).cursor
    late_at = set_lateness(party.id, 10, by_staff=True).late_at
    for people, told in ((None, late_at), (1, late_at), (1, None)):
        if people:
            admit(performance.id, party.reference, uuid4(), DOOR_A, people=people)
        (listed,) = changes_since(performance.id, before).parties
        assert listed.late_at == told
        assert fresh(party.id).awaited_at == told
    with pytest.raises(PartyInside):
        set_lateness(party.id, 0)


def test_who_comes_late_to_an_evening_that_moves_has_not_said_so() -> None:
    performance = a_performance()
    party = a_party(performance)
    set_lateness(party.id, 10, by_staff=True)
    move(performance.id, performance.starts_at + timedelta(days=1))
    assert fresh(party.id).late_at is None
