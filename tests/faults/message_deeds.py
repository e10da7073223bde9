"""What people of the theatre do with messages to an audience."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from azionelab.bookings.audience import rules
from azionelab.bookings.audience.models import AudienceMessage, Whom
from azionelab.database import transaction
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance
from tests.faults.deeds import Press, Stage


def a_message() -> AudienceMessage:
    """A draft that one party would get."""
    draft = rules.Draft(
        {"en": {"subject": "About", "body": "Come!"}},
        Whom.CONFIRMED,
        [a_party(a_performance()).performance_id],
    )
    return rules.save_draft(uuid4(), draft, seen_version=0, by=None)


def in_form(stage: Stage, address: str, performance_id: int) -> Press:
    """The form of a message, with a text that is none of an earlier press."""
    shown = fields(stage.admin.get(address).text)
    typed = {name: shown[name] for name in ("csrf_token", "id", "version")} | {
        "whom": "confirmed",
        "performance": performance_id,
        "subject_en": "About",
        "body_en": f"Text {uuid4()}",
    }
    return partial(stage.admin.post, address, data=typed)


def press(stage: Stage, what: str, message: AudienceMessage, **more: Any) -> Press:
    return stage.in_admin(f"messages/{what}/", id=message.id, **more)


def staff_writes_message(stage: Stage) -> Press:
    return in_form(stage, "/admin/messages/new/", a_performance().id)


def staff_changes_message(stage: Stage) -> Press:
    message = a_message()
    return in_form(stage, f"/admin/messages/edit/?id={message.id}", message.performance_ids[0])


def staff_sends_message(stage: Stage) -> Press:
    return press(stage, "start", a_message(), version="1")


def started() -> AudienceMessage:
    return rules.start(a_message().id, seen_version=1)


def staff_pauses_message(stage: Stage) -> Press:
    return press(stage, "pause", started())


def staff_resumes_message(stage: Stage) -> Press:
    return press(stage, "resume", rules.pause(started().id))


def staff_stops_message(stage: Stage) -> Press:
    return press(stage, "stop", started())


def staff_takes_message_back(stage: Stage) -> Press:
    return press(stage, "take-back", started())


def staff_deletes_message(stage: Stage) -> Press:
    return press(stage, "delete", a_message())


def staff_copies_message(stage: Stage) -> Press:
    return press(stage, "copy", a_message(), copy=uuid4())


def staff_changes_mail_text(stage: Stage) -> Press:
    address = "/admin/mail-texts/edit/?name=cancelled&language=en"
    shown = fields(stage.admin.get(address).text)
    typed = {name: shown[name] for name in ("csrf_token", "version")}
    typed |= {"subject": "Cancelled", "heading": "Cancelled", "body": f"Text {uuid4()}"}
    return partial(stage.admin.post, address, data=typed)


def staff_corrects_address(stage: Stage) -> Press:
    party = a_party(a_performance(), confirmed=False)
    with transaction() as session:
        which = {"id": party.id}
        session.execute(
            text("UPDATE mail SET delivery = 'failed' WHERE reservation_id = :id"), which
        )
        mail = session.scalar(text("SELECT id FROM mail WHERE reservation_id = :id"), which)
    shown = fields(stage.admin.get(f"/admin/mails/details/?id={mail}").text)
    typed = {name: shown[name] for name in ("csrf_token", "seen")}
    typed |= {"id": mail, "email": f"{uuid4()}@example.org"}
    return partial(stage.admin.post, "/admin/mails/correct/", data=typed)


MESSAGES: tuple[Callable[[Stage], Press], ...] = (
    staff_writes_message, staff_changes_message, staff_sends_message, staff_pauses_message,
    staff_resumes_message, staff_stops_message, staff_takes_message_back, staff_deletes_message,
    staff_copies_message, staff_changes_mail_text, staff_corrects_address,
)  # fmt: skip
