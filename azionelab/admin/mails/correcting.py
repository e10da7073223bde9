"""Corrects the address that a failed mail went to, and sends the mail again, in one step."""

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField
from wtforms.validators import InputRequired

from azionelab.admin.reservations.seen import read_changed_in
from azionelab.bookings.box_office.changes import correct_address
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.forms import Cleaned
from azionelab.bookings.pages.visitor_input import clean_email
from azionelab.mail.models import Delivery, Mail, MailKind


class AddressForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """The right address. `seen` is the reservation's `changed_in` as the page showed it."""

    seen = HiddenField()
    email = EmailField(
        _("Right address"),
        [InputRequired(_("This is not a valid e-mail address.")), Cleaned(clean_email)],
        render_kw={"autocomplete": "off"},
    )

    @classmethod
    def make(cls, mail: Mail) -> Any:
        """The form of a mail."""
        reservation: Reservation = mail.reservation
        data = {"email": reservation.email, "seen": str(reservation.changed_in)}
        return cls(formdata=None, data=data)


def is_correctable(mail: Mail) -> bool:
    """Whether a mail failed, and its reservation has an address that can still be changed. A friend's is not its own."""
    reservation: Reservation = mail.reservation
    failed = mail.delivery == Delivery.FAILED and mail.kind != MailKind.HAND_OVER
    return failed and reservation.is_live and reservation.erased_at is None


def correct_and_resend(mail_id: UUID, reservation: Reservation, form: AddressForm) -> Outcome:
    """Save the address and queue the mail again, in one transaction. Raises what `correct_address` raises."""
    seen = read_changed_in(form.seen.data)
    return correct_address(mail_id, reservation.id, form.email.data, seen)
