"""The door's pages, for door staff; and what a visitor sees who opens their own QR's address."""

import hashlib
from contextlib import suppress
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    json,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import get_locale, gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings import places
from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.models import Reservation
from azionelab.checkin import no_shows as door_no_shows
from azionelab.checkin import scan_log as books
from azionelab.checkin.codes import CodeForeign, require_ours
from azionelab.checkin.devices.pace import ATTEMPTS
from azionelab.checkin.devices.registry import invitation_url, make_invitation, silent_devices
from azionelab.checkin.facts import MAX_CODE, ticket_of
from azionelab.checkin.house import counts as house
from azionelab.checkin.house.building import people_in
from azionelab.checkin.interval import allow_reentry, pass_without_ticket
from azionelab.checkin.limits import MAX_QUERY, MAX_WALK_INS, SEARCHES
from azionelab.checkin.pages.forms import ScanForm, UndoForm, WalkInForm
from azionelab.checkin.scans import admit
from azionelab.checkin.texts.app_texts import app_words
from azionelab.checkin.texts.change_texts import tell_changes
from azionelab.checkin.texts.verdict_texts import (
    caution,
    explain_building,
    say_foreign,
    say_many_attempts,
    say_many_searches,
    say_reentry,
    tell,
    tell_kept,
    tell_known,
    tell_late,
    tell_more,
    tell_parties,
    tell_parts,
    tell_places,
    tell_released,
    tell_restored,
    tell_silent,
)
from azionelab.checkin.verdicts import Kind, Way
from azionelab.checkin.walk_ins import let_in_walk_ins
from azionelab.database import db, now
from azionelab.shows.programme import Listing, listing
from azionelab.staff.rights import door_required, is_door_staff
from azionelab.web.assets import front_end
from azionelab.web.kept_pages import can_keep, kept_page, say_stale

blueprint = Blueprint("checkin", __name__, url_prefix="/checkin")
# Done only by who sees what it is about at that moment: they are not sent again later.
_SEEN = ("checkin.undo", "checkin.release", "checkin.restore", "checkin.reentry")


@blueprint.get("/")
@door_required
def evenings() -> str:
    """Which performance is this door for?"""
    performances = house.evenings()
    counts = house.house_counts([performance.id for performance in performances])
    return render_template("checkin/evenings.html", performances=performances, counts=counts)


@blueprint.get("/performances/<int:performance_id>")
@door_required
def door(performance_id: int) -> AnyResponse:
    """The door of one performance; `?code=` fills the code in."""
    form = ScanForm.fresh(request.args.get("code", "")[:MAX_CODE])
    return _door_page(_performance(performance_id), form)


@blueprint.post("/performances/<int:performance_id>/parties")
@door_required
def find(performance_id: int) -> AnyResponse:
    """Find a party by name. Changes nothing; a POST, since names do not belong into addresses."""
    query = request.form.get("query", "")[:MAX_QUERY]
    performance = _performance(performance_id)
    try:
        SEARCHES.count(f"account {current_user.id}")
    except TooManyRequests:
        notice = say_many_searches()
        return _door_page(performance, ScanForm.fresh(), status=429, notice=notice)
    return _door_page(performance, ScanForm.fresh(), query=query)


@blueprint.post("/performances/<int:performance_id>/scans")
@door_required
def scan(performance_id: int) -> AnyResponse:
    """An attempt to let a party in; or out, and in again."""
    performance = _performance(performance_id)
    form = ScanForm()
    if not form.validate():
        notice = next(message for messages in form.errors.values() for message in messages)
        return _door_page(performance, form, status=422, notice=notice)
    account = f"account {current_user.fs_uniquifier}"
    try:
        ATTEMPTS.check(account)
        require_ours(form.code.data)
        verdict = admit(
            performance_id,
            form.code.data,
            form.identity,
            _actor(form.door.data or ""),
            people=form.people.data,
            seen=form.seen.data,
            late=form.late.data,
            way=form.way.data,
        )
    except books.ScanReused:
        notice = gettext("This page was used already. Please scan once more.")
        return _door_page(performance, ScanForm.fresh(), status=409, notice=notice)
    except CodeForeign:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
        at_door = ScanForm.fresh(door=form.door.data or "")
        return _door_page(performance, at_door, status=422, notice=say_foreign())
    except TooManyRequests:
        return _door_page(performance, form, status=429, notice=say_many_attempts())
    if verdict.kind is not Kind.ADMITTED:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
    return _door_page(performance, ScanForm.fresh(door=form.door.data or ""), verdict=verdict)


