"""Pages that change a reservation: each is shown before it is saved, with the choice whom to write to."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from azionelab.admin.log.history import latest_change
from azionelab.admin.reservations.deeds import DEEDS, Deed
from azionelab.admin.reservations.forms import OfficeForm
from azionelab.admin.reservations.seen import read_changed_in
from azionelab.admin.rows.base import TheatreView, read_identity, return_url_or
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.box_office.undoing import undo_change
from azionelab.bookings.errors import BookingError, ReservationChanged
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.office_error_texts import explain_to_staff

SHOW, SAVE, EDIT = (
    "show",
    "save",
    "edit",
)  # the steps of a change: its preview, saving it, back to its form


class ChangePages(TheatreView):
    """The changes of a reservation. The page with its forms is the subclass's."""

    preview_template = "admin/reservation_preview.html"

    @expose("/change/", methods=("POST",))
    def change_view(self) -> Any:
        """Change name, address, language, seats and note."""
        return self._change("change")

    @expose("/house/", methods=("POST",))
    def house_view(self) -> Any:
        """Change note, number and release time of house seats."""
        return self._change("house")

    @expose("/move/", methods=("POST",))
    def move_view(self) -> Any:
        """Move the party to another performance."""
        return self._change("move")

    @expose("/split/", methods=("POST",))
    def split_view(self) -> Any:
        """Give a part of the party a reservation of its own."""
        return self._change("split")

    @expose("/merge/", methods=("POST",))
    def merge_view(self) -> Any:
        """Merge another reservation of the performance into this one."""
        return self._change("merge")

    @expose("/cancel/", methods=("POST",))
    def cancel_view(self) -> Any:
        """Cancel the reservation."""
        return self._change("cancel")

    @expose("/reinstate/", methods=("POST",))
    def reinstate_view(self) -> Any:
        """Take a cancellation back, or revive an expired reservation."""
        return self._change("reinstate")

    @expose("/correct/", methods=("POST",))
    def correct_view(self) -> Any:
        """Correct the number of walk-ins."""
        return self._change("correct")

    @expose("/move-walk-ins/", methods=("POST",))
    def move_walk_ins_view(self) -> Any:
        """Count walk-ins at another performance."""
        return self._change("move_walk_ins")

    @expose("/undo/", methods=("POST",))
    def undo_view(self) -> Response:
        """Undo the last change of a reservation."""
        identity = read_identity(Reservation, request.form.get("id"))
        try:
            undo_change(_read_uuid(request.form.get("offer")), notify=_wants_mail())
        except BookingError as refusal:
            flash(explain_to_staff(refusal), "error")
        else:
            flash(gettext("The change has been undone."), "success")
        return self.back_to(identity)

    def back_to(self, identity: int | UUID | None) -> Response:
        """Redirect to the page of a reservation."""
        return redirect(
            self.get_url(
                ".details_view", id=identity, url=return_url_or(self.get_url(".index_view"))
            )
        )

    def details_page(
        self, reservation: Reservation, forms: dict[str, FlaskForm] | None = None
    ) -> str:
        """The page of a reservation, with these forms as they were sent."""
        raise NotImplementedError

    def _change(self, name: str) -> Any:
        deed = DEEDS[name]
        reservation = self.get_one(request.form.get("id", ""))
        if reservation is None:
            flash(gettext("Reservation not found."), "error")
            return self.back_to(read_identity(Reservation, request.form.get("id")))
        form = deed.form()
        form.offer(reservation)
        step = request.form.get("step", SHOW)
        if step == EDIT or not form.validate():
            if step != EDIT:
                _flash_wrong_fields()
            return self.details_page(reservation, {name: form}), 200 if step == EDIT else 422
        saving = step == SAVE
        identity, seen = reservation.id, read_changed_in(request.form.get("seen"))
        how = {"notify": _wants_mail() if saving else True, "rehearse": not saving}
        try:
            outcome = deed.run(identity, form, seen, **how)
        except BookingError as refusal:
            return self._refused(identity, name, form, refusal)
        if outcome.is_unchanged:
            flash(deed.unchanged, "info")
            return self.back_to(identity)
        if saving:
            flash(_describe_done(deed, outcome, with_mail=how["notify"]), "success")
            return self.back_to(identity)
        return self._preview_page(name, identity, form, outcome)

    def _refused(self, identity: UUID, name: str, form: OfficeForm, refusal: BookingError) -> Any:
        """The page with what was typed, and the refusal at its field."""
        field = DEEDS[name].fields.get(type(refusal))
        if field is None:
            flash(explain_to_staff(refusal), "error")
        else:
            form[field].errors = [*form[field].errors, explain_to_staff(refusal)]
            _flash_wrong_fields()
        reservation = self.get_one(str(identity))
        if reservation is None:
            return self.back_to(identity)
        form.offer(reservation)
        if not isinstance(refusal, ReservationChanged):
            return self.details_page(reservation, {name: form}), 422
        for sentence in latest_change(reservation):
            flash(sentence, "info")
        form.rebase(reservation)
        return self.details_page(reservation, {name: form}), 409

    def _preview_page(self, name: str, identity: UUID, form: OfficeForm, outcome: Outcome) -> str:
        deed = DEEDS[name]
        reservation = self.get_one(str(identity))
        page: str = self.render(
            self.preview_template,
            model=reservation,
            deed=deed,
            effects=deed.effects(reservation, form, outcome),
            outcome=outcome,
            entries=form.entries(),
            address=self.get_url(f".{name}_view", url=return_url_or(self.get_url(".index_view"))),
        )
        return page


def _flash_wrong_fields() -> None:
    flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")


def _wants_mail() -> bool:
    return bool(request.form.get("notify"))


def _read_uuid(sent: str | None) -> UUID:
    try:
        return UUID(sent or "")
    except ValueError:
        return UUID(int=0)


def _describe_done(deed: Deed, outcome: Outcome, *, with_mail: bool) -> str:
    if not outcome.mails:
        told = gettext("Nobody was written to.")
    elif with_mail:
        recipients = ", ".join(dict.fromkeys(mail.recipient for mail in outcome.mails))
        told = gettext("An e-mail is on its way to %(recipients)s.", recipients=recipients)
    else:
        told = gettext("Nobody was written to, as you chose.")
    return f"{deed.done} {told}"
