"""The visitor's pages: the booking form, confirming, one's own booking and its ticket.

GETs change nothing. Pages reached by a token are never cached and tell no other site where they are.
"""

from math import ceil
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import get_locale, gettext, ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules
from azionelab.bookings.errors import (
    BookingClosed,
    BookingError,
    NotFewerSeats,
    PartyTooLarge,
    PerformanceUnknown,
    SeatsChanged,
    SoldOut,
    TooManyMails,
    TryLater,
)
from azionelab.bookings.lateness import MINUTES, minutes_offered, tell_late
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.forms import (
    BookingForm,
    CancelForm,
    ConfirmForm,
    FewerSeatsForm,
    LateForm,
)
from azionelab.bookings.pages.rate_limits import booking_limit, count_mailbox
from azionelab.bookings.tickets.files import event_ics, qr_png, ticket_pdf
from azionelab.database import db, now
from azionelab.database.errors import is_database_busy
from azionelab.extensions import csrf
from azionelab.shows.limits import length
from azionelab.shows.models import Performance
from azionelab.shows.programme import Listing, Status, listing, programme
from azionelab.shows.window import Window
from azionelab.tokens import Purpose, read_token
from azionelab.web.busy_pages import ask_to_wait, is_outcome_unknown, log_busy
from azionelab.web.rate_limits import visitor_network

blueprint = Blueprint("bookings", __name__)
# These forms check their token themselves, to keep what was typed when it is stale.
csrf.exempt(blueprint)

# In the session: what the visitor asked for last, until they confirm it or its hold is over. It is there
# for the page behind the form and for who mistyped; on a shared computer the next person must not meet it.
_ASKED = "asked_for"


@blueprint.after_request
def _private(response: Response) -> Response:
    response.cache_control.no_store = True
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.route("/performances/<int:performance_id>/book", methods=["GET", "POST"])
def book(performance_id: int) -> AnyResponse:
    """The booking form of a performance, and the booking."""
    form = BookingForm()
    try:
        return _book(performance_id, form)
    except Exception as error:
        if not (form.is_submitted() and is_database_busy(error)):
            raise
        log_busy(error, "booking: ")
        return _busy_form(performance_id, form, unknown=is_outcome_unknown(error))


def _book(performance_id: int, form: BookingForm) -> AnyResponse:
    performance = listing(performance_id, now())
    if performance is None or not performance.published:
        abort(404)
    form.offer(performance.party_limit)
    if not form.is_submitted():
        if "correct" in request.args and (asked := _asked_for(performance_id)):
            form.fill_in(asked["name"], asked["email"], asked["seats"])
        return _form_page(performance, form, refusal=_refusal(performance))
    if not form.validate():
        return _form_page(performance, form, 422, notice=form.notice)
    visitor = rules.Visitor(form.name.data, form.email.data, str(get_locale()), visitor_network())
    try:
        booking_limit.count()
        count_mailbox(visitor.email_key)
        held = rules.reserve(performance_id, visitor, form.seats.data, form.key).told_held
    except PerformanceUnknown:
        abort(404)
    except (BookingClosed, SoldOut, PartyTooLarge) as error:
        performance = listing(performance_id, now()) or performance
        if isinstance(error, SoldOut) and error.seats_left:
            return _form_page(performance, form, 409, notice=explain(error))
        return _form_page(performance, form, 409, refusal=explain(error))
    except (TryLater, TooManyRequests) as limit:
        return _later_page(performance, form, limit)
    session[_ASKED] = {
        "performance": performance_id,
        "name": visitor.name,
        "email": visitor.email,
        "seats": form.seats.data,
        "held": held,
        "until": now().timestamp() + 60 * current_app.config["AZIONELAB"].hold_minutes,
    }
    return redirect(url_for(".received", performance_id=performance_id), 303)


@blueprint.get("/performances/<int:performance_id>/received")
def received(performance_id: int) -> str:
    """ "Check your inbox": what was asked for, whatever the address had before."""
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    return render_template(
        "booking_received.html",
        performance=performance,
        asked=_asked_for(performance_id),
        hold_minutes=current_app.config["AZIONELAB"].hold_minutes,
    )


