"""No more reminders and messages about a booking."""

from flask import abort, render_template, request
from flask_babel import gettext

from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.reminders.unsubscribing import (
    find_subscriber,
    is_unsubscribed,
    unsubscribe,
)
from azionelab.database import db, now


@blueprint.route("/bookings/<token>/unsubscribe", endpoint="unsubscribe", methods=["GET", "POST"])
def unsubscribe_page(token: str) -> str:
    """Ask whether to end them, with one button; or end them for a mailbox that posts (RFC 8058).

    A mailbox has no session and follows no redirect, so there is no CSRF token and the answer is the page itself.
    """
    reservation = find_subscriber(token)
    if reservation is None:
        abort(404, gettext("This link is incomplete. Please open it from the e-mail again."))
    if request.method == "POST":
        unsubscribe(reservation.id, now())
    return render_template(
        "unsubscribe.html",
        token=token,
        done=is_unsubscribed(db.session(), reservation),
        waits=reservation.is_waiting,
    )
