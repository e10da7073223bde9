"""Duplicating a show: alone, or with its run from another day on."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from wtforms import DateField, HiddenField
from wtforms.validators import DataRequired, Length, Optional

from azionelab.admin.guard import needs
from azionelab.admin.rows.fields import Line
from azionelab.admin.season.change_pages import find_show
from azionelab.admin.season.run_pages import SeasonPages
from azionelab.shows.limits import MAX_LINE
from azionelab.shows.runs.copies import copy_run, copy_show, new_copy
from azionelab.shows.runs.planning import plan_evenings
from azionelab.staff.rights import Right


class CopyForm(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """The copy."""

    title = Line(_("Title"), [DataRequired(), Length(max=MAX_LINE)])
    first_day = DateField(
        _("First evening on"),
        [Optional()],
        description=_("All evenings move by the same number of days; times of day stay."),
    )
    seen = HiddenField()  # the digest of the preview


class CopyPages(SeasonPages):
    """Duplicating a show."""

    @expose("/duplicate", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def duplicate_view(self) -> Any:
        """The form; a copy with its evenings is previewed first, one without them is saved at once."""
        show = find_show()
        form: Any = CopyForm()
        plan = None
        if form.is_submitted() and form.validate():
            copy = new_copy(show, form.title.data)
            if request.form.get("save") == "alone":
                return self._copy_alone(show.id, copy)
            if form.first_day.data is None:
                form.first_day.errors = [gettext("This field is required.")]
            else:
                asked = copy_run(show, copy, form.first_day.data)
                if "save" in request.form:
                    plan, added = self.save_plan(asked, form.seen.data or "")
                    if added:
                        return redirect(url_for(".evenings_view", show=added[0].show_id), 303)
                else:
                    plan = plan_evenings(asked)
        elif not form.is_submitted():
            form.title.data = show.title
        form.seen.data = plan.digest if plan else ""
        form.seen.raw_data = None
        return self.page("duplicate", show=show, form=form, plan=plan)

    def _copy_alone(self, show_id: int, copy: Any) -> Any:
        try:
            added = copy_show(copy, current_user.id)
        except IntegrityError:
            flash(
                gettext("Somebody else changed the season at the same moment. Please check."),
                "error",
            )
            return redirect(url_for(".duplicate_view", show=show_id), 303)
        flash(gettext("Duplicated, as a draft."), "success")
        return redirect(url_for("admin_shows.edit_view", id=added.id), 303)
