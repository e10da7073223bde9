"""Line and Place: a queue before the booking form, and somebody's place in it."""

from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base
from azionelab.shows.limits import MAX_PARTY

JOINED_BEFORE = timedelta(minutes=30)  # before a line opens, visitors can take part in its lot
COME_IN = timedelta(
    minutes=3
)  # within which whoever is let in has to press the button; then they have the whole stay
MAX_PER_MINUTE = 10_000
MAX_INSIDE = 100_000
MAX_STAY = 120  # minutes
_INSIDE = "let_in_at IS NOT NULL AND booked_at IS NULL"


class Origin(StrEnum):
    """Who opened a line."""

    STAFF = "staff"
    LOAD = "load"


class Line(Base):
    """A queue before the booking forms of a show, or of the whole site.

    At `opens_at` those who are there get their numbers by lot; who comes later is behind them. `joined` places were
    given, and the numbers up to `let_in` have been let in: `per_minute` of them, while fewer than `inside_limit` are
    inside, and no more than certainly find seats (seats.py). Each has `stay_minutes` for one booking, of at most
    `most_seats` seats; None for as many as the performance allows.
    """

    __tablename__ = "queue_line"
    __table_args__ = (
        CheckConstraint(f"per_minute BETWEEN 1 AND {MAX_PER_MINUTE}", name="per_minute_range"),
        CheckConstraint(f"inside_limit BETWEEN 1 AND {MAX_INSIDE}", name="inside_limit_range"),
        CheckConstraint(f"stay_minutes BETWEEN 1 AND {MAX_STAY}", name="stay_minutes_range"),
        CheckConstraint(f"most_seats BETWEEN 1 AND {MAX_PARTY}", name="most_seats_range"),
        CheckConstraint("let_in BETWEEN 0 AND joined", name="let_in_range"),
        CheckConstraint("origin IN ('staff', 'load')", name="origin"),
        Index(
            "uq_queue_line_live",
            text("coalesce(show_id, 0)"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    show_id: Mapped[int | None] = mapped_column(ForeignKey("show.id", ondelete="CASCADE"))
    origin: Mapped[str]
    opens_at: Mapped[datetime]
    drawn_at: Mapped[datetime | None]  # when the lot was drawn
    per_minute: Mapped[int]
    inside_limit: Mapped[int]
    stay_minutes: Mapped[int]
    # Staff made it slower: what was said about the time to wait may not hold, so nothing is said any more.
    slowed: Mapped[bool] = mapped_column(default=False, server_default=false())
    most_seats: Mapped[int | None]
    # Somebody could not be let in because all free seats are kept for those inside: nor is anything said from then on.
    scarce: Mapped[bool] = mapped_column(default=False, server_default=false())
    joined: Mapped[int] = mapped_column(default=0, server_default="0")
    let_in: Mapped[int] = mapped_column(default=0, server_default="0")
    moved_at: Mapped[datetime]  # until when `per_minute` has been used
    ended_at: Mapped[datetime | None]

    @property
    def stay(self) -> timedelta:
        """How long somebody who is let in may book."""
        return timedelta(minutes=self.stay_minutes)

    def party_limit(self, limit: int) -> int:
        """How many seats a booking may have behind this line where a performance allows `limit`."""
        return min(limit, self.most_seats or limit)

    @property
    def come_in(self) -> timedelta:
        """Within which somebody who is let in has to come in."""
        return min(COME_IN, self.stay)

    @property
    def joins_at(self) -> datetime:
        """From when on visitors can join."""
        return self.opens_at - JOINED_BEFORE

    @property
    def names_minutes(self) -> bool:
        """Whether a time to wait is named: neither staff nor the seats made the line slower than it was said."""
        return not self.slowed and not self.scarce

    def ahead(self, number: int) -> int:
        """How many are let in before the holder of `number`, themselves included; 0 when they are let in."""
        return max(0, number - self.let_in)

    def minutes_at_most(self, number: int) -> int | None:
        """The most minutes that the holder of `number` waits; None when no time is named any more.

        It counts on everybody using all of their time: then `inside_limit` people come in every `stay_minutes`. The
        browser computes it as well (static_frontend/src/booking/line.ts).
        """
        ahead = self.ahead(number)
        if not self.names_minutes:
            return None
        # The first `inside_limit` numbers never wait for somebody to be done, the next ones once.
        turns = min(ceil(ahead / self.inside_limit), ceil(number / self.inside_limit) - 1)
        return turns * self.stay_minutes + ceil(ahead / self.per_minute)


class Place(Base):
    """A mailbox's place in a line. `mailbox` is a keyed digest; rows are deleted after the line's end.

    Until the lot is drawn there is no `number`. `let_in_at` begins the time to book, of which COME_IN counts alone until
    its holder comes in. Who has `booked_at` had their turn. Who left keeps the number, and can come back to it.
    """

    __tablename__ = "queue_place"
    __table_args__ = (
        UniqueConstraint("line_id", "mailbox", name="uq_queue_place_mailbox"),
        UniqueConstraint("line_id", "number", name="uq_queue_place_number"),
        Index("ix_queue_place_inside", "line_id", "let_in_at", postgresql_where=text(_INSIDE)),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    line_id: Mapped[int] = mapped_column(ForeignKey("queue_line.id", ondelete="CASCADE"))
    mailbox: Mapped[bytes]
    number: Mapped[int | None]
    joined_at: Mapped[datetime]
    let_in_at: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]
    booked_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    def may_book(self, line: Line, at: datetime) -> bool:
        """Whether its holder may book now, also who had left: the turn is theirs. A turn is for one booking."""
        return self.let_in_at is not None and self.booked_at is None and at < self.until(line)

    def has_missed(self, line: Line, at: datetime) -> bool:
        """Whether the time to book is over, and nothing was booked."""
        return self.let_in_at is not None and self.booked_at is None and at >= self.until(line)

    def until(self, line: Line) -> datetime:
        """Until when somebody who is let in may book, or has to come in first."""
        if self.let_in_at is None:
            raise ValueError("not let in")
        return self.let_in_at + (line.stay if self.entered_at else line.come_in)
