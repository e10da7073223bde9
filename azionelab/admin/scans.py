"""The scan log in the back office: the lists of scans and admissions, and the verdicts' labels."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from sqlalchemy import String, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Query, selectinload

from azionelab.admin.people.search import has_text
from azionelab.admin.rows.base import TheatreView
from azionelab.admin.rows.filters import ChoiceFilter, PerformanceFilter, UntilFilter
from azionelab.bookings.models import Reservation
from azionelab.checkin.house.name_matching import name_matches_sql
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.verdicts import REUSED, REVOKED, VerdictKind
from azionelab.database import db
from azionelab.staff.models import User

VERDICTS: dict[str, str] = {
    VerdictKind.ADMITTED: _("admitted"),
    VerdictKind.ALREADY_IN: _("already in"),
    VerdictKind.WRONG_PERFORMANCE: _("another performance"),
    VerdictKind.NOT_CONFIRMED: _("not confirmed"),
    VerdictKind.CANCELLED: _("cancelled"),
    VerdictKind.EXPIRED: _("expired"),
    VerdictKind.PERFORMANCE_CANCELLED: _("performance cancelled"),
    VerdictKind.UNKNOWN: _("unknown code"),
    VerdictKind.TOO_MANY: _("too many"),
    VerdictKind.CHANGED: _("others admitted meanwhile"),
    VerdictKind.RELEASED: _("seats released"),
    VerdictKind.FULL: _("no seats left"),
    VerdictKind.NOT_LISTED: _("not on the phone's list"),
    VerdictKind.LET_OUT: _("went out"),
    VerdictKind.IN_AGAIN: _("came back"),
    VerdictKind.SOME_OUT: _("some out, some not yet in"),
    VerdictKind.NONE_IN: _("nobody inside to go out"),
    VerdictKind.NONE_OUT: _("nobody outside to come back"),
    VerdictKind.NO_REENTRY: _("exit not allowed"),
    REUSED: _("page already submitted"),
    REVOKED: _("device revoked"),
}


class ScanView(TheatreView):
    """All scans."""

    can_view_details = False
    column_auto_select_related = False  # get_query loads what the list shows
    column_list = ("scanned_at", "verdict", "people", "claimed", "reservation", "door", "by")
    column_default_sort = ("scanned_at", True)
    column_sortable_list = ("scanned_at",)
    column_searchable_list = ("reservation.reference", "door")
    column_labels: ClassVar = {
        "scanned_at": _("When"),
        "verdict": _("Verdict"),
        "people": _("People"),
        "claimed": _("Admitted offline"),
        "reservation": _("Reservation"),
        "reservation.reference": _("Reference"),
        "door": _("Door"),
        "by": _("By"),
    }
    column_formatters: ClassVar = {
        "verdict": lambda _view, _context, row, _name: verdict_label(row.verdict),
        "claimed": lambda _view, _context, row, _name: _describe_claimed(row),
    }
    number_columns = ("people",)
    empty_text = _(
        "Nothing has been scanned yet. Each scan at a door is listed here, also refused ones."
    )

    def get_filters(self) -> Any:
        """By verdict and by performance."""
        self.column_filters = (
            ChoiceFilter(Scan.verdict, _("Verdict"), VERDICTS),
            PerformanceFilter(Scan.performance_id),
            UntilFilter(Scan.scanned_at),
        )
        return super().get_filters()

    def get_query(self) -> Query[Scan]:
        """The rows with the related rows that the list shows."""
        query: Query[Scan] = super().get_query()
        # In statements of their own: joins would be made for all rows that a page passes over.
        return query.options(
            selectinload(Scan.user).lazyload(User.roles),
            selectinload(Scan.token),
            selectinload(Scan.reservation),
        )

    def _apply_search(self, query: Any, count: Any, joins: Any, counted: Any, search: str) -> Any:
        for word in search.split():
            parties = select(Reservation.id).where(has_text(word))
            if doors := _find_doors(word):
                # Of two subqueries joined by OR, PostgreSQL reads all scans; of two arrays it takes both indexes.
                of_party = Scan.reservation_id == any_(func.array(parties.scalar_subquery()))
                found = or_(of_party, Scan.door == any_(literal(doors, ARRAY(String))))
            else:
                found = Scan.reservation_id.in_(parties)
            query = query.filter(found)
        return query, count, joins, counted


class AdmissionView(TheatreView):
    """All admissions, undone ones included."""

    can_view_details = False
    column_auto_select_related = False
    column_list = (
        "admitted_at",
        "scan.reservation.reference",
        "people",
        "scan.door",
        "undone_at",
        "undone_by",
    )
    column_default_sort = ("admitted_at", True)
    column_sortable_list = ("admitted_at", "undone_at")
    column_labels: ClassVar = {
        "admitted_at": _("When"),
        "scan.reservation.reference": _("Reservation"),
        "people": _("People"),
        "scan.door": _("Door"),
        "undone_at": _("Undone"),
        "undone_by": _("Undone by"),
    }
    number_columns = ("people",)
    empty_text = _("Nobody has been admitted yet.")

    def get_filters(self) -> Any:
        """By day."""
        self.column_filters = (UntilFilter(Admission.admitted_at),)
        return super().get_filters()

    def get_query(self) -> Query[Admission]:
        """The rows with the related rows that the list shows."""
        query: Query[Admission] = super().get_query()
        return query.options(selectinload(Admission.scan).selectinload(Scan.reservation))


def _find_doors(word: str) -> list[str]:
    """The doors whose names have a word. Many scans name few doors, so the index is asked for the next one, and so on."""
    doors: Any = select(func.min(Scan.door).label("door")).cte("doors", recursive=True)
    behind = select(func.min(Scan.door)).where(Scan.door > doors.c.door).scalar_subquery()
    doors = doors.union_all(select(behind).where(doors.c.door.is_not(None)))
    has_word = or_(
        doors.c.door.icontains(word, autoescape=True), name_matches_sql(doors.c.door, word)
    )
    return list(db.session.scalars(select(doors.c.door).where(has_word)))


def verdict_label(verdict: str) -> str:
    """A verdict's label; its raw name when this release does not know it (after a rollback)."""
    return str(VERDICTS.get(verdict, verdict))


def describe_excess(beyond: int) -> str:
    """How many people were let in beyond the party's seats or the capacity."""
    return ngettext("%(num)s person too many", "%(num)s people too many", beyond)


def _describe_claimed(scan: Scan) -> str:
    if scan.claimed is None:
        return ""
    return f"{scan.claimed} ({describe_excess(scan.beyond)})" if scan.beyond else str(scan.claimed)
