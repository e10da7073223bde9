"""The season in the back office: its calendar, runs, changes of many evenings, copies, files."""

from zoneinfo import ZoneInfo

from flask import current_app, request
from flask_admin import expose
from flask_babel import lazy_gettext as _

from azionelab.admin.menu import SEASON
from azionelab.admin.season.change_pages import ChangePages
from azionelab.admin.season.copy_pages import CopyPages
from azionelab.admin.season.run_form import today
from azionelab.admin.season.run_pages import RunPages
from azionelab.admin.season_files.pages import FilePages
from azionelab.database import now
from azionelab.shows.month import read_month, read_month_name, read_shows


class SeasonView(RunPages, ChangePages, CopyPages, FilePages):
    """The season's pages, all below /admin/season/; the first one is a month as a calendar, beside the shows."""

    def __init__(self) -> None:
        super().__init__(name=_("Calendar"), category=SEASON, endpoint="admin_season", url="season")

    @expose("/")
    def index(self) -> str:
        """A month, this one unless `?month=2026-10` names another."""
        zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
        first = read_month_name(request.args.get("month", ""), today())
        return self.page(
            "calendar", month=read_month(first, zone), shows=read_shows(now()), today=today()
        )
