"""The back office's first page: this evening and the next, what needs a person, today's bookings, two charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from flask import current_app
from flask_admin import AdminIndexView, expose
from sqlalchemy import func, select, union_all
from sqlalchemy.orm import contains_eager, joinedload

from azionelab.admin.figures.charts import fill_chart, pace_chart
from azionelab.admin.guard import Guarded
from azionelab.admin.home.attention import find_tasks
from azionelab.bookings.models import LIVE, Kind, Reservation
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.reports.booking_pace import booking_pace
from azionelab.shows.models import Performance
from azionelab.waitlist.line import count_in_line
from azionelab.web.dates import is_same_day

_STILL_ON = timedelta(hours=6)  # after the curtain a performance is still listed
_BACK = timedelta(days=45)  # what the charts look back on
_LISTED = 8  # evenings
_PAST, _COMING = 40, 32  # evenings that are read: those of the charts
_COMPARED = 20  # evenings before, of the chart of the pace
_BOOKINGS = 10  # of today's


@dataclass(frozen=True)
class Bookings:
    """Today's bookings: how many parties and people, and the newest of them."""

    parties: int
    people: int
    newest: Sequence[Reservation]


class HomeView(Guarded, AdminIndexView):  # type: ignore[misc]  # Flask-Admin has no types
    """The first page."""

    @expose()
    def index(self) -> str:
        """Show the evenings around now."""
        at = now()
        performances = _around(at)
        listed = [each for each in performances if each.starts_at > at - _STILL_ON][:_LISTED]
        playing = [each for each in performances if each.cancelled_at is None]
        past = [each for each in playing if each.starts_at <= at]
        coming = [each for each in playing if each.starts_at > at]
        counts = house_counts([each.id for each in performances], at)
        paces = booking_pace([*past[-_COMPARED:], *coming[:2]], at)
        page: str = self.render(
            "admin/home.html",
            at=at,
            tonight=[each for each in listed if is_same_day(each.starts_at, at)],
            later=[each for each in listed if not is_same_day(each.starts_at, at)],
            counts=counts,
            waiting=count_in_line([each.id for each in listed]),
            tasks=find_tasks(performances, counts, at),
            bookings=_todays_bookings(at),
            charts=[
                pace_chart(coming, past, paces),
                fill_chart([*past, *coming], counts, at),
            ],
        )
        return page


def _around(at: datetime) -> list[Performance]:
    """The performances of the last weeks and the next ones to come, in order of time."""
    first_begun = at - _STILL_ON
    before = select(Performance.id).where(Performance.starts_at.between(at - _BACK, first_begun))
    after = select(Performance.id).where(Performance.starts_at > first_begun)
    newest = before.order_by(Performance.starts_at.desc(), Performance.id.desc()).limit(_PAST)
    next_ones = after.order_by(Performance.starts_at, Performance.id).limit(_COMING)
    # One IN of both: for two, joined by OR, PostgreSQL reads all performances.
    around = (
        select(Performance)
        .where(Performance.id.in_(union_all(newest, next_ones)))
        .order_by(Performance.starts_at, Performance.id)
        .options(joinedload(Performance.show), joinedload(Performance.venue))
    )
    return list(db.session.scalars(around))


def _todays_bookings(at: datetime) -> Bookings:
    """What was booked since midnight, walk-ins, house seats and what has ended left out."""
    zone = current_app.config["AZIONELAB"].time_zone
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone)
    rows = db.session.execute(
        select(Reservation, func.count().over(), func.sum(Reservation.seats).over())
        .join(Reservation.performance)
        .join(Performance.show)
        .options(contains_eager(Reservation.performance).contains_eager(Performance.show))
        .where(
            Reservation.created_at >= midnight,
            Reservation.state.in_(LIVE),
            Reservation.walk_in.is_(False),
            Reservation.kind != Kind.HOUSE,
        )
        .order_by(Reservation.created_at.desc(), Reservation.id)
        .limit(_BOOKINGS)
    ).all()
    if not rows:
        return Bookings(0, 0, [])
    return Bookings(rows[0][1], rows[0][2], [row[0] for row in rows])
