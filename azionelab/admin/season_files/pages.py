"""Importing evenings from CSV or iCalendar, with a dry run first, and exporting both."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from flask import Response, current_app, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from azionelab.admin.exports.downloads import download_table
from azionelab.admin.guard import needs
from azionelab.admin.season.forms import slug_of
from azionelab.admin.season.run_form import today
from azionelab.admin.season_files.jobs import try_file as _try_job  # noqa: F401 (the worker must know it)
from azionelab.admin.season_files.long_pages import LongFilePages
from azionelab.admin.season_files.texts import describe_import, describe_problem
from azionelab.database import now
from azionelab.shows.exchange.imports import begin_import, recent_imports
from azionelab.shows.exchange.reading import read_file
from azionelab.shows.exchange.season_toml import write_season
from azionelab.shows.exchange.writing import COLUMNS, season_calendar, season_rows
from azionelab.shows.runs.planning import NewShow, NewVenue, plan_evenings
from azionelab.staff.rights import Right
from azionelab.theme.current import theatre_name

SHORT = 20_000  # characters: tried while one waits. The form carries them to the import; the worker gets longer ones
MAX_CONTENT = 1_000_000  # characters. A request may have as many (azionelab/web/form_checks.py)


class ImportForm(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """The lines of a file. The browser reads them from it (static_frontend/src/season.ts): uploads are refused."""

    content = TextAreaField(
        _("Lines of the file"),
        [Length(max=MAX_CONTENT)],
        render_kw={"rows": 8, "spellcheck": "false"},
    )
    seen = HiddenField()  # the digest of the dry run
    request_key = HiddenField(
        default=lambda: str(uuid4())
    )  # a long file's id: sent twice, it is one


class FilePages(LongFilePages):
    """Import and export."""

    @expose("/import", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def import_view(self) -> Any:
        """The form; then the dry run with each bad line; then all evenings saved, or none."""
        form: Any = ImportForm()
        plan, found = None, None
        if form.is_submitted():
            if form.validate() and len(form.content.data or "") > SHORT:
                return self._begin(form)
            if form.validate() and form.content.data:
                zone = current_app.config["AZIONELAB"].time_zone
                found = read_file(form.content.data, zone, today(), slug_of)
                if "save" in request.form and not found.problems:
                    plan, added = self.save_plan(found.asked, form.seen.data or "")
                    if added:
                        first = added[0].starts_at.astimezone(zone)
                        return redirect(url_for(".index", month=f"{first:%Y-%m}"), 303)
                else:
                    plan = plan_evenings(found.asked)
            elif not form.errors:
                form.content.errors = [gettext("Please choose a file, or paste its lines.")]
        form.seen.data = plan.digest if plan else ""
        form.seen.raw_data = None
        asked = found.asked if found else []
        return self.page(
            "import",
            form=form,
            plan=plan,
            problems=found.problems if found else [],
            past=found.past if found else 0,
            describe_problem=describe_problem,
            recent=[] if form.is_submitted() else recent_imports(),
            describe_import=describe_import,
            new_shows=sorted({each.show.title for each in asked if isinstance(each.show, NewShow)}),
            new_venues=sorted(
                {each.venue.name for each in asked if isinstance(each.venue, NewVenue)}
            ),
        )

    def _begin(self, form: Any) -> Any:
        try:
            import_id = UUID(form.request_key.data or "")
        except ValueError:
            import_id = uuid4()
        begin_import(import_id, form.content.data, current_user.id)
        return redirect(url_for(".long_import_view", import_id=import_id), 303)

    @expose("/season.csv")
    def export_csv(self) -> Response:
        """The season to come as CSV, in the columns that the import reads."""
        return download_table((COLUMNS, season_rows(now())), "csv", "season", gettext("Season"))

    @expose("/season.toml")
    def export_toml(self) -> Response:
        """The season with all facts of its shows, as `flask load-season` reads it."""
        response = Response(write_season(now()), mimetype="application/toml")
        response.headers.set("Content-Disposition", "attachment", filename="season.toml")
        return response

    @expose("/season.ics")
    def export_ics(self) -> Response:
        """The season to come as an iCalendar file."""
        settings = current_app.config["AZIONELAB"]
        host = urlsplit(settings.site_base_url).hostname or "localhost"
        response = Response(season_calendar(now(), theatre_name(), host), mimetype="text/calendar")
        response.headers.set("Content-Disposition", "attachment", filename="season.ics")
        return response
