"""Forms of the box office: a booking for somebody, house seats."""

from typing import Any
from uuid import UUID, uuid4

from flask import current_app, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from azionelab.admin.rows.fields import Line, LocalTime, wheelchair_places_field, within_party
from azionelab.bookings.box_office.book_for import Guest, Terms
from azionelab.bookings.models import MAX_CONTACT, MAX_NAME, MAX_NOTE
from azionelab.bookings.pages.visitor_input import clean_email, clean_name
from azionelab.languages import language_names
from azionelab.shows.limits import MAX_PARTY
from azionelab.validation.text import has_visible_character

AT_ONCE, HELD, DESK = "at_once", "held", "desk"
_SEATS = [
    InputRequired(_("Please enter how many seats.")),
    NumberRange(1, MAX_PARTY, _("Please enter a number from 1 to %(max)s.")),
]


class _Pressed(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form that knows which press it is, so that a second one does nothing twice."""

    request_key = HiddenField()

    def with_key(self) -> "_Pressed":
        """Give a new form a key."""
        if not self.request_key.data:
            self.request_key.data = str(uuid4())
        return self

    @property
    def key(self) -> UUID:
        """The form's key: two presses of one form send the same."""
        try:
            return UUID(self.request_key.data)
        except ValueError:
            return uuid4()


class BookForm(_Pressed):
    """A booking for somebody."""

    name = StringField(_("Name"), render_kw={"maxlength": MAX_NAME, "autocomplete": "off"})
    email = EmailField(
        _("E-mail (if they have one)"), render_kw={"autocomplete": "off", "spellcheck": "false"}
    )
    seats = IntegerField(_("Seats"), _SEATS, default=2)
    wheelchair_places = wheelchair_places_field(MAX_PARTY, "", within_party)
    how = RadioField(
        _("How"),
        choices=[
            SelectChoice(AT_ONCE, _("Confirmed at once")),
            SelectChoice(HELD, _("Held until …")),
            SelectChoice(DESK, _("Walk-ins at the desk, without a name")),
        ],
        default=AT_ONCE,
    )
    held_until = LocalTime(_("Held until"), [])
    with_mail = BooleanField(_("Write an e-mail, if there is an address"), default=True)
    limit_reason = Line(
        _("Reason for so many seats"),
        [Length(max=MAX_CONTACT)],
        render_kw={"maxlength": MAX_CONTACT},
    )
    note = Line(
        _("Note for the door"),
        [Length(max=MAX_NOTE)],
        description=_("Door staff see it, and the visitor may ask to read it."),
        render_kw={"maxlength": MAX_NOTE, "autocomplete": "off"},
    )
    contact = Line(
        _("Contact of a group"),
        [Length(max=MAX_CONTACT)],
        description=_("For a school class or a group: who speaks for it, with a telephone number."),
        render_kw={"maxlength": MAX_CONTACT, "autocomplete": "off"},
    )
    locale = SelectField(
        _("Language of e-mail and ticket"),
        choices=[SelectChoice(code, name) for code, name in language_names().items()],
    )
    from_house = SelectField(_("Seats from"), default="")
    double = HiddenField()

    def offer(self, house: Any, wheelchair_places: int) -> "BookForm":
        """Offer the seats on sale and the house seats, wheelchair places if there are any, the language, a key."""
        if not wheelchair_places:
            del self.wheelchair_places
        self.from_house.choices = [
            SelectChoice("", gettext("seats on sale")),
            *(
                SelectChoice(
                    str(kept.id),
                    gettext("house: %(note)s (%(num)s)", note=kept.name, num=kept.seats),
                )
                for kept in house
            ),
        ]
        if not self.is_submitted():
            self.locale.data = current_app.config["AZIONELAB"].default_locale
            # A link that gives house seats names them.
            asked = request.args.get("house", "")
            self.from_house.data = asked if asked in {str(kept.id) for kept in house} else ""
        self.with_key()
        return self

    def validate_name(self, field: Field) -> None:
        """A name, except for walk-ins."""
        if self.how.data == DESK:
            return
        if not has_visible_character(field.data or ""):
            raise ValidationError(gettext("Please enter a name."))
        try:
            field.data = clean_name(field.data)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def validate_email(self, field: Field) -> None:
        """A valid address, or none."""
        field.data = (field.data or "").strip()
        if field.data:
            try:
                field.data = clean_email(field.data)
            except ValueError as error:
                raise ValidationError(str(error)) from error

    def validate_held_until(self, field: Field) -> None:
        """A moment for what is held."""
        if self.how.data == HELD and field.data is None and not field.errors:
            raise ValidationError(gettext("Please choose until when the seats are held."))

    @property
    def guest(self) -> Guest:
        """Whom the form books for."""
        if self.how.data == DESK:
            word = gettext("Walk-ins")
            return Guest(word, "", self.locale.data, note=self.note.data or "", at_desk=True)
        return Guest(
            self.name.data,
            "" if self.double.data == "without_email" else self.email.data,
            self.locale.data,
            note=self.note.data or "",
            contact=self.contact.data or "",
        )

    @property
    def terms(self) -> Terms:
        """How the form books."""
        return Terms(
            held_until=self.held_until.data if self.how.data == HELD else None,
            limit_reason=self.limit_reason.data or "",
            from_house=UUID(self.from_house.data) if self.from_house.data else None,
            with_mail=bool(self.with_mail.data),
            same_name=self.double.data in ("without_email", "same_name"),
        )

    @property
    def has_more(self) -> bool:
        """Whether something is entered or wrong below the first fields, which must be in sight then."""
        more = (self.limit_reason, self.note, self.contact, self.from_house)
        return any(field.data or field.errors for field in more)


class HouseForm(_Pressed):
    """Seats to keep back."""

    note = Line(
        _("For whom"),
        [InputRequired(_("Please say for whom.")), Length(max=MAX_NAME)],
        description=_("Such as “Press” or “Director's guests”. Visitors do not see it."),
        render_kw={"maxlength": MAX_NAME, "autocomplete": "off"},
    )
    seats = IntegerField(_("Seats"), _SEATS, default=2)
    until = LocalTime(
        _("Release them at"),
        [],
        description=_("Empty: at the curtain. Then they go on sale by themselves."),
    )

    def validate_note(self, field: Field) -> None:
        """Something to read."""
        if not field.data:
            raise ValidationError(gettext("Please say for whom."))
