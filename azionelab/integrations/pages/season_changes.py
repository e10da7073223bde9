"""The API for staff: adds and changes shows and performances. Each by the functions that the season's pages use."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_babel import gettext

from azionelab.bookings.performance_changes import cancel_performance, change_performance
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.database.row_versions import Edit, add_row, edit_row, merge
from azionelab.integrations.pages.access import blueprint, needs_scope
from azionelab.integrations.pages.api import performance_entry
from azionelab.integrations.pages.schemas import ShowSchema, StaffPerformanceSchema
from azionelab.integrations.pages.season_refusals import refuse_field, refusing
from azionelab.integrations.pages.season_schemas import (
    PerformanceCancelSchema,
    PerformanceChangeSchema,
    PerformanceEntrySchema,
    ShowChangeSchema,
    ShowEntrySchema,
)
from azionelab.integrations.tokens import Scope
from azionelab.shows.archive import archive_show, restore_show
from azionelab.shows.limits import CLOSES_BEFORE
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.window import check_curtain, check_window

Answer = dict[str, Any] | Response


@blueprint.route("/shows", methods=["POST"])
@blueprint.arguments(ShowEntrySchema)
@blueprint.response(201, ShowSchema)
@blueprint.operation("staffAddShow", 403, body=True)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def add_show(entry: dict[str, Any]) -> Answer:
    """Add a show, as a draft or published."""
    return _show(add_row(Show, entry).id)


@blueprint.route("/shows/<int:show_id>", methods=["PATCH"])
@blueprint.arguments(ShowChangeSchema)
@blueprint.response(200, ShowSchema)
@blueprint.operation("staffChangeShow", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def change_show(entry: dict[str, Any], show_id: int) -> Answer:
    """Change a show; what is not named stays."""
    edit_row(Show, show_id, _edit(entry))
    return _show(show_id)


@blueprint.route("/shows/<int:show_id>/archive", methods=["POST"])
@blueprint.response(200, ShowSchema)
@blueprint.operation("staffArchiveShow", 403, 404, 409)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def put_away(show_id: int) -> Answer:
    """Put a show that is over into the archive."""
    archive_show(show_id, None)
    return _show(show_id)


@blueprint.route("/shows/<int:show_id>/restore", methods=["POST"])
@blueprint.response(200, ShowSchema)
@blueprint.operation("staffRestoreShow", 403, 404)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def bring_back(show_id: int) -> Answer:
    """Take a show out of the archive; it is a draft then."""
    restore_show(show_id, None)
    return _show(show_id)


@blueprint.route("/performances", methods=["POST"])
@blueprint.arguments(PerformanceEntrySchema)
@blueprint.response(201, StaffPerformanceSchema)
@blueprint.operation("staffAddPerformance", 403, body=True)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def add_performance(entry: dict[str, Any]) -> Answer:
    """Add a performance to come."""
    venue = db.session.get(Venue, entry["venue_id"])
    if venue is None:
        return refuse_field("venue_id", gettext("There is no such venue."))
    facts = {
        "capacity": venue.default_capacity,
        "booking_opens_at": now(),
        "booking_closes_at": entry["starts_at"] - CLOSES_BEFORE,
    } | entry
    if facts["capacity"] is None:
        return refuse_field("capacity", gettext("How many seats? The venue has no usual number."))
    if facts.get("wheelchair_places", 0) > facts["capacity"]:
        return refuse_field(
            "wheelchair_places", gettext("There cannot be more wheelchair places than seats.")
        )
    check_curtain(facts["starts_at"], now())
    check_window(facts["booking_opens_at"], facts["booking_closes_at"], facts["starts_at"])
    return _performance(add_row(Performance, facts).id)


@blueprint.route("/performances/<int:performance_id>", methods=["PATCH"])
@blueprint.arguments(PerformanceChangeSchema)
@blueprint.response(200, StaffPerformanceSchema)
# 405: how Werkzeug answers a number that is too large, since the same address has a GET.
@blueprint.operation("staffChangePerformance", 403, 404, 405, 409, body=True)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def edit_performance(entry: dict[str, Any], performance_id: int) -> Answer:
    """Change a performance; what is not named stays. Parties are written to when its time or venue changes."""

    def write(performance: Performance) -> None:
        merge(db.session(), performance, _edit(entry)).write_to(performance)

    change_performance(performance_id, write)
    return _performance(performance_id)


@blueprint.route("/performances/<int:performance_id>/cancel", methods=["POST"])
@blueprint.arguments(PerformanceCancelSchema)
@blueprint.response(200, StaffPerformanceSchema)
@blueprint.operation("staffCancelPerformance", 403, 404, 409, body=True)
@needs_scope(Scope.CHANGE_SEASON)
@refusing
def call_off(entry: dict[str, Any], performance_id: int) -> Answer:
    """Cancel a performance and its reservations; its parties are written to. Cancelling again changes nothing."""
    cancel_performance(performance_id, seen_version=entry["version"])
    return _performance(performance_id)


def _edit(entry: Mapping[str, Any]) -> Edit:
    """The edit of the fields that an entry names."""
    wanted = {name: value for name, value in entry.items() if name != "version"}
    return Edit(entry["version"], wanted, lambda name, stored: wanted[name] == stored, None)


def _show(show_id: int) -> dict[str, Any]:
    show = db.session.get_one(Show, show_id, populate_existing=True)
    return {name: getattr(show, name) for name in ShowSchema().fields}


def _performance(performance_id: int) -> dict[str, Any]:
    found = db.session.get_one(Performance, performance_id, populate_existing=True)
    return performance_entry(found, house_counts([performance_id])[performance_id])