@blueprint.post("/performances/<int:performance_id>/walk-ins")
@door_required
def walk_in(performance_id: int) -> AnyResponse:
    """Let in people who have no booking, if places are free; or out, and in again, who have no ticket."""
    performance = _performance(performance_id)
    form = WalkInForm()
    at_door = ScanForm.fresh(door=form.door.data or "")
    if not form.validate():
        notice = next(message for messages in form.errors.values() for message in messages)
        return _door_page(performance, at_door, status=422, notice=notice)
    people, actor = form.people.data, _actor(form.door.data or "")
    way, scan_id = form.way.data, UUID(form.scan_id.data)
    try:
        ATTEMPTS.count(f"account {current_user.fs_uniquifier}")
        if way in (Way.OUT, Way.AGAIN):
            verdict = pass_without_ticket(performance_id, people, scan_id, actor, way)
        else:
            verdict = let_in_walk_ins(performance_id, people, scan_id, actor)
    except books.ScanReused:
        notice = gettext("This page was used already. Please press once more.")
        return _door_page(performance, at_door, status=409, notice=notice)
    except TooManyRequests:
        return _door_page(performance, at_door, status=429, notice=say_many_attempts())
    return _door_page(performance, at_door, verdict=verdict)


@blueprint.get("/performances/<int:performance_id>/no-shows")
@door_required
def no_shows(performance_id: int) -> AnyResponse:
    """What releasing the places of those who did not come would mean, before it is done."""
    return _no_shows_page(_performance(performance_id))


@blueprint.post("/performances/<int:performance_id>/release")
@door_required
def release(performance_id: int) -> AnyResponse:
    """Give the places of those who did not come to those who wait at the door."""
    performance = _performance(performance_id)
    try:
        with_late = "late" in request.form
        released = door_no_shows.release_no_shows(performance_id, with_late=with_late)
    except (ReleaseTooEarly, ReservationEnded):
        # The page says why.
        return _no_shows_page(performance, status=409)
    return _no_shows_page(_performance(performance_id), notice=tell_released(released))


@blueprint.post("/performances/<int:performance_id>/restore")
@door_required
def restore(performance_id: int) -> AnyResponse:
    """Take the release back, as far as places are left."""
    _performance(performance_id)
    restored = places.restore_places(performance_id)
    return _no_shows_page(_performance(performance_id), notice=tell_restored(restored))


@blueprint.post("/performances/<int:performance_id>/reentry")
@door_required
def reentry(performance_id: int) -> AnyResponse:
    """Let people go out and come in again this evening, or nobody any more."""
    _performance(performance_id)
    allow_reentry(performance_id, allowed=request.form.get("allowed") == "yes")
    return redirect(url_for(".door", performance_id=performance_id), 303)


@blueprint.post("/performances/<int:performance_id>/undo")
@door_required
def undo(performance_id: int) -> AnyResponse:
    """Take an admission back."""
    performance = _performance(performance_id)
    form = UndoForm()
    if not form.validate():
        abort(400)
    try:
        verdict = books.undo(performance_id, UUID(form.scan_id.data), _actor(""))
    except books.ScanUnknown:
        abort(404)
    return _door_page(performance, ScanForm.fresh(), verdict=verdict)


@blueprint.before_request
def _keep_what_was_sent() -> AnyResponse | None:
    """Keep what somebody typed whose login had ended; who sends what they may is for the views."""
    if request.endpoint in _SEEN or not can_keep() or current_user.is_authenticated:
        return None
    return kept_page()


@blueprint.errorhandler(CSRFError)
def _stale(_error: CSRFError) -> AnyResponse:
    """A page that was open for too long: the door once more, with what was typed."""
    kept = _keep_what_was_sent()
    if kept is not None:
        return kept
    performance_id = (request.view_args or {})["performance_id"]
    if not is_door_staff(current_user):
        return redirect(url_for(".door", performance_id=performance_id), 303)
    form = ScanForm() if request.endpoint == "checkin.scan" else ScanForm.fresh()
    notice = say_stale()
    if request.endpoint in _SEEN:
        notice = gettext("This page was open for a long time, and nothing was changed.")
    query = request.form.get("query", "")[:MAX_QUERY]
    return _door_page(_performance(performance_id), form, status=422, notice=notice, query=query)


@blueprint.post("/performances/<int:performance_id>/open")
@door_required
def open_app(performance_id: int) -> AnyResponse:
    """Make the phone of somebody with an account a door device, as a QR does for others."""
    return redirect(invitation_url(make_invitation(_performance(performance_id).id)), 303)


