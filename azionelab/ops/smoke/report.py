"""The table of a smoke check, printed line by line as the steps run."""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError


class CheckFailed(Exception):
    """A step found something wrong; its text goes into the table."""


class Report:
    """Runs steps, prints a line for each, and counts those that were `tried` and `failed`."""

    def __init__(self) -> None:
        self.tried = self.failed = 0

    def attempt(self, name: str, step: Callable[..., str | None], *arguments: Any) -> bool:
        """Run a step and print its result, with the remark that it returns; True if it succeeded."""
        started = time.monotonic()
        try:
            verdict, remark = "ok", step(*arguments)
        except CheckFailed as fault:
            verdict, remark = "FAIL", str(fault)
        except SQLAlchemyError as fault:
            reason = getattr(fault, "orig", None) or fault
            verdict, remark = "FAIL", f"the database: {str(reason).strip().partition(chr(10))[0]}"
        except (OSError, HTTPException) as fault:
            verdict, remark = "FAIL", f"no answer: {fault or type(fault).__name__}"
        seconds = time.monotonic() - started
        self.tried += 1
        self.failed += verdict == "FAIL"
        click.echo(f"{verdict:<4} {seconds:7.2f} s  {name}{f': {remark}' if remark else ''}")
        return verdict == "ok"

    def conclude(self) -> str:
        """The table's last line."""
        if self.failed:
            return f"{self.failed} of {self.tried} FAILED"
        return f"all {self.tried} ok"


def expect(condition: object, problem: str) -> None:
    """Raise CheckFailed with the text `problem` unless the condition holds."""
    if not condition:
        raise CheckFailed(problem)
