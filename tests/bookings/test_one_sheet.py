"""Tickets on paper are made one at a time: each takes some 10 MB while it is made."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from azionelab.bookings.tickets import files as tickets


def test_sheets_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, met = threading.Lock(), []
    everybody_is_here = threading.Barrier(4)

    def make(_reservation: Any, *, for_phone: bool) -> bytes:
        met.append(not at_work.acquire(blocking=False))
        sum(range(200_000))  # long enough for the interpreter to go on with another thread
        if not met[-1]:
            at_work.release()
        return b"a sheet"

    def ask(_number: int) -> None:
        everybody_is_here.wait()
        for _ in range(5):
            assert tickets.ticket_pdf(None) == b"a sheet"  # type: ignore[arg-type]

    monkeypatch.setattr(tickets, "_ticket_pdf", make)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(4)))
    assert met == [False] * 20
