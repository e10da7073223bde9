"""Sample mails for staff: of a change before it is made, and of a text as they write it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import get_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.bookings.mails.templates.composing import MessageText, compose
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.stored import read_own_texts
from azionelab.bookings.mails.templates.values import values_for
from azionelab.bookings.mails.texts import text_for
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.database import db, now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.runs.changes import EveningFacts
from azionelab.web.site_urls import site_url

_STATES = {
    TemplateName.CONFIRM: State.PENDING,
    TemplateName.MOVED_UNCONFIRMED: State.PENDING,
    TemplateName.CANCELLED: State.CANCELLED,
    TemplateName.MERGED: State.CANCELLED,
    TemplateName.HANDED_OVER: State.CANCELLED,
    TemplateName.NOT_ANSWERED: State.CANCELLED,
    TemplateName.PERFORMANCE_CANCELLED: State.CANCELLED,
    TemplateName.WAITLIST_JOIN: State.WAITING,
    TemplateName.WAITLIST_PLACE: State.WAITING,
    TemplateName.WAITLIST_LAPSED: State.WAITING,
    TemplateName.WAITLIST_NEAR: State.WAITING,
    TemplateName.WAITLIST_MOVED: State.WAITING,
    TemplateName.WAITLIST_CANCELLED: State.CANCELLED,
    TemplateName.OFFER: State.PENDING,
    TemplateName.BOOKING: State.EXPIRED,
}
# What staff have changed, where the text tells of it.
_CHANGED: dict[TemplateName, dict[str, Any]] = {
    TemplateName.CHANGED: {"seats": 3},
    TemplateName.MERGED: {"merged_into": "EFGH6789"},
}


@dataclass(frozen=True)
class Sample:
    """A text filled in for an invented party. Its links lead to the programme."""

    text: MessageText
    reservation: Reservation


def sample_text(
    kind: MailKind, title: str, venue_name: str, after: EveningFacts, *, seats: int = 2
) -> MessageText:
    """The text, in the current language, for an invented confirmed party of an evening as it would be `after`."""
    cancelled = kind is MailKind.PERFORMANCE_CANCELLED
    performance = _evening(title, venue_name, "", after.starts_at)
    performance.cancelled_at = now() if cancelled else None
    state = State.CANCELLED if cancelled else State.CONFIRMED
    own = read_own_texts(db.session(), str(get_locale()))
    return text_for(kind, _party(performance, state, seats=seats), own)


def fill_sample(name: TemplateName, text: TemplateText) -> Sample:
    """A text without faults, in the current language, for an invented party of the next performance."""
    state = _STATES.get(name, State.CONFIRMED)
    reservation = _party(_next_evening(), state, name="Anna Bianchi")
    changed = _CHANGED.get(name)
    if name in (TemplateName.MY_BOOKINGS, TemplateName.FOR_FRIEND):
        changed = {"link": "", "hours": 2, "answer_by": now() + timedelta(days=2)}
    if name is TemplateName.QUESTION:
        changed = {"answer_by": reservation.performance.starts_at - timedelta(days=1)}
    values = values_for(name, reservation, changed)
    composed = compose(text, replace(values, link=site_url("shows.programme")))
    return Sample(composed, reservation)


def _party(
    performance: Performance, state: State, *, name: str = "", seats: int = 2
) -> Reservation:
    return Reservation(
        id=UUID(int=0),
        reference="ABCD2345",
        performance_id=0,
        performance=performance,
        name=name,
        email="",
        locale="",
        seats=seats,
        wheelchair_places=0,
        admitted=0,
        released=0,
        state=state,
        kind=Kind.VISITOR,
        holds_seats=True,
        hold_expires_at=now() + timedelta(hours=1),
    )


def _next_evening() -> Performance:
    """A copy of the next performance; an invented one when nothing is planned."""
    found = db.session.scalar(
        select(Performance)
        .where(Performance.starts_at > now(), Performance.cancelled_at.is_(None))
        .order_by(Performance.starts_at, Performance.id)
        .limit(1)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
    )
    if found is None:
        at = datetime.fromisoformat("2030-10-04T18:30:00+00:00")
        return _evening(gettext("The title of a show"), gettext("The venue"), "", at)
    return _evening(found.show.title, found.venue.name, found.venue.address, found.starts_at)


def _evening(title: str, venue: str, address: str, starts_at: datetime) -> Performance:
    return Performance(
        id=0,
        show=Show(title=title),
        venue=Venue(name=venue, address=address),
        starts_at=starts_at,
        cancelled_at=None,
    )
