"""What follows a change of a reservation: the mail about it, and the seats that come free.

The modules of this folder call these functions by the module (`consequences.seats_freed`), so that a test can
listen to all of them at once.
"""

from collections.abc import Callable
from enum import StrEnum

from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation, State
from azionelab.database import before_commit, has_before_commit, now, run_before_commit
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance


class Change(StrEnum):
    """How a reservation changed."""

    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    REDUCED = "reduced"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SEATS_RELEASED = "seats_released"
    SEATS_RESTORED = "seats_restored"
    WALKED_IN = "walked_in"
    KEPT_BACK = "kept_back"
    PERFORMANCE_MOVED = "performance_moved"
    PERFORMANCE_CANCELLED = "performance_cancelled"
    EDITED = "edited"  # by staff: name, address, language, note, more seats
    MOVED = "moved"  # to another performance
    SPLIT = "split"  # in two reservations
    MERGED = "merged"  # with another one, which ends
    REINSTATED = "reinstated"  # was cancelled or expired
    JOINED = "joined"  # the waitlist
    OFFERED = "offered"  # seats, to whoever waited
    LAPSED = "lapsed"  # of such an offer: nobody answered


# The visitor gets no mail about the others: an expired booking says so on its page, and
# no-shows see it at the door.
_MAILS = {
    Change.RESERVED: MailKind.CONFIRM,
    Change.CONFIRMED: MailKind.TICKET,
    Change.REDUCED: MailKind.CHANGED,
    Change.CANCELLED: MailKind.CANCELLED,
    Change.PERFORMANCE_MOVED: MailKind.MOVED,
    Change.PERFORMANCE_CANCELLED: MailKind.PERFORMANCE_CANCELLED,
    Change.EDITED: MailKind.CHANGED,
    Change.MOVED: MailKind.CHANGED,
    Change.SPLIT: MailKind.CHANGED,
    Change.MERGED: MailKind.CHANGED,
    Change.REINSTATED: MailKind.CHANGED,
    Change.JOINED: MailKind.WAITLIST,
    Change.OFFERED: MailKind.OFFER,
    Change.LAPSED: MailKind.LAPSED,
}

# Whoever gives seats that came free to somebody: a function of a session and a performance's id.
Follower = Callable[[Session, int], None]
_followers: list[Follower] = []


def reservation_changed(
    session: Session,
    reservation: Reservation,
    change: Change,
    *,
    with_mail: bool = True,
) -> bool:
    """Enqueue the mail about a change of a locked reservation; whether there is one.

    Walk-ins and parties without an address get none, and an unconfirmed booking that was reduced has no ticket
    that could differ. Staff may ask for none (`with_mail`), or for one that says what they changed: then they
    write it by `box_office.outcomes.write_to_party`, when all of their change is done.
    """
    kind = mail_kind(reservation, change)
    if kind is None or not with_mail or not reservation.email:
        return False
    enqueue(session, reservation.id, kind, at_commit=change is Change.RESERVED)
    return True


def mail_kind(reservation: Reservation, change: Change) -> MailKind | None:
    """The kind of mail about a change; None when there is none."""
    kind = _MAILS.get(change)
    if kind is MailKind.CHANGED and reservation.state != State.CONFIRMED:
        # Without a ticket the request to confirm is what can differ.
        return None if change is Change.REDUCED else MailKind.CONFIRM
    return kind


def seats_freed(performance: Performance, freed: Places) -> None:
    """What follows when places of a locked performance come free: the session's counts of them, and the waitlist.

    The database counts them in its own row (migration 0020). For a lapsed hold it is called only once that is expired
    (seats/holds.py). Places that are taken (negative ones) do not raise the session's counts: lock the performance
    again before counting after that.
    """
    freed = freed.missing_none
    if freed.total:
        held = Places.of_party(performance.seats_held, performance.wheelchair_held) - freed
        set_committed_value(performance, "seats_held", held.total)
        set_committed_value(performance, "wheelchair_held", held.wheelchair)
        seats_may_be_free(performance)


def seats_may_be_free(performance: Performance) -> None:
    """Offer what is free of a locked performance to those who wait, before the transaction commits.

    Not at once, since many a change frees seats and takes them again. It is called by `seats_freed`, and where seats
    can be had for another reason: a larger house, booking that is open again.
    """
    session = object_session(performance)
    if session is not None:
        for follow in _followers:
            before_commit(session, follow, performance.id)


def will_pass_on(session: Session, performance: Performance) -> bool:
    """Whether the transaction has freed seats that are not passed on yet."""
    return has_before_commit(session, performance.id)


def pass_on_now(session: Session, performance: Performance) -> None:
    """Offer what came free of a locked performance at once, for a caller that counts what is left."""
    run_before_commit(session, performance.id)


def when_seats_come_free(follow: Follower) -> None:
    """Call `follow` before the commit of each transaction that frees seats, once for each performance."""
    if follow not in _followers:
        _followers.append(follow)


def end(reservation: Reservation, by: By) -> Places:
    """Cancel a reservation; the places that it held."""
    held = held_places(reservation)
    reservation.state = State.CANCELLED
    reservation.ended_at, reservation.ended_by = now(), by
    return held


def held_places(reservation: Reservation) -> Places:
    """The places that a reservation holds, as the database counts them (migration 0055).

    Of released seats the ordinary ones come first: a wheelchair place stays held while anybody may still come.
    """
    if not (reservation.is_live and reservation.holds_seats):
        return Places()
    people = reservation.seats - reservation.released
    return Places.of_party(people, min(reservation.wheelchair_places, people))
