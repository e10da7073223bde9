"""Mails to an account's owner about what an administrator has done to their login.

They name no administrator and hold no link: whoever did not expect one asks in the theatre.
"""

from enum import StrEnum

from flask import current_app, render_template
from flask_babel import gettext
from procrastinate import JobContext, RetryStrategy
from sqlalchemy.orm import Session

from azionelab.database import db
from azionelab.extensions import job_within, jobs
from azionelab.mail.message import Message, message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import send
from azionelab.staff.models import User
from azionelab.theme.current import theatre_name
from azionelab.web.site_urls import site_url

NOTICE_JOB = "staff.send_notice"
_PATIENCE = RetryStrategy(max_attempts=12, exponential_wait=5)


class Notice(StrEnum):
    """What happened."""

    SECOND_STEP_RESET = "second_step_reset"
    PASSWORD_SET = "password_set"  # noqa: S105 (no password): by a link that an administrator made


def enqueue_notice(session: Session, user_id: int, notice: Notice) -> None:
    """Enqueue the mail in the caller's transaction, if there is a mail server."""
    if current_app.config["AZIONELAB"].mail_server is None:
        return
    job_within(session, NOTICE_JOB, queue=QUEUE).defer(user_id=user_id, notice=notice.value)


@jobs.task(name=NOTICE_JOB, queue=QUEUE, pass_context=True, retry=_PATIENCE)
def send_notice(context: JobContext, user_id: int, notice: str) -> None:
    """Send the mail, unless the account was deleted or disabled."""
    user = db.session.get(User, user_id)
    if user is None or not user.active:
        return
    subject, told = _write(Notice(notice))
    login = site_url("security.login")
    facts = {"subject": subject, "told": told, "link": login}
    message = Message(
        recipient=user.email,
        subject=subject,
        text=render_template("security/notice_mail.txt", **facts),
        html=render_template("security/notice_mail.html", **facts),
        link=login,
    )
    # No connection of the database waits for the mail server.
    db.session.close()
    send(message, message_id(f"notice.{context.job.id}"))


def _write(notice: Notice) -> tuple[str, str]:
    """The subject, and what happened."""
    site = theatre_name()
    if notice is Notice.SECOND_STEP_RESET:
        return gettext("The second step of your login was reset"), gettext(
            "An administrator of %(site)s has reset the second step of your login: passkeys, app and recovery codes"
            " are of no use any more, and you have been logged out everywhere. Log in with your password, and set the"
            " second step up again.",
            site=site,
        )
    return gettext("Your password was changed"), gettext(
        "The password of your account at %(site)s was changed by the link that an administrator had sent. You have"
        " been logged out everywhere.",
        site=site,
    )
