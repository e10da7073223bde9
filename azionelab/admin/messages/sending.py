"""The buttons of a message: send, test, pause, go on, stop, take back, copy, delete."""

from collections.abc import Callable
from uuid import UUID, uuid4

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.guard import fresh_login
from azionelab.admin.messages.pages import find_message
from azionelab.admin.rows.fields import read_version
from azionelab.bookings.audience import rules
from azionelab.bookings.audience.models import AudienceMessage
from azionelab.bookings.audience.rules import Draft
from azionelab.bookings.audience.selection import find_recipient
from azionelab.bookings.audience.trials import enqueue_trial
from azionelab.staff.rights import Right


class SendingActions:
    """Mixin of MessageView: what its buttons do."""

    right = change_right = Right.MANAGE_MAILS
    get_url: Callable[..., str]
    not_found: Callable[[], Response]

    @expose("/start/", methods=("POST",))
    @fresh_login
    def start(self) -> Response:
        """Send a draft."""
        seen = read_version(request.form.get("version"))
        return self._act(
            lambda identity: rules.start(identity, seen_version=seen),
            gettext("The message is on its way. For half a minute you can take all of it back."),
        )

    @expose("/pause/", methods=("POST",))
    def pause(self) -> Response:
        """Hold back what has not left."""
        return self._act(rules.pause, gettext("Paused. Mails that were on their way still go out."))

    @expose("/resume/", methods=("POST",))
    def resume(self) -> Response:
        """Go on with a paused message."""
        return self._act(rules.resume, gettext("The sending goes on."))

    @expose("/stop/", methods=("POST",))
    def stop(self) -> Response:
        """End the sending for good."""
        return self._act(rules.stop, gettext("Stopped. Nobody else is written to."))

    @expose("/take-back/", methods=("POST",))
    def take_back(self) -> Response:
        """Make a message of which nothing has left a draft again."""
        return self._act(
            rules.take_back, gettext("Taken back: nobody was written to. It is a draft again.")
        )

    @expose("/delete/", methods=("POST",))
    def delete(self) -> Response:
        """Delete a draft."""
        identity = _identity()
        if identity is None:
            return self.not_found()
        try:
            rules.delete_draft(identity)
        except rules.NotADraft:
            flash(gettext("Only a draft can be deleted."), "error")
            return redirect(self.get_url(".details", id=identity))
        flash(gettext("Deleted."), "success")
        return redirect(self.get_url(".index"))

    @expose("/copy/", methods=("POST",))
    def copy(self) -> Response:
        """Begin a new draft with the text of a message."""
        message = find_message(request.form.get("id"))
        if message is None:
            return self.not_found()
        copy = _identity("copy") or uuid4()
        draft = Draft(message.texts, message.whom, message.performance_ids)
        try:
            rules.save_draft(copy, draft, seen_version=0, by=current_user.id)
        except (rules.DraftChanged, rules.NotADraft):
            # The button was pressed twice, and the copy was changed between.
            return redirect(self.get_url(".details", id=copy))
        flash(gettext("Copied. This is a new draft: nothing has been sent."), "success")
        return redirect(self.get_url(".edit", id=copy))

    @expose("/test/", methods=("POST",))
    def test(self) -> Response:
        """Send a test to the address of whoever presses."""
        message = find_message(request.form.get("id"))
        if message is None:
            return self.not_found()
        number = read_version(request.form.get("to"))
        recipient = find_recipient(message, number) or find_recipient(message, 0)
        if recipient is None:
            flash(gettext("There is nobody to write to, so there is no test either."), "error")
        else:
            enqueue_trial(message.id, recipient.id, current_user.id)
            flash(
                gettext(
                    "A test is on its way to %(email)s, as this recipient would get it. Its private link leads"
                    " to the programme.",
                    email=current_user.email,
                ),
                "success",
            )
        return redirect(self.get_url(".details", id=message.id, to=number or None))

    def _act(self, change: Callable[[UUID], AudienceMessage], done: str) -> Response:
        identity = _identity()
        if identity is None:
            return self.not_found()
        try:
            change(identity)
        except rules.MessageUnknown:
            return self.not_found()
        except rules.MessageRefused as refusal:
            flash(_describe(refusal), "error")
        else:
            flash(done, "success")
        return redirect(self.get_url(".details", id=identity))


def _describe(refusal: rules.MessageRefused) -> str:
    match refusal:
        case rules.NobodyToWriteTo():
            return gettext("There is nobody to write to, so nothing was sent.")
        case rules.AlreadySent():
            return gettext(
                "Some mails have left already, so it cannot be taken back. You can stop the rest."
            )
        case _:
            return gettext(
                "Somebody else has changed this draft since you looked at it. Nothing was sent: please look"
                " again."
            )


def _identity(name: str = "id") -> UUID | None:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        return None
