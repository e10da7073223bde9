"""Mails in the back office: the list with their delivery, each one's page, and resending."""

import base64
from typing import Any, ClassVar
from uuid import UUID

from flask import current_app, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Query, selectinload
from werkzeug.wrappers import Response

from azionelab.admin.mails.correcting import AddressForm, correct_and_resend, is_correctable
from azionelab.admin.people.search import has_text
from azionelab.admin.rows.base import TheatreView, breakable_address, return_url_or
from azionelab.admin.rows.filters import ChoiceFilter, UntilFilter
from azionelab.bookings.errors import BookingError, ReservationChanged
from azionelab.bookings.mails.messages import preview, render
from azionelab.bookings.mails.resending import AddressErased, resend
from azionelab.bookings.mails.superseded import ENDED, OUTDATED, SUPERSEDED, UNSUBSCRIBED
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.office_error_texts import explain_to_staff
from azionelab.mail.delivery import TAKES_NO_MAIL
from azionelab.mail.message import Message
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.staff.rights import Right

KINDS: dict[str, str] = {
    MailKind.CONFIRM: _("confirmation request"),
    MailKind.EXISTING: _("already booked"),
    MailKind.TICKET: _("ticket"),
    MailKind.CHANGED: _("booking changed"),
    MailKind.CANCELLED: _("booking cancelled"),
    MailKind.PERFORMANCE_CANCELLED: _("performance cancelled"),
    MailKind.MOVED: _("performance rescheduled"),
    MailKind.MESSAGE: _("message to the audience"),
    MailKind.WAITLIST: _("waitlist"),
    MailKind.OFFER: _("seats offered"),
    MailKind.REMINDER: _("reminder"),
    MailKind.QUESTION: _("asked to confirm again"),
    MailKind.LAPSED: _("offer lapsed"),
    MailKind.NEAR: _("asked who is near"),
    MailKind.MY_BOOKINGS: _("link to all bookings"),
    MailKind.HAND_OVER: _("seats for a friend"),
}
DELIVERIES: dict[str, str] = {
    Delivery.QUEUED: _("waiting"),
    Delivery.SENT: _("sent"),
    Delivery.NOT_SENT: _("not sent: no mail server is set"),
    Delivery.FAILED: _("failed"),
}


_NEEDLESS: dict[str, str] = {
    SUPERSEDED: _("not sent: a newer mail replaces it"),
    UNSUBSCRIBED: _("not sent: the visitor wants no more of them"),
    ENDED: _("not sent: what it leads to has ended"),
    OUTDATED: _("not sent: the reminder had become needless"),
}
# Remarks that are no mail server's words.
_REMARKS: dict[str, str] = {
    TAKES_NO_MAIL: _("There is no mailbox: the address's domain does not exist or takes no mail"),
}


