"""The worker's jobs that make the files of long lists, and delete them after a while."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import current_app

from azionelab.admin.exports.tables import Cell, xlsx_file
from azionelab.exports import rules
from azionelab.exports.models import ExportFile
from azionelab.extensions import jobs

_STEP = 1_000  # rows between two notes of the progress


class _Cancelled(Exception):
    """Whoever asked for the file does not want it any more."""


@jobs.task(name=rules.MAKE_JOB, queue=rules.QUEUE)
def make(file_id: str) -> None:
    """Make a file; run again, it begins anew."""
    file = rules.begin_file(UUID(file_id))
    if file is None:
        return
    try:
        _make(file)
    except _Cancelled:
        return
    except Exception:
        rules.fail_file(file.id)
        raise


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(name="exports.forget", queue=rules.QUEUE, queueing_lock="exports.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001 (when it was due: given to every such job)
    """Delete the files whose time is over."""
    rules.forget_files()


def _make(file: ExportFile) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    written = 0

    def counted(rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
        nonlocal written
        for row in rows:
            yield row
            written += 1
            if written % _STEP == 0:
                # In a session of its own: this one's transaction still reads the list.
                with app.app_context():
                    if not rules.note_rows(file.id, written):
                        raise _Cancelled

    view = _view_of(app, file.endpoint)
    # A list reads its filters from the request, so it is given the one that asked for the file.
    site = app.config["AZIONELAB"].site_base_url
    with app.test_request_context(
        f"{view.url}/export/xlsx/", base_url=site, query_string=file.asked
    ):
        head, rows = view.export_table(file.search)
        content = xlsx_file(head, counted(rows), str(view.name))
    with content:
        rules.keep_file(file.id, written, content)


def _view_of(app: Any, endpoint: str) -> Any:
    return {view.endpoint: view for office in app.extensions["admin"] for view in office._views}[
        endpoint
    ]
