"""The worker's jobs that try and save a long file of the season."""

from uuid import UUID

from flask import current_app

from azionelab.admin.season.forms import slug_of
from azionelab.extensions import jobs
from azionelab.shows.exchange import imports
from azionelab.shows.exchange.imports import QUEUE, SAVE_JOB, TRY_JOB, Reading


@jobs.task(name=TRY_JOB, queue=QUEUE)
def try_file(import_id: str) -> None:
    """Read a file and plan its evenings; run again, it begins anew."""
    imports.try_file(UUID(import_id), _reading())


@jobs.task(name=SAVE_JOB, queue=QUEUE)
def save_evenings(import_id: str) -> None:
    """Save the evenings of a file that was tried; run again, it saves what is not saved yet: all, or nothing."""
    imports.save_evenings(UUID(import_id), _reading())


def _reading() -> Reading:
    return Reading(current_app.config["AZIONELAB"].time_zone, slug_of)