class MailView(TheatreView):
    """Mails and their delivery. What one said is kept without the private link."""

    change_right = Right.BOOK
    details_template = "admin/mail.html"
    column_list = (
        "created_at",
        "kind",
        "reservation.email",
        "delivery",
        "attempts",
        "last_error",
        "sent_at",
    )
    column_details_list = (*column_list, "reservation.reference")
    column_auto_select_related = False  # get_query loads what the list shows
    column_default_sort = ("created_at", True)
    column_sortable_list = ("created_at", "sent_at", "attempts")
    indexed_columns = ("sent_at",)
    column_searchable_list = ("reservation.name", "reservation.email", "reservation.reference")
    column_labels: ClassVar = {
        "created_at": _("Written"),
        "kind": _("Subject"),
        "reservation.name": _("Name"),
        "reservation.email": _("To"),
        "reservation.reference": _("Reference"),
        "delivery": _("Delivery"),
        "attempts": _("Attempts"),
        "last_error": _("Remark"),
        "sent_at": _("Sent"),
    }
    column_formatters: ClassVar = {
        "reservation.email": lambda _view, _context, row, _name: breakable_address(row.recipient),
        "kind": lambda _view, _context, row, _name: KINDS[row.kind],
        "delivery": lambda _view, _context, row, _name: (
            _NEEDLESS.get(row.last_error) or DELIVERIES[row.delivery]
        ),
        "last_error": lambda view, _context, row, _name: _remark(view, row),
    }
    column_formatters_detail: ClassVar = column_formatters | {
        "last_error": lambda _view, _context, row, _name: (
            _REMARKS.get(row.last_error) or row.last_error
        )
    }
    number_columns = ("attempts",)
    empty_text = _("No mail has been written yet: the first one follows the first booking.")

    def get_filters(self) -> Any:
        """By delivery state and kind."""
        self.column_filters = (
            ChoiceFilter(Mail.delivery, _("Delivery"), DELIVERIES),
            ChoiceFilter(Mail.kind, _("Subject"), KINDS),
            UntilFilter(Mail.created_at),
        )
        return super().get_filters()

    def get_query(self) -> Query[Mail]:
        """The rows with the related rows that the list shows."""
        query: Query[Mail] = super().get_query()
        # In a statement of its own: a join would be made for all rows that a page passes over.
        return query.options(selectinload(Mail.reservation), selectinload(Mail.hand_over))

    def _apply_search(self, query: Any, count: Any, joins: Any, counted: Any, search: str) -> Any:
        found = Mail.reservation_id.in_(select(Reservation.id).where(has_text(search)))
        return query.filter(found), count, joins, counted

    @expose("/details/")
    def details_view(self) -> Any:
        """One mail as it was sent, or as it would be sent now; in development also with its link."""
        mail = self.get_one(request.args.get("id", ""))
        if mail is None:
            return self._not_found()
        return self._page(mail, AddressForm.make(mail))

    def _not_found(self) -> Response:
        flash(gettext("Mail not found."), "error")
        return redirect(self.get_url(".index_view"))

    def _page(self, mail: Mail, form: Any) -> str:
        message = _read_in_development(mail)
        shown, was_sent = preview(mail)
        page: str = self.render(
            self.details_template,
            model=mail,
            details_columns=self._details_columns,
            get_value=self.get_detail_value,
            return_url=return_url_or(self.get_url(".index_view")),
            shown=shown,
            was_sent=was_sent,
            form=form,
            correctable=is_correctable(mail),
            message=message,
            pictures=[
                base64.b64encode(picture.content).decode()
                for picture in (message.pictures if message else ())
            ],
        )
        return page

    @expose("/correct/", methods=("POST",))
    def correct_view(self) -> Any:
        """Correct the address of a failed mail's reservation, and send the mail again."""
        mail = self.get_one(request.form.get("id", ""))
        if mail is None:
            return self._not_found()
        form = AddressForm()
        if not form.validate():
            return self._page(mail, form), 422
        identity = mail.id
        try:
            outcome = correct_and_resend(identity, mail.reservation, form)
        except BookingError as refusal:
            form.email.errors = [*form.email.errors, explain_to_staff(refusal)]
            mail = self.get_one(str(identity))
            return self._page(mail, form), 409 if isinstance(refusal, ReservationChanged) else 422
        if outcome.is_unchanged:
            told = gettext("The reservation has this address already.")
            flash(told, "info")
        else:
            told = gettext("Corrected. The mail is sent to %(email)s.", email=form.email.data)
            flash(told, "success")
        return self._back_to(identity)

    @expose("/resend/", methods=("POST",))
    def resend_view(self) -> Response:
        """Put a mail back into the queue."""
        mail = self.get_one(request.form.get("id", ""))
        if mail is None:
            return self._not_found()
        try:
            resend(mail.id)
        except AddressErased:
            flash(explain_erased_address(), "error")
        else:
            flash(gettext("The mail will be sent again."), "success")
        return self._back_to(mail.id)

    def _back_to(self, identity: UUID) -> Response:
        return redirect(
            self.get_url(
                ".details_view", id=identity, url=return_url_or(self.get_url(".index_view"))
            )
        )


def _remark(view: TheatreView, mail: Mail) -> str:
    """A mail's remark; of one that failed, with the way to its right address."""
    if not view.may_change() or not is_correctable(mail):
        return _REMARKS.get(mail.last_error) or mail.last_error
    address = view.get_url(".details_view", id=mail.id, _anchor="correct")
    link = gettext("Correct the address")
    return Markup('{} <a href="{}">{}</a>').format(
        _REMARKS.get(mail.last_error) or mail.last_error, address, link
    )


def explain_erased_address() -> str:
    """Why a mail cannot be sent again: its address is erased."""
    return gettext("The address has been erased, so nothing was sent.")


def _read_in_development(mail: Mail) -> Message | None:
    config = current_app.config["AZIONELAB"]
    if not config.debug or config.mail_server is not None or mail.reservation.erased_at:
        return None
    return render(mail)
