"""The pages of the season report, and their files."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, current_app, make_response, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from azionelab.admin.exports.downloads import FileKind, download_table
from azionelab.admin.figures.charts import lead_chart
from azionelab.admin.guard import Guarded
from azionelab.admin.menu import REPORTS
from azionelab.admin.season_report.choice import Choice, presets, read_choice
from azionelab.admin.season_report.tables import (
    columns,
    file_table,
    performances_table,
    season_tables,
    years_table,
)
from azionelab.admin.season_report.texts import days_of, definitions, describe_rest, name_of
from azionelab.database import now
from azionelab.reports.periods import Period
from azionelab.reports.season import SeasonFigures, played_lead_seats, season_figures


class SeasonReportView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """A season in figures, and all years side by side. They hold no names: whoever may see figures may save them."""

    def __init__(self) -> None:
        super().__init__(
            name=_("Season report"),
            category=REPORTS,
            endpoint="admin_season_report",
            url="season-report",
        )

    @expose("/")
    def index(self) -> str:
        """A period in figures, this season unless the address names another."""
        choice = read_choice(request.args, _today())
        if choice.period is None:
            return self._page("season", choice, figures=None, title="", days="")
        figures = _figures(choice.period)
        return self._page(
            "season",
            choice,
            figures=figures,
            tables=season_tables(figures, _zone()),
            lead=lead_chart(played_lead_seats(figures)),
            rest=describe_rest(figures),
            title=name_of(choice.period),
            days=days_of(choice.period),
        )

    @expose("/report.pdf")
    def season_pdf(self) -> Response:
        """The report of a period as PDF."""
        # The PDF library is imported on first use (see bookings/tickets/files.py).
        from azionelab.admin.season_report.pdf import season_pdf  # noqa: PLC0415

        period = _period()
        figures = _figures(period)
        content = season_pdf(
            period, figures, season_tables(figures, _zone()), played_lead_seats(figures)
        )
        return _pdf(content, _stem(period))

    @expose("/report.<export_type>")
    def season_file(self, export_type: str) -> Response:
        """A table of the report as CSV or XLSX: every performance, unless the address names another table."""
        period = _period()
        figures = _figures(period)
        wanted = request.args.get("table", "")
        for table in season_tables(figures, _zone()):
            if table.name == wanted:
                stem = f"{_stem(period)}-{table.name}"
                return download_table(file_table(table), _kind(export_type), stem, table.title)
        stem = f"{_stem(period)}-performances"
        rows = performances_table(figures)
        return download_table(rows, _kind(export_type), stem, gettext("Performances"))

    @expose("/years/")
    def years(self) -> str:
        """All calendar years side by side, or all seasons."""
        figures = season_figures(now())
        return self._page(
            "years",
            read_choice({}, _today()),
            figures=figures,
            table=years_table(figures, _zone(), by_season=_is_by_season()),
            rest=describe_rest(figures),
            by_season=_is_by_season(),
        )

    @expose("/years.pdf")
    def years_pdf(self) -> Response:
        """All years or seasons as PDF."""
        from azionelab.admin.season_report.pdf import years_pdf  # noqa: PLC0415 (as above)

        figures = season_figures(now())
        content = years_pdf(figures, years_table(figures, _zone(), by_season=_is_by_season()))
        return _pdf(content, _years_stem())

    @expose("/years.<export_type>")
    def years_file(self, export_type: str) -> Response:
        """All years or seasons as CSV or XLSX."""
        table = years_table(season_figures(now()), _zone(), by_season=_is_by_season())
        return download_table(file_table(table), _kind(export_type), _years_stem(), table.title)

    def _page(self, template: str, choice: Choice, **facts: Any) -> str:
        page: str = self.render(
            f"admin/season_report/{template}.html",
            choice=choice,
            presets=presets(_today()),
            columns=columns(),
            definitions=definitions(),
            **facts,
        )
        return page


def _figures(period: Period) -> SeasonFigures:
    return season_figures(now(), *period.bounds(_zone()))


def _period() -> Period:
    """The period of a file; 404 when the address names none."""
    period = read_choice(request.args, _today()).period
    if period is None:
        abort(404)
    return period


def _kind(export_type: str) -> FileKind:
    if export_type not in ("csv", "xlsx"):
        abort(404)
    return "csv" if export_type == "csv" else "xlsx"


def _is_by_season() -> bool:
    return request.args.get("by") == "season"


def _stem(period: Period) -> str:
    return f"season-report-{period.first}-{period.last}"


def _years_stem() -> str:
    return "figures-by-season" if _is_by_season() else "figures-by-year"


def _today() -> date:
    return now().astimezone(_zone()).date()


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return zone


def _pdf(content: bytes, stem: str) -> Response:
    response = make_response(content)
    response.mimetype = "application/pdf"
    response.headers.set("Content-Disposition", "attachment", filename=f"{stem}.pdf")
    response.cache_control.no_store = True
    return response
