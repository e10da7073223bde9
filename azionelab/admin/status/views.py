"""The status page: whether all is well, and what needs a person."""

from collections.abc import Sequence

from flask import flash, redirect, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.guard import Guarded
from azionelab.ops.alerts.watching import NobodyListens, send_test_alert
from azionelab.ops.status.facts import read_facts
from azionelab.ops.status.lines import About, Line, State
from azionelab.ops.status.report import judge, summarize
from azionelab.staff.rights import Right, has_right


class StatusView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The status, for everybody in the back office: who answers the telephone must know that no mail leaves."""

    change_right = Right.MANAGE_ACCOUNTS

    def __init__(self) -> None:
        super().__init__(name=_("Status"), endpoint="admin_status", url="status")

    @expose("/")
    def index(self) -> str:
        """All lines, what needs a person first."""
        facts = read_facts()
        lines = judge(facts)
        page: str = self.render(
            "admin/status.html",
            at=facts.at,
            summary=summarize(lines),
            may_test=self.may_change(),
            needs_person=any(line.state is State.WRONG for line in lines),
            lines=[(line, _links(line)) for line in lines],
            states={
                State.WELL: gettext("Well"),
                State.WRONG: gettext("Needs you"),
                State.UNKNOWN: gettext("Not known"),
                State.INFO: gettext("For your information"),
            },
        )
        return page

    @expose("/test", methods=("POST",))
    def test(self) -> Response:
        """Queue a test alert."""
        try:
            send_test_alert()
        except NobodyListens:
            flash(gettext("Nobody is told: set ALERT_EMAIL, or add a webhook for alerts."), "error")
        else:
            flash(gettext("A test alert is sent within a minute. Is it there?"), "success")
        return redirect(self.get_url(".index"))


def _links(line: Line) -> Sequence[tuple[str, str]]:
    """Where the back office shows more of a line, for those who may open it."""
    match line.about:
        case About.MAIL:
            return [(url_for("admin_mails.index_view", flt0_0="queued"), gettext("View them"))]
        case About.FAILED_MAILS if line.state is State.WRONG:
            failed = [(url_for("admin_mails.index_view", flt0_0="failed"), gettext("View them"))]
            if has_right(current_user, Right.MANAGE_MAILS):
                failed.append((url_for("admin_failed_mails.index"), gettext("Send them again")))
            return failed
        case About.PROVIDER if line.state is State.WRONG:
            return [(url_for("admin_mails.index_view"), gettext("View the mails"))]
        case About.SALES:
            sales = [(url_for("admin_performances.index_view"), gettext("All performances"))]
            if has_right(current_user, Right.MANAGE_SEASON):
                sales.append((url_for("admin_queue.index"), gettext("The queue")))
            return sales
    return ()
