"""Sets back the last change that staff made to a reservation, for UNDO_FOR and while nothing else has changed.

Mails that have gone stay with their readers: a mail about the undo goes out unless staff want none.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.changes import PartyEntries, entries_of, set_entries
from azionelab.bookings.box_office.endings import end_party, revive
from azionelab.bookings.box_office.groups import join
from azionelab.bookings.box_office.house_seats import HouseEntries, set_house_entries
from azionelab.bookings.box_office.models import UndoOffer
from azionelab.bookings.box_office.moves import lock_for_move, note_left, put_into
from azionelab.bookings.box_office.outcomes import (
    UNDO_FOR,
    MailPreview,
    Outcome,
    office_transaction,
    write_to_party,
)
from azionelab.bookings.errors import HoldExpired, PartyInside, UndoOver
from azionelab.bookings.locks import lock_reservations, lock_with_performance
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import db, now
from azionelab.shows.facts.seating import Places

Mails = tuple[MailPreview, ...]


def find_undo(reservation: Reservation) -> UndoOffer | None:
    """The change of a reservation that can still be undone, if there is one."""
    return db.session.scalar(
        select(UndoOffer)
        .where(
            or_(UndoOffer.reservation_id == reservation.id, UndoOffer.other_id == reservation.id),
            UndoOffer.made_in == reservation.changed_in,
            UndoOffer.made_at > now() - UNDO_FOR,
        )
        .order_by(UndoOffer.made_at.desc())
        .limit(1)
    )


def undo_change(offer_id: UUID, *, notify: bool = True, rehearse: bool = False) -> Outcome:
    """Set back a change by staff.

    Raises UndoOver when it is too late, was undone already, or something else changed since; and what the change
    back would raise, such as SoldOut when the seats have gone to others.
    """
    with office_transaction(rehearse=rehearse) as session:
        offer = session.get(UndoOffer, offer_id, populate_existing=True)
        if offer is None or offer.made_at <= now() - UNDO_FOR or offer.kind not in _UNDO:
            raise UndoOver
        reversal = _lock(session, offer)
        done = delete(UndoOffer).where(UndoOffer.id == offer_id).returning(UndoOffer.id)
        if session.scalar(done.execution_options(synchronize_session=False)) is None:
            raise UndoOver
        mails = _UNDO[reversal.kind](session, reversal, notify)
        return Outcome(reversal.reservation.id, mails=mails)


@dataclass(frozen=True)
class _Reversal:
    """What is set back: the locked reservations, and the state before."""

    kind: str
    before: dict[str, Any]
    reservation: Reservation
    other: Reservation | None

    @property
    def others(self) -> Reservation:
        if self.other is None:
            raise UndoOver
        return self.other


def _lock(session: Session, offer: UndoOffer) -> _Reversal:
    ids = [offer.reservation_id, *([offer.other_id] if offer.other_id else [])]
    if offer.kind in ("move", "rebook"):
        lock_for_move(session, offer.reservation_id, offer.before["performance"])
    else:
        lock_with_performance(session, min(ids))
    locked = lock_reservations(session, *ids)
    if any(one.changed_in != offer.made_in for one in locked.values()):
        raise UndoOver
    other = locked[offer.other_id] if offer.other_id else None
    before = {name: value for name, value in offer.before.items() if name != "told"}
    return _Reversal(offer.kind, before, locked[offer.reservation_id], other)


def _undo_change(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    reservation, before = reversal.reservation, dict(reversal.before)
    reservation.limit_reason = before.pop("limit_reason", reservation.limit_reason)
    links = before.pop("link_id", "")
    entries = asdict(entries_of(reservation)) | before
    set_entries(session, reservation, PartyEntries(**entries), reason=None)
    if links != "":
        # The links of the address before are valid again, those of the other one end.
        reservation.link_id = UUID(links) if links else None
        session.flush()
    if not before.keys() - {"note"}:
        return ()
    return _write_undone(session, reversal.reservation, Change.EDITED, notify)


def _undo_cancelling(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    held_until = None
    if reversal.before["state"] == State.PENDING:
        held_until = datetime.fromisoformat(reversal.before["held_until"])
        if held_until <= now():
            raise HoldExpired
    return revive(session, reversal.reservation, notify=notify, held_until=held_until, undone=True)


def _undo_reinstating(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    if reversal.reservation.admitted:
        raise PartyInside(reversal.reservation.admitted)
    return end_party(session, reversal.reservation, notify=notify)


def _undo_moving(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    reservation, before = reversal.reservation, reversal.before
    _locked, target = lock_for_move(session, reservation.id, before["performance"])
    put_into(session, reservation, target, back=True)
    late_at = before["late_at"]
    reservation.late_at = datetime.fromisoformat(late_at) if late_at else None
    reservation.hold_expires_at = datetime.fromisoformat(before["held_until"])
    return _write_undone(session, reservation, Change.MOVED, notify)


def _undo_rebooking(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    reservation, before = reversal.reservation, dict(reversal.before)
    _locked, cancelled = lock_for_move(session, reservation.id, before.pop("performance"))
    if reservation.admitted:
        raise PartyInside(reservation.admitted)
    for name in ("late_at", "ended_at", "confirmed_at", "held_until"):
        before[name] = before[name] and datetime.fromisoformat(before[name])
    before["hold_expires_at"] = before.pop("held_until")
    note_left(session, reservation, now())
    office.put_back(session, reservation, cancelled, before)
    return _write_undone(session, reservation, Change.CANCELLED, notify)


def _undo_splitting(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    return join(session, reversal.reservation, reversal.others, notify=notify, undone=True)


def _undo_merging(session: Session, reversal: _Reversal, notify: bool) -> Mails:
    kept, other, before = reversal.reservation, reversal.others, reversal.before
    kept_before = Places.of_party(before["seats"], before.get("wheelchair_places", 0))
    office.resize(session, kept, kept_before, Change.SPLIT)
    kept.note = before["note"]
    session.flush()
    held_until = None
    if before["other_state"] == State.PENDING:
        held_until = datetime.fromisoformat(before["other_held_until"])
    mails = revive(session, other, notify=notify, held_until=held_until, undone=True)
    return _write_undone(session, kept, Change.SPLIT, notify) + mails


def _undo_house_seats(session: Session, reversal: _Reversal, _notify: bool) -> Mails:
    until = datetime.fromisoformat(reversal.before["until"])
    if until <= now():
        raise UndoOver
    entries = HouseEntries(**reversal.before | {"until": until})
    set_house_entries(session, reversal.reservation, entries)
    return ()


def _write_undone(
    session: Session, reservation: Reservation, change: Change, notify: bool
) -> Mails:
    return write_to_party(session, reservation, change, {"undone": True}, notify=notify)


_UNDO: dict[str, Callable[[Session, _Reversal, bool], Mails]] = {
    "change": _undo_change,
    "house": _undo_house_seats,
    "cancel": _undo_cancelling,
    "reinstate": _undo_reinstating,
    "move": _undo_moving,
    "rebook": _undo_rebooking,
    "split": _undo_splitting,
    "merge": _undo_merging,
}
