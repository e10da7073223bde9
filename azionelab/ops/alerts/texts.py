"""The mail about alerts, and what a webhook is sent: in the site's language, without personal data."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from flask_babel import gettext

from azionelab.ops.alerts.decisions import News
from azionelab.ops.status.lines import Line
from azionelab.web.site_urls import site_url

Told = Mapping[News, Sequence[Line]]


def write_subject(told: Told) -> str:
    """The first thing that became wrong, or is well again."""
    site = current_app.config["AZIONELAB"].site_name
    wrong = [*told.get(News.BEGAN, ()), *told.get(News.STILL, ())]
    names = ", ".join(line.name for line in wrong or told[News.ENDED])
    if wrong:
        return gettext("%(site)s needs you: %(parts)s", site=site, parts=names)
    return gettext("%(site)s is well again: %(parts)s", site=site, parts=names)


def write_body(told: Told) -> str:
    """All of it in one mail, each part with what to do."""
    headings = {
        News.BEGAN: gettext("Something needs you:"),
        News.STILL: gettext("Still so:"),
        News.ENDED: gettext("Well again:"),
    }
    parts = [
        "\n\n".join([headings[news], *map(_paragraph, told[news])])
        for news in News
        if told.get(news)
    ]
    status = gettext("The whole status: %(address)s", address=site_url("admin_status.index"))
    return "\n\n".join([*parts, status]) + "\n"


def _paragraph(line: Line) -> str:
    runbook = (
        gettext("Runbook (docs/runbook.md): %(heading)s", heading=line.runbook)
        if line.runbook
        else ""
    )
    advice = " ".join(each for each in (line.advice, runbook) if each)
    return f"* {line.name}: {line.text}" + (f"\n  {advice}" if advice else "")


def write_payload(told: Told) -> dict[str, Any]:
    """A webhook's data: the same by kind."""
    return {
        news: [
            {"about": line.about, "name": line.name, "text": line.text, "advice": line.advice}
            for line in told.get(news, ())
        ]
        for news in News
    }
