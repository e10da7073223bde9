"""Sends a text of a mail to whoever writes it, filled in for an invented party."""

from uuid import uuid4

from flask_babel import force_locale

from azionelab.bookings.mails.messages import build
from azionelab.bookings.mails.samples import fill_sample
from azionelab.bookings.mails.templates.fields import find_faults
from azionelab.bookings.mails.templates.models import About, TemplateText
from azionelab.bookings.mails.templates.stored import TextKey, TextRefused
from azionelab.database import transaction
from azionelab.extensions import job_within
from azionelab.mail.message import Message
from azionelab.mail.outbox import QUEUE

TRIAL_JOB = "mail_template.trial"


def enqueue_text_trial(key: TextKey, text: TemplateText, account_id: int) -> None:
    """Enqueue a test mail with a text, saved or not, to an account's address. Raises TextRefused."""
    if faults := find_faults(key.name, text):
        raise TextRefused(faults)
    with transaction() as session:
        job_within(session, TRIAL_JOB, queue=QUEUE).defer(
            template=key.name,
            language=key.language,
            subject=text.subject,
            heading=text.heading,
            body=text.body,
            account_id=account_id,
        )


def build_text_trial(key: TextKey, text: TemplateText, address: str) -> Message:
    """The test mail. Its links lead to the programme."""
    with force_locale(key.language):
        sample = fill_sample(key.name, text)
        sample.reservation.email = address
        link = sample.text.link
        links = dict.fromkeys(("pdf", "ics", "coming", "cancel", "fewer", "another_evening"), link)
        return build(
            sample.text,
            sample.reservation,
            uuid4(),
            ticket_urls=links,
            about=About.of(key.name),
            bookings=[sample.reservation],
        )
