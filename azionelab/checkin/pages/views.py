"""The door's pages for door staff; more of them in app_views.py and no_show_views.py."""

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.door_notes import note_coming
from azionelab.bookings.errors import BookingError
from azionelab.bookings.seats.no_show_seats import kept_until
from azionelab.checkin.codes import ForeignCode, refuse_foreign
from azionelab.checkin.devices.invitations import invitation_url, make_invitation
from azionelab.checkin.devices.scan_rate import ATTEMPTS
from azionelab.checkin.house import search
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.limits import MAX_QUERY, MAX_WALK_INS, SEARCHES
from azionelab.checkin.pages.forms import ScanForm, UndoForm, WalkInForm
from azionelab.checkin.pages.performance import get_performance, performances_near_now
from azionelab.checkin.scanning import scan_log, undoing
from azionelab.checkin.scanning.facts import MAX_CODE
from azionelab.checkin.scanning.interval import allow_reentry, pass_without_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.texts.building_texts import describe_building_parts, describe_known_at
from azionelab.checkin.texts.change_texts import describe_changes
from azionelab.checkin.texts.near_texts import describe_near
from azionelab.checkin.texts.notices import (
    describe_coming,
    describe_late_arrival,
    describe_more_found,
    foreign_code_text,
    performance_warning,
    reentry_text,
    too_many_attempts_text,
    too_many_searches_text,
)
from azionelab.checkin.texts.verdict_texts import describe_verdict
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.database import now
from azionelab.shows.programme import Listing
from azionelab.staff.rights import Right, door_required, has_right
from azionelab.waitlist.line import near_the_door
from azionelab.web.resubmit_pages import can_resubmit, resubmit_page, stale_form_text

blueprint = Blueprint("checkin", __name__, url_prefix="/checkin")
# Not offered to be sent again after a login: the user must see the current state first.
_NOT_RESENT = (
    "checkin.undo",
    "checkin.release",
    "checkin.restore",
    "checkin.reentry",
    "checkin.coming",
)


@blueprint.get("/")
@door_required
def evenings() -> str:
    """Choose the performance of this door."""
    performances = performances_near_now()
    counts = house_counts([performance.id for performance in performances])
    return render_template("checkin/evenings.html", performances=performances, counts=counts)


@blueprint.get("/performances/<int:performance_id>")
@door_required
def door(performance_id: int) -> AnyResponse:
    """The door of one performance; `?code=` fills in the code."""
    form = ScanForm.blank(request.args.get("code", "")[:MAX_CODE])
    return _door_page(get_performance(performance_id), form)


@blueprint.post("/performances/<int:performance_id>/parties")
@door_required
def find(performance_id: int) -> AnyResponse:
    """Find parties by name. A POST, because URLs end up in logs and names must not."""
    query = request.form.get("query", "")[:MAX_QUERY]
    performance = get_performance(performance_id)
    try:
        SEARCHES.count(f"account {current_user.id}")
    except TooManyRequests:
        notice = too_many_searches_text()
        return _door_page(performance, ScanForm.blank(), status=429, notice=notice)
    return _door_page(performance, ScanForm.blank(), query=query)


@blueprint.post("/performances/<int:performance_id>/scans")
@door_required
def scan(performance_id: int) -> AnyResponse:
    """Let a party in; or out, and in again."""
    performance = get_performance(performance_id)
    form = ScanForm()
    if not form.validate():
        notice = next(message for messages in form.errors.values() for message in messages)
        return _door_page(performance, form, status=422, notice=notice)
    account = f"account {current_user.fs_uniquifier}"
    try:
        ATTEMPTS.check(account)
        refuse_foreign(form.code.data)
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
        notice = gettext("This page has already been submitted. Please scan again.")
        return _door_page(performance, ScanForm.blank(), status=409, notice=notice)
    except ForeignCode:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
        at_door = ScanForm.blank(door=form.door.data or "")
        return _door_page(performance, at_door, status=422, notice=foreign_code_text())
    except TooManyRequests:
        return _door_page(performance, form, status=429, notice=too_many_attempts_text())
    if verdict.kind is not VerdictKind.ADMITTED:
        with suppress(TooManyRequests):
            ATTEMPTS.count(account)
    return _door_page(performance, ScanForm.blank(door=form.door.data or ""), verdict=verdict)


