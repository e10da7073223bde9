"""The page of charts: how the season is booked, attended and missed."""

from datetime import datetime, timedelta

from flask import request
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.admin.figures.charts import (
    Chart,
    arrivals_chart,
    fill_chart,
    lead_chart,
    no_show_chart,
    pace_chart,
)
from azionelab.admin.guard import Guarded
from azionelab.admin.menu import REPORTS
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.reports.audience import arrivals, attendance, lead_times
from azionelab.reports.booking_pace import booking_pace
from azionelab.shows.models import Performance

PERIODS = {  # days back
    "90": _("The last three months"),
    "365": _("The last twelve months"),
    "1830": _("The last five years"),
}
_MAX_BARS = 120  # evenings of one chart: more are not legible


class FiguresView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Charts of the season."""

    def __init__(self) -> None:
        super().__init__(
            name=_("Figures"), category=REPORTS, endpoint="admin_figures", url="figures"
        )

    @expose("/")
    def index(self) -> str:
        """Show the charts of a period and of the evenings to come."""
        chosen = request.args.get("days", "90")
        period = chosen if chosen in PERIODS else "90"
        at = now()
        since = at - timedelta(days=int(period))
        page: str = self.render(
            "admin/figures.html", charts=_charts(since, at), periods=PERIODS, period=period
        )
        return page


def _charts(since: datetime, at: datetime) -> list[Chart]:
    performances = list(
        db.session.scalars(
            select(Performance)
            .options(joinedload(Performance.show))
            .where(Performance.starts_at >= since)
            .order_by(Performance.starts_at, Performance.id)
        )
    )
    playing = [each for each in performances if each.cancelled_at is None]
    past = [each for each in playing if each.starts_at <= at]
    coming = [each for each in playing if each.starts_at > at]
    shown = [*past[-_MAX_BARS // 2 :], *coming[: _MAX_BARS // 2]]
    compared = [*past[-20:], *coming[:2]]
    return [
        pace_chart(coming, past, booking_pace(compared, at)),
        lead_chart(lead_times(since, at)),
        fill_chart(shown, house_counts([each.id for each in shown], at), at),
        arrivals_chart(arrivals(since, at)),
        no_show_chart(attendance(since, at, _MAX_BARS)),
    ]
