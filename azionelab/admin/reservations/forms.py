"""Forms of a reservation's page: what staff change."""

import json
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import EmailField, HiddenField, IntegerField, SelectChoice, SelectField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from azionelab.admin.rows.base import read_identity
from azionelab.admin.rows.fields import Line, LocalTime, RequiredChoice, wheelchair_places_field
from azionelab.admin.rows.filters import describe_performance
from azionelab.bookings.models import MAX_CONTACT, MAX_NAME, MAX_NOTE, Kind, Reservation
from azionelab.bookings.pages.forms import Cleaned
from azionelab.bookings.pages.visitor_input import clean_email, clean_name
from azionelab.database import db, now
from azionelab.languages import LOCALES, language_names
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import Performance

LANGUAGES = language_names()
_DAYS_AROUND = timedelta(days=7)
_MAX_CHOICES = 300  # performances or parties in a list


def _note_field() -> Line:
    return Line(
        _("Note for the door"),
        [Length(max=MAX_NOTE)],
        description=_(
            "Door staff see it when they admit the party, also on phones without a network, such as"
            " “wheelchair, row 1”. Write only what they need to know: the visitor has the right to read it. It"
            " is erased together with the name."
        ),
        render_kw={"maxlength": MAX_NOTE, "autocomplete": "off"},
    )


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note about a party for the door, by itself."""

    note = _note_field()
    # The note as the page showed it, to detect that somebody else changed it.
    note_seen = Line()


class OfficeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form about one reservation; some have no fields of their own."""

    def offer(self, reservation: Reservation) -> None:
        """Fill in what the reservation offers."""

    def load(self, reservation: Reservation) -> None:
        """Show what is stored of the reservation."""

    def rebase(self, reservation: Reservation) -> None:
        """Take over what others changed meanwhile where nobody typed anything."""

    def entries(self) -> dict[str, str]:
        """The entries as a form sends them, to be sent once more."""
        return {
            field.name: "" if field.data is None else str(field.data)
            for field in self
            if field.name != "csrf_token"
        }


class ChangeForm(OfficeForm):
    """What is stored of a party."""

    name = Line(_("Name"))
    email = EmailField(_("E-mail"))
    locale = SelectField(
        _("Language of the e-mails"),
        choices=[SelectChoice(code, LANGUAGES[code]) for code in LOCALES],
    )
    seats = IntegerField(_("Seats"), [InputRequired(), NumberRange(1, MAX_PARTY)])
    wheelchair_places = wheelchair_places_field(MAX_PARTY)
    reason = Line(
        _("Reason for a party above the limit"),
        [Length(max=MAX_CONTACT)],
        render_kw={"maxlength": MAX_CONTACT, "autocomplete": "off"},
    )
    note = _note_field()
    shown = HiddenField()  # what the fields showed at first, as JSON

    def offer(self, reservation: Reservation) -> None:
        """Require what the reservation has: an erased visitor has neither name nor address."""
        limit = reservation.performance.party_limit
        self.reason.description = gettext(
            "Needed for more than %(limit)s seats, the limit of this performance.", limit=limit
        )
        if self.wheelchair_places and not reservation.performance.wheelchair_places:
            del self.wheelchair_places
        if reservation.erased_at is None:
            self.name.validators = [*self.name.validators, Cleaned(clean_name)]
        self.email.description = gettext("Leave it empty to write to nobody.")
        if self.email.data:
            self.email.validators = [*self.email.validators, Cleaned(clean_email)]

    def load(self, reservation: Reservation) -> None:
        """Show what is stored."""
        stored = _stored(reservation)
        for name, value in stored.items():
            if name in self:
                self[name].data = value
        self.shown.data = json.dumps(stored)

    def rebase(self, reservation: Reservation) -> None:
        """Show what is stored now in each field that was left as the page showed it."""
        try:
            before = json.loads(self.shown.data or "")
        except ValueError:
            return
        if not isinstance(before, dict):
            return
        stored = _stored(reservation)
        for name, value in stored.items():
            if name in self and name in before and (self[name].data or "") == (before[name] or ""):
                self[name].data = value
        self.shown.data = json.dumps(stored)


def _stored(reservation: Reservation) -> dict[str, str | int]:
    """What the form of a party shows of it."""
    names = ("name", "email", "locale", "seats", "wheelchair_places", "note")
    return {name: getattr(reservation, name) for name in names} | {
        "reason": reservation.limit_reason
    }


class HouseSeatsForm(OfficeForm):
    """House seats: for whom, how many, until when."""

    house_note = Line(
        _("For whom"),
        [InputRequired(_("Please say for whom.")), Length(max=MAX_NAME)],
        render_kw={"maxlength": MAX_NAME, "autocomplete": "off"},
    )
    house_seats = IntegerField(_("Seats"), [InputRequired(), NumberRange(1, MAX_PARTY)])
    house_until = LocalTime(
        _("Release them at"),
        [],
        description=_("Empty: at the curtain. Then they go on sale by themselves."),
    )

    def load(self, reservation: Reservation) -> None:
        """Show what is stored; the curtain as an empty field."""
        self.house_note.data, self.house_seats.data = reservation.name, reservation.seats
        until = reservation.hold_expires_at
        self.house_until.process_data(until if until != reservation.performance.starts_at else None)

    def validate_house_note(self, field: Line) -> None:
        """Something to read."""
        if not field.data:
            raise ValidationError(gettext("Please say for whom."))

    def until_of(self, house: Reservation) -> datetime | None:
        """The chosen moment: the stored one, with its seconds, when the form was left as it showed it."""
        chosen, stored = self.house_until.data, house.hold_expires_at
        return stored if chosen == stored.replace(second=0, microsecond=0) else chosen

    def entries(self) -> dict[str, str]:
        """The moment as its field sends it."""
        return super().entries() | {"house_until": self.house_until._value()}


