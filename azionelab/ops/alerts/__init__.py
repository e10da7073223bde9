"""Alerts by mail (ALERT_EMAIL) and webhook, for sites without a Prometheus: what became wrong, what is well again."""
