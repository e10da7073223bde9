"""Changing or cancelling many evenings of a show: a form, a preview of each, and all of them saved at once."""

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.admin.guard import needs
from azionelab.admin.season.change_form import ChangeForm
from azionelab.admin.season.run_pages import SeasonPages
from azionelab.admin.season.texts import (
    booking_span,
    describe_clash,
    describe_fault,
    short_moment,
)
from azionelab.bookings.errors import PerformanceUnknown
from azionelab.bookings.evenings.changing import EffectsChanged, change_evenings
from azionelab.bookings.evenings.effects import Effect, Effects, preview_change
from azionelab.bookings.mails.samples import sample_text
from azionelab.bookings.mails.templates.composing import MessageText
from azionelab.database import db, now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.runs.changes import RunChange
from azionelab.staff.rights import Right


class ChangePages(SeasonPages):
    """The evenings of a show."""

    @expose("/evenings", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def evenings_view(self) -> Any:
        """The evenings of a show, and the form that changes those that are ticked."""
        show = find_show()
        evenings = _evenings(show)
        open_ids = {one.id for one in evenings if _is_open(one)}
        form: Any = ChangeForm()
        ticked, effects, cancel = open_ids, None, False
        if form.is_submitted():
            sent = {int(one) for one in request.form.getlist("evening") if one.isdecimal()}
            ticked = sent & open_ids
            cancel = "cancel" in (request.form.get("preview"), request.form.get("save"))
            if self._is_complete(form, ticked, cancel=cancel):
                change = form.change(cancel=cancel)
                if "save" not in request.form:
                    effects = preview_change(ticked, change)
                else:
                    effects = self._save(ticked, change, form.seen.data or "")
                    if effects is None:
                        return redirect(url_for(".evenings_view", show=show.id), 303)
        form.seen.data = effects.digest if effects else ""
        form.seen.raw_data = None
        return self.page(
            "evenings",
            show=show,
            form=form,
            evenings=evenings,
            open_ids=open_ids,
            ticked=ticked,
            effects=effects,
            cancel=cancel,
            sample=sample_mail(effects) if effects else None,
            venues=venue_names(),
        )

    def _is_complete(self, form: Any, ticked: set[int], *, cancel: bool) -> bool:
        if not cancel and not form.validate():
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
            return False
        if cancel and not form.csrf_token.validate(form):
            return False
        if not ticked:
            flash(gettext("Please tick at least one evening."), "error")
            return False
        if not cancel and form.change(cancel=False) == RunChange():
            flash(gettext("Please say what to change."), "error")
            return False
        return True

    def _save(self, ticked: set[int], change: RunChange, seen: str) -> Effects | None:
        """Change the evenings; the effects when they have to be looked at first."""
        try:
            changed = change_evenings(ticked, change, seen, current_user.id, notify=wants_mails())
        except EffectsChanged as other:
            if other.effects.has_faults:
                flash(gettext("Nothing was saved: some of the evenings cannot be."), "error")
            else:
                flash(
                    gettext("Nothing was saved yet: please look at the evenings below, then save."),
                    "warning",
                )
            return other.effects
        except PerformanceUnknown:
            flash(gettext("Somebody deleted one of the evenings. Please look again."), "error")
            return None
        done = (
            ngettext("%(num)s evening cancelled.", "%(num)s evenings cancelled.", changed.evenings)
            if change.cancel
            else ngettext("%(num)s evening changed.", "%(num)s evenings changed.", changed.evenings)
        )
        told = ngettext(
            "%(num)s party will be notified by e-mail.",
            "%(num)s parties will be notified by e-mail.",
            changed.mails,
        )
        if not wants_mails():
            told = gettext("Nobody was written to.")
        flash(f"{done} {told}" if changed.mails or not wants_mails() else done, "success")
        return None


def wants_mails() -> bool:
    """Whether parties are written to about a change: unless somebody ticked that they are not."""
    return "quiet" not in request.form


def find_show() -> Show:
    """The show of the address (`?show=`); 404 when there is none."""
    typed = request.args.get("show", "")
    show = db.session.get(Show, int(typed)) if typed.isdecimal() and len(typed) < 10 else None
    return show or abort(404)


def sample_mail(effects: Effects) -> MessageText | None:
    """What the parties of the first evening that writes to any would read."""
    first = next((one for one in effects.evenings if one.mails), None)
    return None if first is None else sample_of(first)


def sample_of(first: Effect) -> MessageText:
    """What the parties of an evening would read."""
    kind = MailKind.PERFORMANCE_CANCELLED if first.cancels else MailKind.MOVED
    venue = venue_names().get(first.after.venue_id, "")
    return sample_text(kind, first.performance.show.title, venue, first.after)


def _evenings(show: Show) -> list[Performance]:
    return list(
        db.session.scalars(
            select(Performance)
            .where(Performance.show_id == show.id)
            .options(joinedload(Performance.venue))
            .order_by(Performance.starts_at, Performance.id)
        )
    )


def _is_open(performance: Performance) -> bool:
    """Whether it can still be changed."""
    return performance.cancelled_at is None and performance.starts_at > now()


def venue_names() -> dict[int, str]:
    return {row[0]: row[1] for row in db.session.execute(select(Venue.id, Venue.name))}


# What the parts of the templates need that show an effect.
EFFECT_TEXTS = {
    "describe_fault": describe_fault,
    "describe_clash": describe_clash,
    "short_moment": short_moment,
    "booking_span": booking_span,
    "sample_of": sample_of,
    "venue_names": venue_names,
}
