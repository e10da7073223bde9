"""What staff do to a reservation: change, move, split, merge, cancel, take back, undo."""

from uuid import uuid4

from azionelab.bookings import rules
from azionelab.bookings.box_office.endings import cancel_party
from azionelab.bookings.box_office.undoing import find_undo
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from tests.factories import DOOR_A, a_party, a_performance, fresh
from tests.faults.deeds import Press, Stage
from tests.support.reservations import entries, saving


def staff_changes_party(stage: Stage) -> Press:
    party = a_party(a_performance(), 4)
    typed = entries(party, name="Anna Neri", seats="2", note="Row 1")
    return stage.in_admin("reservations/change/", **saving(party, **typed))


def staff_moves_party(stage: Stage) -> Press:
    party, target = a_party(a_performance()), a_performance()
    return stage.in_admin("reservations/move/", **saving(party, performance=target.id))


def staff_splits(stage: Stage) -> Press:
    party = a_party(a_performance(), 4)
    typed = {"split_seats": "1", "split_name": "Bruno", "split_email": party.email}
    return stage.in_admin("reservations/split/", **saving(party, **typed))


def staff_merges(stage: Stage) -> Press:
    evening = a_performance()
    party, other = a_party(evening, 2), a_party(evening, 3)
    return stage.in_admin("reservations/merge/", **saving(party, other=other.id))


def staff_cancels(stage: Stage) -> Press:
    return stage.in_admin("reservations/cancel/", **saving(a_party(a_performance())))


def staff_takes_back(stage: Stage) -> Press:
    party = a_party(a_performance())
    rules.cancel(party.id)
    return stage.in_admin("reservations/reinstate/", **saving(party))


def staff_undoes(stage: Stage) -> Press:
    party = a_party(a_performance())
    cancel_party(party.id, fresh(party.id).changed_in)
    offer = find_undo(fresh(party.id))
    assert offer is not None
    return stage.in_admin("reservations/undo/", id=party.id, offer=offer.id, notify="y")


def _walk_ins(people: int) -> Reservation:
    verdict = let_in_walk_ins(a_performance(10).id, people, uuid4(), DOOR_A)
    assert verdict.party is not None
    assert verdict.party.id is not None
    return fresh(verdict.party.id)


def staff_corrects_walk_ins(stage: Stage) -> Press:
    return stage.in_admin("reservations/correct/", **saving(_walk_ins(4), people="2"))


def staff_moves_walk_ins(stage: Stage) -> Press:
    target = a_performance(10)
    sent = saving(_walk_ins(4), performance=target.id)
    return stage.in_admin("reservations/move-walk-ins/", **sent)


RESERVATION_DEEDS = (
    staff_corrects_walk_ins, staff_moves_walk_ins,
    staff_changes_party, staff_moves_party, staff_splits, staff_merges, staff_cancels, staff_takes_back, staff_undoes,
)  # fmt: skip
