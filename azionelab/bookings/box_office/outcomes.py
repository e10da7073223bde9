"""What a change by staff does: shown before it is saved, and after.

A change is rehearsed by doing it and rolling it back: what the page shows before saving is what the rule did, with the
same refusals. A rehearsal takes the same locks, for as long.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask_babel import force_locale
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.models import UndoOffer
from azionelab.bookings.errors import (
    AddressTaken,
    ReservationChanged,
    SoldOut,
    WheelchairPlacesTaken,
)
from azionelab.bookings.mails.changes import Changed, with_unsent
from azionelab.bookings.mails.templates.stored import read_own_texts
from azionelab.bookings.mails.texts import text_for
from azionelab.bookings.models import Reservation
from azionelab.bookings.transitions.consequences import Change, mail_kind
from azionelab.database import now, transaction, violated_constraint
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.mail.outbox import enqueue
from azionelab.shows.models import Performance

UNDO_FOR = timedelta(minutes=10)  # after a change


@dataclass(frozen=True)
class MailPreview:
    """A mail about a change: who gets it, and the beginning of what it says."""

    recipient: str
    subject: str
    paragraphs: list[str]


@dataclass(frozen=True)
class Outcome:
    """What a change did, or would do. `free` seats are left at the performance afterwards.

    `mails` are those that a change has, whether staff want them written or not. `other_id` is the reservation that
    was split off.
    """

    reservation_id: UUID
    is_unchanged: bool = False
    free: int | None = None
    mails: tuple[MailPreview, ...] = ()
    other_id: UUID | None = None


class _Rehearsed(Exception):
    """The change was only rehearsed: roll it back."""


@contextmanager
def office_transaction(*, rehearse: bool) -> Iterator[Session]:
    """`transaction()`, rolled back at the end of a rehearsal.

    The database has the last word, when a visitor was faster: AddressTaken, SoldOut.
    """
    try:
        with transaction() as session:
            yield session
            if rehearse:
                session.flush()
                raise _Rehearsed
    except _Rehearsed:
        pass
    except IntegrityError as error:
        match violated_constraint(error):
            case "uq_reservation_live_email" | "uq_reservation_live_request":
                raise AddressTaken("") from error
            case "ck_performance_capacity_held":
                raise SoldOut(0) from error
            case "ck_performance_wheelchair_held":
                raise WheelchairPlacesTaken(0, 0) from error
        raise


def refuse_other_version(reservation: Reservation, seen: int) -> None:
    """Raise ReservationChanged unless a locked reservation is as the page showed it (`changed_in`)."""
    if reservation.changed_in != seen:
        raise ReservationChanged


def refuse_taken_address(
    session: Session, performance_id: int, email_key: str | None, reservation_id: UUID | None = None
) -> None:
    """Raise AddressTaken if a live booking of a performance, but for one, has this key of a mailbox."""
    if email_key is None:
        return
    taken = session.scalar(
        select(Reservation.reference).where(
            Reservation.performance_id == performance_id,
            Reservation.email_key == email_key,
            Reservation.is_live,
            Reservation.id.is_distinct_from(reservation_id),
        )
    )
    if taken is not None:
        raise AddressTaken(taken)


def write_to_party(
    session: Session, reservation: Reservation, change: Change, changed: Changed, *, notify: bool
) -> tuple[MailPreview, ...]:
    """Enqueue the one mail about a change if `notify`; the mail, or nothing for a party without an address.

    It also says what earlier mails say that have not left yet, and replaces them.
    """
    session.flush()
    kind = mail_kind(reservation, change)
    if kind is None or not reservation.email:
        return ()
    with session.no_autoflush:
        changed = with_unsent(session, reservation, changed)
        own = read_own_texts(session, reservation.locale)
    if notify:
        enqueue(session, reservation.id, kind, changed)
    with force_locale(reservation.locale):
        text = text_for(kind, reservation, own, changed)
    return (MailPreview(reservation.email, text.subject, text.opening),)


def not_sent(session: Session, reservation_id: UUID, kind: MailKind) -> None:
    """Do not send a reservation's mails of a kind that still wait: what they say is not true any more."""
    session.execute(
        update(Mail)
        .where(
            Mail.reservation_id == reservation_id,
            Mail.kind == kind,
            Mail.delivery == Delivery.QUEUED,
        )
        .values(delivery=Delivery.NOT_SENT)
        .execution_options(synchronize_session=False)
    )


def offer_undo(
    session: Session,
    reservation_id: UUID,
    kind: str,
    before: dict[str, Any],
    other_id: UUID | None = None,
    *,
    told: bool,
) -> None:
    """Record what a change can be set back to, and whether somebody was `told` of it by mail.

    Offers whose time is over are deleted.
    """
    session.execute(delete(UndoOffer).where(UndoOffer.made_at < now() - UNDO_FOR))
    session.add(
        UndoOffer(
            id=uuid4(),
            reservation_id=reservation_id,
            other_id=other_id,
            kind=kind,
            before=before | {"told": told},
            made_at=now(),
        )
    )
    session.flush()


def just_done(
    session: Session, reservation: Reservation, kind: str, **columns: Any
) -> UndoOffer | None:
    """The change of this kind that was the last one of a locked reservation: the same press, sent again."""
    return session.scalar(
        select(UndoOffer).filter_by(
            reservation_id=reservation.id, made_in=reservation.changed_in, kind=kind, **columns
        )
    )


def free_seats(session: Session, performance: Performance) -> int:
    """The free ordinary seats of a locked performance as its trigger counts them now."""
    session.flush()
    session.refresh(performance, ["seats_held", "wheelchair_held"])
    return performance.free.seats
