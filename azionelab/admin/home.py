"""The back office's first page: current and coming performances, failed and late mails."""

from datetime import timedelta

from flask_admin import AdminIndexView, expose
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from azionelab.admin.guard import Guarded
from azionelab.bookings.mails.resending import failed_mails
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance

_STILL_ON = timedelta(hours=6)  # after the curtain a performance is still listed
_SHOWN = 20  # performances
_LATE = timedelta(minutes=15)  # a mail that waits for longer is a sign of trouble


class HomeView(Guarded, AdminIndexView):  # type: ignore[misc]  # Flask-Admin has no types
    """The first page."""

    @expose()
    def index(self) -> str:
        """Show the next performances with their counts, and mails that need attention."""
        performances = db.session.scalars(
            select(Performance)
            .options(joinedload(Performance.show), joinedload(Performance.venue))
            .where(Performance.starts_at > now() - _STILL_ON)
            .order_by(Performance.starts_at, Performance.id)
            .limit(_SHOWN)
        ).all()
        failed, failed_since = failed_mails()
        page: str = self.render(
            "admin/home.html",
            performances=performances,
            counts=house_counts([performance.id for performance in performances]),
            failed_mails=failed,
            failed_since=failed_since,
            late_mails=_count_mails(
                Mail.delivery == Delivery.QUEUED, Mail.created_at < now() - _LATE
            ),
        )
        return page


def _count_mails(*conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count(Mail.id)).where(*conditions)) or 0
