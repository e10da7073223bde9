"""Invitations: a link by mail, or shown once to the admin, by which somebody sets their account's password.

The same link gives a colleague without a password a new one. It is signed, valid for LINK_LIFE, used once, and
not stored: the database has its id only. A new link makes the earlier one invalid.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from flask import current_app, render_template
from flask_babel import gettext
from procrastinate import RetryStrategy
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.database.row_versions import record_author
from azionelab.extensions import job_within, jobs
from azionelab.mail.message import Message, message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import Refused, send
from azionelab.staff.accounts import (
    AccountError,
    account_address,
    add_user,
    hash_new_password,
    refuse_taken_address,
    shown_name,
)
from azionelab.staff.models import PasswordLink, Role, RoleName, User
from azionelab.staff.notices import Notice, enqueue_notice
from azionelab.theme.current import theatre_name
from azionelab.tokens import Purpose, make_token, read_token
from azionelab.web.site_urls import site_url

LINK_LIFE = timedelta(days=7)
MAIL_JOB = "staff.send_password_link"
_PATIENCE = RetryStrategy(
    max_attempts=12, exponential_wait=5
)  # several hours; the link lives for days


class LinkInvalid(Exception):
    """The link is forged, was used or replaced, has expired, or its account is not active."""


class AccountGone(Exception):
    """No account has this id."""


def invite(email: str, role: str, name: str, by: int | None) -> PasswordLink:
    """Create an account without a password and its link; the worker mails it if there is a mail server.

    Raises AccountError for an invalid or taken address, an unknown role, or a name with control characters.
    """
    address, name = account_address(email), shown_name(name)
    with refuse_taken_address(), transaction() as session:
        record_author(session, by)
        return _make_link(session, add_user(session, address, role, None, name))


def link_to_begin(email: str, role: str, name: str) -> PasswordLink | None:
    """The link of an account without a password, for an operator: made, with the account, only where it is missing.

    None if the account has a password. Raises AccountError as `invite` does, and for an account that is not active.
    """
    user = db.session.scalar(select(User).where(User.email == account_address(email)))
    if user is None:
        return invite(email, role, name, by=None)
    if user.password is not None:
        return None
    link = _link_of(db.session(), user.id)
    return link if link is not None and link.expires_at > now() else renew_link(user.id)


def find_invited_admin() -> str | None:
    """The address of an administrator's account that has no password yet, the oldest; None if there is none."""
    invited = (Role.name == RoleName.ADMIN, User.active, User.password.is_(None))
    return db.session.scalar(
        select(User.email).join(User.roles).where(*invited).order_by(User.id).limit(1)
    )


def renew_link(user_id: int) -> PasswordLink:
    """Make an account's link anew, and mail it if there is a mail server; the earlier link becomes invalid.

    Raises AccountGone, and AccountError for an account that is not active.
    """
    with transaction() as session:
        user = _lock(session, user_id)
        if not user.active:
            raise AccountError("active", gettext("This account is not active."))
        earlier = _link_of(session, user.id)
        if earlier is not None:
            session.delete(earlier)
            session.flush()
        return _make_link(session, user)


def withdraw(user_id: int, by: int | None) -> bool:
    """Make an account's link invalid; an account that was never used is deleted. Returns whether it was.

    Raises AccountGone.
    """
    with transaction() as session:
        record_author(session, by)
        user = _lock(session, user_id)
        link = _link_of(session, user.id)
        if link is not None:
            session.delete(link)
        is_unused = user.password is None
        if is_unused:
            session.flush()
            session.delete(user)
        return is_unused


def accept(token: str, password: str) -> User:
    """Set the password by a link, which ends the account's sessions and the link.

    Raises LinkInvalid, and AccountError for a weak password.
    """
    link = find_link(token)
    link_id, user_id = link.id, link.user_id
    hashed = hash_new_password(password, db.session.get_one(User, user_id).email)
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        # Under the account's lock: of two requests with one link the second finds none.
        current = _link_of(session, user_id)
        if user is None or current is None or current.id != link_id or not user.active:
            raise LinkInvalid
        session.delete(current)
        if user.password is not None:
            enqueue_notice(session, user.id, Notice.PASSWORD_SET)
        user.password = hashed
        user.fs_uniquifier = uuid4().hex
        record_author(session, user.id)
        return user


def find_link(token: str) -> PasswordLink:
    """The link of a token, if it may be used now; raises LinkInvalid."""
    identity = read_token(Purpose.STAFF_LINK, token)
    link = db.session.get(PasswordLink, identity) if identity else None
    if link is None or link.expires_at <= now():
        raise LinkInvalid
    if not db.session.get_one(User, link.user_id).active:
        raise LinkInvalid
    return link


def link_address(link: PasswordLink) -> str:
    """The URL of a link: as secret as a password."""
    return site_url("staff_accept", token=make_token(Purpose.STAFF_LINK, link.id))


def open_links() -> Mapping[int, PasswordLink]:
    """All unused links, by their accounts' ids."""
    return {link.user_id: link for link in db.session.scalars(select(PasswordLink))}


@jobs.task(name=MAIL_JOB, queue=QUEUE, retry=_PATIENCE)
def send_password_link(link_id: str) -> None:
    """Send the mail with a link, unless it was used, replaced or withdrawn meanwhile."""
    link = db.session.get(PasswordLink, UUID(link_id))
    if link is None or link.expires_at <= now():
        return
    user = db.session.get_one(User, link.user_id)
    if not user.active:
        return
    try:
        send(_message(user, link), message_id(link_id))
    except Refused as refusal:
        _note_mail(link.id, refusal=str(refusal))
    else:
        _note_mail(link.id, refusal="")


def _note_mail(link_id: UUID, refusal: str) -> None:
    with transaction() as session:
        link = session.get(PasswordLink, link_id, with_for_update=True, populate_existing=True)
        if link is not None:
            link.mailed_at = None if refusal else now()
            link.refusal = refusal


def _message(user: User, link: PasswordLink) -> Message:
    address = link_address(link)
    facts = {"link": address, "invited": user.password is None, "days": LINK_LIFE.days}
    facts["expires_at"] = link.expires_at
    subject = (
        gettext("Your account at %(site)s", site=theatre_name())
        if user.password is None
        else gettext("Set a new password")
    )
    return Message(
        recipient=user.email,
        subject=subject,
        text=render_template("security/link_mail.txt", subject=subject, **facts),
        html=render_template("security/link_mail.html", subject=subject, **facts),
        link=address,
    )


def _make_link(session: Session, user: User) -> PasswordLink:
    by_mail = current_app.config["AZIONELAB"].mail_server is not None
    made_at = now()
    link = PasswordLink(
        id=uuid4(),
        user_id=user.id,
        made_at=made_at,
        expires_at=made_at + LINK_LIFE,
        by_mail=by_mail,
    )
    session.add(link)
    session.flush()
    if by_mail:
        job_within(session, MAIL_JOB, queue=QUEUE).defer(link_id=str(link.id))
    return link


def _lock(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise AccountGone
    return user


def _link_of(session: Session, user_id: int) -> PasswordLink | None:
    return session.scalar(
        select(PasswordLink)
        .where(PasswordLink.user_id == user_id)
        .execution_options(populate_existing=True)
    )