@blueprint.route("/bookings/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> AnyResponse:
    """What the mail's link opens: a page to press a button on, and the pressing."""
    reservation = _reservation(token)
    form = ConfirmForm()
    if not form.is_submitted():
        return _confirm_page(reservation, token, form)
    if not form.validate():
        return _confirm_page(reservation, token, form, 422, form.notice)
    try:
        rules.confirm(reservation.id)
    except BookingError as error:
        return _confirm_page(reservation, token, form, 409, explain(error))
    session.pop(_ASKED, None)
    return redirect(url_for(".booking", token=token), 303)


@blueprint.get("/bookings/<token>")
def booking(token: str) -> AnyResponse:
    """The visitor's own page."""
    return _booking_page(_reservation(token), token)


@blueprint.route("/bookings/<token>/cancel", methods=["GET", "POST"])
def cancel(token: str) -> AnyResponse:
    """The second step of cancelling: asks once more, then gives the seats back."""
    reservation = _reservation(token)
    form = CancelForm()
    status, notice = 200, None
    if form.is_submitted():
        if not form.validate():
            return _cancel_page(reservation, token, form, 422, form.notice)
        try:
            rules.cancel(reservation.id)
            return redirect(url_for(".booking", token=token), 303)
        except BookingError as error:
            status, notice = 409, explain(error)
    return _cancel_page(reservation, token, form, status, notice)


@blueprint.post("/bookings/<token>/seats")
def fewer_seats(token: str) -> AnyResponse:
    """Make the party smaller."""
    reservation = _reservation(token)
    # The size that it has is taken too: this press may have been made before, and not been answered.
    form = FewerSeatsForm().offer(reservation.seats + 1, reservation.admitted)
    if not form.validate():
        changed = form.seats_seen not in (0, reservation.seats)
        refusal = SeatsChanged(reservation.seats) if changed else NotFewerSeats()
        return _booking_page(reservation, token, 422, form.notice or explain(refusal))
    try:
        rules.reduce_seats(reservation.id, form.seats.data, form.seats_seen)
    except BookingError as error:
        return _booking_page(reservation, token, 409, explain(error), form.seats.data)
    flash(
        ngettext(
            "Done: your booking is for %(num)s seat now.",
            "Done: your booking is for %(num)s seats now.",
            form.seats.data,
        ),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)


@blueprint.post("/bookings/<token>/late")
def late(token: str) -> AnyResponse:
    """Tell the door that the party comes late, or that it comes in time after all."""
    reservation = _reservation(token)
    # All of them: what cannot be told at this moment the rule refuses, in words.
    form = LateForm().offer(reservation, MINUTES)
    if not form.validate():
        refused = form.notice or gettext("Please choose how late you come.")
        return _booking_page(reservation, token, 422, refused)
    try:
        reservation = tell_late(reservation.id, form.minutes.data)
    except BookingError as error:
        return _booking_page(reservation, token, 409, explain(error))
    flash(
        gettext("Done: the door knows that you come late.")
        if reservation.late_at
        else gettext("Done: the door knows that you come in time."),
        "done",
    )
    return redirect(url_for(".booking", token=token), 303)


@blueprint.get("/bookings/<token>/qr.png", endpoint="qr")
def qr_image(token: str) -> Response:
    """The ticket's QR, while the ticket is good."""
    reservation = _ticketed(token)
    if not reservation.has_ticket:
        abort(404, gettext("This ticket is not good any more."))
    return _file(qr_png(reservation), "image/png", None)


@blueprint.get("/bookings/<token>/ticket.pdf", endpoint="pdf")
def pdf_file(token: str) -> Response:
    """The ticket to print."""
    reservation = _ticketed(token)
    return _file(ticket_pdf(reservation), "application/pdf", f"{reservation.reference}.pdf")


@blueprint.get("/bookings/<token>/event.ics", endpoint="ics")
def ics_file(token: str) -> Response:
    """The evening for the visitor's calendar."""
    reservation = _ticketed(token)
    return _file(event_ics(reservation), "text/calendar", f"{reservation.reference}.ics")


def _reservation(token: str) -> Reservation:
    identity = read_token(Purpose.VISITOR, token)
    reservation = identity and db.session.scalar(
        select(Reservation)
        .where(Reservation.id == identity)
        .options(
            joinedload(Reservation.performance).joinedload(Performance.show),
            joinedload(Reservation.performance).joinedload(Performance.venue),
        )
    )
    if not reservation:
        abort(404, gettext("This link is not complete. Please open it from the e-mail again."))
    return reservation


def _ticketed(token: str) -> Reservation:
    """The reservation, if it ever had a ticket: one that is good no more shall say so itself."""
    reservation = _reservation(token)
    if reservation.confirmed_at is None:
        abort(404, gettext("There is no ticket: the booking is not confirmed."))
    return reservation


def _asked_for(performance_id: int) -> dict[str, Any] | None:
    """What this browser asked for last, if it was for this performance and not long ago."""
    asked: dict[str, Any] | None = session.get(_ASKED)
    if not asked or asked["performance"] != performance_id:
        return None
    return asked if asked["until"] > now().timestamp() else None


def _form_page(
    performance: Listing,
    form: BookingForm,
    status: int = 200,
    notice: str | None = None,
    refusal: str | None = None,
) -> AnyResponse:
    form.offer_only(performance.seats_left)
    page = _render_form(
        performance.id,
        form,
        performance=performance,
        notice=notice,
        refusal=refusal,
        alternatives=_alternatives(performance) if refusal else [],
    )
    return make_response(page, status)


def _later_page(
    performance: Listing, form: BookingForm, limit: TryLater | TooManyRequests
) -> AnyResponse:
    """The form as it was sent, when the visitor has to wait."""
    if isinstance(limit, TryLater):
        seconds = limit.seconds_left(now())
        status = 429 if isinstance(limit, TooManyMails) else 409
        page = _form_page(performance, form, status, notice=explain(limit))
    else:
        seconds = cast("int", limit.retry_after)
        page = _form_page(performance, form, 429, notice=_slower_notice(seconds))
    page.headers["Retry-After"] = str(seconds)
    return page


def _busy_form(performance_id: int, form: BookingForm, *, unknown: bool) -> AnyResponse:
    """The form as it was sent, without the evening, which only the database knows."""
    form.offer_as_asked()
    if unknown:
        notice = gettext(
            "We do not know whether your booking was saved. Please press once more: nothing is booked"
            " twice."
        )
    else:
        notice = gettext(
            "We could not save this just now. Nothing is lost: please press once more."
        )
    return ask_to_wait(make_response(_render_form(performance_id, form, notice=notice), 503))


def _render_form(performance_id: int, form: BookingForm, **context: Any) -> str:
    retention_days = current_app.config["AZIONELAB"].retention_days
    return render_template(
        "booking_form.html",
        **{"performance": None, "refusal": None, **context},
        performance_id=performance_id,
        form=form,
        retention_days=retention_days,
    )


def _page(template: str, reservation: Reservation, status: int, **context: Any) -> AnyResponse:
    performance = listing(reservation.performance_id, now())
    page = render_template(template, reservation=reservation, performance=performance, **context)
    return make_response(page, status)


def _confirm_page(
    reservation: Reservation,
    token: str,
    form: ConfirmForm,
    status: int = 200,
    notice: str | None = None,
) -> AnyResponse:
    return _page(
        "confirm.html",
        reservation,
        status,
        form=form,
        token=token,
        notice=notice,
        lapsed=_is_lapsed(reservation),
    )


def _cancel_page(
    reservation: Reservation, token: str, form: CancelForm, status: int, notice: str | None
) -> AnyResponse:
    lapsed = _is_lapsed(reservation)
    return _page(
        "cancel.html", reservation, status, form=form, token=token, notice=notice, lapsed=lapsed
    )


def _booking_page(
    reservation: Reservation,
    token: str,
    status: int = 200,
    notice: str | None = None,
    chosen: int | None = None,
) -> AnyResponse:
    seats = reservation.seats
    seats_form = FewerSeatsForm(formdata=None, seen=str(seats), seats=chosen)
    coming = reservation.performance.cancelled_at is None
    offered = minutes_offered(reservation, now())
    changeable = reservation.is_live and coming and reservation.performance.starts_at > now()
    return _page(
        "booking.html",
        reservation,
        status,
        token=token,
        notice=notice,
        can_change=changeable,
        may_come_late=_may_come_late(reservation),
        seats_form=seats_form.offer(seats, reservation.admitted),
        late_form=LateForm(formdata=None).offer(reservation, offered) if offered else None,
        lapsed=_is_lapsed(reservation),
        ticket_urls={kind: url_for(f".{kind}", token=token) for kind in ("qr", "pdf", "ics")},
    )


def _is_lapsed(reservation: Reservation) -> bool:
    return reservation.is_lapsed(now())


def _may_come_late(reservation: Reservation) -> bool:
    """Whether the party's places were released, and the show is not over."""
    evening = reservation.performance
    ends_at = evening.starts_at + length(evening.show.duration_minutes)
    released = reservation.released > 0 and evening.released_at is not None
    return released and reservation.has_ticket and now() < ends_at


def _alternatives(performance: Listing) -> list[Listing]:
    """What else can be booked: the same show first, then anything; three at most."""
    coming = [p for p in programme(now()) if p.status is Status.OPEN and p.id != performance.id]
    return sorted(coming, key=lambda p: p.show_id != performance.show_id)[:3]


def _file(content: bytes, kind: str, name: str | None) -> Response:
    response = make_response(content)
    response.mimetype = kind
    if name:
        response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _refusal(performance: Listing) -> str | None:
    if performance.status is Status.OPEN:
        return None
    if performance.status is Status.SOLD_OUT:
        return explain(SoldOut(0))
    window = Window(performance.status.value)
    return explain(BookingClosed(window, performance.booking_opens_at))


def _slower_notice(seconds: int) -> str:
    return ngettext(
        "Many bookings came from your network. Nothing is lost: please press once more in"
        " %(num)s minute.",
        "Many bookings came from your network. Nothing is lost: please press once more in"
        " %(num)s minutes.",
        ceil(seconds / 60),
    )
