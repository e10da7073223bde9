"""Adding a show and its run: a form, a preview of every evening, and all of them saved at once."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from azionelab.admin.guard import Guarded, needs
from azionelab.admin.season.run_form import RunForm
from azionelab.admin.season.texts import (
    booking_span,
    day_format,
    describe_clash,
    describe_fault,
    short_moment,
    wall_time,
)
from azionelab.database import db
from azionelab.database.row_versions import RowGone
from azionelab.shows.models import Performance, Show
from azionelab.shows.runs.planning import Plan, PlanChanged, add_evenings, plan_evenings
from azionelab.staff.rights import Right


class SeasonPages(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Base of the classes that SeasonView is made of."""

    change_right = Right.MANAGE_SEASON

    def page(self, template: str, **facts: Any) -> str:
        """Render a template of the season with `facts`."""
        page: str = self.render(
            f"admin/season/{template}.html",
            describe_clash=describe_clash,
            describe_fault=describe_fault,
            short_moment=short_moment,
            wall_time=wall_time,
            day_format=day_format,
            booking_span=booking_span,
            **facts,
        )
        return page

    def save_plan(self, asked: Any, seen: str) -> tuple[Plan, list[Performance]]:
        """Add what was planned; the plan, and no performances when another plan has to be looked at first."""
        try:
            added = add_evenings(asked, seen, current_user.id)
        except PlanChanged as changed:
            flash_plan_changed(changed.plan)
            return changed.plan, []
        except (IntegrityError, RowGone):
            flash(
                gettext("Somebody else changed the season at the same moment. Please check."),
                "error",
            )
            return plan_evenings(asked), []
        flash(ngettext("%(num)s evening added.", "%(num)s evenings added.", len(added)), "success")
        return Plan(()), added


class RunPages(SeasonPages):
    """A show and its run in one form."""

    @expose("/run", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def run_view(self) -> Any:
        """The form; with its preview once it was sent; saved by a second press."""
        form: Any = RunForm()
        plan = None
        if form.is_submitted():
            if form.validate():
                asked = form.asked()
                if "save" in request.form:
                    plan, added = self.save_plan(asked, form.seen.data or "")
                    if added:
                        return self._saved(added)
                else:
                    plan = plan_evenings(asked)
            else:
                flash(
                    gettext("Nothing was saved. Please correct the fields marked below."), "error"
                )
        elif show := _show_of_address():
            form.show_id.data = str(show.id)
        form.seen.data = plan.digest if plan else ""
        form.seen.raw_data = None
        return self.page("run", form=form, plan=plan)

    def _saved(self, added: list[Performance]) -> Any:
        show = added[0].show
        if not show.published:
            flash(gettext("The show is a draft: publish it when it may be booked."), "info")
        return redirect(url_for("admin_season.evenings_view", show=show.id), 303)


def flash_plan_changed(plan: Plan) -> None:
    """Say why the plan was not saved: it has faults, or is another one than the person saw."""
    if plan.has_faults:
        flash(gettext("Nothing was saved: some of the evenings cannot be."), "error")
    else:
        flash(
            gettext("Nothing was saved yet: please look at the evenings below, then save."),
            "warning",
        )


def _show_of_address() -> Show | None:
    typed = request.args.get("show", "")
    return db.session.get(Show, int(typed)) if typed.isdecimal() and len(typed) < 10 else None
