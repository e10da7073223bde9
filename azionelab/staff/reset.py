"""The mail by which somebody who forgot their password sets another one.

Only a job is written while the page is made, and the worker does the rest: the answer takes as long
for an address without an account as for one with, and no token is kept anywhere.
"""

from typing import Any
from uuid import uuid4

from flask import Flask, render_template
from flask_babel import gettext
from flask_security.recoverable import generate_reset_password_token
from procrastinate import RetryStrategy

from azionelab.database import transaction
from azionelab.extensions import db, jobs
from azionelab.mail.messages import Message, message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import send
from azionelab.site import site_url
from azionelab.staff.models import User

RESET_JOB = "staff.reset_password"
_PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=5)  # the link lives for two hours


def enqueue_reset_mail(_app: Flask, *, user: User, **_facts: Any) -> None:
    """Answer Flask-Security's signal that `user` asked for another password."""
    with transaction() as session:
        jobs.configure_task(
            RESET_JOB,
            queue=QUEUE,
            connection=session.connection().connection.driver_connection,
        ).defer(user_id=user.id)


@jobs.task(name=RESET_JOB, queue=QUEUE, retry=_PATIENCE)
def send_reset_mail(user_id: int) -> None:
    """Write to a member of staff how to set another password."""
    user = db.session.get(User, user_id)
    if user is None or not user.active:
        return
    token = generate_reset_password_token(user)  # type: ignore[no-untyped-call]
    link = site_url("security.reset_password", token=token)
    send(
        Message(
            recipient=user.email,
            subject=gettext("Set a new password"),
            text=render_template("security/reset_mail.txt", link=link),
            html=render_template("security/reset_mail.html", link=link),
            link=link,
            pictures=(),
        ),
        message_id(str(uuid4())),
    )
