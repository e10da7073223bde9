"""The door's page on no-shows: release their seats, and restore them."""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.seats import no_show_seats
from azionelab.checkin import no_shows as door_no_shows
from azionelab.checkin.devices.registry import silent_devices
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.pages.performance import get_performance
from azionelab.checkin.pages.views import blueprint
from azionelab.checkin.texts.building_texts import describe_silent_phones
from azionelab.checkin.texts.near_texts import describe_near
from azionelab.checkin.texts.notices import (
    count_parties,
    count_seats,
    describe_release,
    describe_restored,
    describe_still_held,
)
from azionelab.database import now
from azionelab.shows.programme import Listing
from azionelab.staff.rights import door_required
from azionelab.waitlist.line import near_the_door


@blueprint.get("/performances/<int:performance_id>/no-shows")
@door_required
def no_shows(performance_id: int) -> AnyResponse:
    """Show what a release would do."""
    return _no_shows_page(get_performance(performance_id))


@blueprint.post("/performances/<int:performance_id>/release")
@door_required
def release(performance_id: int) -> AnyResponse:
    """Release the seats of no-shows for people who wait at the door."""
    performance = get_performance(performance_id)
    try:
        with_late = "late" in request.form
        released = door_no_shows.release_no_shows(performance_id, with_late=with_late)
    except (ReleaseTooEarly, ReservationEnded):
        # The page shows the reason.
        return _no_shows_page(performance, status=409)
    return _no_shows_page(get_performance(performance_id), notice=describe_release(released))


@blueprint.post("/performances/<int:performance_id>/restore")
@door_required
def restore(performance_id: int) -> AnyResponse:
    """Restore released seats as far as they are still free."""
    get_performance(performance_id)
    restored = no_show_seats.restore_no_shows(performance_id)
    return _no_shows_page(get_performance(performance_id), notice=describe_restored(restored))


def _no_shows_page(
    performance: Listing, *, status: int = 200, notice: str | None = None
) -> AnyResponse:
    opens_at = performance.starts_at - no_show_seats.RELEASE_FROM
    page = render_template(
        "checkin/no_shows.html",
        performance=performance,
        missing=door_no_shows.no_shows(performance.id),
        counts=house_counts([performance.id])[performance.id],
        near=describe_near(near_the_door(performance, now())),
        opens_at=opens_at,
        is_early=now() < opens_at,
        silent=silent_devices(performance.id),
        count_parties=count_parties,
        count_seats=count_seats,
        describe_silent_phones=describe_silent_phones,
        describe_still_held=describe_still_held,
        notice=notice,
    )
    return make_response(page, status)
