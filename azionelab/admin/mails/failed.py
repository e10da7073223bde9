"""The page that sends again all mails that failed since a chosen time."""

from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, validators

from azionelab.admin.guard import Guarded
from azionelab.admin.rows.fields import LocalTime
from azionelab.bookings.mails.resending import count_failed, enqueue_resending, read_progress
from azionelab.database import now
from azionelab.staff.rights import Right

_DAY = timedelta(hours=24)


class SinceForm(FlaskForm):  # type: ignore[misc]
    """The start of the period. A GET form."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """No CSRF token: a GET form would put it into the address."""

        csrf = False

    since = LocalTime(_("Failed since"), [validators.InputRequired()])


class ResendForm(FlaskForm):  # type: ignore[misc]
    """The button. `asked` identifies the request, so that sending the form twice resends once."""

    since = HiddenField()
    asked = HiddenField()
    bad_addresses = BooleanField(
        _("Also those whose address does not exist, according to the mail server or the DNS")
    )


class FailedMailsView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Counts failed mails, resends them and shows the progress."""

    right = change_right = Right.MANAGE_MAILS
    menu_place = "admin_mails"

    def __init__(self) -> None:
        super().__init__(name=_("Failed mails"), endpoint="admin_failed_mails", url="failed_mails")

    def is_visible(self) -> bool:
        """Not in the menu: the first page links here when mails have failed."""
        return False

    @expose("/")
    def index(self) -> str:
        """Show how many failed, and after a resend its progress."""
        since = _chosen()
        asked = _moment(request.args.get("asked", ""))
        form = ResendForm(formdata=None, since=since.isoformat(), asked=now().isoformat())
        page: str = self.render(
            "admin/failed_mails.html",
            since_form=SinceForm(formdata=None, since=since),
            form=form,
            since=since,
            failed=count_failed(since),
            progress=read_progress(asked) if asked else None,
        )
        return page

    @expose("/", methods=("POST",))
    def resend(self) -> Response:
        """Enqueue a job that puts the failed mails back into the queue."""
        form: Any = ResendForm()
        since, asked = _moment(form.since.data or ""), _moment(form.asked.data or "")
        if not form.validate() or since is None or asked is None:
            flash(gettext("That did not work. Please try again."), "error")
            return redirect(url_for(".index"))
        enqueue_resending(since, min(asked, now()), bad_addresses=form.bad_addresses.data)
        flash(gettext("The mails are being queued again."), "success")
        return redirect(url_for(".index", begin=since.isoformat(), asked=asked.isoformat()))


def _chosen() -> datetime:
    """The start time from the address, set by the form (`since`) or after a resend (`begin`); else a day ago."""
    if left := _moment(request.args.get("begin", "")):
        return left
    form: Any = SinceForm(formdata=request.args)
    if "since" in request.args and form.validate():
        chosen: datetime = form.since.data
        return chosen
    return now() - _DAY


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
