"""The door's pages, for door staff; and what a visitor sees who opens their own QR's address."""

from uuid import UUID

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.models import Reservation
from azionelab.checkin import rules
from azionelab.checkin.forms import ScanForm, UndoForm
from azionelab.checkin.limits import MAX_QUERY
from azionelab.checkin.words import Told, caution, tell
from azionelab.database import now
from azionelab.extensions import db
from azionelab.shows.programme import Listing, listing
from azionelab.staff.accounts import door_required, is_door_staff
from azionelab.tokens import Purpose, read_token

blueprint = Blueprint("checkin", __name__, url_prefix="/checkin")


@blueprint.get("/")
@door_required
def evenings() -> str:
    """Which performance is this door for?"""
    performances = rules.evenings()
    counts = rules.house_counts([performance.id for performance in performances])
    return render_template("checkin/evenings.html", performances=performances, counts=counts)


@blueprint.get("/performances/<int:performance_id>")
@door_required
def door(performance_id: int) -> AnyResponse:
    """The door of one performance; `?code=` fills the code in."""
    form = ScanForm.fresh(request.args.get("code", "")[: rules.MAX_CODE])
    return _door_page(_performance(performance_id), form)


@blueprint.post("/performances/<int:performance_id>/parties")
@door_required
def find(performance_id: int) -> AnyResponse:
    """Find a party by name. Changes nothing; a POST, since names do not belong into addresses."""
    query = request.form.get("query", "")[:MAX_QUERY]
    return _door_page(_performance(performance_id), ScanForm.fresh(), query=query)


@blueprint.post("/performances/<int:performance_id>/scans")
@door_required
def scan(performance_id: int) -> AnyResponse:
    """An attempt to let a party in."""
    performance = _performance(performance_id)
    form = ScanForm()
    if not form.validate():
        notice = next(message for messages in form.errors.values() for message in messages)
        return _door_page(performance, form, status=422, notice=notice)
    try:
        verdict = rules.admit(
            performance_id,
            form.code.data,
            form.identity,
            _actor(form.door.data or ""),
            people=form.people.data,
            seen=form.seen.data,
        )
    except rules.ScanReused:
        notice = gettext("This page was used already. Please scan once more.")
        return _door_page(performance, ScanForm.fresh(), status=409, notice=notice)
    return _door_page(performance, ScanForm.fresh(), verdict=tell(verdict))


@blueprint.post("/performances/<int:performance_id>/undo")
@door_required
def undo(performance_id: int) -> AnyResponse:
    """Take an admission back."""
    performance = _performance(performance_id)
    form = UndoForm()
    if not form.validate():
        abort(400)
    try:
        verdict = rules.undo(performance_id, UUID(form.scan_id.data), _actor(""))
    except rules.ScanUnknown:
        abort(404)
    return _door_page(performance, ScanForm.fresh(), verdict=tell(verdict))


@blueprint.get("/ticket/<token>")
def ticket(token: str) -> AnyResponse:
    """What a QR holds: leads door staff to the door with the code filled in."""
    identity = read_token(Purpose.TICKET, token)
    if identity is not None and is_door_staff(current_user):
        reservation = db.session.get(Reservation, identity)
        if reservation is not None:
            return redirect(url_for(".door", performance_id=reservation.performance_id, code=token))
    return make_response(render_template("ticket_shown.html"), 200 if identity else 404)


def _performance(performance_id: int) -> Listing:
    performance = listing(performance_id, now())
    if performance is None:
        abort(404)
    return performance


def _actor(door: str) -> rules.Actor:
    return rules.Actor(door=door, user_id=current_user.id, label=str(current_user))


def _door_page(
    performance: Listing,
    form: ScanForm,
    *,
    status: int = 200,
    verdict: Told | None = None,
    notice: str | None = None,
    query: str = "",
) -> AnyResponse:
    page = render_template(
        "checkin/door.html",
        performance=performance,
        caution=caution(performance, now()),
        counts=rules.house_counts([performance.id])[performance.id],
        scan_form=form,
        verdict=verdict,
        notice=notice,
        query=query,
        parties=rules.find_parties(performance.id, query),
    )
    return make_response(page, status)
