"""Passkeys: adding and removing one's own, and logging in with one."""

import json
from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_security.decorators import auth_required
from flask_security.utils import _get_post_login_redirect, login_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from azionelab.database import db
from azionelab.staff.browsers import describe_browser
from azionelab.staff.login_limits import limit_tries
from azionelab.staff.models import User
from azionelab.staff.pages.confirm import log_in_again_first
from azionelab.staff.pages.second_factors import show_codes
from azionelab.staff.pages.second_step import set_up_done
from azionelab.staff.second_factor.factors import LastFactor
from azionelab.staff.second_factor.passkeys import (
    PasskeyRefused,
    add_passkey,
    are_possible,
    creation_options,
    login_options,
    remove_passkey,
    verify_login,
)
from azionelab.validation.text import has_visible_character, is_one_line

_MAX_NAME = 80  # characters


class PasskeyForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A name, and what the browser answered."""

    name = StringField(_("Name"), [Length(max=_MAX_NAME)])
    credential = HiddenField()


def add_passkey_pages(app: Flask) -> None:
    """Register the pages, and what templates call."""
    app.jinja_env.globals["passkey_login"] = _login_options
    add, remove = (
        auth_required("session")(log_in_again_first(limit_tries(view))) for view in (_add, _remove)
    )
    app.add_url_rule("/staff/passkey", "staff_passkey", add, methods=["GET", "POST"])
    app.add_url_rule("/staff/passkey/remove", "staff_remove_passkey", remove, methods=["POST"])
    log_in = limit_tries(_log_in)
    app.add_url_rule("/staff/passkey/login", "staff_passkey_login", log_in, methods=["POST"])


def _login_options(user_id: int | None = None) -> str | None:
    """The options of the button that logs in with a passkey, as JSON; None where there are no passkeys."""
    return json.dumps(login_options(user_id)) if are_possible() else None


def _add() -> Any:
    if not are_possible():
        return redirect(url_for("staff_account"))
    form = PasskeyForm()
    usual = describe_browser(request.user_agent.string)
    if form.validate_on_submit():
        name = (form.name.data or "").strip() or usual or gettext("Passkey")
        if not is_one_line(name) or not has_visible_character(name):
            form.name.errors = [gettext("This contains characters that cannot be displayed.")]
        else:
            try:
                codes = add_passkey(current_user.id, name, form.credential.data or "")
            except PasskeyRefused:
                form.form_errors.append(_refused())
            else:
                set_up_done()
                flash(gettext("The passkey has been added. You can log in with it now."))
                return show_codes(codes) if codes else redirect(url_for("staff_account"))
    options = json.dumps(creation_options(current_user))
    if request.method == "GET":
        form.name.data = usual
    return render_template("staff/passkey.html", form=form, options=options)


def _remove() -> Response:
    number = request.form.get("id", "")
    try:
        removed = remove_passkey(current_user, int(number) if _is_row(number) else 0)
    except LastFactor:
        flash(gettext("Your role needs a second step: set up another one before you remove this."))
    else:
        flash(
            gettext("The passkey has been removed. Delete it on your device, too.")
            if removed
            else gettext("The passkey had been removed already.")
        )
    return redirect(url_for("staff_account"))


def _log_in() -> Response:
    try:
        user_id = verify_login(request.form.get("credential", ""))
    except PasskeyRefused:
        flash(_refused())
        return redirect(url_for("security.login"))
    user = db.session.get(User, user_id)
    if user is None or not user.active:
        flash(_refused())
        return redirect(url_for("security.login"))
    login_user(user)
    return redirect(_get_post_login_redirect())


def _refused() -> str:
    return gettext("The passkey was not accepted. Please try again.")


def _is_row(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
