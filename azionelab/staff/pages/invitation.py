"""The page that an invitation leads to: it sets the account's password."""

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired

from azionelab.database import db
from azionelab.staff.accounts import PASSWORD_LENGTH, AccountError
from azionelab.staff.invitations import LinkInvalid, accept, find_link
from azionelab.staff.login_limits import remember_device
from azionelab.staff.models import User


class NewPasswordForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A new password, typed twice."""

    password = PasswordField(_("New password"), [InputRequired(_("Please enter a password."))])
    password_confirm = PasswordField(
        _("The same password again"),
        [EqualTo("password", _("The two passwords are not the same."))],
    )


def accept_invitation(token: str) -> Any:
    """The form, and what it sends; 410 for a link that does not open (any more)."""
    try:
        user = db.session.get_one(User, find_link(token).user_id)
        form = NewPasswordForm()
        if form.validate_on_submit():
            accepted = accept(token, form.password.data)
            remember_device(current_app, accepted)
            flash(gettext("Your password is set. Log in with it now."))
            return redirect(url_for("security.login"))
    except LinkInvalid:
        return render_template("staff/link_invalid.html"), 410
    except AccountError as refusal:
        form.password.errors = [*form.password.errors, str(refusal)]
    return render_template(
        "staff/accept.html",
        form=form,
        token=token,
        email=user.email,
        name=user.name,
        invited=user.password is None,
        length=PASSWORD_LENGTH,
    )
