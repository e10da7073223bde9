"""Processes of the site that die at once."""

import signal

import psutil

from tests.faults.harness.storm import Fault, Storm
from tests.support.processes import eventually


def _kill_web_process(storm: Storm) -> None:
    master = psutil.Process(storm.stack.site.pid)
    killed = master.children()[0]
    killed.kill()
    eventually(lambda: len(set(master.children()) - {killed}) == 2, "gunicorn's new worker")


def _kill_master(storm: Storm) -> None:
    storm.stack.site.send(signal.SIGKILL)
    storm.stack.site.wait()
    storm.stack.start_site()


def _kill_job_worker_before_its_note(storm: Storm) -> None:
    mailbox, worker = storm.stack.mailbox, storm.stack.worker
    mailbox.kept = worker.kill
    worker.wait()
    mailbox.kept = lambda: None
    storm.stack.start_worker()


WEB_PROCESS = Fault(
    "web-process", "`kill -9` of one of gunicorn's two workers", _kill_web_process, times=3
)
MASTER = Fault(
    "gunicorn", "`kill -9` of gunicorn's master, which is started again", _kill_master, times=2
)
JOB_WORKER = Fault(
    "job-worker",
    "`kill -9` of the job worker after the mail server has taken a mail and before it is noted",
    _kill_job_worker_before_its_note,
    times=2,
)
FAULTS = (WEB_PROCESS, MASTER, JOB_WORKER)
