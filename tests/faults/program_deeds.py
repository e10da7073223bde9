"""What the theatre's programs change by the API for staff."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.database.row_versions import add_row
from azionelab.integrations.tokens import Scope, issue_program_token
from azionelab.shows.archive import archive_show
from azionelab.shows.models import Show
from tests.factories import a_party, a_performance, fresh
from tests.faults.deeds import Press, Stage


def _press(stage: Stage, method: str, path: str, **body: Any) -> Press:
    return _send(stage, method, f"/reservations{path}", **body)


def _send(stage: Stage, method: str, path: str, **body: Any) -> Press:
    _token, text = issue_program_token("A sheet", tuple(Scope), 1, None)
    headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": str(uuid4())}
    address = f"/api/v1/staff{path}"
    return partial(stage.visitor.open, address, method=method, json=body, headers=headers)


def _change(stage: Stage, method: str, identity: UUID, path: str = "", **body: Any) -> Press:
    version = fresh(identity).changed_in
    return _press(stage, method, f"/{identity}{path}", version=version, **body)


def _party() -> Reservation:
    return a_party(a_performance(), 2)


def program_books(stage: Stage) -> Press:
    booking = {"name": "Ada Rossi", "email": "ada@example.org", "seats": 2}
    return _press(stage, "POST", "", performance_id=a_performance().id, **booking)


def program_changes(stage: Stage) -> Press:
    return _change(stage, "PATCH", _party().id, seats=3, note="Row 1")


def program_moves(stage: Stage) -> Press:
    return _change(stage, "POST", _party().id, "/move", performance_id=a_performance().id)


def program_cancels(stage: Stage) -> Press:
    return _change(stage, "POST", _party().id, "/cancel")


def program_takes_back(stage: Stage) -> Press:
    party = _party()
    rules.cancel(party.id)
    return _change(stage, "POST", party.id, "/reinstate")


def _show() -> Show:
    return add_row(Show, {"title": "Il gabbiano", "slug": f"show-{uuid4().hex}"})


def program_edits_show(stage: Stage) -> Press:
    return _send(stage, "PATCH", f"/shows/{_show().id}", version=1, published=True)


def program_archives(stage: Stage) -> Press:
    return _send(stage, "POST", f"/shows/{_show().id}/archive")


def program_restores(stage: Stage) -> Press:
    show = _show()
    archive_show(show.id, None)
    return _send(stage, "POST", f"/shows/{show.id}/restore")


def program_edits_performance(stage: Stage) -> Press:
    path = f"/performances/{a_performance().id}"
    return _send(stage, "PATCH", path, version=1, capacity=20)


def program_calls_off(stage: Stage) -> Press:
    return _send(stage, "POST", f"/performances/{_party().performance_id}/cancel", version=1)


PROGRAMS = (
    program_books, program_changes, program_moves, program_cancels, program_takes_back,
    program_edits_show, program_archives, program_restores, program_edits_performance, program_calls_off,
)  # fmt: skip
