"""TemplateName, TemplateText, and TemplateVersion: a text of a mail as staff wrote it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


class TemplateName(StrEnum):
    """The texts that mails about a booking are made of: one for each thing that a mail can say."""

    CONFIRM = "confirm"  # please confirm
    TICKET = "ticket"
    CHANGED = "changed"  # with the ticket
    CANCELLED = "cancelled"
    MERGED = "merged"  # the booking is now part of another one
    HANDED_OVER = "handed_over"  # a friend has taken the booking over
    MOVED = "moved"  # we changed the performance's time or place; with the ticket
    MOVED_UNCONFIRMED = "moved_unconfirmed"  # the same, to a party that has not confirmed yet
    PERFORMANCE_CANCELLED = "performance_cancelled"
    EXISTING = "existing"  # you booked again: this is the booking that you have
    WAITLIST_JOIN = "waitlist_join"  # please confirm that you want to wait for seats
    WAITLIST_PLACE = "waitlist_place"  # you are in line
    OFFER = "offer"  # seats came free
    WAITLIST_LAPSED = "waitlist_lapsed"  # nobody answered the offer in time
    WAITLIST_NEAR = "waitlist_near"  # on the day, to those who wait: are you near?
    WAITLIST_MOVED = "waitlist_moved"  # as MOVED, to those in line
    WAITLIST_CANCELLED = "waitlist_cancelled"  # as PERFORMANCE_CANCELLED, to those in line
    REMINDER = "reminder"  # the curtain is near: are you coming? With the ticket
    QUESTION = "question"  # you never answered: confirm again, or the seats go to others
    NOT_ANSWERED = "not_answered"  # they went to others
    MY_BOOKINGS = "my_bookings"  # the link to all bookings of an address
    FOR_FRIEND = "for_friend"  # to the friend to whom a booking is offered
    BOOKING = "booking"  # how the booking stands, when what the mail was about is over


class About(StrEnum):
    """What a mail shows beside its text."""

    BOOKING = "booking"  # the evening, the reference, the private links
    EVENING = "evening"  # to a friend, whose booking it is not yet
    ADDRESS = "address"  # nothing: it is about several bookings

    @classmethod
    def of(cls, name: TemplateName) -> "About":
        """What a text's mail shows."""
        others = {TemplateName.MY_BOOKINGS: cls.ADDRESS, TemplateName.FOR_FRIEND: cls.EVENING}
        return others.get(name, cls.BOOKING)


@dataclass(frozen=True)
class TemplateText:
    """A text with its fields in braces. `heading` stands above it in mail programs that show HTML."""

    subject: str
    heading: str
    body: str


class TemplateVersion(Base):
    """A version of the theatre's own text, in one language; without texts it goes back to the shipped one.

    The newest version counts. Versions are only ever added, each with the number after the last, so of two people
    who save at once the second is refused by the key.
    """

    __tablename__ = "mail_template_version"
    __table_args__ = (
        UniqueConstraint(
            "template", "language", "version", name="uq_mail_template_version_template"
        ),
        CheckConstraint(
            "(subject IS NULL) = (body IS NULL) AND (heading IS NULL) = (body IS NULL)",
            name="whole",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    template: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]
    subject: Mapped[str | None]
    heading: Mapped[str | None]
    body: Mapped[str | None]
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )

    @property
    def text(self) -> TemplateText | None:
        """The text; None for the shipped one."""
        if self.subject is None or self.heading is None or self.body is None:
            return None
        return TemplateText(self.subject, self.heading, self.body)
