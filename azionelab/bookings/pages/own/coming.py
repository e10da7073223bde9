"""The page that a reminder leads to: one press says that the party is coming."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.errors import BookingError
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import VisitorForm
from azionelab.bookings.pages.own_booking import reservation_of
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.reminders.answers import answer_coming, has_answered
from azionelab.database import db, now
from azionelab.shows.programme import find_listing


class ComingForm(VisitorForm):
    """The answer is the button's own value: whoever submits the form without pressing it answers nothing."""

    @property
    def is_pressed(self) -> bool:
        """Whether the button was pressed."""
        return request.form.get("answer") == "coming"


@blueprint.route("/bookings/<token>/coming", methods=["GET", "POST"])
def coming(token: str) -> AnyResponse:
    """Ask whether the party is coming, with one button. Whoever is not is led to giving seats back."""
    reservation = reservation_of(token)
    form = ComingForm()
    status, notice = 200, None
    if form.is_submitted():
        if form.validate() and form.is_pressed:
            try:
                answer_coming(reservation.id, now())
            except BookingError as error:
                status, notice = 409, explain(error)
            else:
                flash(gettext("Thank you: we are expecting you."), "done")
                return redirect(url_for(".booking", token=token), 303)
        else:
            status, notice = 422, form.notice or gettext("Please press the button.")
    at = now()
    page = render_template(
        "coming.html",
        reservation=reservation,
        performance=find_listing(reservation.performance_id, at),
        token=token,
        form=form,
        notice=notice,
        is_asked=reservation.has_ticket and at < reservation.performance.starts_at,
        answered=has_answered(db.session(), reservation),
    )
    return make_response(page, status)
