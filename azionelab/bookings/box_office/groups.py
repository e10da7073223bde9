"""Splits a party in two reservations, and merges two of a performance into one."""

from uuid import UUID

from sqlalchemy.orm import Session

from azionelab.bookings.box_office.changes import check_live
from azionelab.bookings.box_office.outcomes import (
    MailPreview,
    Outcome,
    free_seats,
    just_done,
    offer_undo,
    office_transaction,
    refuse_other_version,
    refuse_taken_address,
    write_to_party,
)
from azionelab.bookings.errors import (
    NotMergeable,
    NotSplittable,
    PartyInside,
    PartyTooLarge,
    PerformanceStarted,
    ReservationChanged,
    SeatsOfHouse,
    SeatsReleased,
    VisitorErased,
    refuse_unless_free,
)
from azionelab.bookings.locks import lock_reservations, lock_with_performance
from azionelab.bookings.models import MAX_NOTE, Kind, Reservation, State
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change, held_places
from azionelab.database import now
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.email_addresses import mailbox_key


def split_party(
    reservation_id: UUID,
    seats: int,
    seen: int,
    *,
    name: str,
    email: str,
    notify: bool = True,
    rehearse: bool = False,
) -> Outcome:
    """Give `seats` people of a party a reservation of their own, with its own reference and ticket.

    It is in the given name and at the given address, which may be the party's own: then both tickets go to it, and
    the key of the mailbox, by which an address has one booking, stays with the first. Both are written to. The same
    split again changes nothing.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, VisitorErased, NotSplittable,
    PartyInside, SeatsReleased, PerformanceStarted, AddressTaken.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation = lock_with_performance(session, reservation_id)
        done = just_done(session, reservation, "split")
        if done is not None and done.before["seats"] - reservation.seats == seats:
            return Outcome(reservation_id, is_unchanged=True, other_id=done.other_id)
        refuse_other_version(reservation, seen)
        _check_groupable(reservation)
        if not 1 <= seats < reservation.seats:
            raise NotSplittable
        key = mailbox_key(email) if email and email != reservation.email else None
        refuse_taken_address(session, reservation.performance_id, key)
        visitor = {
            "name": name,
            "email": email,
            "email_key": key,
            "locale": reservation.locale,
            "note": reservation.note,
            "kind": reservation.kind,
            "contact": reservation.contact,
        }
        before_seats = reservation.seats
        other = office.split_off(session, reservation, seats, visitor)
        changed = {"seats": before_seats, "split": other.reference}
        mails = write_to_party(session, reservation, Change.SPLIT, changed, notify=notify)
        changed = {"seats": before_seats, "split": reservation.reference}
        mails += write_to_party(session, other, Change.SPLIT, changed, notify=notify)
        offer_undo(
            session,
            reservation_id,
            "split",
            {"seats": before_seats},
            other.id,
            told=notify and bool(mails),
        )
        return Outcome(reservation_id, mails=mails, other_id=other.id)


def merge_parties(
    kept_id: UUID, other_id: UUID, seen: int, *, notify: bool = True, rehearse: bool = False
) -> Outcome:
    """Merge another reservation of the same performance into the one that is kept; the other ends.

    Merging them again changes nothing. Both notes are kept while they fit. The other's address is written to if it is not the same.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, VisitorErased, NotMergeable,
    PartyInside, SeatsReleased, PerformanceStarted, PartyTooLarge, SoldOut.
    """
    with office_transaction(rehearse=rehearse) as session:
        performance_id = lock_with_performance(session, min(kept_id, other_id)).performance_id
        found = lock_reservations(session, kept_id, other_id)
        kept, other = found[kept_id], found[other_id]
        if kept_id == other_id or kept.performance_id != other.performance_id:
            raise NotMergeable
        if kept.performance_id != performance_id:
            raise ReservationChanged
        if just_done(session, kept, "merge", other_id=other_id) is not None:
            return Outcome(kept_id, is_unchanged=True)
        refuse_other_version(kept, seen)
        before = {
            "seats": kept.seats,
            "wheelchair_places": kept.wheelchair_places,
            "note": kept.note,
            "other_state": other.state,
            "other_held_until": other.hold_expires_at.isoformat(),
        }
        mails = join(session, kept, other, notify=notify)
        offer_undo(session, kept_id, "merge", before, other_id, told=notify and bool(mails))
        return Outcome(
            kept_id, free=free_seats(session, kept.performance), mails=mails, other_id=other_id
        )


def join(
    session: Session, kept: Reservation, other: Reservation, *, notify: bool, undone: bool = False
) -> tuple[MailPreview, ...]:
    """Merge two locked reservations in the caller's transaction; the mails about it."""
    for party in (kept, other):
        _check_groupable(party)
    if other.state == State.CONFIRMED and kept.state != State.CONFIRMED:
        raise NotMergeable
    if kept.seats + other.seats > MAX_PARTY:
        raise PartyTooLarge(MAX_PARTY)
    taken = other.places - held_places(other) if kept.holds_seats else Places()
    if taken.total:
        refuse_unless_free(taken, count_free(session, kept.performance, now()))
    changed = {"seats": kept.seats, "merged": other.reference}
    if undone:
        changed = {"undone": True}
    office.merge(session, kept, other)
    notes = [note for note in dict.fromkeys((kept.note, other.note)) if note]
    if len(together := " / ".join(notes)) <= MAX_NOTE and together != kept.note:
        office.edit(session, kept, {"note": together})
    mails = write_to_party(session, kept, Change.MERGED, changed, notify=notify)
    if other.email and other.email != kept.email:
        into = {"merged_into": kept.reference}
        mails += write_to_party(session, other, Change.CANCELLED, into, notify=notify)
    return mails


def _check_groupable(reservation: Reservation) -> None:
    check_live(reservation)
    if reservation.walk_in or reservation.erased_at is not None:
        raise VisitorErased
    if reservation.kind == Kind.HOUSE:
        raise SeatsOfHouse
    if reservation.admitted:
        raise PartyInside(reservation.admitted)
    if reservation.released:
        raise SeatsReleased
    if now() >= reservation.performance.starts_at:
        raise PerformanceStarted
