"""The form of a show and its run: a typed line, or the fields that the line is read into."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import not_, select
from wtforms import BooleanField, DateField, Field, HiddenField, IntegerField, SelectField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from azionelab.admin.rows.fields import Line, LocalTime, RequiredChoice
from azionelab.admin.season.forms import slug_of
from azionelab.admin.season.texts import describe_misread, too_many_evenings
from azionelab.database import db, now
from azionelab.shows.former_slugs import find_free_slug
from azionelab.shows.limits import MAX_LINE, MAX_MINUTES, MAX_PARTY, PARTY_LIMIT
from azionelab.shows.models import MAX_CAPACITY, Show, Venue
from azionelab.shows.runs.evenings import (
    BookingTimes,
    Run,
    TooManyEvenings,
    list_evenings,
    useless_exceptions,
)
from azionelab.shows.runs.planning import Asked, NewShow
from azionelab.shows.runs.sentence import read_exceptions, read_sentence
from azionelab.shows.runs.tokens import SentenceError, read_times

MAX_DAYS = 1000  # before the curtain
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_SENTENCE = 500  # characters
_NEW = "0"


class BookingForm(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """When the evenings of a run can be booked."""

    opens_at = LocalTime(
        _("Booking opens"), [Optional()], description=_("Leave empty to open it at once.")
    )
    opens_days = IntegerField(
        _("or so many days before each evening"), [Optional(), NumberRange(0, MAX_DAYS)]
    )
    closes_minutes = IntegerField(
        _("Booking closes, minutes before the curtain"),
        [InputRequired(), NumberRange(0, MAX_DAYS * 1440)],
        default=60,
    )

    def booking(self) -> BookingTimes:
        """The booking times."""
        closes_before = timedelta(minutes=self.closes_minutes.data)
        return BookingTimes(self.opens_at.data, self.opens_days.data, closes_before)

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; booking opens in one way."""
        if not super().validate(extra_validators):
            return False
        if self.opens_at.data is not None and self.opens_days.data is not None:
            self.opens_days.errors = [gettext("Please fill in one of the two.")]
            return False
        return True


