"""Seats that staff free: those that a network holds unconfirmed, and those of no-shows."""

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.bookings.errors import ReleaseTooEarly, ReservationEnded
from azionelab.bookings.seats.network_holds import networks_of, release_network
from azionelab.bookings.seats.no_show_seats import RELEASE_FROM, restore_no_shows
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.no_shows import no_shows, release_no_shows
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
from azionelab.staff.rights import Right
from azionelab.waitlist.line import near_the_door
from azionelab.web.dates import format_time


class SeatReleasePages(PerformancePages):
    """A performance's unconfirmed holds and no-shows."""

    @expose("/<int:performance_id>/holds")
    @needs(Right.RUN_PERFORMANCE)
    def ask_release_holds(self, performance_id: int) -> str:
        """Ask before releasing a network's unconfirmed seats."""
        performance = get_performance(performance_id)
        key = _network(request.args.get("network", ""))
        return self.page(
            "release_network",
            performance,
            holds=next(iter(networks_of(performance_id, key)), None),
            count_seats=count_seats,
            count_parties=count_parties,
        )

    @expose("/<int:performance_id>/release-holds", methods=("POST",))
    def release_holds(self, performance_id: int) -> Response:
        """Release a network's unconfirmed seats."""
        get_performance(performance_id)
        released = release_network(performance_id, _network(request.form.get("network", "")))
        if released is None:
            flash(gettext("This network no longer holds any unconfirmed seats."), "info")
        else:
            flash(
                gettext(
                    "Released: %(places)s of %(parties)s. They can be booked again.",
                    places=count_seats(released.seats),
                    parties=count_parties(released.parties),
                ),
                "success",
            )
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/no-shows")
    @needs(Right.RUN_PERFORMANCE)
    def no_shows(self, performance_id: int) -> str:
        """Ask before releasing the seats of no-shows."""
        performance = get_performance(performance_id)
        opens_at = performance.starts_at - RELEASE_FROM
        return self.page(
            "no_shows",
            performance,
            missing=no_shows(performance_id),
            count_seats=count_seats,
            count_parties=count_parties,
            describe_silent_phones=describe_silent_phones,
            describe_still_held=describe_still_held,
            counts=house_counts([performance_id])[performance_id],
            near=describe_near(near_the_door(performance, now())),
            opens_at=opens_at,
            is_early=now() < opens_at,
            silent=devices.silent_devices(performance_id),
        )

    @expose("/<int:performance_id>/release", methods=("POST",))
    def release(self, performance_id: int) -> Response:
        """Release the seats of no-shows."""
        get_performance(performance_id)
        try:
            with_late = "late" in request.form
            released = release_no_shows(performance_id, with_late=with_late)
        except ReleaseTooEarly as early:
            flash(
                gettext(
                    "Not before %(at)s: people may still arrive.", at=format_time(early.opens_at)
                ),
                "error",
            )
        except ReservationEnded:
            flash(gettext("This performance is cancelled."), "error")
        else:
            flash(describe_release(released), "success")
        return redirect(self.get_url(".show", performance_id=performance_id))

    @expose("/<int:performance_id>/restore", methods=("POST",))
    def restore(self, performance_id: int) -> Response:
        """Undo the release, as far as seats are free."""
        get_performance(performance_id)
        restored = restore_no_shows(performance_id)
        flash(describe_restored(restored), "warning" if restored.missing else "success")
        return redirect(self.get_url(".show", performance_id=performance_id))


def _network(given: str) -> bytes:
    """The digest that identifies a network in links and forms; 404 when it is not hexadecimal."""
    try:
        return bytes.fromhex(given)
    except ValueError:
        abort(404)
