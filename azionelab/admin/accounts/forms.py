"""Forms of staff accounts and API tokens."""

from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, IntegerField, SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from azionelab.admin.rows.fields import EditedForm, Line, RequiredChoice
from azionelab.shows.limits import MAX_LINE
from azionelab.staff.models import RoleName
from azionelab.staff.tokens import MAX_TOKEN_HOURS, Scope

ROLES = [
    SelectChoice(RoleName.READ_ONLY.value, _("read-only: sees everything but accounts")),
    SelectChoice(RoleName.DOOR.value, _("door: checks people in")),
    SelectChoice(RoleName.BOX_OFFICE.value, _("box office: books for people and runs the evening")),
    SelectChoice(
        RoleName.MANAGER.value, _("manager: also manages the season and writes to audiences")
    ),
    SelectChoice(RoleName.ADMIN.value, _("admin: also manages accounts and tokens")),
]


class InvitationForm(FlaskForm):  # type: ignore[misc]
    """A new account, whose owner chooses the password."""

    email = EmailField(_("E-mail"), [InputRequired(), Length(max=254)])
    name = Line(
        _("Name"), [Length(max=MAX_LINE)], description=_("Shown at the door, as in “by Anna”.")
    )
    role = RequiredChoice(_("Role"), choices=ROLES)


class ChangedAccountForm(EditedForm):
    """An account that exists."""

    name = Line(_("Name"), [Length(max=MAX_LINE)])
    role = RequiredChoice(_("Role"), choices=ROLES)
    active = BooleanField(
        _("Active"),
        description=_("An account that is not active is logged out at once and cannot log in."),
    )


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A key for a program that uses the API of the door."""

    label = Line(
        _("Label"),
        [DataRequired(), Length(max=MAX_LINE)],
        description=_(
            "The program or device that will use the token, such as “Turnstile A”. The door page needs no"
            " token: people log in there."
        ),
    )
    hours = IntegerField(
        _("Valid for (hours)"), [InputRequired(), NumberRange(1, MAX_TOKEN_HOURS)], default=12
    )
    scans_only = BooleanField(
        _("Scanning only"),
        description=_(
            "Enough for a turnstile: it admits by ticket or booking reference, and can undo that. It cannot"
            " see or search names, admit walk-ins or release seats."
        ),
    )
    request_key = HiddenField(default=lambda: str(uuid4()))

    @property
    def scope(self) -> Scope:
        """What the program may do."""
        return Scope.SCAN if self.scans_only.data else Scope.DOOR

    @property
    def press(self) -> UUID:
        """The id of this submission: the same when the form is sent again without an answer."""
        try:
            return UUID(self.request_key.data)
        except (TypeError, ValueError):
            return uuid4()