class RunForm(BookingForm):
    """A new show or an existing one, and its evenings."""

    show_id = SelectField(_("Show"))
    title = Line(_("Title of the new show"), [Length(max=MAX_LINE)])
    duration_minutes = IntegerField(
        _("Minutes"), [Optional(), NumberRange(1, MAX_MINUTES)], description=_("With the interval.")
    )
    published = BooleanField(
        _("Publish at once"),
        description=_("Otherwise the show is a draft: visitors do not see it yet."),
    )
    venue_id = RequiredChoice(_("Venue"), coerce=int)
    capacity = IntegerField(
        _("Seats"),
        [Optional(), NumberRange(0, MAX_CAPACITY)],
        description=_("Leave empty for the venue's own number."),
    )
    party_limit = IntegerField(
        _("Maximum seats per booking"),
        [InputRequired(), NumberRange(1, MAX_PARTY)],
        default=PARTY_LIMIT,
    )
    sentence = Line(
        _("When"),
        [Length(max=_MAX_SENTENCE)],
        description=_(
            "For example: Fri and Sat 20:30, Sun 16:00, from 3 to 19 October, except the 10th; 20:30 on 31"
            " December"
        ),
    )
    sentence_read = HiddenField()  # the line that the fields below were filled from
    monday = Line(_("Monday"))
    tuesday = Line(_("Tuesday"))
    wednesday = Line(_("Wednesday"))
    thursday = Line(_("Thursday"))
    friday = Line(_("Friday"))
    saturday = Line(_("Saturday"))
    sunday = Line(_("Sunday"))
    first = DateField(_("First day"), [Optional()])
    last = DateField(_("Last day"), [Optional()])
    exceptions = Line(
        _("Except"), [Length(max=_MAX_SENTENCE)], description=_("Days, such as 10/10, 12/10.")
    )
    extra = Line(
        _("Also"),
        [Length(max=_MAX_SENTENCE)],
        description=_("Single evenings, such as 31/12 20:30; 1/1 18:00."),
    )
    seen = HiddenField()  # the digest of the preview

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = Run()
        self.walls: list[datetime] = []
        shows = select(Show.id, Show.title).where(not_(Show.is_archived)).order_by(Show.title)
        self.show_id.choices = [
            (_NEW, gettext("A new show")),
            *((str(row[0]), row[1]) for row in db.session.execute(shows)),
        ]
        self.venue_id.choices = venue_choices()
        if self.venue_id.data is None and len(self.venue_id.choices) == 1:
            self.venue_id.data = int(self.venue_id.choices[0][0])

    def weekday_fields(self) -> list[Field]:
        """The fields of the weekdays, Monday first."""
        return [self[name] for name in WEEKDAYS]

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields and read the run into `walls`."""
        understood = self._read_line()
        valid = super().validate(extra_validators)
        if not understood:
            self.sentence.errors = [*self.sentence.errors, *self._misread]
        elif valid:
            self._read_fields()
        if self.show_id.data == _NEW and not self.title.data:
            self.title.errors = [gettext("Please give the new show a title.")]
        elif self.show_id.data == _NEW and not slug_of(self.title.data):
            self.title.errors = [gettext("Please use letters from a to z in the title.")]
        return understood and not self.errors

    def asked(self) -> list[Asked]:
        """The evenings of a valid form."""
        show: int | NewShow = int(self.show_id.data)
        if self.show_id.data == _NEW:
            show = NewShow(
                self.title.data,
                find_free_slug(slug_of(self.title.data)),
                duration_minutes=self.duration_minutes.data,
                published=self.published.data,
            )
        return [
            Asked(
                wall,
                show,
                self.venue_id.data,
                self.capacity.data,
                self.party_limit.data,
                self.booking(),
            )
            for wall in self.walls
        ]

    def _read_line(self) -> bool:
        """Fill the fields from the line, unless they were filled from it before."""
        self._misread: list[str] = []
        line = self.sentence.data
        if not line or line == self.sentence_read.data or len(line) > _MAX_SENTENCE:
            return True
        try:
            run = read_sentence(line, today())
        except SentenceError as error:
            self._misread = [describe_misread(error)]
            return False
        for number, name in enumerate(WEEKDAYS):
            self._fill(
                name, ", ".join(f"{at:%H:%M}" for day, at in sorted(run.weekly) if day == number)
            )
        self._fill("first", run.first)
        self._fill("last", run.last)
        self._fill("exceptions", ", ".join(f"{day:%d/%m/%Y}" for day in sorted(run.exceptions)))
        self._fill("extra", "; ".join(f"{one:%d/%m/%Y %H:%M}" for one in sorted(run.extra)))
        self.sentence_read.data = line
        return True

    def _fill(self, name: str, value: Any) -> None:
        field = self[name]
        field.raw_data, field.process_errors = None, []
        field.process_data(value)

    def _read_fields(self) -> None:
        weekly: set[tuple[int, time]] = set()
        for number, name in enumerate(WEEKDAYS):
            times = self._understand(name, read_times) or []
            weekly |= {(number, at) for at in times}
        first, last = self.first.data, self.last.data
        if weekly and not (first and last):
            missing = self.last if first else self.first
            missing.errors = [gettext("This field is required.")]
            return
        if first and last and last < first:
            self.last.errors = [gettext("The last day is before the first.")]
            return
        exceptions = self._understand("exceptions", lambda text: read_exceptions(text, first, last))
        extra = self._understand("extra", lambda text: read_sentence(text, first or today()).extra)
        self.run = Run(
            frozenset(weekly), first, last, exceptions or frozenset(), extra or frozenset()
        )
        try:
            self.walls = list_evenings(self.run)
        except TooManyEvenings:
            self.last.errors = [too_many_evenings()]
            return
        if not self.errors:
            self._check_exceptions()
        if not self.walls and not self.errors:
            self.sentence.errors = [gettext("Please say when the show is played.")]

    def _check_exceptions(self) -> None:
        useless = useless_exceptions(self.run)
        if useless:
            days = ", ".join(f"{day:%d/%m/%Y}" for day in useless)
            self.exceptions.errors = [
                gettext("There is no evening on %(days)s in any case.", days=days)
            ]

    def _understand(self, name: str, read: Callable[[str], Iterable[Any]]) -> Any:
        if not self[name].data:
            return None
        try:
            return read(self[name].data)
        except SentenceError as error:
            self[name].errors = [describe_misread(error)]
            return None


def venue_choices() -> list[tuple[str, str]]:
    """The venues by name, each with its usual number of seats."""
    rows = db.session.execute(
        select(Venue.id, Venue.name, Venue.default_capacity).order_by(Venue.name)
    )
    return [
        (
            str(row[0]),
            row[1]
            if row[2] is None
            else gettext("%(venue)s (%(num)s seats)", venue=row[1], num=row[2]),
        )
        for row in rows
    ]


def today() -> date:
    """The current day in the theatre's time zone."""
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return now().astimezone(zone).date()