@blueprint.post("/performances/<int:performance_id>/walk-ins")
@door_required
def walk_in(performance_id: int) -> AnyResponse:
    """Let in walk-ins if seats are free; or let people without a ticket out, and in again."""
    performance = get_performance(performance_id)
    form = WalkInForm()
    at_door = ScanForm.blank(door=form.door.data or "")
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
        notice = gettext("This page has already been submitted. Please press again.")
        return _door_page(performance, at_door, status=409, notice=notice)
    except TooManyRequests:
        return _door_page(performance, at_door, status=429, notice=too_many_attempts_text())
    return _door_page(performance, at_door, verdict=verdict)


@blueprint.post("/performances/<int:performance_id>/reentry")
@door_required
def reentry(performance_id: int) -> AnyResponse:
    """Switch exit and re-entry on or off."""
    get_performance(performance_id)
    allow_reentry(performance_id, allowed=request.form.get("allowed") == "yes")
    return redirect(url_for(".door", performance_id=performance_id), 303)


@blueprint.post("/performances/<int:performance_id>/coming")
@door_required
def coming(performance_id: int) -> AnyResponse:
    """Note that a party is on its way, so that a release keeps its seats; or that it is not."""
    performance = get_performance(performance_id)
    query = request.form.get("query", "")[:MAX_QUERY]
    try:
        party = note_coming(
            performance_id,
            UUID(request.form.get("party", "")),
            coming=request.form.get("coming") == "yes",
        )
    except (BookingError, ValueError):
        notice = gettext("Nothing was changed: this party is in, or is not expected.")
        return _door_page(performance, ScanForm.blank(), status=409, notice=notice, query=query)
    until = kept_until(performance.starts_at, party.late_at, now())
    return _door_page(performance, ScanForm.blank(), notice=describe_coming(until), query=query)


@blueprint.post("/performances/<int:performance_id>/undo")
@door_required
def undo(performance_id: int) -> AnyResponse:
    """Undo an admission."""
    performance = get_performance(performance_id)
    form = UndoForm()
    if not form.validate():
        abort(400)
    try:
        verdict = undoing.undo(performance_id, UUID(form.scan_id.data), staff_actor(""))
    except scan_log.ScanUnknown:
        abort(404)
    return _door_page(performance, ScanForm.blank(), verdict=verdict)


@blueprint.before_request
def _offer_to_resend() -> AnyResponse | None:
    """Keep the form's input if the login has expired, to send it again after the next login."""
    if request.endpoint in _NOT_RESENT or not can_resubmit() or current_user.is_authenticated:
        return None
    return resubmit_page()


@blueprint.errorhandler(CSRFError)
def _expired_form(_error: CSRFError) -> AnyResponse:
    """Show the door again with the input if the form's token has expired."""
    kept = _offer_to_resend()
    if kept is not None:
        return kept
    performance_id = (request.view_args or {})["performance_id"]
    if not has_right(current_user, Right.ADMIT):
        return redirect(url_for(".door", performance_id=performance_id), 303)
    form = ScanForm() if request.endpoint == "checkin.scan" else ScanForm.blank()
    notice = stale_form_text()
    if request.endpoint in _NOT_RESENT:
        notice = gettext("This page was open for too long, and nothing was changed.")
    query = request.form.get("query", "")[:MAX_QUERY]
    return _door_page(get_performance(performance_id), form, status=422, notice=notice, query=query)


@blueprint.post("/performances/<int:performance_id>/open")
@door_required
def open_app(performance_id: int) -> AnyResponse:
    """Enrol the phone of logged-in staff as a door device, without a QR."""
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
        near=describe_near(near_the_door(performance, now())),
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
