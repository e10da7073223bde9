"""Venue, Show, FormerSlug, Performance and Holiday."""

from datetime import date, datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    false,
    func,
    not_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, relationship

from azionelab.database import Base, UserText
from azionelab.database.row_versions import Versioned
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import (
    MAX_MINUTES,
    MAX_PARTY,
    PARTY_LIMIT,
    SLUG,
    performance_end,
    show_duration,
)

MAX_CAPACITY = 100_000  # seats
MAX_AGE = 21  # years, from which a show is recommended
# A text in several languages, by their codes.
Texts = dict[str, str]


def _texts() -> MappedColumn[Texts]:
    return mapped_column(JSONB, default=dict, server_default="{}")


class Venue(Versioned, Base):
    """Where performances take place."""

    __tablename__ = "venue"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("name <> ''", name="name_given"),
        CheckConstraint(
            f"default_capacity BETWEEN 0 AND {MAX_CAPACITY}", name="default_capacity_range"
        ),
        CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180"
            " OR latitude IS NULL AND longitude IS NULL",
            name="place_whole",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[UserText]
    address: Mapped[UserText] = mapped_column(default="")
    default_capacity: Mapped[int | None]  # seats of a new performance
    directions: Mapped[Texts] = _texts()  # how to get there
    latitude: Mapped[float | None]  # degrees, as longitude
    longitude: Mapped[float | None]
    performances: Mapped[list["Performance"]] = relationship(
        back_populates="venue", passive_deletes="all"
    )

    def __str__(self) -> str:
        return self.name


class Show(Versioned, Base):
    """A production. Visitors see only published shows; an archived one is not published and left out of lists.

    An unlisted show has its page, but is left out of the programme, of the API's list and of the alternatives
    to a sold-out performance.
    """

    __tablename__ = "show"
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("title <> ''", name="title_given"),
        CheckConstraint(f"slug ~ '^{SLUG}$'", name="slug_form"),
        CheckConstraint(f"duration_minutes BETWEEN 1 AND {MAX_MINUTES}", name="duration_range"),
        CheckConstraint(f"doors_minutes BETWEEN 1 AND {MAX_MINUTES}", name="doors_range"),
        CheckConstraint(f"age_from BETWEEN 0 AND {MAX_AGE}", name="age_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    title: Mapped[UserText]
    summary: Mapped[UserText] = mapped_column(default="")
    description: Mapped[UserText] = mapped_column(default="")
    duration_minutes: Mapped[int | None]
    published: Mapped[bool] = mapped_column(default=False)
    listed: Mapped[bool] = mapped_column(default=True, server_default=true())
    archived_at: Mapped[datetime | None]
    # Title, summary and description are in the site's DEFAULT_LOCALE; these have them in other languages.
    titles: Mapped[Texts] = _texts()
    summaries: Mapped[Texts] = _texts()
    descriptions: Mapped[Texts] = _texts()
    credits: Mapped[Texts] = _texts()  # lines "role: name", in each language
    access_notes: Mapped[Texts] = _texts()
    press: Mapped[UserText] = mapped_column(default="", server_default="")  # quotes with sources
    age_from: Mapped[int | None]
    spoken_language: Mapped[str] = mapped_column(default="", server_default="")  # a code of SPOKEN
    surtitles: Mapped[str] = mapped_column(default="", server_default="")
    doors_minutes: Mapped[int | None]  # the doors open so long before the curtain
    wheelchair: Mapped[bool] = mapped_column(default=False, server_default=false())
    companion: Mapped[bool] = mapped_column(default=False, server_default=false())
    hearing_loop: Mapped[bool] = mapped_column(default=False, server_default=false())
    strobe: Mapped[bool] = mapped_column(default=False, server_default=false())
    loud_noise: Mapped[bool] = mapped_column(default=False, server_default=false())
    haze: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Hours before the curtain as validation/hours.py reads them; "" for those of the settings.
    reminders: Mapped[str] = mapped_column(default="", server_default="")
    performances: Mapped[list["Performance"]] = relationship(
        back_populates="show", passive_deletes="all", order_by="Performance.starts_at"
    )

    @hybrid_property
    def is_archived(self) -> bool:
        """Whether lists leave it out. A published show is not, whoever published it."""
        return self.archived_at is not None and not self.published

    @is_archived.inplace.expression
    @classmethod
    def _is_archived(cls) -> ColumnElement[bool]:
        return and_(cls.archived_at.is_not(None), not_(cls.published))

    @hybrid_property
    def duration(self) -> timedelta:
        """How long it takes, by default if nobody entered its minutes."""
        return show_duration(self.duration_minutes)

    @duration.inplace.expression
    @classmethod
    def _duration(cls) -> ColumnElement[timedelta]:
        entered = func.make_interval(0, 0, 0, 0, 0, cls.duration_minutes)
        return func.coalesce(entered, show_duration(None))

    def __str__(self) -> str:
        return self.title


class FormerSlug(Base):
    """A show's earlier slug, which redirects to the show. Triggers write the rows (migration 0013)."""

    __tablename__ = "former_slug"

    slug: Mapped[str] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("show.id", ondelete="CASCADE"), index=True)
    show: Mapped[Show] = relationship()


