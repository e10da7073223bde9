"""What the pages of one performance share: access, the performance, what every template gets."""

from datetime import datetime
from typing import Any

from flask import abort
from flask_admin import BaseView
from sqlalchemy.orm import joinedload

from azionelab.admin.accounts.texts import describe_scope
from azionelab.admin.guard import Guarded
from azionelab.admin.performance_day.texts import describe_age
from azionelab.admin.scans import verdict_label
from azionelab.checkin.devices.registry import door_closes_at
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right


class PerformancePages(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Base of the classes that PerformanceDayView is made of, each with the pages of one subject."""

    change_right = Right.RUN_PERFORMANCE
    menu_place = "admin_performances"

    def page(self, template: str, performance: Performance, **facts: Any) -> str:
        """Render a template of the back office with a performance and `facts`."""
        at = now()
        page: str = self.render(
            f"admin/{template}.html",
            performance=performance,
            at=at,
            how_long_ago=lambda moment: describe_age(moment, at),
            verdict_label=verdict_label,
            describe_scope=describe_scope,
            **facts,
        )
        return page


def get_performance(performance_id: int) -> Performance:
    """The performance with its show and venue; 404 when there is none."""
    performance = db.session.get(
        Performance,
        performance_id,
        options=[joinedload(Performance.show), joinedload(Performance.venue)],
    )
    if performance is None:
        abort(404)
    return performance


def closes_at(performance: Performance) -> datetime:
    """When its doors close for good."""
    return door_closes_at(performance.starts_at, performance.show.duration_minutes)
