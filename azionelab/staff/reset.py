"""Password reset by mail.

The request does the same work for any address: it looks up one id and enqueues one job. The worker does the
rest: whether there is an account, the pause, the token, the mail. No token is stored.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from flask import flash, render_template
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_security.recoverable import generate_reset_password_token
from flask_wtf import FlaskForm
from procrastinate import RetryStrategy
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import EmailField, ValidationError
from wtforms.validators import InputRequired

from azionelab.database import db, now, transaction
from azionelab.extensions import job_within, jobs
from azionelab.mail.message import Message, message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import send
from azionelab.staff.models import User
from azionelab.validation.email_addresses import mailbox_key, normalize_account_address
from azionelab.web.site_urls import site_url

RESET_JOB = "staff.reset_password"
MAIL_JOB = "staff.send_reset_mail"
RESET_PAUSE = timedelta(minutes=15)  # between two mails to one mailbox, whoever asks
_PATIENCE = RetryStrategy(max_attempts=8, exponential_wait=5)  # the link lives for two hours


class _AddressForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """The address. The form checks its syntax only."""

    email = EmailField(_("E-mail"), [InputRequired(_("This is not a valid e-mail address."))])

    def validate_email(self, field: EmailField) -> None:
        """Normalize the address, or add an error."""
        try:
            field.data = normalize_account_address(field.data)
        except ValueError as error:
            raise ValidationError(gettext("This is not a valid e-mail address.")) from error


def ask_for_reset() -> str:
    """The page that requests the mail."""
    form = _AddressForm()
    if form.validate_on_submit():
        _enqueue_request(form.email.data)
        flash(
            gettext(
                "If %(email)s has an account here, an e-mail is on its way. At most one is sent every %(minutes)s"
                " minutes, so please check for an earlier one, too.",
                email=form.email.data,
                minutes=RESET_PAUSE.seconds // 60,
            ),
            "info",
        )
    return render_template("security/forgot_password.html", forgot_password_form=form)


def _enqueue_request(address: str) -> None:
    """Enqueue the job that decides; for an address without an account its user id is None."""
    with transaction() as session:
        user_id = session.scalar(select(User.id).where(User.email == address))
        _defer(session, RESET_JOB, user_id)


@jobs.task(name=RESET_JOB, queue=QUEUE, retry=_PATIENCE)
def decide_on_mail(user_id: int | None) -> None:
    """Enqueue the mail if the account is in use and its mailbox got none within RESET_PAUSE."""
    if user_id is None:
        return
    with transaction() as session:
        alike = _lock_accounts_of_mailbox(session, user_id)
        user = next((one for one in alike if one.id == user_id), None)
        # Somebody who was invited has the link of the invitation.
        if user is None or not user.active or user.password is None:
            return
        asked_at = now()
        mailed = [one.reset_mailed_at for one in alike if one.reset_mailed_at is not None]
        if any(asked_at - at < RESET_PAUSE for at in mailed):
            return
        user.reset_mailed_at = asked_at
        _defer(session, MAIL_JOB, user_id)


def _lock_accounts_of_mailbox(session: Session, user_id: int) -> Sequence[User]:
    """Lock all accounts whose mail goes to the same mailbox as this one's (same `mailbox_key`)."""
    addresses = {
        row.id: mailbox_key(row.email) for row in session.execute(select(User.id, User.email))
    }
    alike = [one for one, address in addresses.items() if address == addresses.get(user_id)]
    return session.scalars(
        select(User)
        .where(User.id.in_(alike))
        .order_by(User.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


@jobs.task(name=MAIL_JOB, queue=QUEUE, retry=_PATIENCE)
def send_reset_mail(user_id: int) -> None:
    """Send the mail with the link that sets a new password."""
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


def _defer(session: Session, job: str, user_id: int | None) -> None:
    job_within(session, job, queue=QUEUE).defer(user_id=user_id)
