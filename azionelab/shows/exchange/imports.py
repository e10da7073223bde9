"""Long files of the season: the worker tries them and saves them, with progress. All evenings are saved, or none.

Two jobs, each of which does its work again when its worker died: one reads the file and notes what the page says of it,
the other one saves what was seen. Stopping either ends it before it has saved anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Update, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.database.row_versions import RowGone
from azionelab.database.transactions import update_beside
from azionelab.extensions import job_within
from azionelab.shows.exchange.lines import ReadFile
from azionelab.shows.exchange.models import ImportState, SeasonImport
from azionelab.shows.exchange.reading import read_file
from azionelab.shows.runs.planning import (
    NewShow,
    NewVenue,
    Plan,
    PlanChanged,
    add_evenings,
    plan_evenings,
)

TRY_JOB, SAVE_JOB = "season.try", "season.save"
QUEUE = "season"
_KEPT = timedelta(days=7)
_LISTED = 100  # lines and evenings that the page names
_RECENT = 20  # files that are listed
_STEP = 25  # lines read from one note of the progress to the next


class Stopped(Exception):
    """Somebody stopped the import, or it has ended."""


@dataclass(frozen=True)
class Reading:
    """How a file is read: the theatre's time zone, today's date there, and what makes a show's slug of its title."""

    zone: ZoneInfo
    slug_of: Callable[[str], str]

    def read(self, content: str, step: Callable[[int], None] | None = None) -> ReadFile:
        """Read a file; `step` gets the number of the line that is read."""
        today: date = now().astimezone(self.zone).date()
        return read_file(content, self.zone, today, self.slug_of, step)


def begin_import(import_id: UUID, content: str, by: int | None) -> None:
    """Have a file tried. The same id again changes nothing. Files of more than a week ago are deleted."""
    with transaction() as session:
        session.execute(delete(SeasonImport).where(SeasonImport.created_at < now() - _KEPT))
        if session.get(SeasonImport, import_id) is not None:
            return
        session.add(
            SeasonImport(
                id=import_id,
                content=content,
                total=content.count("\n"),
                created_at=now(),
                created_by=by,
            )
        )
        session.flush()
        _defer(session, TRY_JOB, import_id)


def recent_imports() -> Sequence[Row[Any]]:
    """The files of the last days without what they say, the newest first."""
    wanted = (
        SeasonImport.id,
        SeasonImport.state,
        SeasonImport.created_at,
        SeasonImport.total,
        SeasonImport.findings["evenings"].as_integer().label("evenings"),
        SeasonImport.findings["right"].as_boolean().label("right"),
    )
    newest = select(*wanted).where(SeasonImport.created_at >= now() - _KEPT)
    return db.session.execute(
        newest.order_by(SeasonImport.created_at.desc(), SeasonImport.id).limit(_RECENT)
    ).all()


def save_import(import_id: UUID) -> bool:
    """Have the evenings saved; whether they are being saved, or are already. A file with faults is not."""
    with transaction() as session:
        row = session.get(SeasonImport, import_id, with_for_update=True, populate_existing=True)
        if row is None:
            return False
        if row.state == ImportState.TRIED and row.findings["right"]:
            row.state, row.done, row.total = ImportState.SAVING, 0, row.findings["evenings"]
            session.flush()
            _defer(session, SAVE_JOB, import_id)
        return row.state in (ImportState.SAVING, ImportState.SAVED)


def stop_import(import_id: UUID) -> bool:
    """Stop an import; False when its evenings are saved already. Its job notices, and saves nothing.

    It waits for a commit that is under way.
    """
    with transaction() as session:
        row = session.get(SeasonImport, import_id, with_for_update=True, populate_existing=True)
        if row is None or row.state == ImportState.SAVED:
            return False
        row.state = ImportState.STOPPED
        return True


