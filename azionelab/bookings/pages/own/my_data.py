"""What is kept of an address: shown, downloaded and erased by a link that is mailed to it."""

from collections.abc import Sequence

from flask import Response, abort, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.erasure import kept_until
from azionelab.bookings.errors import BookingError
from azionelab.bookings.mails.address_links import LinkExpired
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import text_of
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.own.forms import EraseForm
from azionelab.bookings.pages.own.link_requests import link_request
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.people.export import personal_data
from azionelab.bookings.people.own_data import MY_DATA, ask_to_erase, can_still_come
from azionelab.database import now


@blueprint.route("/my-data", methods=["GET", "POST"])
def my_data() -> AnyResponse:
    """The form, and the mail."""
    return link_request(MY_DATA, ".my_data", "my_data.html")


@blueprint.get("/my-data/<token>")
def my_data_page(token: str) -> str:
    """What is kept, why and until when."""
    bookings = _bookings_of(token)
    at = now()
    return render_template(
        "my_data_page.html",
        bookings=bookings,
        token=token,
        lapsed={one.id for one in bookings if one.is_lapsed(at)},
        until={one.id: kept_until(one) for one in bookings},
        consents={one.id: text_of(one.consent) for one in bookings},
        erasable=any(one.erasure_requested_at is None for one in bookings),
    )


@blueprint.get("/my-data/<token>/my-data.json", endpoint="my_data_file")
def my_data_file(token: str) -> Response:
    """All of it as a file that programs can read (GDPR, articles 15 and 20)."""
    answer = make_response(personal_data(_bookings_of(token)))
    answer.mimetype = "application/json"
    answer.headers.set("Content-Disposition", "attachment", filename="my-data.json")
    return answer


@blueprint.route("/my-data/<token>/erase", methods=["GET", "POST"])
def erase_my_data(token: str) -> AnyResponse:
    """The second step of erasing: says what happens, then does it."""
    bookings = _bookings_of(token)
    at = now()
    coming = [one for one in bookings if can_still_come(one, at)]
    form = EraseForm().ask_about(coming=bool(coming))
    status, notice = 200, None
    if form.is_submitted():
        if form.validate():
            try:
                ask_to_erase([one.id for one in bookings], cancel_coming=form.cancels)
            except BookingError as error:
                status, notice = 409, explain(error)
            else:
                done = gettext(
                    "Done: your name and your address are erased within minutes. Our last e-mail says so."
                )
                flash(done, "done")
                return redirect(url_for(".my_data"), 303)
        else:
            status, notice = 422, form.notice
    page = render_template(
        "my_data_erase.html",
        bookings=bookings,
        coming=coming,
        form=form,
        token=token,
        notice=notice,
    )
    return make_response(page, status)


def _bookings_of(token: str) -> Sequence[Reservation]:
    """The bookings of a link's address; 404 when it opens nothing any more."""
    try:
        return MY_DATA.open(token)
    except LinkExpired:
        abort(
            404,
            gettext(
                "This link is incomplete or too old. Ask for a new one: enter your address under “My data”."
            ),
        )
