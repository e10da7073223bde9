"""Setting up and removing one's own second factors."""

from typing import Any

from flask import Flask, current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_security.decorators import auth_required
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from azionelab.staff.login_limits import count_code, limit_tries
from azionelab.staff.pages.confirm import log_in_again_first
from azionelab.staff.pages.second_step import set_up_done
from azionelab.staff.second_factor.factors import (
    LastFactor,
    factors_of,
    remove_authenticator,
    renew_recovery_codes,
    set_up_authenticator,
)
from azionelab.staff.second_factor.totp import (
    app_address,
    new_secret,
    read_secret,
    write_secret,
)
from azionelab.web.drawings.qr_codes import draw_qr


class AuthenticatorForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """The secret that the page made, and the code that the app shows for it."""

    secret = HiddenField()
    code = StringField(
        _("Code that the app shows"), [InputRequired(_("Please enter a code.")), Length(max=20)]
    )


def add_second_factor_pages(app: Flask) -> None:
    """Register the pages."""
    for address, endpoint, view, methods in (
        ("/staff/authenticator", "staff_authenticator", limit_tries(_set_up), ["GET", "POST"]),
        ("/staff/authenticator/remove", "staff_remove_authenticator", _remove, ["POST"]),
        ("/staff/codes", "staff_recovery_codes", _renew_codes, ["POST"]),
    ):
        guarded = auth_required("session")(log_in_again_first(view))
        app.add_url_rule(address, endpoint, guarded, methods=methods)


def _set_up() -> Any:
    form = AuthenticatorForm()
    secret = read_secret(form.secret.data or "") or new_secret()
    if form.validate_on_submit():
        count_code(current_user)
        codes = set_up_authenticator(current_user.id, secret, "".join(form.code.data.split()))
        if codes is not None:
            set_up_done()
            flash(gettext("The app is set up. From now on a login asks for its code."))
            return show_codes(codes) if codes else redirect(url_for("staff_account"))
        form.code.errors = [
            gettext(
                "This code is wrong. Check that your phone's clock is right, and try the next one."
            )
        ]
    form.secret.data = write_secret(secret)
    site = current_app.config["AZIONELAB"].site_name
    address = app_address(secret, current_user.email, site)
    path, width = draw_qr(address)
    page = make_response(
        render_template(
            "staff/authenticator.html",
            form=form,
            address=address,
            key=write_secret(secret),
            qr=path,
            qr_width=width,
            replaces=factors_of(current_user.id).authenticator,
        )
    )
    page.cache_control.no_store = True
    return page


def _remove() -> Response:
    try:
        remove_authenticator(current_user)
    except LastFactor:
        flash(gettext("Your role needs a second step: set up another one before you remove this."))
    else:
        flash(gettext("The app has been removed."))
    return redirect(url_for("staff_account"))


def _renew_codes() -> Any:
    if not factors_of(current_user.id).any:
        return redirect(url_for("staff_account"))
    flash(gettext("The earlier recovery codes do not work any more."))
    return show_codes(renew_recovery_codes(current_user.id))


def show_codes(codes: list[str]) -> Any:
    """The page with new recovery codes, which are shown once."""
    page = make_response(render_template("staff/recovery_codes.html", codes=codes))
    page.cache_control.no_store = True
    return page
