"""What the theatre's programs change by the API for staff."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.integrations.tokens import Scope, issue_program_token
from tests.factories import a_party, a_performance, fresh
from tests.faults.deeds import Press, Stage


def _press(stage: Stage, method: str, path: str, **body: Any) -> Press:
    _token, text = issue_program_token("A sheet", [Scope.CHANGE_RESERVATIONS], 1, None)
    headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": str(uuid4())}
    address = f"/api/v1/staff/reservations{path}"
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


PROGRAMS = (program_books, program_changes, program_moves, program_cancels, program_takes_back)
