"""Lines about what is seen from outside of the web processes and the worker: the certificate, `flask watch`."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext, ngettext

from azionelab.ops.status import limits
from azionelab.ops.status.facts import Facts
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.ops.status.reports import Part
from azionelab.web.dates import format_duration


def certificate(facts: Facts) -> Line:
    """When the certificate of the site's address ends."""
    name = gettext("Certificate")
    address = current_app.config["AZIONELAB"].site_base_url
    if urlsplit(address).scheme != "https":
        text = gettext("%(address)s has none: it is not on https.", address=address)
        return Line(About.CERTIFICATE, State.INFO, name, text)
    if facts.reports is None:
        return not_read(About.CERTIFICATE, name)
    report = facts.report(Part.CERTIFICATE, limits.CERTIFICATE_SEEN_WITHIN)
    if report is None:
        text = gettext("Not known: the worker looks each hour, and has not looked yet.")
        return Line(About.CERTIFICATE, State.UNKNOWN, name, text)
    if "ends_at" not in report.facts:
        text = gettext(
            "Not known: the worker does not reach %(address)s (%(problem)s).",
            address=address,
            problem=report.facts["problem"],
        )
        return Line(About.CERTIFICATE, State.UNKNOWN, name, text)
    left = datetime.fromisoformat(report.facts["ends_at"]) - facts.at
    text = (
        ngettext("It ends in %(num)s day.", "It ends in %(num)s days.", left.days)
        if left.total_seconds() > 0
        else gettext("It has ended: browsers refuse the site.")
    )
    if left > limits.CERTIFICATE_NEAR:
        return Line(About.CERTIFICATE, State.WELL, name, text)
    return Line(
        About.CERTIFICATE,
        State.WRONG,
        name,
        text,
        gettext("Renew it: something keeps it from renewing itself."),
        "Expired certificate",
    )


def watch(facts: Facts) -> Line:
    """Whether somebody is told when the worker is silent."""
    name = gettext("Watch beside the worker")
    if facts.reports is None:
        return not_read(About.WATCH, name)
    report = facts.report(Part.WATCH, limits.WATCH_FORGOTTEN_AFTER)
    if report is None:
        text = gettext(
            "None runs: that the worker is silent is said on this page, and told to nobody."
        )
        return Line(About.WATCH, State.INFO, name, text)
    age = facts.at - report.reported_at
    text = gettext("It last looked %(time)s ago.", time=format_duration(age))
    if age <= limits.WATCH_SILENT_AFTER:
        return Line(About.WATCH, State.WELL, name, text)
    return Line(
        About.WATCH,
        State.WRONG,
        name,
        text,
        gettext("Start it again: without it nobody is told when the worker is silent."),
        "Silent worker",
    )
