"""The form that mails a link to an address. The answer is the same whatever bookings the address has."""

from math import ceil
from typing import cast

from flask import make_response, redirect, render_template, session, url_for
from flask_babel import ngettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.mails.address_links import LINK_LIFE, AddressLink
from azionelab.bookings.pages.own.forms import LinkForm
from azionelab.bookings.pages.rate_limits import count_link
from azionelab.validation.email_addresses import mailbox_key

_HOURS = LINK_LIFE.seconds // 3600
# The session's key of the address that was asked about, for one answer.
_SOUGHT = "bookings_sought"


def link_request(link: AddressLink, endpoint: str, template: str) -> AnyResponse:
    """The form on its page, and the mail."""
    form = LinkForm()
    if not form.is_submitted():
        return _form_page(template, form, sought=session.pop(_SOUGHT, None))
    if not form.validate():
        return _form_page(template, form, 422, form.notice)
    email = form.email.data
    try:
        count_link(mailbox_key(email))
    except TooManyRequests as limit:
        seconds = cast("int", limit.retry_after)
        told = ngettext(
            "That was too often. Please try again in %(num)s minute.",
            "That was too often. Please try again in %(num)s minutes.",
            ceil(seconds / 60),
        )
        page = _form_page(template, form, 429, told)
        page.headers["Retry-After"] = str(seconds)
        return page
    link.ask(email)
    session[_SOUGHT] = email
    return redirect(url_for(endpoint), 303)


def _form_page(
    template: str,
    form: LinkForm,
    status: int = 200,
    notice: str | None = None,
    sought: str | None = None,
) -> AnyResponse:
    page = render_template(template, form=form, notice=notice, sought=sought, hours=_HOURS)
    return make_response(page, status)