@blueprint.get("/app")
def app() -> Response:
    """The door app: the same for everybody; what it needs to know of an evening it asks the API for."""
    return _for_all(make_response(_app_page()))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone needs to know to put the app among its own."""
    site_name = current_app.config["AZIONELAB"].site_name
    described = {
        "name": gettext("The door: %(theatre)s", theatre=site_name),
        "short_name": gettext("The door"),
        "lang": str(get_locale()),
        "start_url": url_for(".app", lang=None),
        "scope": url_for(".evenings", lang=None),
        "display": "standalone",
        "background_color": "#15100e",
        "theme_color": "#4a0a16",
        "icons": [
            {"src": _icon(192), "sizes": "192x192", "type": "image/png"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
    return _for_all(Response(json.dumps(described), mimetype="application/manifest+json"))


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The script that keeps the app on the phone. It changes with the page, and with any file of it."""
    built = front_end(current_app)
    bundle = built.bundle("src/door/main.ts", "src/door/ed25519.ts", "src/styles/app.css")
    shell = {
        "version": hashlib.sha256(_app_page().encode()).hexdigest()[:16],
        "page": url_for(".app", lang=None),
        "files": [*bundle.files, url_for(".manifest", lang=None), _icon(192)],
        "later": bundle.later,
    }
    worker = built.address("src/door/sw.ts")
    script = f"self.SHELL = {json.dumps(shell)};\nimportScripts({json.dumps(worker)});\n"
    return _for_all(Response(script, mimetype="text/javascript"))


@blueprint.get("/ticket/<token>")
def ticket(token: str) -> AnyResponse:
    """What a QR held before 0.4: leads door staff to the door with the code filled in."""
    return _lead_to_door(token)


def signed_ticket(head: str, tail: str) -> AnyResponse:
    """What a QR holds: as `ticket`."""
    return _lead_to_door(f"{head}/{tail}")


# Outside of the part's own addresses: a QR has to be small.
blueprint.record_once(
    lambda state: state.app.add_url_rule(
        "/T/<head>/<tail>", "checkin.signed_ticket", signed_ticket, methods=["GET"]
    )
)


def _lead_to_door(code: str) -> AnyResponse:
    named = ticket_of(code)
    if named is not None and is_door_staff(current_user):
        column = Reservation.reference if isinstance(named, str) else Reservation.id
        performance_id = db.session.scalar(
            select(Reservation.performance_id).where(column == named)
        )
        if performance_id is not None:
            return redirect(url_for("checkin.door", performance_id=performance_id, code=code))
    return make_response(render_template("ticket_shown.html"), 200 if named else 404)


def _app_page() -> str:
    return render_template(
        "checkin/app.html", words=app_words(), explain_building=explain_building()
    )


def _icon(size: int) -> str:
    return url_for("static", filename=f"icon-{size}.png", lang=None)


def _for_all(response: Response) -> Response:
    """Without a cookie; kept by whoever likes, and looked at again before it is used."""
    response.cache_control.public = True
    response.cache_control.no_cache = True
    response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response


def _performance(performance_id: int) -> Listing:
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    return performance


def _actor(door: str) -> books.Actor:
    return books.Actor(door=door, user_id=current_user.id, label=str(current_user))


def _no_shows_page(
    performance: Listing, *, status: int = 200, notice: str | None = None
) -> AnyResponse:
    opens_at = performance.starts_at - places.RELEASE_FROM
    page = render_template(
        "checkin/no_shows.html",
        performance=performance,
        missing=door_no_shows.no_shows(performance.id),
        counts=house.house_counts([performance.id])[performance.id],
        opens_at=opens_at,
        is_early=now() < opens_at,
        silent=silent_devices(performance.id),
        tell_parties=tell_parties,
        tell_places=tell_places,
        tell_silent=tell_silent,
        tell_kept=tell_kept,
        notice=notice,
    )
    return make_response(page, status)


def _door_page(
    performance: Listing,
    form: ScanForm,
    *,
    status: int = 200,
    verdict: books.Verdict | None = None,
    notice: str | None = None,
    query: str = "",
) -> AnyResponse:
    counts = house.house_counts([performance.id])[performance.id]
    page = render_template(
        "checkin/door.html",
        performance=performance,
        caution=caution(performance, now()),
        counts=counts,
        building=people_in(performance.id),
        tell_parts=tell_parts,
        tell_known=tell_known,
        reentry_words=say_reentry() if performance.reentry else "",
        scan_form=form,
        verdict=verdict and tell(verdict, counts.free, performance.cancelled_at),
        notice=notice,
        query=query,
        found=house.find_parties(performance.id, query),
        tell_late=tell_late,
        tell_changes=tell_changes,
        found_more=tell_more(house.MAX_FOUND),
        max_walk_ins=MAX_WALK_INS,
    )
    return make_response(page, status)
