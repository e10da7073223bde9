"""A sample of the mail that a change would send, as staff see it before the change."""

from datetime import timedelta
from uuid import UUID

from azionelab.bookings.mails.texts import MessageText, text_for
from azionelab.bookings.models import Reservation, State
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.runs.changes import EveningFacts


def sample_text(
    kind: MailKind, title: str, venue_name: str, after: EveningFacts, *, seats: int = 2
) -> MessageText:
    """The text, in the current language, for an invented confirmed party of an evening as it would be `after`."""
    at = now()
    cancelled = kind is MailKind.PERFORMANCE_CANCELLED
    performance = Performance(
        show=Show(title=title),
        venue=Venue(name=venue_name, address=""),
        starts_at=after.starts_at,
        cancelled_at=at if cancelled else None,
    )
    party = Reservation(
        id=UUID(int=0),
        reference="ABCD2345",
        performance=performance,
        name="",
        email="",
        locale="",
        seats=seats,
        admitted=0,
        released=0,
        state=State.CANCELLED if cancelled else State.CONFIRMED,
        holds_seats=True,
        hold_expires_at=at + timedelta(hours=1),
    )
    return text_for(kind, party)
