"""The worker process: `flask worker` runs the jobs of the queue until it is told to stop."""

import asyncio
import logging
import logging.config
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import click
from flask import Flask, current_app
from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from azionelab.database.errors import cause
from azionelab.extensions import jobs
from azionelab.logs import logging_settings, request_id
from azionelab.ops.checks.schema import NOT_MIGRATED
from azionelab.ops.checks.secret_keys import look_at_key
from azionelab.ops.monitoring.sentry import init_sentry
from azionelab.ops.processes import jobs as _queue_jobs  # noqa: F401 (the worker must know them)
from azionelab.ops.processes.conninfo import conninfo

logger = logging.getLogger(__name__)

CONCURRENCY = 4  # jobs at a time
_POLL_SECONDS = 1.0  # an idle worker looks this often: nobody notifies it (migration 0003)
_PREPARE_AFTER = 5  # psycopg's own
_GRACE_SECONDS = 8.0  # for running jobs to end; whoever stops us kills after ten
_PAUSES = (1, 2, 4, 8, 15)  # seconds between tries while there is no database; the last one repeats
_PATIENCE_SECONDS = 5  # for a connection


class NotMigrated(Exception):
    """The database has no job queue: `flask db upgrade` has not run yet."""


_DATABASE_AWAY = (ConnectorException, OperationalError, PoolTimeout, OSError)


@click.command("worker")
@click.option("--concurrency", default=CONCURRENCY, type=click.IntRange(1, 32), show_default=True)
@click.option("--once", is_flag=True, help="Do what is due, then end.")
def worker_command(concurrency: int, once: bool) -> None:
    """Send the mails, release lapsed holds, erase old data; ends on SIGTERM or Ctrl-C."""
    config = current_app.config["AZIONELAB"]
    logging.config.dictConfig(logging_settings(config.log_format))
    init_sentry(config)
    run_worker(current_app._get_current_object(), concurrency, once=once)  # type: ignore[attr-defined]


def run_worker(app: Flask, concurrency: int = CONCURRENCY, *, once: bool = False) -> None:
    """Run jobs, `concurrency` at a time, until SIGTERM or SIGINT; with `once` until none is due.

    A database that is away or not migrated is waited for. Jobs that have not ended after the time of grace
    are left where they are, as after a crash: another worker takes them up once this one's heart is silent.
    """
    asyncio.run(_work(app, concurrency, once=once))


@asynccontextmanager
async def open_queue(app: Flask) -> AsyncIterator[App]:
    """The job queue with connections of its own, to run jobs by.

    Raises NotMigrated, psycopg.OperationalError, psycopg_pool.PoolTimeout.
    """
    config = app.config["AZIONELAB"]
    database = conninfo(config.database_url)
    how: dict[str, Any] = {
        # The queue's statements are short, and its own: the web processes' limits are not for them.
        "prepare_threshold": config.session_parameters().get("prepare_threshold", _PREPARE_AFTER),
        "connect_timeout": _PATIENCE_SECONDS,
        "application_name": "azionelab-worker",
    }
    # The pool would only say that its time is over: one connection of its own says at once, and why.
    await (await AsyncConnection.connect(database, **how)).close()
    pool = AsyncConnectionPool(
        database,
        min_size=1,
        max_size=4,
        timeout=_PATIENCE_SECONDS,
        kwargs=how,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    try:
        await pool.open(wait=True, timeout=_PATIENCE_SECONDS)
        with jobs.replace_connector(_WorkerConnector()) as queue:
            await queue.open_async(pool)
            if not await queue.check_connection_async():
                raise NotMigrated
            yield queue
    finally:
        await pool.close()


class _WorkerConnector(PsycopgConnector):
    """A connector by which jobs can also defer jobs, on the connection of their own transaction."""

    def get_sync_connector(self) -> BaseConnector:
        """One that is never opened: it only ever uses connections that it is given."""
        return SyncPsycopgConnector()


async def _work(app: Flask, concurrency: int, *, once: bool) -> None:
    _stop_on_signals()
    with suppress(asyncio.CancelledError):
        failures = 0
        while True:
            try:
                async with open_queue(app) as queue:
                    logger.info("worker: at work")
                    await asyncio.to_thread(look_at_key, app)
                    failures = 0
                    await _run_jobs(queue, app, concurrency, wait=not once)
                if once:
                    return
                # Procrastinate gives up by itself when its heart cannot beat.
                reason = "database is away (lost)"
            except NotMigrated:
                reason = NOT_MIGRATED
            except _DATABASE_AWAY as error:
                reason = f"database is away ({cause(error)})"
            pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
            failures += 1
            logger.warning("worker: %s, next try in %s s", reason, pause)
            await asyncio.sleep(pause)
    logger.info("worker: stopped")


async def _run_jobs(queue: App, app: Flask, concurrency: int, *, wait: bool) -> None:
    def in_app_context(call: Callable[[], Any], context: JobContext, _worker: Worker) -> Any:
        # Every job has a database session of its own, as every request has.
        token = request_id.set(f"job-{context.job.id}")
        try:
            with app.app_context():
                return call()
        finally:
            request_id.reset(token)

    await queue.run_worker_async(
        concurrency=concurrency,
        wait=wait,
        fetch_job_polling_interval=_POLL_SECONDS,
        listen_notify=False,
        install_signal_handlers=False,
        task_middleware=[in_app_context],
    )


def _stop_on_signals() -> None:
    """On a signal finish the running jobs, and end without them when that takes too long."""
    loop, work = asyncio.get_running_loop(), asyncio.current_task()
    loop.set_exception_handler(
        lambda _loop, fault: logger.warning(
            "worker: %s (%s)", fault["message"], type(fault.get("exception")).__name__
        )
    )

    def stop() -> None:
        if work is not None and not work.cancelling():
            work.cancel()
            loop.call_later(_GRACE_SECONDS, give_up)

    def give_up() -> None:
        logger.warning("worker: stopped, some jobs are left to be done again")
        # A thread that waits for a mail server cannot be ended in any other way.
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
