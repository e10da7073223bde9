"""A long file: its page shows the progress of the worker, what was found, and saves or stops it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext

from azionelab.admin.guard import needs
from azionelab.admin.season.run_pages import SeasonPages
from azionelab.admin.season_files.texts import describe_problem
from azionelab.database import db
from azionelab.shows.exchange.imports import save_import, stop_import
from azionelab.shows.exchange.lines import Problem, Wrong
from azionelab.shows.exchange.models import SeasonImport
from azionelab.shows.runs.evenings import Fault
from azionelab.shows.runs.house import Clash
from azionelab.staff.rights import Right


class LongFilePages(SeasonPages):
    """Progress, findings, save and stop."""

    @expose("/import/<uuid:import_id>")
    @needs(Right.MANAGE_SEASON)
    def long_import_view(self, import_id: UUID) -> Any:
        """How far a file is, and what was found in it."""
        row = db.session.get(SeasonImport, import_id) or abort(404)
        found = row.findings
        return self.page(
            "long_import",
            row=row,
            found=found,
            problems=[
                (line, describe_problem(Problem(line, Wrong(wrong), column, value)))
                for line, wrong, column, value in found.get("problems", ())
            ],
            faults=[(line, show, Fault(fault)) for line, show, fault in found.get("faults", ())],
            clashes=[
                (line, show, Clash(name, datetime.fromisoformat(at) if at else None))
                for line, show, name, at in found.get("clashes", ())
            ],
            span=[
                datetime.fromisoformat(found[end]) for end in ("first", "last") if found.get(end)
            ],
            month=found.get("first", "")[:7] or None,
        )

    @expose("/import/<uuid:import_id>/save", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def save_long_import(self, import_id: UUID) -> Any:
        """Have the evenings saved."""
        if not save_import(import_id):
            flash(gettext("This file cannot be saved: choose it again."), "error")
        return redirect(url_for(".long_import_view", import_id=import_id), 303)

    @expose("/import/<uuid:import_id>/stop", methods=("POST",))
    @needs(Right.MANAGE_SEASON)
    def stop_long_import(self, import_id: UUID) -> Any:
        """Stop reading or saving."""
        if not stop_import(import_id):
            flash(gettext("Too late: its evenings are saved already."), "warning")
        return redirect(url_for(".long_import_view", import_id=import_id), 303)
