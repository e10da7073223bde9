"""The pages of messages to audiences."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.guard import Guarded
from azionelab.admin.menu import MAILS
from azionelab.admin.messages.forms import COMING, PAST, MessageForm
from azionelab.admin.messages.jobs import send_trial as _trial_job  # noqa: F401 (the worker must know it)
from azionelab.admin.messages.pages import (
    find_message,
    list_page,
    preview_page,
    progress_page,
    read_number,
)
from azionelab.admin.messages.sending import SendingActions
from azionelab.admin.messages.texts import FIELDS
from azionelab.bookings.audience import rules
from azionelab.bookings.audience.models import AudienceMessage, Whom
from azionelab.web.pages import MAX_ROW


class MessageView(SendingActions, Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Messages to audiences: the list, the form, preview and progress. `SendingActions` has the buttons."""

    def __init__(self) -> None:
        super().__init__(
            name=_("Messages"), category=MAILS, endpoint="admin_messages", url="messages"
        )

    @expose("/")
    def index(self) -> str:
        """All messages, the newest first."""
        page: str = self.render("admin/messages/list.html", **list_page(read_number("page")))
        return page

    @expose("/new/", methods=("GET", "POST"))
    def create(self) -> Any:
        """Write a message; an address may name the audience that it begins with."""
        return self._save(MessageForm.make(**_audience_of_address()))

    @expose("/edit/", methods=("GET", "POST"))
    def edit(self) -> Any:
        """Change a draft."""
        message = find_message(request.args.get("id"))
        if message is None:
            return self.not_found()
        if not message.is_draft and request.method == "GET":
            return redirect(self.get_url(".details", id=message.id))
        return self._save(MessageForm.make(message))

    def _save(self, form: Any) -> Any:
        if not form.is_submitted():
            return self._show_form(form)
        if not form.validate():
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
            return self._show_form(form)
        identity = form.message_id
        if identity is None:
            return self.not_found()
        try:
            rules.save_draft(
                identity, form.draft(), seen_version=form.seen_version, by=current_user.id
            )
        except rules.DraftChanged:
            return self._show_changed(form, identity)
        except rules.NotADraft:
            flash(
                gettext(
                    "This message is being sent already, so your changes were not saved. Copy it to send another one."
                ),
                "error",
            )
        return redirect(self.get_url(".details", id=identity))

    def _show_form(self, form: Any, **facts: Any) -> str:
        page: str = self.render(
            "admin/messages/form.html",
            form=form,
            known_fields=FIELDS,
            coming=COMING,
            past=PAST,
            **facts,
        )
        return page

    def _show_changed(self, form: Any, identity: UUID) -> Any:
        """Show the input again, and beside it what somebody else saved meanwhile; saving again overwrites it."""
        theirs: AudienceMessage | None = find_message(str(identity))
        if theirs is None:
            return self.not_found()
        flash(
            gettext(
                "Somebody else has changed this draft since you opened it. Nothing of yours is saved yet."
            ),
            "error",
        )
        form.version.data = str(theirs.version)
        return self._show_form(form, theirs=theirs), 409

    @expose("/details/")
    def details(self) -> Any:
        """A draft with its preview, or how far the sending is."""
        message = find_message(request.args.get("id"))
        if message is None:
            return self.not_found()
        if message.is_draft:
            return self.render("admin/messages/draft.html", **preview_page(message))
        return self.render("admin/messages/progress.html", **progress_page(message))

    @expose("/send/")
    def ask(self) -> Any:
        """Ask before sending."""
        message = find_message(request.args.get("id"))
        if message is None:
            return self.not_found()
        if not message.is_draft:
            return redirect(self.get_url(".details", id=message.id))
        return self.render("admin/messages/send.html", **preview_page(message))

    def not_found(self) -> Response:
        """Redirect to the list with the message that there is none."""
        flash(gettext("Message not found."), "error")
        return redirect(self.get_url(".index"))


def _audience_of_address() -> dict[str, Any]:
    """What the address says of the audience: `performance`, or `show` with `when`, and `whom`."""
    facts: dict[str, Any] = {}
    numbers = [
        int(each)
        for each in request.args.getlist("performance")
        if each.isascii() and each.isdigit()
    ]
    facts["performance"] = [each for each in numbers if each <= MAX_ROW]
    show, when = request.args.get("show", ""), request.args.get("when", COMING)
    facts["run"] = [f"{show}-{when}"] if show else []
    if request.args.get("whom") in list(Whom):
        facts["whom"] = request.args["whom"]
    return facts