class MoveForm(OfficeForm):
    """Another performance for a party."""

    performance = RequiredChoice(_("Move to"), coerce=int)

    def offer(self, reservation: Reservation) -> None:
        """Offer the performances to come with their free seats, those of the same show first."""
        self.performance.choices = performances_to_come(reservation.performance)
        if self.performance.data == reservation.performance_id:
            # The same press, sent again.
            here = SelectChoice(str(self.performance.data), "")
            self.performance.choices = [*self.performance.choices, here]


class WalkInMoveForm(OfficeForm):
    """The performance that walk-ins were really let in for."""

    performance = RequiredChoice(_("They were let in for"), coerce=int)

    def offer(self, reservation: Reservation) -> None:
        """Offer the performances of the days around, past ones too, with their free seats."""
        curtain = reservation.performance.starts_at
        around = db.session.scalars(
            select(Performance)
            .options(joinedload(Performance.show))
            .where(
                Performance.starts_at.between(curtain - _DAYS_AROUND, curtain + _DAYS_AROUND),
                Performance.cancelled_at.is_(None),
                Performance.id != reservation.performance_id,
            )
            .order_by(Performance.starts_at, Performance.id)
            .limit(_MAX_CHOICES)
        )
        self.performance.choices = [
            SelectChoice(str(one.id), f"{describe_performance(one)} · {_free(one)}")
            for one in around
        ]


class WalkInNumberForm(OfficeForm):
    """How many walk-ins were really let in."""

    people = IntegerField(_("People let in"), [InputRequired(), NumberRange(1, MAX_PARTY)])

    def load(self, reservation: Reservation) -> None:
        """Show how many were counted."""
        self.people.data = reservation.seats


class SplitForm(OfficeForm):
    """A part of a party that gets a reservation of its own."""

    split_seats = IntegerField(_("People in the new reservation"), [InputRequired()])
    split_name = Line(_("Their name"), [Cleaned(clean_name)])
    split_email = EmailField(_("Their e-mail"))

    def offer(self, reservation: Reservation) -> None:  # noqa: ARG002 (as in the base class)
        """Check the address if there is one."""
        if self.split_email.data:
            self.split_email.validators = [Cleaned(clean_email)]

    def load(self, reservation: Reservation) -> None:
        """Show the party's own name and address, and the smallest part."""
        self.split_seats.data = 1
        self.split_name.data, self.split_email.data = reservation.name, reservation.email


class MergeForm(OfficeForm):
    """Another reservation of the same performance."""

    other = RequiredChoice(_("Merge in"))

    def offer(self, reservation: Reservation) -> None:
        """Offer the other live parties of the performance by name, those of the same name or address first."""
        others = db.session.scalars(
            select(Reservation)
            .where(
                Reservation.performance_id == reservation.performance_id,
                Reservation.is_live,
                Reservation.walk_in.is_(False),
                Reservation.kind != Kind.HOUSE,
                Reservation.erased_at.is_(None),
                Reservation.id != reservation.id,
            )
            .order_by(
                Reservation.email != reservation.email,
                Reservation.name != reservation.name,
                Reservation.name,
                Reservation.reference,
            )
            .limit(_MAX_CHOICES)
        )
        self.other.choices = [
            SelectChoice(
                str(one.id),
                f"{one.name} · {ngettext('%(num)s seat', '%(num)s seats', one.seats)} · {one.reference}",
            )
            for one in others
        ]
        offered = {choice.value for choice in self.other.choices}
        if self.other.data not in offered and read_identity(Reservation, self.other.data):
            # One that has ended by now, perhaps by the same press: the rule tells.
            chosen = SelectChoice(self.other.data, "")
            self.other.choices = [*self.other.choices, chosen]


def performances_to_come(left: Performance) -> list[SelectChoice]:
    """The performances that parties of one can be moved to, with their free seats, those of its show first."""
    coming = db.session.scalars(
        select(Performance)
        .options(joinedload(Performance.show))
        .where(
            Performance.starts_at > now(),
            Performance.cancelled_at.is_(None),
            Performance.id != left.id,
        )
        .order_by(Performance.show_id != left.show_id, Performance.starts_at, Performance.id)
        .limit(_MAX_CHOICES)
    )
    return [
        SelectChoice(str(one.id), f"{describe_performance(one)} · {_free(one)}") for one in coming
    ]


def _free(performance: Performance) -> str:
    free = max(0, performance.capacity - performance.seats_held)
    return gettext("%(num)s free", num=free)
