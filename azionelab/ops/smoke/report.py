"""The table of a smoke check: one line for each thing that was tried, as it is tried."""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError


class NotAsItMustBe(Exception):
    """What was seen instead of what should be; its text is the table's."""


class Report:
    """Tries one thing after another, and keeps count of those that `failed`."""

    def __init__(self) -> None:
        self.tried = self.failed = 0

    def attempt(self, what: str, act: Callable[..., str | None], *arguments: Any) -> bool:
        """Do something and print how it went, with the remark it returns; whether it went well."""
        started = time.monotonic()
        try:
            verdict, remark = "ok", act(*arguments)
        except NotAsItMustBe as fault:
            verdict, remark = "FAIL", str(fault)
        except SQLAlchemyError as fault:
            reason = getattr(fault, "orig", None) or fault
            verdict, remark = "FAIL", f"the database: {str(reason).strip().partition(chr(10))[0]}"
        except (OSError, HTTPException) as fault:
            verdict, remark = "FAIL", f"no answer: {fault or type(fault).__name__}"
        seconds = time.monotonic() - started
        self.tried += 1
        self.failed += verdict == "FAIL"
        click.echo(f"{verdict:<4} {seconds:7.2f} s  {what}{f': {remark}' if remark else ''}")
        return verdict == "ok"

    def conclude(self) -> str:
        """The last line."""
        if self.failed:
            return f"{self.failed} of {self.tried} FAILED"
        return f"all {self.tried} ok"


def expect(condition: object, otherwise: str) -> None:
    """Raise NotAsItMustBe with the words of `otherwise`, unless the condition holds."""
    if not condition:
        raise NotAsItMustBe(otherwise)
