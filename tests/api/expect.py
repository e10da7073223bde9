"""A booking as a program sends it, and what a problem must look like."""

from typing import Any

BOOKING = {"name": "Ada Rossi", "email": "ada@example.org", "seats": 2, "consent": True}


def assert_problem(answer: Any, status: int, kind: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.json
    assert told["status"] == status
    assert told["title"]
    assert told["type"] == (f"/api/problems/{kind}" if kind else "about:blank")
    return told
