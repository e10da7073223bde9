"""The booking form, and the blueprint of all visitor's pages (own_booking.py, ticket_files.py).

GETs change nothing. Pages with a token in their address are never cached and send no referrer.
"""

from dataclasses import replace
from typing import Any

from flask import (
    abort,
    make_response,
    redirect,
    render_template,
    session,
    url_for,
)
from flask_babel import gettext
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import rules
from azionelab.bookings.crowd.gate import gate
from azionelab.bookings.crowd.proof_of_work import write_challenge
from azionelab.bookings.erasure import retention, unconfirmed_retention
from azionelab.bookings.errors import (
    BookingClosed,
    PartyTooLarge,
    PerformanceUnknown,
    SoldOut,
    TryLater,
    TurnOver,
)
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.pages.error_texts import explain
from azionelab.bookings.pages.form_again import BusyTexts, ask_later, keep_input
from azionelab.bookings.pages.forms import BookingForm
from azionelab.bookings.pages.rate_limits import count_booking
from azionelab.bookings.pages.waiting import lead_to_line, line_before
from azionelab.bookings.reminders.confirming import answer_by
from azionelab.bookings.seats.holds import hold_until
from azionelab.database import now
from azionelab.extensions import csrf
from azionelab.languages import current_language
from azionelab.shows.programme import Listing, Status, find_listing, programme
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.rate_limits import visitor_network
from azionelab.web.security_headers import keep_private

blueprint = PagesInLanguages("bookings", __name__)
# These forms check their CSRF token themselves, to keep the input when it is stale.
csrf.exempt(blueprint)
blueprint.after_request(keep_private)

# The session's key of the visitor's last request, for the page after the form (own/inbox.py). It
# is dropped when they confirm or the hold lapses: the next person on a shared computer must not see it.
ASKED = "asked_for"


@blueprint.route("/performances/<int:performance_id>/book", methods=["GET", "POST"])
def book(performance_id: int) -> AnyResponse:
    """The booking form of a performance, and the booking."""
    form = BookingForm()
    texts = BusyTexts(
        gettext(
            "We could not save your booking just now. Your entries are still here: please submit again."
        ),
        gettext(
            "We do not know whether your booking was saved. Please submit again: you will not be booked"
            " twice."
        ),
    )
    return keep_input(
        form,
        lambda: _book(performance_id, form),
        lambda notice: _render_form(performance_id, form, notice=notice),
        texts,
        "booking: ",
    )


def _book(performance_id: int, form: BookingForm) -> AnyResponse:
    performance = find_listing(performance_id, now())
    if performance is None or not performance.published:
        abort(404)
    limit = gate().party_limit(performance_id, performance.party_limit)
    form.offer(limit, performance.wheelchair_places)
    if not form.is_submitted():
        return _wait(performance) or _form_page(performance, form, refusal=_refusal(performance))
    if not form.validate():
        return _form_page(performance, form, 422, notice=form.notice)
    visitor = rules.Visitor(form.name.data, form.email.data, current_language(), visitor_network())
    return _let_wait(performance, form, visitor) or _reserve(performance, form, visitor)


def _let_wait(
    performance: Listing, form: BookingForm, visitor: rules.Visitor
) -> AnyResponse | None:
    """The answer to a booking whose mailbox has to wait in line first."""
    if line_before(performance.id, visitor, form.asked, form.key) is None:
        return None
    return _wait_first(performance, form)


def _wait_first(performance: Listing, form: BookingForm) -> AnyResponse:
    if waiting := _wait(performance):
        return waiting
    form.email.errors = [
        gettext("Please book with the address that you gave when you joined the line.")
    ]
    return _form_page(performance, form, 409)


def _reserve(performance: Listing, form: BookingForm, visitor: rules.Visitor) -> AnyResponse:
    performance_id = performance.id
    try:
        mailbox = visitor.email_key
        proven = count_booking(mailbox, form.proof.data, suspect=form.looks_scripted)
        turn = gate().turn(performance_id, mailbox)
        visitor = replace(visitor, proven=proven, consent=Consent.BOOKING, turn=turn)
        held = rules.reserve(
            performance_id,
            visitor,
            form.seats.data,
            form.key,
            wheelchair_places=form.asked.wheelchair,
        ).shown_as_held
    except PerformanceUnknown:
        abort(404)
    except TurnOver:
        return _wait_first(performance, form)
    except (BookingClosed, SoldOut, PartyTooLarge) as error:
        performance = find_listing(performance_id, now()) or performance
        if isinstance(error, SoldOut) and performance.left.total:
            return _form_page(performance, form, 409, notice=explain(error))
        return _form_page(performance, form, 409, refusal=explain(error))
    except (TryLater, TooManyRequests) as limit:
        return ask_later(
            limit, lambda status, notice: _form_page(performance, form, status, notice=notice)
        )
    session[ASKED] = {
        "performance": performance_id,
        "name": visitor.name,
        "email": visitor.email,
        "seats": form.seats.data,
        "wheelchair_places": form.asked.wheelchair,
        "held": held,
        "key": str(rules.request_key_of(form.key, performance_id, visitor, form.asked)),
        "until": hold_until(now()).timestamp(),
    }
    return redirect(url_for(".received", performance_id=performance_id), 303)


def _wait(performance: Listing) -> AnyResponse | None:
    """The way to the queue, when this browser has to wait there, or can before booking opens."""
    waits = performance.status in (Status.OPEN, Status.NOT_YET_OPEN)
    return lead_to_line(performance) if waits or performance.has_only_wheelchair_places else None


def _form_page(
    performance: Listing,
    form: BookingForm,
    status: int = 200,
    notice: str | None = None,
    refusal: str | None = None,
) -> AnyResponse:
    form.offer_only(performance.left)
    page = _render_form(
        performance.id,
        form,
        performance=performance,
        party_limit=gate().party_limit(performance.id, performance.party_limit),
        notice=notice,
        refusal=refusal,
        alternatives=_alternatives(performance) if refusal else [],
        challenge=None if refusal else write_challenge(),
        confirm_again=answer_by(performance.starts_at, now()),
    )
    return make_response(page, status)


def _render_form(performance_id: int, form: BookingForm, **context: Any) -> str:
    return render_template(
        "booking_form.html",
        **{
            "performance": None,
            "party_limit": 0,
            "refusal": None,
            "challenge": None,
            "confirm_again": None,
            **context,
        },
        performance_id=performance_id,
        form=form,
        retention=retention(),
        unconfirmed_retention=unconfirmed_retention(),
    )


def _alternatives(performance: Listing) -> list[Listing]:
    """Up to three other performances that can be booked, those of the same show first."""
    coming = [p for p in programme(now()) if p.status is Status.OPEN and p.id != performance.id]
    return sorted(coming, key=lambda p: p.show_id != performance.show_id)[:3]


def _refusal(performance: Listing) -> str | None:
    if performance.status is Status.OPEN or performance.has_only_wheelchair_places:
        return None
    if performance.status is Status.SOLD_OUT:
        return explain(SoldOut(0))
    return explain(BookingClosed(performance.window, performance.booking_opens_at))
