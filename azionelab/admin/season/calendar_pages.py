"""The season's first page: a month as a calendar, and the shows."""

from zoneinfo import ZoneInfo

from flask import current_app, request
from flask_admin import expose

from azionelab.admin.season.run_form import today
from azionelab.admin.season.run_pages import SeasonPages
from azionelab.database import now
from azionelab.shows.month import read_month, read_month_name, read_shows


class CalendarPages(SeasonPages):
    """The calendar by month."""

    @expose("/")
    def index(self) -> str:
        """A month, this one unless `?month=2026-10` names another."""
        zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
        first = read_month_name(request.args.get("month", ""), today())
        return self.page(
            "calendar", month=read_month(first, zone), shows=read_shows(now()), today=today()
        )
