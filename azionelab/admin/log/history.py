"""The history of one object for its own page; a reservation's has its mails and scans in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, ngettext
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from azionelab.admin.log.entries import Line, entries_of, lines_of
from azionelab.admin.mails.views import DELIVERIES, KINDS
from azionelab.admin.rows.edit_conflicts import format_moment
from azionelab.admin.scans import verdict_label
from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation
from azionelab.checkin.models import Admission, Scan
from azionelab.database import Base, db
from azionelab.database.audit import AuditEntry
from azionelab.mail.models import Delivery, Mail
from azionelab.staff.models import User

_SHOWN = 20  # entries on the page of an object; the log has all of them
_MOST = 200  # of a reservation: nobody changes one so often


@dataclass(frozen=True)
class Event:
    """Something that happened to a reservation. `kind` is "change", "mail" or "scan"; `url` leads to more."""

    at: datetime
    text: str
    kind: str = "change"
    url_id: str = ""  # of a mail


def history_of(row: Base) -> list[Line]:
    """The newest changes of an object that has a page of its own."""
    identity = str(row.id)  # type: ignore[attr-defined]
    return lines_of(entries_of(row.__tablename__, identity, _SHOWN))


def mails_of(reservation: Reservation) -> Sequence[Mail]:
    """The mails of a reservation, the newest first."""
    return db.session.scalars(
        select(Mail)
        .where(Mail.reservation_id == reservation.id)
        .order_by(Mail.created_at.desc(), Mail.id)
    ).all()


def reservation_history(reservation: Reservation, mails: Sequence[Mail]) -> list[Event]:
    """All that happened to a reservation, the newest first: changes, its mails, scans and admissions taken back."""
    entries = _entries(reservation, mails)
    events = [
        *_booked(reservation, entries),
        *(
            Event(line.entry.at, sentence)
            for line in lines_of(entries)
            for sentence in line.sentences
        ),
        *_before_the_log(reservation, entries),
        *_sent(mails),
        *_scanned(reservation),
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)


def latest_change(reservation: Reservation) -> list[str]:
    """Who changed a reservation last, and what, in sentences with the moment; none from before the log."""
    return [
        f"{format_moment(line.entry.at)}: {sentence}"
        for line in lines_of(entries_of("reservation", str(reservation.id), 1))
        for sentence in line.sentences
    ]


def _entries(reservation: Reservation, mails: Sequence[Mail]) -> list[AuditEntry]:
    """The newest entries about the reservation and its mails, the newest first."""
    of_party = and_(
        AuditEntry.object_type == "reservation", AuditEntry.object_id == str(reservation.id)
    )
    of_mails = and_(
        AuditEntry.object_type == "mail",
        AuditEntry.object_id.in_([str(mail.id) for mail in mails]),
    )
    found = select(AuditEntry).where(or_(of_party, of_mails)).order_by(AuditEntry.id.desc())
    return list(db.session.scalars(found.limit(_MOST)))


def _booked(reservation: Reservation, entries: list[AuditEntry]) -> Iterator[Event]:
    """The booking itself, unless the log has it: a visitor's is not in the log."""
    if any(entry.action == "created" for entry in entries):
        return
    if reservation.walk_in:
        text = ngettext(
            "%(num)s person came without a booking.",
            "%(num)s people came without a booking.",
            reservation.seats,
        )
    else:
        text = ngettext(
            "The visitor booked %(num)s seat.",
            "The visitor booked %(num)s seats.",
            _first_seats(reservation, entries),
        )
    yield Event(reservation.created_at, text)


def _first_seats(reservation: Reservation, entries: list[AuditEntry]) -> int:
    changes = [entry.changes["seats"] for entry in entries if "seats" in entry.changes]
    before: int = changes[-1][0] if changes else reservation.seats
    return reservation.reduced_from or before


def _before_the_log(reservation: Reservation, entries: list[AuditEntry]) -> Iterator[Event]:
    """What the row knows of changes from before there was a log."""
    states = {entry.changes["state"][1] for entry in entries if "state" in entry.changes}
    if reservation.walk_in:
        return
    if reservation.confirmed_at and "confirmed" not in states and not _was_made_confirmed(entries):
        yield Event(reservation.confirmed_at, gettext("The booking was confirmed."))
    if reservation.ended_at and not states & {"cancelled", "expired"}:
        yield Event(reservation.ended_at, _ended(reservation))
    if reservation.reduced_at and not any("seats" in entry.changes for entry in entries):
        text = gettext(
            "The seats were changed from %(old)s to %(new)s.",
            old=reservation.reduced_from,
            new=reservation.seats,
        )
        yield Event(reservation.reduced_at, text)
    if reservation.erased_at and not any("erased_at" in entry.changes for entry in entries):
        yield Event(reservation.erased_at, gettext("Name and address were erased."))


def _was_made_confirmed(entries: list[AuditEntry]) -> bool:
    return any(entry.action == "created" and "confirmed_at" in entry.changes for entry in entries)


def _ended(reservation: Reservation) -> str:
    if reservation.state == "expired":
        return gettext("It was not confirmed in time: its seats came free.")
    match reservation.ended_by:
        case By.VISITOR:
            return gettext("The visitor cancelled the booking.")
        case By.PERFORMANCE:
            return gettext("The performance was cancelled, and with it this booking.")
        case By.NO_ANSWER:
            return gettext("Nobody answered whether they come: its seats came free.")
        case _:
            return gettext("The booking was cancelled.")


def _sent(mails: Sequence[Mail]) -> Iterator[Event]:
    for mail in mails:
        kind = KINDS.get(mail.kind, mail.kind)
        if mail.delivery == Delivery.SENT and mail.sent_at:
            text = gettext("Mail sent: %(kind)s.", kind=kind)
            yield Event(mail.sent_at, text, "mail", str(mail.id))
        else:
            state = DELIVERIES.get(mail.delivery, mail.delivery)
            text = gettext("Mail written: %(kind)s (%(state)s).", kind=kind, state=state)
            yield Event(mail.tried_at or mail.created_at, text, "mail", str(mail.id))


def _scanned(reservation: Reservation) -> Iterator[Event]:
    scans = db.session.execute(
        select(Scan, Admission)
        .outerjoin(Admission, Admission.scan_id == Scan.id)
        .where(Scan.reservation_id == reservation.id)
        .options(joinedload(Scan.user).lazyload(User.roles), joinedload(Scan.token))
    )
    for scan, admission in scans:
        yield Event(scan.scanned_at, _describe_scan(scan), "scan")
        if admission is None or admission.undone_at is None:
            continue
        text = ngettext(
            "%(who)s undid the admission of %(num)s person.",
            "%(who)s undid the admission of %(num)s people.",
            admission.people,
            who=admission.undone_by or gettext("The door"),
        )
        yield Event(admission.undone_at, text, "scan")


def _describe_scan(scan: Scan) -> str:
    # A phone's name is its door's.
    where = scan.door if scan.by in ("", scan.door) else f"{scan.door} ({scan.by})"
    verdict = verdict_label(scan.verdict)
    if not scan.people:
        return gettext("Scan at %(door)s: %(verdict)s.", door=where, verdict=verdict)
    return ngettext(
        "Scan at %(door)s: %(verdict)s, %(num)s person.",
        "Scan at %(door)s: %(verdict)s, %(num)s people.",
        scan.people,
        door=where,
        verdict=verdict,
    )
