"""The worker process: `flask worker` runs the queue's jobs until SIGTERM or SIGINT."""

import asyncio
import logging
import logging.config
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import click
from flask import Flask, current_app
from procrastinate import App, JobContext, PsycopgConnector, SyncPsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.worker import Worker
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from azionelab.database.connections import REACHABILITY
from azionelab.database.errors import describe_cause, is_database_busy
from azionelab.extensions import jobs
from azionelab.logs import logging_settings, request_id
from azionelab.mail.smtp import kept_connections
from azionelab.ops.checks.schema import NOT_MIGRATED
from azionelab.ops.checks.secret_keys import note_secret_key
from azionelab.ops.monitoring.sentry import init_sentry
from azionelab.ops.processes import jobs as _queue_jobs  # noqa: F401 (the worker must know them)
from azionelab.ops.processes.conninfo import conninfo

logger = logging.getLogger(__name__)

CONCURRENCY = 4  # jobs at a time
_POLL_SECONDS = 1.0  # while idle: the queue sends no notifications (migration 0003)
_PREPARE_THRESHOLD = 5  # psycopg's default
_GRACE_SECONDS = 8.0  # for running jobs to end; Docker kills after ten
_RETRY_PAUSES = (
    1,
    2,
    4,
    8,
    15,
)  # seconds between attempts to reach the database; the last one repeats
_CONNECT_TIMEOUT = 5  # seconds, of the pool


class NotMigrated(Exception):
    """The database has no job queue: `flask db upgrade` has not run yet."""


_DATABASE_AWAY = (ConnectorException, OperationalError, PoolTimeout, OSError)


@click.command("worker")
@click.option("--concurrency", default=CONCURRENCY, type=click.IntRange(1, 32), show_default=True)
@click.option("--once", is_flag=True, help="Run the jobs that are due, then exit.")
def worker_command(concurrency: int, once: bool) -> None:
    """Send the mails, release lapsed holds, erase old data; ends on SIGTERM or Ctrl-C."""
    config = current_app.config["AZIONELAB"]
    logging.config.dictConfig(logging_settings(config.log_format))
    init_sentry(config)
    run_worker(current_app._get_current_object(), concurrency, once=once)  # type: ignore[attr-defined]


def run_worker(app: Flask, concurrency: int = CONCURRENCY, *, once: bool = False) -> None:
    """Run jobs, `concurrency` at a time, until SIGTERM or SIGINT; with `once` until none is due.

    Waits for a database that is away or not migrated. Jobs still running when the grace period ends are
    abandoned, as in a crash: another worker retries them when this one's heartbeat has stopped.
    """
    with kept_connections():
        asyncio.run(_run_until_stopped(app, concurrency, once=once))


@asynccontextmanager
async def open_queue(app: Flask) -> AsyncIterator[App]:
    """Open the job queue with its own connection pool.

    Raises NotMigrated, psycopg.OperationalError, psycopg_pool.PoolTimeout.
    """
    config = app.config["AZIONELAB"]
    database = conninfo(config.database_url)
    options: dict[str, Any] = {
        # Without the web processes' statement timeouts: the queue's statements are short.
        "prepare_threshold": config.session_parameters().get(
            "prepare_threshold", _PREPARE_THRESHOLD
        ),
        **REACHABILITY,
        "application_name": "azionelab-worker",
    }
    # The pool only reports a timeout; a single connection fails at once, with the reason.
    await (await AsyncConnection.connect(database, **options)).close()
    pool = AsyncConnectionPool(
        database,
        min_size=1,
        max_size=4,
        timeout=_CONNECT_TIMEOUT,
        kwargs=options,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    try:
        await pool.open(wait=True, timeout=_CONNECT_TIMEOUT)
        with jobs.replace_connector(_WorkerConnector()) as queue:
            queue.job_manager = _PatientManager(queue.connector)
            await queue.open_async(pool)
            if not await queue.check_connection_async():
                raise NotMigrated
            yield queue
    finally:
        await pool.close()


class _WorkerConnector(PsycopgConnector):
    """A connector with which jobs can defer other jobs on their own transaction's connection."""

    def get_sync_connector(self) -> BaseConnector:
        """A connector that is never opened: it uses only the connections passed to it."""
        return SyncPsycopgConnector()


class _PatientManager(JobManager):
    """Notes how a job ended as soon as the database answers again, when it is away at that moment.

    If the note failed and the database were back before the next heartbeat, the job would stay "doing" on a living
    worker: nobody would take it over, and its mail would not be sent before this worker is started again.
    """

    async def finish_job(self, *arguments: Any, **options: Any) -> None:
        """As JobManager's."""
        await _until_noted(super().finish_job, *arguments, **options)

    async def retry_job(self, *arguments: Any, **options: Any) -> None:
        """As JobManager's."""
        await _until_noted(super().retry_job, *arguments, **options)


async def _until_noted(
    note: Callable[..., Awaitable[None]], *arguments: Any, **options: Any
) -> None:
    while True:
        try:
            return await note(*arguments, **options)
        except ConnectorException as error:
            if not is_database_busy(error):
                raise
            logger.warning("worker: database is away, a job's end is noted later")
        await asyncio.sleep(_RETRY_PAUSES[0])


async def _run_until_stopped(app: Flask, concurrency: int, *, once: bool) -> None:
    _stop_on_signals()
    with suppress(asyncio.CancelledError):
        failures = 0
        while True:
            try:
                async with open_queue(app) as queue:
                    logger.info("worker: at work")
                    await asyncio.to_thread(note_secret_key, app)
                    failures = 0
                    await _run_jobs(queue, app, concurrency, wait=not once)
                if once:
                    return
                # Procrastinate returns when it cannot write its heartbeat.
                reason = "database is away (lost)"
            except NotMigrated:
                reason = NOT_MIGRATED
            except _DATABASE_AWAY as error:
                reason = f"database is away ({describe_cause(error)})"
            pause = _RETRY_PAUSES[min(failures, len(_RETRY_PAUSES) - 1)]
            failures += 1
            logger.warning("worker: %s, next try in %s s", reason, pause)
            await asyncio.sleep(pause)
    logger.info("worker: stopped")


async def _run_jobs(queue: App, app: Flask, concurrency: int, *, wait: bool) -> None:
    def in_app_context(call: Callable[[], Any], context: JobContext, _worker: Worker) -> Any:
        # Each job gets its own database session, as each request does.
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
    """On a signal let running jobs finish; exit without them after the grace period."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    loop.set_exception_handler(
        lambda _loop, fault: logger.warning(
            "worker: %s (%s)", fault["message"], type(fault.get("exception")).__name__
        )
    )

    def stop() -> None:
        if task is not None and not task.cancelling():
            task.cancel()
            loop.call_later(_GRACE_SECONDS, give_up)

    def give_up() -> None:
        logger.warning("worker: stopped, some jobs are left to be done again")
        # There is no other way to end a thread that waits for a mail server.
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
