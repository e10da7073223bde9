"""The season in the back office: its calendar, runs, changes of many evenings, files."""

from flask_babel import lazy_gettext as _

from azionelab.admin.menu import SEASON
from azionelab.admin.season.calendar_pages import CalendarPages
from azionelab.admin.season.change_pages import ChangePages
from azionelab.admin.season.run_pages import RunPages


class SeasonView(CalendarPages, RunPages, ChangePages):
    """The season's pages, all below /admin/season/."""

    def __init__(self) -> None:
        super().__init__(name=_("Calendar"), category=SEASON, endpoint="admin_season", url="season")
