"""All coming bookings of an address: asked for by the address, and listed by the link that is mailed to it."""

from flask import abort, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.mails.address_links import LinkExpired
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.pages.own.link_requests import link_request
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now


@blueprint.route("/my-bookings", methods=["GET", "POST"])
def my_bookings() -> AnyResponse:
    """The form, and the mail."""
    return link_request(MY_BOOKINGS, ".my_bookings", "my_bookings.html")


@blueprint.get("/my-bookings/<token>")
def my_bookings_list(token: str) -> str:
    """The bookings, each with the link to its page."""
    try:
        bookings = MY_BOOKINGS.open(token)
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
