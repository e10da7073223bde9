"""The door's pages, for door staff. Beside them: app_views.py and no_show_views.py."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.checkin import scan_log, undoing
from azionelab.checkin.codes import CodeForeign, require_ours
from azionelab.checkin.devices.invitations import invitation_url, make_invitation
from azionelab.checkin.devices.scan_rate import ATTEMPTS
from azionelab.checkin.facts import MAX_CODE
from azionelab.checkin.house import search
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.interval import allow_reentry, pass_without_ticket
from azionelab.checkin.limits import MAX_QUERY, MAX_WALK_INS, SEARCHES
from azionelab.checkin.pages.forms import ScanForm, UndoForm, WalkInForm
from azionelab.checkin.pages.performance import get_performance, performances_near_now
from azionelab.checkin.scans import admit
from azionelab.checkin.texts.building_texts import describe_building_parts, describe_known_at
from azionelab.checkin.texts.change_texts import describe_changes
from azionelab.checkin.texts.notices import (
    describe_late_arrival,
    describe_more_found,
    foreign_code_text,
    performance_warning,
    reentry_text,
    too_many_attempts_text,
    too_many_searches_text,
)
from azionelab.checkin.texts.verdict_texts import describe_verdict
from azionelab.checkin.verdicts import Kind, Way
from azionelab.checkin.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.shows.programme import Listing
from azionelab.staff.rights import door_required, is_door_staff
from azionelab.web.resubmit_pages import can_resubmit, resubmit_page, stale_form_text

blueprint = Blueprint("checkin", __name__, url_prefix="/checkin")
# Done only by who sees what it is about at that moment: they are not sent again later.
_SEEN = ("checkin.undo", "checkin.release", "checkin.restore", "checkin.reentry")


@blueprint.get("/")
@door_required
def evenings() -> str:
    """Which performance is this door for?"""
    performances = performances_near_now()
    counts = house_counts([performance.id for performance in performances])
    return render_template("checkin/evenings.html", performances=performances, counts=counts)


@blueprint.get("/performances/<int:performance_id>")
@door_required
def door(performance_id: int) -> AnyResponse:
    """The door of one performance; `?code=` fills the code in."""
    form = ScanForm.fresh(request.args.get("code", "")[:MAX_CODE])
    return _door_page(get_performance(performance_id), form)


@blueprint.post("/performances/<int:performance_id>/parties")
@door_required
def find(performance_id: int) -> AnyResponse:
    """Find a party by name. Changes nothing; a POST, since names do not belong into addresses."""
    query = request.form.get("query", "")[:MAX_QUERY]
    performance = get_performance(performance_id)
    try:
        SEARCHES.count(f"account {current_user.id}")
    except TooManyRequests:
        notice = too_many_searches_text()
        return _door_page(performance, ScanForm.fresh(), status=429, notice=notice)
    return _door_page(performance, ScanForm.fresh(), query=query)


@blueprint.post("/performances/<int:performance_id>/scans")
@door_required
def scan(performance_id: int) -> AnyResponse:
    """An attempt to let a party in; or out, and in again."""
    performance = get_performance(performance_id)
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
            staff_actor(form.door.data or ""),
            people=form.people.data,
            seen=form.seen.data,
            late=form.late.data,
            way=form.way.data,
        )
    except scan_log.ScanReused:
        notice = gettext("This page was used already. Please scan once more.")
        return _door_page(performance, ScanForm.fresh(), status=409, notice=notice)
    except CodeForeign:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
        at_door = ScanForm.fresh(door=form.door.data or "")
        return _door_page(performance, at_door, status=422, notice=foreign_code_text())
    except TooManyRequests:
        return _door_page(performance, form, status=429, notice=too_many_attempts_text())
    if verdict.kind is not Kind.ADMITTED:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
    return _door_page(performance, ScanForm.fresh(door=form.door.data or ""), verdict=verdict)


@blueprint.post("/performances/<int:performance_id>/walk-ins")
@door_required
def walk_in(performance_id: int) -> AnyResponse:
    """Let in people who have no booking, if places are free; or out, and in again, who have no ticket."""
    performance = get_performance(performance_id)
    form = WalkInForm()
    at_door = ScanForm.fresh(door=form.door.data or "")
    if not form.validate():
        notice = next(message for messages in form.errors.values() for message in messages)
        return _door_page(performance, at_door, status=422, notice=notice)
    people, actor = form.people.data, staff_actor(form.door.data or "")
    way, scan_id = form.way.data, UUID(form.scan_id.data)
    try:
        ATTEMPTS.count(f"account {current_user.fs_uniquifier}")
        if way in (Way.OUT, Way.AGAIN):
            verdict = pass_without_ticket(performance_id, people, scan_id, actor, way)
        else:
            verdict = let_in_walk_ins(performance_id, people, scan_id, actor)
    except scan_log.ScanReused:
        notice = gettext("This page was used already. Please press once more.")
        return _door_page(performance, at_door, status=409, notice=notice)
    except TooManyRequests:
        return _door_page(performance, at_door, status=429, notice=too_many_attempts_text())
    return _door_page(performance, at_door, verdict=verdict)


@blueprint.post("/performances/<int:performance_id>/reentry")
@door_required
def reentry(performance_id: int) -> AnyResponse:
    """Let people go out and come in again this evening, or nobody any more."""
    get_performance(performance_id)
    allow_reentry(performance_id, allowed=request.form.get("allowed") == "yes")
    return redirect(url_for(".door", performance_id=performance_id), 303)


@blueprint.post("/performances/<int:performance_id>/undo")
@door_required
def undo(performance_id: int) -> AnyResponse:
    """Take an admission back."""
    performance = get_performance(performance_id)
    form = UndoForm()
    if not form.validate():
        abort(400)
    try:
        verdict = undoing.undo(performance_id, UUID(form.scan_id.data), staff_actor(""))
    except scan_log.ScanUnknown:
        abort(404)
    return _door_page(performance, ScanForm.fresh(), verdict=verdict)


@blueprint.before_request
def _keep_what_was_sent() -> AnyResponse | None:
    """Keep what somebody typed whose login had ended; who sends what they may is for the views."""
    if request.endpoint in _SEEN or not can_resubmit() or current_user.is_authenticated:
        return None
    return resubmit_page()


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
    notice = stale_form_text()
    if request.endpoint in _SEEN:
        notice = gettext("This page was open for a long time, and nothing was changed.")
    query = request.form.get("query", "")[:MAX_QUERY]
    return _door_page(get_performance(performance_id), form, status=422, notice=notice, query=query)


@blueprint.post("/performances/<int:performance_id>/open")
@door_required
def open_app(performance_id: int) -> AnyResponse:
    """Make the phone of somebody with an account a door device, as a QR does for others."""
    return redirect(invitation_url(make_invitation(get_performance(performance_id).id)), 303)


def staff_actor(door: str) -> scan_log.Actor:
    return scan_log.Actor(door=door, user_id=current_user.id, label=str(current_user))


def _door_page(
    performance: Listing,
    form: ScanForm,
    *,
    status: int = 200,
    verdict: scan_log.Verdict | None = None,
    notice: str | None = None,
    query: str = "",
) -> AnyResponse:
    counts = house_counts([performance.id])[performance.id]
    page = render_template(
        "checkin/door.html",
        performance=performance,
        caution=performance_warning(performance, now()),
        counts=counts,
        building=people_in(performance.id),
        describe_building_parts=describe_building_parts,
        describe_known_at=describe_known_at,
        reentry_words=reentry_text() if performance.reentry else "",
        scan_form=form,
        verdict=verdict and describe_verdict(verdict, counts.free, performance.cancelled_at),
        notice=notice,
        query=query,
        found=search.find_parties(performance.id, query),
        describe_late_arrival=describe_late_arrival,
        describe_changes=describe_changes,
        found_more=describe_more_found(search.MAX_FOUND),
        max_walk_ins=MAX_WALK_INS,
    )
    return make_response(page, status)
