"""The admin's forms."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import Select, select
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    EmailField,
    HiddenField,
    IntegerField,
    PasswordField,
    SelectChoice,
    StringField,
    TextAreaField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)

from azionelab.admin.fields import EditedForm, RequiredChoice
from azionelab.bookings.lateness import MINUTES
from azionelab.bookings.models import MAX_NOTE
from azionelab.checkin.names import plain_letters
from azionelab.database import db, now
from azionelab.shows.limits import (
    CLOSES_BEFORE,
    MAX_LINE,
    MAX_MINUTES,
    MAX_PARTY,
    MAX_SLUG,
    MAX_TEXT,
    PARTY_LIMIT,
    SLUG,
)
from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.shows.models import MAX_CAPACITY, Show, Venue
from azionelab.staff.accounts import PASSWORD_LENGTH
from azionelab.staff.models import RoleName
from azionelab.staff.tokens import MAX_TOKEN_HOURS, Scope
from azionelab.validation.text import is_one_line, is_seen, is_text

ROLES = [
    SelectChoice(RoleName.DOOR.value, _("door: lets people in")),
    SelectChoice(RoleName.STAFF.value, _("staff: runs the season")),
    SelectChoice(RoleName.ADMIN.value, _("admin: also accounts and tokens")),
]


class Line(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line of text, its outer spaces taken away, without control characters.

    One of which nothing is seen is empty. InputRequired would look at what was typed instead.
    """

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        typed = "".join(valuelist)
        self.data = typed.strip() if is_seen(typed) else ""

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002 (WTForms' signature)
        """Refuse what no page can show and no database keep."""
        if not is_one_line(self.data or ""):
            raise ValidationError(gettext("This holds characters that cannot be shown."))


class Text(TextAreaField):  # type: ignore[misc]
    """Several lines of text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed, with the line ends of a file."""
        self.data = "".join(valuelist).replace("\r\n", "\n").strip()

    def pre_validate(self, form: FlaskForm) -> None:  # noqa: ARG002
        """Refuse what no page can show and no database keep."""
        if not is_text(self.data or ""):
            raise ValidationError(gettext("This holds characters that cannot be shown."))


class LocalTime(DateTimeLocalField):  # type: ignore[misc]
    """A moment, written and shown on the theatre's clock; `data` is aware, or None."""

    def __init__(self, label: str, validators: Sequence[Any], **facts: Any) -> None:
        # As browsers send it: without seconds, unless somebody gave them.
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(label, validators, format=formats, **facts)

    def process_data(self, value: datetime | None) -> None:
        """Take a moment from the database or a default."""
        self.data = value.astimezone(_zone()) if value else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed; a time that the clocks skip or show twice is an error."""
        if not any(valuelist):
            self.data = None
            return
        super().process_formdata(valuelist)
        typed: Any = self.data
        try:
            self.data = from_local(typed, _zone())
        except NoSuchTime:
            raise ValueError(
                gettext("The clocks skip this time that night. Please choose another.")
            ) from None
        except AmbiguousTime:
            raise ValueError(
                gettext("The clocks show this time twice that night. Please choose another.")
            ) from None
        except OverflowError:
            raise ValueError(self.gettext("Not a valid datetime value.")) from None


class VenueForm(EditedForm):
    """A venue."""

    name = Line(_("Name"), [DataRequired(), Length(max=MAX_LINE)])
    address = Line(_("Address"), [Length(max=MAX_LINE)])


class ShowForm(EditedForm):
    """A show."""

    title = Line(_("Title"), [DataRequired(), Length(max=MAX_LINE)])
    slug = Line(
        _("Address"),
        [Optional(), Length(max=MAX_SLUG), Regexp(SLUG + r"\Z")],
        description=_(
            "The last part of the page's address: small letters, digits and hyphens."
            " Left empty, it is made from the title."
        ),
    )
    summary = Line(
        _("Summary"), [Length(max=MAX_LINE)], description=_("A sentence for the programme.")
    )
    description = Text(_("Description"), [Length(max=MAX_TEXT)], render_kw={"rows": 8})
    duration_minutes = IntegerField(_("Minutes"), [Optional(), NumberRange(1, MAX_MINUTES)])
    published = BooleanField(_("Published"), description=_("Only then it is in the programme."))

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; an empty address is proposed from the title."""
        if not self.slug.data:
            self.slug.data = slug_of(self.title.data)
        return bool(super().validate(extra_validators))


class PerformanceForm(EditedForm):
    """A performance. Closing is an hour before the curtain if nothing else is said."""

    show_id = RequiredChoice(_("Show"), coerce=int)
    venue_id = RequiredChoice(_("Venue"), coerce=int)
    starts_at = LocalTime(
        _("Curtain"),
        [InputRequired()],
        description=_(
            "Visitors who booked already are written to when this changes, or the venue."
        ),
    )
    capacity = IntegerField(_("Seats"), [InputRequired(), NumberRange(0, MAX_CAPACITY)])
    party_limit = IntegerField(
        _("Largest party"), [InputRequired(), NumberRange(1, MAX_PARTY)], default=PARTY_LIMIT
    )
    booking_opens_at = LocalTime(
        _("Booking opens"), [InputRequired()], default=lambda: now().replace(second=0)
    )
    booking_closes_at = LocalTime(
        _("Booking closes"),
        [Optional()],
        description=_(
            "Left empty: an hour before the curtain. Both times move with the curtain, unless you"
            " change them too."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.show_id.choices = _choices(select(Show.id, Show.title).order_by(Show.title))
        self.venue_id.choices = _choices(select(Venue.id, Venue.name).order_by(Venue.name))
        for field in (self.show_id, self.venue_id):
            if not field.choices:
                field.description = gettext("There is none yet: make one first.")

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields; whether they go together, the database says."""
        if not super().validate(extra_validators):
            return False
        curtain, closes_at = self.starts_at.data, self.booking_closes_at.data
        if curtain is not None and closes_at is None:
            self.booking_closes_at.data = curtain - CLOSES_BEFORE
        return True


class FewerSeatsForm(FlaskForm):  # type: ignore[misc]
    """A smaller party."""

    seats = IntegerField(_("Seats"), [InputRequired(), NumberRange(1, 100)])


class NoteForm(FlaskForm):  # type: ignore[misc]
    """What the door shall know of a party."""

    note = Line(
        _("Note for the door"),
        [Length(max=MAX_NOTE)],
        description=_(
            "“Wheelchair, row 1”, “guest of the stage”: whoever lets the party in reads it. Only what they need to"
            " know; it is erased with the name."
        ),
        render_kw={"maxlength": MAX_NOTE, "autocomplete": "off"},
    )
    # As the page showed it: somebody else may have written meanwhile.
    note_seen = Line()


class LateForm(FlaskForm):  # type: ignore[misc]
    """How late a party comes, as it told us."""

    minutes = RequiredChoice(_("Comes late"), coerce=int)

    def offer(self) -> "LateForm":
        """Offer what a visitor may tell, and that they come in time."""
        self.minutes.choices = [
            SelectChoice("0", gettext("in time")),
            *(
                SelectChoice(str(n), gettext("about %(minutes)s minutes late", minutes=n))
                for n in MINUTES
            ),
        ]
        return self


class AccountForm(FlaskForm):  # type: ignore[misc]
    """A new account."""

    email = EmailField(_("E-mail"), [InputRequired(), Length(max=254)])
    name = Line(
        _("Name"), [Length(max=MAX_LINE)], description=_("What the door shows: let in by Anna.")
    )
    role = RequiredChoice(_("Role"), choices=ROLES)
    password = PasswordField(
        _("Password"),
        [InputRequired()],
        description=_("At least %(length)s characters.", length=PASSWORD_LENGTH),
        render_kw={"autocomplete": "new-password"},
    )


class ChangedAccountForm(EditedForm):
    """An account that exists."""

    name = Line(_("Name"), [Length(max=MAX_LINE)])
    role = RequiredChoice(_("Role"), choices=ROLES)
    active = BooleanField(
        _("Active"), description=_("Who is not is logged out at once and cannot log in.")
    )
    password = PasswordField(
        _("New password"),
        description=_("Left empty, the password stays. A new one logs the person out everywhere."),
        render_kw={"autocomplete": "new-password"},
    )


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A key for a program that uses the API of the door."""

    label = Line(
        _("Label"),
        [DataRequired(), Length(max=MAX_LINE)],
        description=_(
            "Which program or device it is for: turnstile A. The door page takes no token:"
            " people log in there."
        ),
    )
    hours = IntegerField(
        _("Valid for (hours)"), [InputRequired(), NumberRange(1, MAX_TOKEN_HOURS)], default=12
    )
    scans_only = BooleanField(
        _("Scans only"),
        description=_(
            "Enough for a turnstile: it lets in by ticket and by reference, and undoes that. It is told no"
            " names, finds nobody by name, lets in no walk-ins and releases no places."
        ),
    )
    request_key = HiddenField(default=lambda: str(uuid4()))

    @property
    def scope(self) -> Scope:
        """What the program may do."""
        return Scope.SCAN if self.scans_only.data else Scope.DOOR

    @property
    def press(self) -> UUID:
        """The press of the button: pressed again for want of an answer, it is the same."""
        try:
            return UUID(self.request_key.data)
        except (TypeError, ValueError):
            return uuid4()


def slug_of(title: str) -> str:
    """A show's address made from its title: `Così è (se vi pare)` gives `cosi-e-se-vi-pare`."""
    plain = plain_letters(unicodedata.normalize("NFKD", title))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-")


def _choices(rows: Select[int, str]) -> list[SelectChoice]:
    return [SelectChoice(str(row[0]), row[1]) for row in db.session.execute(rows)]


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone
