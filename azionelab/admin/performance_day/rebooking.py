"""The parties of a cancelled performance, moved to another one: chosen, shown, then moved."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_wtf import FlaskForm

from azionelab.admin.guard import needs
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.reservations.change_pages import EDIT, SAVE, SHOW
from azionelab.admin.reservations.forms import performances_to_come
from azionelab.admin.reservations.seen import read_changed_in
from azionelab.admin.rows.base import read_identity
from azionelab.admin.rows.fields import RequiredChoice
from azionelab.bookings.box_office.outcomes import UNDO_FOR
from azionelab.bookings.errors import BookingError
from azionelab.bookings.evenings.rebooking import (
    Rebooking,
    RebookingChanged,
    parties_to_rebook,
    rebook_parties,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.office_error_texts import explain_to_staff
from azionelab.database import db
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right


class RebookingForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Where the chosen parties go. Each party is a box of its own, with what it was like (`changed_in`)."""

    performance = RequiredChoice("", coerce=int)


class RebookingPages(PerformancePages):
    """What becomes of the parties of a cancelled performance."""

    @expose("/<int:performance_id>/move-parties", methods=("GET", "POST"))
    @needs(Right.BOOK)
    def move_parties(self, performance_id: int) -> Any:
        """Choose parties and where they go; show what happens; move them."""
        performance = get_performance(performance_id)
        if performance.cancelled_at is None:
            flash(gettext("Only parties of a cancelled performance are moved together."), "error")
            return redirect(self.get_url(".show", performance_id=performance_id))
        form = RebookingForm()
        form.performance.label.text = gettext("Move to")
        form.performance.choices = performances_to_come(performance)
        chosen, step = _read_chosen(), request.form.get("step", SHOW)
        if request.method == "GET" or step == EDIT:
            return self._choosing(performance, form, chosen | _read_chosen("left"))
        if not form.validate():
            return self._choosing(performance, form, chosen), 422
        if not chosen:
            none = gettext("Choose at least one party.")
            return self._choosing(performance, form, chosen, none), 422
        return self._move(performance, form, chosen, saving=step == SAVE)

    def _move(
        self,
        performance: Performance,
        form: RebookingForm,
        chosen: dict[UUID, int],
        *,
        saving: bool,
    ) -> Any:
        target_id, notify = form.performance.data, bool(request.form.get("notify")) or not saving
        expected = frozenset(chosen) if saving else None
        try:
            done = rebook_parties(
                performance.id, target_id, chosen, notify=notify, expected=expected
            )
        except RebookingChanged as changed:
            flash(
                gettext(
                    "Something has changed meanwhile, and nobody was moved. Please look again."
                ),
                "error",
            )
            return self._preview(performance, form, changed.rebooking), 409
        except BookingError as refusal:
            form.performance.errors = [*form.performance.errors, explain_to_staff(refusal)]
            return self._choosing(performance, form, chosen), 422
        if not saving:
            return self._preview(performance, form, done)
        flash(_describe_done(done, with_mail=notify), "success")
        return redirect(self.get_url(".move_parties", performance_id=performance.id), 303)

    def _choosing(
        self,
        performance: Performance,
        form: RebookingForm,
        chosen: dict[UUID, int],
        error: str = "",
    ) -> str:
        parties = parties_to_rebook(performance.id)
        ticked = set(chosen)
        if request.method == "GET":
            # Whoever had not confirmed may not have meant to come.
            ticked = {party.id for party in parties if party.confirmed_at}
        return self.page(
            "move_parties",
            performance,
            form=form,
            parties=parties,
            ticked=ticked,
            error=error,
        )

    def _preview(self, performance: Performance, form: RebookingForm, rebooking: Rebooking) -> str:
        moved = [db.session.get_one(Reservation, one) for one in rebooking.moved]
        return self.page(
            "move_parties_preview",
            performance,
            target=get_performance(form.performance.data),
            rebooking=rebooking,
            moved=moved,
            describe_refusal=explain_to_staff,
            undo_minutes=int(UNDO_FOR.total_seconds() // 60),
        )


def _read_chosen(name: str = "party") -> dict[UUID, int]:
    """The parties whose boxes are ticked, each with the transaction that had last changed it."""
    chosen = {}
    for sent in request.form.getlist(name):
        named, _, seen = sent.partition(":")
        identity = read_identity(Reservation, named)
        if isinstance(identity, UUID):
            chosen[identity] = read_changed_in(seen)
    return chosen


def _describe_done(done: Rebooking, *, with_mail: bool) -> str:
    moved = ngettext(
        "%(num)s party has been moved.", "%(num)s parties have been moved.", len(done.moved)
    )
    if done.already == len(done.moved):
        return gettext("They had been moved already: nothing was changed.")
    if with_mail and done.mails:
        told = ngettext(
            "%(num)s e-mail is on its way.", "%(num)s e-mails are on their way.", len(done.mails)
        )
    else:
        told = gettext("Nobody was written to.")
    return f"{moved} {told}"
