"""Pages of the queue: joining a line, one's place in it, and the state that browsers ask for while they wait.

A page with a token in its address is never cached and sends no referrer. The state is the same for everybody.
"""

import secrets
from math import ceil
from typing import Any

from flask import (
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.crowd.proof_of_work import check_place_proof, write_challenge
from azionelab.bookings.errors import TryLater
from azionelab.bookings.pages.form_again import ask_later
from azionelab.database import now
from azionelab.extensions import csrf
from azionelab.queue.lines import find_line, live_lines
from azionelab.queue.models import Line, Place
from azionelab.queue.pages.addresses import join_address, place_address
from azionelab.queue.pages.forms import JoinForm, PressForm
from azionelab.queue.pages.gate import keep_in_browser, place_of_browser
from azionelab.queue.places import (
    LineClosed,
    come_back,
    come_in,
    find_in_line,
    find_of_mailbox,
    find_place,
    give_up,
    leave,
    place_id_of,
    place_token,
    rejoin,
)
from azionelab.queue.places import join as join_line
from azionelab.queue.seats import outlook
from azionelab.shows.programme import Listing, Status, find_listing
from azionelab.validation.email_addresses import mailbox_key
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.rate_limits import RateLimit
from azionelab.web.security_headers import keep_private

blueprint = PagesInLanguages("queue", __name__)
# These forms check their CSRF token themselves, to keep the input when it is stale.
csrf.exempt(blueprint)

_join_limit = RateLimit("queue", lambda settings: settings.booking_rate_limit)
_SEE_OTHER = 303
_STATE_SECONDS = 1  # for which nginx keeps it
# Without JavaScript the page comes again after so many seconds, and a few more: not all at once.
_SOON, _LATER, _SPREAD = 15, 45, 15


@blueprint.route("/queue/<int:line_id>", methods=["GET", "POST"])
def join(line_id: int) -> AnyResponse:
    """The form that asks for a place in a line."""
    line = _line(line_id)
    form = JoinForm()
    form.stamp()
    if line is None:
        abort(404)
    if line.ended_at is not None:
        return _join_page(line, form)
    if form.is_submitted():
        return _join(line, form)
    if place := place_of_browser(line):
        return redirect(place_address(place.id, _wanted_id()), 303)
    return _join_page(line, form)


def _join(line: Line, form: JoinForm) -> AnyResponse:
    if not form.validate():
        return _join_page(line, form, 422, form.notice)
    mailbox = mailbox_key(form.email.data)
    try:
        known, mine = find_of_mailbox(line.id, mailbox), place_of_browser(line)
        # A stranger who tries addresses pays for each, whether it stands in line or not.
        if known is None or mine is None or mine.id != known.id:
            _join_limit.count()
            check_place_proof(form.proof.data, suspect=form.looks_scripted)
        place_id = join_line(line, mailbox)
    except LineClosed:
        return _join_page(line, form, 409)
    except (TryLater, TooManyRequests) as limit:
        return ask_later(limit, lambda status, notice: _join_page(line, form, status, notice))
    keep_in_browser(line.id, place_token(place_id))
    return redirect(place_address(place_id, _wanted_id()), 303)


@blueprint.get("/queue/place/<token>")
def place(token: str) -> AnyResponse:
    """One's own place, and what to do."""
    return _place_page(token)


@blueprint.post("/queue/place/<token>/enter")
def enter(token: str) -> AnyResponse:
    """Use the turn: from now on there is time to book, or to go on the waitlist when all seats are taken."""
    answer = _press(token, come_in)
    place = _place(token)
    line = _line(place.line_id) if place else None
    if answer.status_code != _SEE_OTHER or not place or not line or not place.may_book(line, now()):
        return answer
    return redirect(_way_in(_wanted()), _SEE_OTHER)


def _way_in(wanted: Listing | None) -> str:
    """What somebody who came in does next."""
    if wanted is None:
        return url_for("shows.programme")
    page = "waitlist.join" if _is_for_waitlist(wanted) else "bookings.book"
    return url_for(page, performance_id=wanted.id)


def _is_for_waitlist(wanted: Listing | None) -> bool:
    return bool(
        wanted and wanted.status is Status.SOLD_OUT and not wanted.has_only_wheelchair_places
    )


@blueprint.post("/queue/place/<token>/leave")
def leave_line(token: str) -> AnyResponse:
    """Leave the line; the page then offers to come back. Whoever has a turn gives it to the next."""

    def do(place: Place, _line: Line) -> None:
        if place.let_in_at is None:
            leave(place.id)
        else:
            give_up(place)

    return _press(token, do)


@blueprint.post("/queue/place/<token>/back")
def return_to_line(token: str) -> AnyResponse:
    """Take back that one left."""
    return _press(token, lambda place, _line: come_back(place.id))


@blueprint.post("/queue/place/<token>/again")
def join_again(token: str) -> AnyResponse:
    """Go to the end of the line, after the turn was used or missed."""
    return _press(token, rejoin)


@blueprint.get("/queue/<int:line_id>/state")
def state(line_id: int) -> Response:
    """How far a line is, the same for everybody; nginx keeps it for a second."""
    line = _line(line_id)
    if line is None:
        abort(404)
    response = jsonify(
        joined=line.joined,
        let_in=line.let_in,
        drawn=line.drawn_at is not None,
        ended=line.ended_at is not None,
        sold_out=outlook(line).sold_out,
        per_minute=line.per_minute,
        inside_limit=line.inside_limit,
        stay_minutes=line.stay_minutes,
        names_minutes=line.names_minutes,
        slowed=line.slowed,
    )
    response.cache_control.public = True
    response.cache_control.max_age = _STATE_SECONDS
    return response


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    return response if response.cache_control.public else keep_private(response)


def _line(line_id: int) -> Line | None:
    """A line as it was within the last second; whoever asks moves it forward."""
    live = (line for line in live_lines().read() if line.id == line_id)
    return next(live, None) or find_line(line_id)


def _place(token: str) -> Place | None:
    place_id = place_id_of(token)
    if place_id is None:
        abort(404)
    return find_place(place_id)


def _press(token: str, do: Any) -> AnyResponse:
    form = PressForm()
    if not form.validate():
        return _place_page(token, 422, form.notice)
    place = _place(token)
    line = _line(place.line_id) if place else None
    if place and line and line.ended_at is None:
        do(place, line)
        return redirect(place_address(place.id, _wanted_id()), 303)
    return _place_page(token)


def _place_page(token: str, status: int = 200, notice: str | None = None) -> AnyResponse:
    place = _place(token)
    line = _line(place.line_id) if place else None
    if place is None or line is None:
        page = render_template("queue/place.html", state="over", wanted=_wanted(), notice=notice)
        return make_response(page, status)
    keep_in_browser(line.id, token)
    # As they are now, not as this process remembers the line: another one may have told this visitor a newer state, and
    # numbers only fall.
    place, line = find_in_line(place.id) or (place, line)
    at = now()
    seats, wanted = outlook(line), _wanted()
    page = render_template(
        "queue/place.html",
        state=_state_of(place, line),
        line=line,
        place=place,
        until=place.until(line) if place.let_in_at else None,
        book_until=place.let_in_at + line.stay if place.let_in_at else None,
        ahead=max(0, line.ahead(place.number) - 1) if place.number else None,
        minutes=line.minutes_at_most(place.number) if place.number else None,
        to_opening=(line.opens_at - at).total_seconds(),
        sold_out=seats.sold_out,
        several=seats.evenings > 1,
        wanted=wanted,
        way_in=_way_in(wanted),
        to_waitlist=_is_for_waitlist(wanted),
        come_in=ceil(line.come_in.total_seconds() / 60),
        token=token,
        form=PressForm(formdata=None),
        notice=notice,
        refresh=_seconds_to_refresh(place, line),
    )
    return make_response(page, status)


def _state_of(place: Place, line: Line) -> str:
    at = now()
    if line.ended_at is not None:
        return "over"
    if place.booked_at is not None:
        return "used"
    if place.may_book(line, at):
        return "in"
    if place.has_missed(line, at):
        return "missed"
    if place.left_at is not None:
        return "left"
    return "waiting" if place.number else "lot"


def _seconds_to_refresh(place: Place, line: Line) -> int:
    """Until a page without JavaScript asks again."""
    to_opening = (line.opens_at - now()).total_seconds()
    far = line.ahead(place.number) > 2 * line.per_minute if place.number else to_opening > _LATER
    return (_LATER if far else _SOON) + secrets.randbelow(_SPREAD)


def _join_page(
    line: Line, form: JoinForm, status: int = 200, notice: str | None = None
) -> AnyResponse:
    at = now()
    page = render_template(
        "queue/join.html",
        line=line,
        form=form,
        wanted=_wanted(),
        notice=notice,
        is_over=line.ended_at is not None,
        is_early=at < line.joins_at,
        by_lot=at < line.opens_at,
        waiting=line.joined - line.let_in,
        minutes=line.minutes_at_most(line.joined + 1),
        challenge=write_challenge(always=True),
        action=join_address(line.id, _wanted_id()),
        several=outlook(line).evenings > 1,
    )
    return make_response(page, status)


def _wanted_id() -> int | None:
    return request.args.get("performance", type=int)


def _wanted() -> Listing | None:
    """The performance that somebody wants to book in the end."""
    wanted = _wanted_id()
    listing = find_listing(wanted, now()) if wanted and wanted < 2**31 else None
    return listing if listing and listing.published else None
