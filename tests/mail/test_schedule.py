"""When the worker tries again what failed, and how often it looks for what fell through."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from procrastinate.jobs import Job

from azionelab.bookings.mails.resending import RESEND_JOB
from azionelab.extensions import jobs
from azionelab.mail.outbox import QUEUE, SEND_JOB

pytestmark = pytest.mark.usefixtures("app")
MINUTE, HOUR = 60, 3600


def pauses_of(task_name: str) -> list[int]:
    """The seconds that a job waits after each of its failures, until it is given up."""
    found: list[int] = []
    while True:
        job = Job(
            queue=QUEUE, lock=None, queueing_lock=None, task_name=task_name, attempts=len(found)
        )
        before = datetime.now(UTC)
        retry = jobs.tasks[task_name].get_retry_exception(RuntimeError("again"), job)
        if retry is None:
            return found
        due = retry.retry_decision.retry_at
        assert due is not None
        found.append(round((due - before).total_seconds()))


def test_a_mail_is_tried_again_soon_and_then_each_hour_for_two_days() -> None:
    first = [10, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE]
    assert pauses_of(SEND_JOB) == first + 47 * [HOUR]


def test_resending_goes_on_after_a_fault_that_is_soon_over() -> None:
    assert pauses_of(RESEND_JOB) == 5 * [10]


def test_each_minute_mails_without_a_job_are_looked_for(app: Flask) -> None:
    task = jobs.tasks["mail.recover"]
    crons = [one.cron for one in jobs.periodic_registry.periodic_tasks.values() if one.task is task]
    assert crons == ["* * * * *"]


def test_what_comes_hourly_or_more_rarely_is_tried_again_in_a_minute() -> None:
    periodic = jobs.periodic_registry.periodic_tasks.values()
    rare = {one.task.name for one in periodic if not one.cron.startswith("*")}
    assert "bookings.erase" in rare
    assert {name: pauses_of(name) for name in rare} == dict.fromkeys(rare, 10 * [MINUTE])
