"""The long-running processes: gunicorn's workers and the worker of the job queue."""
