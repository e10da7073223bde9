"""Changes of one reservation by staff: what its form says. Ending it and taking that back: endings.py."""

from dataclasses import asdict, dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from azionelab.bookings.box_office.outcomes import (
    MailPreview,
    Outcome,
    free_seats,
    offer_undo,
    office_transaction,
    refuse_other_version,
    refuse_taken_address,
    write_to_party,
)
from azionelab.bookings.errors import (
    HoldExpired,
    NotFewerSeats,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceStarted,
    ReservationEnded,
    VisitorErased,
    WheelchairPlacesAboveSeats,
    refuse_unless_free,
)
from azionelab.bookings.locks import lock_with_performance
from azionelab.bookings.mails.changes import Changed
from azionelab.bookings.models import Kind, Reservation
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.transitions import office
from azionelab.bookings.transitions.consequences import Change
from azionelab.database import now
from azionelab.mail.outbox import MailUnknown, lock_mail, queue_again
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.email_addresses import mailbox_key


@dataclass(frozen=True)
class PartyEntries:
    """What the form of a reservation says. `email` is a valid address or "", `locale` the language of its mails."""

    name: str
    email: str
    locale: str
    seats: int
    note: str
    wheelchair_places: int = 0

    @property
    def places(self) -> Places:
        """The places of the party."""
        return Places.of_party(self.seats, self.wheelchair_places)


_CONTACT = ("name", "email", "locale")


def entries_of(reservation: Reservation) -> PartyEntries:
    """The entries of a reservation as they are stored."""
    return PartyEntries(
        reservation.name,
        reservation.email,
        reservation.locale,
        reservation.seats,
        reservation.note,
        reservation.wheelchair_places,
    )


def change_party(
    reservation_id: UUID,
    wanted: PartyEntries,
    seen: int,
    *,
    reason: str = "",
    notify: bool = True,
    rehearse: bool = False,
) -> Outcome:
    """Save the entries of a reservation's form. One mail says what changed; a note alone has none.

    More seats are given while so many are free, and beyond the performance's party limit with a `reason`, which is
    kept and can be changed by itself. `seen` is the reservation's `changed_in` as the page showed it.

    Raises ReservationUnknown, ReservationChanged, ReservationEnded, HoldExpired, VisitorErased, AddressTaken,
    PartyInside, PartyOverLimit, PartyTooLarge, SoldOut, PerformanceStarted.
    """
    with office_transaction(rehearse=rehearse) as session:
        reservation = lock_with_performance(session, reservation_id)
        return _change(session, reservation, wanted, seen, reason=reason, notify=notify)


def correct_address(mail_id: UUID, reservation_id: UUID, email: str, seen: int) -> Outcome:
    """Change the address of a mail's reservation, and send the mail again in place of one that says so.

    Raises what `change_party` raises, and MailUnknown.
    """
    with office_transaction(rehearse=False) as session:
        reservation = lock_with_performance(session, reservation_id)
        wanted = replace(entries_of(reservation), email=email)
        outcome = _change(session, reservation, wanted, seen, reason="", notify=False)
        if not outcome.is_unchanged:
            mail = lock_mail(session, mail_id)
            if mail.reservation_id != reservation.id:
                raise MailUnknown
            queue_again(session, mail)
        return outcome


def _change(
    session: Session,
    reservation: Reservation,
    wanted: PartyEntries,
    seen: int,
    *,
    reason: str,
    notify: bool,
) -> Outcome:
    """`change_party` of a locked reservation, as part of the caller's transaction."""
    before = entries_of(reservation)
    different = {
        name: value for name, value in asdict(before).items() if value != getattr(wanted, name)
    }
    if reason and reason_of(reservation, wanted.seats, reason) != reservation.limit_reason:
        different["limit_reason"] = reservation.limit_reason
    if "email" in different:
        different["link_id"] = reservation.link_id and str(reservation.link_id)
    if not different:
        return Outcome(reservation.id, is_unchanged=True)
    refuse_other_version(reservation, seen)
    check_live(reservation)
    limit = {"limit_reason": reservation.limit_reason} if "seats" in different else {}
    change = set_entries(session, reservation, wanted, reason)
    mails: tuple[MailPreview, ...] = ()
    if different.keys() - {"note", "limit_reason"}:
        changed = changed_entries(before, wanted)
        mails = write_to_party(session, reservation, change, changed, notify=notify)
    told = notify and bool(mails)
    offer_undo(session, reservation.id, "change", different | limit, told=told)
    return Outcome(reservation.id, free=free_seats(session, reservation.performance), mails=mails)


