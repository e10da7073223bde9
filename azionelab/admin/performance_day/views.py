"""The page of a performance on its day, and all pages below it.

The page reloads itself (static_frontend/src/live.ts); each request reads everything from the database.
"""

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from azionelab.admin.box_office.booking_pages import BookingPages
from azionelab.admin.box_office.house_pages import HousePages
from azionelab.admin.performance_day.base import closes_at, get_performance
from azionelab.admin.performance_day.downloads import DownloadPages
from azionelab.admin.performance_day.drawings import draw_arrivals
from azionelab.admin.performance_day.parties import PartyPages
from azionelab.admin.performance_day.phones import PhonePages
from azionelab.admin.performance_day.rebooking import RebookingPages
from azionelab.admin.performance_day.seat_release import SeatReleasePages
from azionelab.admin.performance_day.standby import StandbyPages
from azionelab.admin.performance_day.texts import describe_conflict
from azionelab.admin.performance_day.waitlist import WaitlistPages
from azionelab.bookings.reminders.answers import Answers, count_answers
from azionelab.bookings.seats.network_holds import networks_of
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.house import figures
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.scanning.interval import allow_reentry
from azionelab.checkin.texts.building_texts import (
    describe_building_parts,
    describe_known_at,
    describe_put_away,
    explain_building,
)
from azionelab.checkin.texts.notices import count_parties, count_seats
from azionelab.database import now
from azionelab.waitlist.line import Waiting, count_in_line

_MANY = 10  # unconfirmed seats of one network that staff are shown


class PerformanceDayView(
    BookingPages,
    HousePages,
    PartyPages,
    RebookingPages,
    PhonePages,
    SeatReleasePages,
    DownloadPages,
    WaitlistPages,
    StandbyPages,
):
    """A performance on its day; the back office's first page links to it."""

    def __init__(self) -> None:
        super().__init__(name=_("Evening"), endpoint="admin_evening", url="evenings")

    def is_visible(self) -> bool:
        """Not in the menu: staff choose a performance on the first page."""
        return False

    @expose("/")
    def index(self) -> Response:
        """Redirect to the first page, which lists the performances."""
        return redirect(url_for("admin.index"))

    @expose("/<int:performance_id>")
    def show(self, performance_id: int) -> str:
        """Show the parties, the house, the doors, conflicts, arrivals, refusals and phones."""
        performance = get_performance(performance_id)
        activity = figures.activity(performance_id)
        phones = devices.devices_of(performance_id)
        counts = house_counts([performance_id])[performance_id]
        at = now()
        shown = self.party_list(performance, at)
        return self.page(
            "performance_day",
            performance,
            **shown,
            counts=counts,
            answers=count_answers([performance_id]).get(performance_id, Answers()),
            waiting=count_in_line([performance_id]).get(performance_id, Waiting()),
            building=people_in(performance_id),
            is_over=closes_at(performance) <= at,
            describe_building_parts=describe_building_parts,
            describe_known_at=describe_known_at,
            describe_put_away=describe_put_away,
            explain_building=explain_building,
            conflicts=[describe_conflict(conflict) for conflict in conflicts(performance_id)],
            arrivals=activity.arrivals,
            chart=draw_arrivals(activity.arrivals, performance.starts_at),
            doors=activity.doors,
            refusals=activity.refusals,
            refused=figures.latest_refused(performance_id) if activity.refusals else [],
            sent_by_revoked=(
                figures.sent_by_revoked(performance_id)
                if any(phone.revoked_at for phone in phones)
                else []
            ),
            devices=phones,
            networks=[
                holds
                for holds in networks_of(performance_id)
                if holds.parties > 1 and holds.seats >= _MANY
            ]
            if counts.pending + counts.without_hold >= _MANY
            else [],
            count_seats=count_seats,
            count_parties=count_parties,
        )

    @expose("/<int:performance_id>/reentry", methods=("POST",))
    def reentry(self, performance_id: int) -> Response:
        """Switch exit and re-entry on or off for a performance."""
        get_performance(performance_id)
        allowed = request.form.get("allowed") == "yes"
        allow_reentry(performance_id, allowed=allowed)
        if allowed:
            told = gettext("Exit and re-entry are on: people can go out and come back in.")
        else:
            told = gettext("Exit is off. People who are out can still come back in.")
        flash(told, "success")
        return redirect(self.get_url(".show", performance_id=performance_id))
