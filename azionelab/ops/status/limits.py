"""From when on something is wrong. The status page, alerts, /api/health and docker/monitoring/alerts.yml agree.

A test compares alerts.yml and docker/backend/healthy.py, which cannot import this.
"""

from datetime import timedelta

WORKER_SILENT_AFTER = timedelta(minutes=1)  # a worker sends a heartbeat every ten seconds
MAIL_LATE_AFTER = timedelta(minutes=10)
BACKUP_OLD_AFTER = timedelta(hours=26)  # backups run daily
VERIFY_OLD_AFTER = timedelta(days=9)  # VERIFY_DAY is once a week by default
CERTIFICATE_NEAR = timedelta(days=14)  # renewals are due 30 days before the end
DOCTOR_SEEN_WITHIN = timedelta(hours=13)  # the worker runs it every six hours
CERTIFICATE_SEEN_WITHIN = timedelta(days=1)  # the worker looks each hour
SALE_NEEDS_QUEUE_WITHIN = timedelta(hours=1)
DISK_LOW_PERCENT = 10  # of it free
DISK_REPORTED_WITHIN = timedelta(days=1)  # the backup container reports each hour
WATCH_SILENT_AFTER = timedelta(minutes=5)  # `flask watch` looks each minute
WATCH_FORGOTTEN_AFTER = timedelta(days=7)  # then it was ended on purpose
