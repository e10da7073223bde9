"""All coming bookings of an address: asked for by the address, and listed by the link that is mailed to it."""

from math import ceil
from typing import cast

from flask import abort, make_response, redirect, render_template, session, url_for
from flask_babel import gettext, ngettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.mails.my_bookings import (
    LINK_LIFE,
    LinkExpired,
    ask_for_bookings,
    bookings_of_link,
)
from azionelab.bookings.pages.own.forms import MyBookingsForm
from azionelab.bookings.pages.rate_limits import my_bookings_limit, my_bookings_mailbox_limit
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now
from azionelab.validation.email_addresses import mailbox_key

_HOURS = LINK_LIFE.seconds // 3600
# The session's key of the address that was asked about, for one answer.
_SOUGHT = "bookings_sought"


@blueprint.route("/my-bookings", methods=["GET", "POST"])
def my_bookings() -> AnyResponse:
    """The form, and the mail. The answer is the same whatever bookings the address has."""
    form = MyBookingsForm()
    if not form.is_submitted():
        return _form_page(form, sought=session.pop(_SOUGHT, None))
    if not form.validate():
        return _form_page(form, 422, form.notice)
    email = form.email.data
    try:
        my_bookings_limit.count()
        my_bookings_mailbox_limit.count(mailbox_key(email))
    except TooManyRequests as limit:
        seconds = cast("int", limit.retry_after)
        told = ngettext(
            "That was too often. Please try again in %(num)s minute.",
            "That was too often. Please try again in %(num)s minutes.",
            ceil(seconds / 60),
        )
        page = _form_page(form, 429, told)
        page.headers["Retry-After"] = str(seconds)
        return page
    ask_for_bookings(email)
    session[_SOUGHT] = email
    return redirect(url_for(".my_bookings"), 303)


@blueprint.get("/my-bookings/<token>")
def my_bookings_list(token: str) -> str:
    """The bookings, each with the link to its page."""
    try:
        bookings = bookings_of_link(token)
    except LinkExpired:
        abort(
            404,
            gettext(
                "This link is incomplete or too old. Ask for a new one: enter your address under “My bookings”."
            ),
        )
    at = now()
    links = {one.id: make_link_token(one) for one in bookings}
    lapsed = {one.id for one in bookings if one.is_lapsed(at)}
    return render_template("my_bookings_list.html", bookings=bookings, links=links, lapsed=lapsed)


def _form_page(
    form: MyBookingsForm, status: int = 200, notice: str | None = None, sought: str | None = None
) -> AnyResponse:
    page = render_template(
        "my_bookings.html", form=form, notice=notice, sought=sought, hours=_HOURS
    )
    return make_response(page, status)
