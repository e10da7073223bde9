"""A performance's lists as files: the door list on paper, parties and scans for a spreadsheet."""

from flask import make_response
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response

from azionelab.admin.exports.downloads import FileKind, download_table
from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.performance_day.spreadsheets import attempts_table, guests_table
from azionelab.checkin.house import figures
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.guests import guests
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right
from azionelab.web.dates import format_timestamp


class DownloadPages(PerformancePages):
    """A performance's files."""

    @expose("/<int:performance_id>/door-list.pdf")
    @needs(Right.EXPORT)
    def door_list(self, performance_id: int) -> Response:
        """The door list as PDF."""
        # The PDF library is imported on first use (see bookings/tickets/files.py).
        from azionelab.checkin.house.door_list_pdf import door_list_pdf  # noqa: PLC0415

        performance = get_performance(performance_id)
        counts = house_counts([performance_id])[performance_id]
        content = door_list_pdf(performance, counts, guests(performance_id))
        return _file(content, "application/pdf", f"{_name(performance)}.pdf")

    @expose("/<int:performance_id>/parties.csv")
    @needs(Right.EXPORT)
    def parties(self, performance_id: int) -> Response:
        """The parties as CSV."""
        return _parties(performance_id, "csv")

    @expose("/<int:performance_id>/parties.xlsx")
    @needs(Right.EXPORT)
    def parties_xlsx(self, performance_id: int) -> Response:
        """The parties as a workbook."""
        return _parties(performance_id, "xlsx")

    @expose("/<int:performance_id>/scans.csv")
    @needs(Right.EXPORT)
    def scans(self, performance_id: int) -> Response:
        """The scans as CSV."""
        return _scans(performance_id, "csv")

    @expose("/<int:performance_id>/scans.xlsx")
    @needs(Right.EXPORT)
    def scans_xlsx(self, performance_id: int) -> Response:
        """The scans as a workbook."""
        return _scans(performance_id, "xlsx")


def _parties(performance_id: int, kind: FileKind) -> Response:
    performance = get_performance(performance_id)
    table = guests_table(guests(performance_id))
    return download_table(table, kind, f"{_name(performance)}-parties", gettext("Parties"))


def _scans(performance_id: int, kind: FileKind) -> Response:
    performance = get_performance(performance_id)
    table = attempts_table(figures.attempts(performance_id))
    return download_table(table, kind, f"{_name(performance)}-scans", gettext("Scans"))


def _name(performance: Performance) -> str:
    """A file name of the show's slug and the date: ASCII without spaces."""
    return f"{performance.show.slug}-{format_timestamp(performance.starts_at)[:10]}"


def _file(content: bytes, kind: str, name: str) -> Response:
    response = make_response(content)
    response.mimetype = kind
    response.headers.set("Content-Disposition", "attachment", filename=name)
    # It holds names: caches must not store it.
    response.cache_control.no_store = True
    return response