def try_file(import_id: UUID, reading: Reading) -> None:
    """The job: read the file and plan its evenings, then note what was found. Saves no evening."""
    row = db.session.get(SeasonImport, import_id, populate_existing=True)
    if row is None or row.state != ImportState.TRYING:
        return

    def note(line: int) -> None:
        if line % _STEP == 0:
            with transaction() as session:
                _advance(session, import_id, ImportState.TRYING, done=line)

    try:
        found = reading.read(row.content, note)
        plan = plan_evenings(found.asked)
        facts = {"state": ImportState.TRIED, "digest": plan.digest}
        with transaction() as session:
            findings = describe_plan(found, plan, row.findings.get("again", False))
            _advance(session, import_id, ImportState.TRYING, findings=findings, **facts)
    except Stopped:
        return
    except Exception:
        _fail(import_id)
        raise


def save_evenings(import_id: UUID, reading: Reading) -> None:
    """The job: add all evenings in one transaction, if the plan is still the one that was tried; else try it again."""
    row = db.session.get(SeasonImport, import_id, populate_existing=True)
    if row is None or row.state != ImportState.SAVING:
        return

    def note(session: Session, done: int, total: int) -> None:
        if done < total:
            _advance_beside(import_id, done)
        else:
            # The last statement before the commit: who stops the import waits for it, or is in time.
            _advance(session, import_id, ImportState.SAVING, done=done, state=ImportState.SAVED)

    try:
        add_evenings(reading.read(row.content).asked, row.digest, row.created_by, note)
    except Stopped:
        return
    except (PlanChanged, IntegrityError, RowGone):
        with transaction() as session:
            facts = {"state": ImportState.TRYING, "findings": {"again": True}, "done": 0}
            _advance(session, import_id, ImportState.SAVING, **facts)
            _defer(session, TRY_JOB, import_id)
    except Exception:
        _fail(import_id)
        raise


def describe_plan(found: ReadFile, plan: Plan, again: bool) -> dict[str, Any]:
    """What was found in a file, as JSON. `again`: it was tried again since the season had changed."""
    new_shows = {each.show.title for each in found.asked if isinstance(each.show, NewShow)}
    new_venues = {each.venue.name for each in found.asked if isinstance(each.venue, NewVenue)}
    faults = [each for each in plan.evenings if each.fault]
    return {
        "again": again,
        "evenings": len(plan.evenings),
        "right": bool(plan.evenings) and not faults and not found.problems,
        "first": plan.evenings[0].asked.wall.isoformat() if plan.evenings else "",
        "last": plan.evenings[-1].asked.wall.isoformat() if plan.evenings else "",
        "problems": [
            [each.line, each.wrong, each.column, each.value] for each in found.problems[:_LISTED]
        ],
        "problem_count": len(found.problems),
        "faults": [[each.asked.line, each.show, each.fault] for each in faults[:_LISTED]],
        "fault_count": len(faults),
        "clashes": [
            [each.asked.line, each.show, each.clashes[0].name, _iso(each.clashes[0].starts_at)]
            for each in plan.evenings
            if each.clashes
        ][:_LISTED],
        "clash_count": plan.clashing,
        "new_shows": sorted(new_shows)[:_LISTED],
        "new_venues": sorted(new_venues)[:_LISTED],
        "past": found.past,
    }


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _advance(session: Session, import_id: UUID, during: ImportState, **facts: Any) -> None:
    """Note facts of an import that is in a state; raises Stopped when it is no more."""
    if not session.execute(_update(import_id, during).values(**facts)).rowcount:  # type: ignore[attr-defined]
        raise Stopped


def _advance_beside(import_id: UUID, done: int) -> None:
    """Note how many evenings are added, outside of the transaction that adds them, which shows nothing until its end."""
    if not update_beside(_update(import_id, ImportState.SAVING).values(done=done)):
        raise Stopped


def _update(import_id: UUID, state: ImportState) -> Update:
    return update(SeasonImport).where(SeasonImport.id == import_id, SeasonImport.state == state)


def _fail(import_id: UUID) -> None:
    db.session.close()  # it may be of no more use
    with transaction() as session:
        session.execute(
            update(SeasonImport)
            .where(SeasonImport.id == import_id, SeasonImport.state != ImportState.SAVED)
            .values(state=ImportState.FAILED)
        )


def _defer(session: Session, job: str, import_id: UUID) -> None:
    """Enqueue a job in the caller's transaction."""
    job_within(session, job, queue=QUEUE).defer(import_id=str(import_id))