class Performance(Versioned, Base):
    """A show at a date and time in a venue.

    `seats_held` counts the seats of its live reservations, `wheelchair_held` those of them that are wheelchair places.
    Triggers on `reservation` maintain both, constraints prevent overselling, and direct updates are refused
    (migrations 0002, 0059). Lapsed holds count until they are expired. `wheelchair_places` are part of the capacity
    and nobody else's.
    """

    __tablename__ = "performance"
    __table_args__ = (
        UniqueConstraint("show_id", "starts_at"),
        Index("ix_performance_starts_at", "starts_at"),
        Index("ix_performance_booking_opens_at", "booking_opens_at"),
        CheckConstraint(f"capacity BETWEEN 0 AND {MAX_CAPACITY}", name="capacity_range"),
        CheckConstraint(
            "seats_held - wheelchair_held BETWEEN 0 AND capacity - wheelchair_places",
            name="capacity_held",
        ),
        CheckConstraint("wheelchair_held BETWEEN 0 AND wheelchair_places", name="wheelchair_held"),
        CheckConstraint(f"party_limit BETWEEN 1 AND {MAX_PARTY}", name="party_limit_range"),
        CheckConstraint("booking_opens_at < booking_closes_at", name="booking_window"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("show.id", ondelete="RESTRICT"))
    venue_id: Mapped[int] = mapped_column(ForeignKey("venue.id", ondelete="RESTRICT"), index=True)
    starts_at: Mapped[datetime]
    booking_opens_at: Mapped[datetime]
    booking_closes_at: Mapped[datetime]
    capacity: Mapped[int]
    party_limit: Mapped[int] = mapped_column(default=PARTY_LIMIT)
    seats_held: Mapped[int] = mapped_column(default=0, server_default="0")
    wheelchair_places: Mapped[int] = mapped_column(default=0, server_default="0")
    wheelchair_held: Mapped[int] = mapped_column(default=0, server_default="0")
    cancelled_at: Mapped[datetime | None]
    moved_from: Mapped[datetime | None]  # the start that was announced first, if it is another
    # Whether admitted people may leave and come in again.
    reentry: Mapped[bool] = mapped_column(default=False, server_default=false())
    released_at: Mapped[datetime | None]  # when the seats of no-shows were released
    show: Mapped[Show] = relationship(back_populates="performances")
    venue: Mapped[Venue] = relationship(back_populates="performances")

    @property
    def ends_at(self) -> datetime:
        """When it ends."""
        return performance_end(self.starts_at, self.show.duration_minutes)

    @property
    def free(self) -> Places:
        """The places that nobody holds; those of lapsed holds are held until they are expired."""
        return Places.of_party(self.capacity, self.wheelchair_places) - Places.of_party(
            self.seats_held, self.wheelchair_held
        )

    def __str__(self) -> str:
        return f"{self.show.title}, {self.starts_at:%Y-%m-%d %H:%M} UTC"


class Holiday(Versioned, Base):
    """Days on which the theatre is closed, both included. Staff are warned of performances on them."""

    __tablename__ = "holiday"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name_given"),
        CheckConstraint("first_day <= last_day", name="days_in_order"),
        UniqueConstraint("name", "first_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[UserText]
    first_day: Mapped[date]
    last_day: Mapped[date]

    def __str__(self) -> str:
        return self.name
