"""The API for staff: the season and its reservations, page by page.

Pages are read by key: `next` of one page is `after` of the following one. Nothing is left out or shown twice that was
there before the first page was read.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import abort
from sqlalchemy import ColumnElement, Select, and_, not_, or_, select
from sqlalchemy.orm import joinedload

from azionelab.bookings.models import Reservation, State, lapsed
from azionelab.checkin.house.counts import HouseCounts, house_counts
from azionelab.database import db, now
from azionelab.integrations.pages.access import blueprint, needs_scope
from azionelab.integrations.pages.schemas import (
    PerformancesQuery,
    ReservationsQuery,
    ShowsSchema,
    StaffPerformanceSchema,
    StaffPerformancesSchema,
    StaffReservationSchema,
    StaffReservationsSchema,
)
from azionelab.integrations.tokens import Scope
from azionelab.shows.models import Performance, Show


@blueprint.route("/shows")
@blueprint.response(200, ShowsSchema)
@blueprint.operation("staffListShows", 403)
@needs_scope(Scope.SEASON)
def shows() -> dict[str, Any]:
    """List all shows, unpublished ones included."""
    return {"shows": db.session.scalars(select(Show).order_by(Show.title, Show.id)).all()}


@blueprint.route("/performances")
@blueprint.arguments(PerformancesQuery, location="query")
@blueprint.response(200, StaffPerformancesSchema)
@blueprint.operation("staffListPerformances", 403, 422)
@needs_scope(Scope.SEASON)
def performances(asked: dict[str, Any]) -> dict[str, Any]:
    """List performances, past and upcoming, with their counts."""
    query = select(Performance).options(joinedload(Performance.venue)).order_by(Performance.id)
    query = query.where(
        *_conditions(
            asked,
            after=Performance.id.__gt__,
            show_id=Performance.show_id.__eq__,
            starts_from=Performance.starts_at.__ge__,
            starts_before=Performance.starts_at.__lt__,
        )
    )
    page, following = _read_page(query, asked["limit"])
    counts = house_counts([each.id for each in page])
    return {
        "performances": [performance_entry(each, counts[each.id]) for each in page],
        "next": following,
    }


@blueprint.route("/performances/<int:performance_id>")
@blueprint.response(200, StaffPerformanceSchema)
@blueprint.operation("staffGetPerformance", 403, 404)
@needs_scope(Scope.SEASON)
def performance(performance_id: int) -> dict[str, Any]:
    """Get one performance with its counts."""
    found = db.session.get(Performance, performance_id, options=[joinedload(Performance.venue)])
    if found is None:
        abort(404)
    return performance_entry(found, house_counts([found.id])[found.id])


@blueprint.route("/reservations")
@blueprint.arguments(ReservationsQuery, location="query")
@blueprint.response(200, StaffReservationsSchema)
@blueprint.operation("staffListReservations", 403, 422)
@needs_scope(Scope.RESERVATIONS)
def reservations(asked: dict[str, Any]) -> dict[str, Any]:
    """List reservations in every state."""
    query = select(Reservation).order_by(Reservation.id)
    query = query.where(
        *_conditions(
            asked,
            after=Reservation.id.__gt__,
            performance_id=Reservation.performance_id.__eq__,
            created_from=Reservation.created_at.__ge__,
            state=_has_state,
        )
    )
    page, following = _read_page(query, asked["limit"])
    return {"reservations": [reservation_entry(each) for each in page], "next": following}


@blueprint.route("/reservations/<uuid:reservation_id>")
@blueprint.response(200, StaffReservationSchema)
@blueprint.operation("staffGetReservation", 403, 404)
@needs_scope(Scope.RESERVATIONS)
def reservation(reservation_id: UUID) -> dict[str, Any]:
    """Get one reservation."""
    found = db.session.get(Reservation, reservation_id)
    if found is None:
        abort(404)
    return reservation_entry(found)


def performance_entry(found: Performance, counts: HouseCounts) -> dict[str, Any]:
    """The entry of a performance, as lists and changes answer it."""
    names = StaffPerformanceSchema().fields.keys() - {"venue_name", "seats"}
    return {name: getattr(found, name) for name in names} | {
        "venue_name": found.venue.name,
        "seats": {
            "capacity": counts.capacity,
            "confirmed": counts.expected,
            "pending": counts.pending,
            "walk_ins": counts.walk_ins,
            "admitted": counts.inside,
            "free": counts.free,
            "wheelchair_free": counts.wheelchair_free,
        },
    }


def _read_page(query: Select[Any], limit: int) -> tuple[Sequence[Any], Any]:
    """The first `limit` rows, and the id after which the following page begins; None on the last page."""
    found = db.session.scalars(query.limit(limit + 1)).all()
    page = found[:limit]
    return page, page[-1].id if len(found) > len(page) else None


def _conditions(
    asked: dict[str, Any], **filters: Callable[[Any], ColumnElement[bool]]
) -> Iterator[ColumnElement[bool]]:
    """The conditions of the filters that the query names."""
    for name, condition in filters.items():
        if name in asked:
            yield condition(asked[name])


def _has_state(state: str) -> ColumnElement[bool]:
    """The condition that a reservation is shown with that state (`reservation_entry`)."""
    over = lapsed(now())
    if state == State.EXPIRED:
        return or_(Reservation.state == state, over)
    return and_(Reservation.state == state, not_(over))


def reservation_entry(found: Reservation) -> dict[str, Any]:
    """The entry of a reservation, as lists and changes answer it."""
    fields = StaffReservationSchema().fields
    names = {field.attribute or name for name, field in fields.items()} - {"state"}
    # A lapsed hold has ended, though no job may have marked it yet.
    state = State.EXPIRED if found.is_lapsed(now()) else found.state
    return {name: getattr(found, name) for name in names} | {"state": state}
