"""Loads a season from a file: either all of it, or nothing and a list of problems.

seasons/example.toml shows the format; exchange/season_toml.py writes it. Existing rows are never changed: a performance refers to an existing
venue or show by its name or slug.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from azionelab.database import now, transaction
from azionelab.shows.facts.season_fields import read_show_facts, read_venue_facts
from azionelab.shows.limits import CLOSES_BEFORE, MAX_MINUTES, MAX_PARTY, MAX_TEXT, PARTY_LIMIT
from azionelab.shows.models import MAX_CAPACITY, FormerSlug, Performance, Show, Venue
from azionelab.shows.overlaps import find_overlaps
from azionelab.shows.season_file import Clock, Entry, Problems, SeasonError, read_entries
from azionelab.shows.window import (
    MAX_AHEAD_YEARS,
    ClosesAfterCurtain,
    CurtainPast,
    CurtainTooFar,
    NoTimeToBook,
    check_curtain,
    check_window,
)


@dataclass(frozen=True)
class Loaded:
    """The numbers of added rows, and the overlaps with added performances."""

    venues: int
    shows: int
    performances: int
    overlaps: tuple[tuple[Performance, Performance], ...] = ()


def load_season(path: Path) -> Loaded:
    """Add a file's entries in one transaction.

    Times are in TIME_ZONE. Raises SeasonError with all problems.
    """
    problems = Problems()
    entries = read_entries(path, problems)
    try:
        with transaction() as session:
            season = _Season(session)
            for entry in entries["venue"]:
                season.add_venue(entry)
            for entry in entries["show"]:
                season.add_show(entry)
            for entry in entries["performance"]:
                season.add_performance(entry)
            problems.raise_if_any()
            session.add_all(season.new)
    except IntegrityError as error:
        raise SeasonError(
            ["somebody else changed the season at the same moment; try again"]
        ) from error
    added = [row.id for row in season.new if isinstance(row, Performance)]
    return Loaded(
        venues=len(entries["venue"]),
        shows=len(entries["show"]),
        performances=len(added),
        overlaps=tuple(find_overlaps(added)),
    )


class _Season:
    """The existing season, and the `new` rows of the file."""

    def __init__(self, session: Session) -> None:
        self.new: list[Venue | Show | Performance] = []
        self._clock = Clock(current_app.config["AZIONELAB"].time_zone, now())
        self._venues = {venue.name: venue for venue in session.scalars(select(Venue))}
        self._shows = {show.slug: show for show in session.scalars(select(Show))}
        former = session.scalars(select(FormerSlug).options(joinedload(FormerSlug.show))).all()
        self._former = {each.slug: each.show.slug for each in former}
        self._shows |= {each.slug: each.show for each in former}
        performances = session.execute(
            select(Show.slug, Performance.starts_at).join(Performance.show)
        )
        # The unique keys that exist, each with its line in the file; None when it is in the database.
        self._known_keys: dict[tuple[object, ...], int | None] = {
            **{("venue", name): None for name in self._venues},
            **{("show", slug): None for slug in self._shows},
            **{("performance", slug, starts_at): None for slug, starts_at in performances},
        }

    def add_venue(self, entry: Entry) -> None:
        """Read a [[venue]]."""
        name = entry.one_line("name", required=True)
        venue = Venue(name=name, address=entry.one_line("address"), **read_venue_facts(entry))
        entry.finish()
        self._claim(entry, "name", ("venue", name))
        self._venues.setdefault(name, venue)
        self.new.append(venue)

    def add_show(self, entry: Entry) -> None:
        """Read a [[show]]."""
        slug = entry.slug("slug")
        timed = entry.has("duration_minutes")
        show = Show(
            slug=slug,
            title=entry.one_line("title", required=True),
            summary=entry.one_line("summary"),
            description=entry.text("description", MAX_TEXT),
            duration_minutes=entry.number("duration_minutes", 1, MAX_MINUTES) if timed else None,
            published=entry.flag("published", default=True),
            **read_show_facts(entry),
        )
        entry.finish()
        if slug in self._former:
            other = self._former[slug]
            entry.add_problem(
                "slug", f"is an earlier address of {other!r} and still redirects to it"
            )
        else:
            self._claim(entry, "slug", ("show", slug))
        self._shows.setdefault(slug, show)
        self.new.append(show)

    def add_performance(self, entry: Entry) -> None:
        """Read a [[performance]]; all venues and shows must have been read."""
        slug = entry.reference("show", self._shows)
        slug = self._former.get(slug, slug)
        venue = entry.reference("venue", self._venues)
        starts_at = self._read_curtain(entry)
        opens_at, closes_at = self._read_window(entry, starts_at)
        capacity = entry.number("capacity", 0, MAX_CAPACITY)
        wheelchair_places = entry.number("wheelchair_places", 0, capacity, 0)
        party_limit = entry.number("party_limit", 1, MAX_PARTY, PARTY_LIMIT)
        reentry = entry.flag("reentry", default=False)
        entry.finish()
        if starts_at is None:
            return
        self._claim(entry, "starts", ("performance", slug, starts_at))
        self.new.append(
            Performance(
                show=self._shows.get(slug),
                venue=self._venues.get(venue),
                starts_at=starts_at,
                booking_opens_at=opens_at,
                booking_closes_at=closes_at,
                capacity=capacity,
                wheelchair_places=wheelchair_places,
                party_limit=party_limit,
                reentry=reentry,
            )
        )

    def _read_curtain(self, entry: Entry) -> datetime | None:
        """The start; None when it is invalid, which suppresses problems that only follow from it."""
        starts_at = entry.moment("starts", self._clock)
        try:
            if starts_at is not None:
                check_curtain(starts_at, self._clock.at)
        except CurtainPast:
            entry.add_problem("starts", "is in the past")
        except CurtainTooFar:
            entry.add_problem("starts", f"is more than {MAX_AHEAD_YEARS} years away")
        else:
            return starts_at
        return None

    def _read_window(
        self, entry: Entry, starts_at: datetime | None
    ) -> tuple[datetime | None, datetime | None]:
        """When booking opens (by default now) and closes."""
        clock, curtain = self._clock, starts_at or self._clock.at
        opens_at: datetime | None = clock.at.replace(second=0, microsecond=0)
        closes_at: datetime | None = curtain - CLOSES_BEFORE
        # The given field that an empty booking window is reported under.
        blamed = next((n for n in ("booking_opens", "booking_closes") if entry.has(n)), "starts")
        if entry.has("booking_opens"):
            opens_at = entry.moment("booking_opens", clock, curtain)
        if entry.has("booking_closes"):
            closes_at = entry.moment("booking_closes", clock, curtain)
        if starts_at and opens_at and closes_at:
            try:
                check_window(opens_at, closes_at, starts_at)
            except ClosesAfterCurtain:
                entry.add_problem("booking_closes", "is after the curtain")
            except NoTimeToBook:
                closing = f"{closes_at.astimezone(clock.zone):%Y-%m-%d %H:%M}"
                if blamed == "booking_opens":
                    entry.add_problem(blamed, f"is not before booking closes, {closing}")
                else:
                    entry.add_problem(blamed, f"leaves no time to book: booking closes {closing}")
        return opens_at, closes_at

    def _claim(self, entry: Entry, field: str, key: tuple[object, ...]) -> None:
        """Register a unique key; add a problem when it exists already."""
        if key not in self._known_keys:
            self._known_keys[key] = entry.line
        elif "" not in key:  # an empty name was complained about
            line = self._known_keys[key]
            where = f"in line {line}" if line else "in the database"
            entry.add_problem(field, f"exists already, {where}")