def set_entries(
    session: Session, reservation: Reservation, wanted: PartyEntries, reason: str | None
) -> Change:
    """Write the entries that differ, in the caller's transaction; how the reservation changed.

    A `reason` None asks for none: the party had this size before.
    """
    stored = entries_of(reservation)
    texts = {
        name: getattr(wanted, name)
        for name in (*_CONTACT, "note")
        if getattr(wanted, name) != getattr(stored, name)
    }
    if texts.keys() - {"locale"} and (reservation.walk_in or reservation.erased_at is not None):
        raise VisitorErased
    if "email" in texts:
        key = texts["email_key"] = mailbox_key(wanted.email) if wanted.email else None
        if ends_links(stored.email, wanted.email):
            texts["link_id"] = uuid4()
        refuse_taken_address(session, reservation.performance_id, key, reservation.id)
    if texts:
        office.edit(session, reservation, texts)
        session.flush()
    if wanted.places != stored.places:
        _check_places(session, reservation, wanted.places, reason)
        office.resize(session, reservation, wanted.places, Change.EDITED)
    if reason is not None:
        reservation.limit_reason = reason_of(reservation, wanted.seats, reason)
    session.flush()
    return Change.EDITED


def ends_links(before: str, after: str) -> bool:
    """Whether links sent to one address end with its correction: not if both are the same mailbox, or it had none."""
    return bool(before) and (not after or mailbox_key(before) != mailbox_key(after))


def reason_of(reservation: Reservation, seats: int, reason: str) -> str:
    """The reason that is kept with a party of so many: a new one, or the one before; none within the limit."""
    above = seats > reservation.performance.party_limit and reservation.kind != Kind.HOUSE
    return (reason or reservation.limit_reason) if above else ""


def changed_entries(before: PartyEntries, now_is: PartyEntries) -> Changed:
    """What a mail has to say of entries that changed."""
    changed: Changed = {}
    if before.places != now_is.places:
        changed["seats"] = before.seats
    if any(getattr(before, name) != getattr(now_is, name) for name in _CONTACT):
        changed["contact"] = True
    return changed


def check_live(reservation: Reservation) -> None:
    """Raise ReservationEnded or HoldExpired unless a reservation is live and its performance takes place."""
    if not reservation.is_live or reservation.performance.cancelled_at is not None:
        raise ReservationEnded
    if reservation.is_lapsed(now()):
        raise HoldExpired


def _check_places(
    session: Session, reservation: Reservation, wanted: Places, reason: str | None
) -> None:
    performance, seats = reservation.performance, wanted.total
    if now() >= performance.starts_at:
        raise PerformanceStarted
    if seats < 1:
        raise NotFewerSeats
    if wanted.seats < 0:
        raise WheelchairPlacesAboveSeats
    if seats < reservation.admitted:
        raise PartyInside(reservation.admitted)
    more = (wanted - reservation.places).missing_none
    if not more.total:
        return
    if seats > MAX_PARTY:
        raise PartyTooLarge(MAX_PARTY)
    has_reason = reason is None or reason or reservation.limit_reason
    grows = seats > reservation.seats
    if (
        grows
        and seats > performance.party_limit
        and not has_reason
        and reservation.kind != Kind.HOUSE
    ):
        raise PartyOverLimit(performance.party_limit)
    refuse_unless_free(more, count_free(session, performance, now()))
