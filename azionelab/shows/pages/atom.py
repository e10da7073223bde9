"""The programme as an Atom feed (RFC 4287): an entry for each performance, those that changed last first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree import ElementTree as Xml

from flask_babel import gettext

from azionelab.languages import current_language, language_tag
from azionelab.shows.pages.calendars import moved_text
from azionelab.shows.programme import Listing, Status
from azionelab.shows.whats_on.change_times import BEFORE_THE_LOG
from azionelab.theme.current import theatre_name
from azionelab.web.dates import format_datetime
from azionelab.web.site_urls import site_host, site_url

_ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"
_MAX_ENTRIES = 100
Xml.register_namespace("", _ATOM)


def season_feed(performances: Sequence[Listing], changed: Mapping[int, datetime]) -> bytes:
    """The feed in the current language. `changed` has each performance's last change by its id.

    Ids are tag URIs (RFC 4151) of performance and language: a move, a new title and a new slug keep them.
    """
    language = language_tag(current_language())
    newest = sorted(performances, key=lambda each: (changed[each.id], -each.id), reverse=True)
    feed = Xml.Element(_name("feed"), {f"{{{_XML}}}lang": language})
    theatre = theatre_name()
    updated = max(changed.values(), default=BEFORE_THE_LOG)
    _head(feed, f"programme/{language}", f"{gettext('What is on')} · {theatre}", updated)
    _link(feed, "self", site_url("shows.season_atom"), "application/atom+xml")
    _link(feed, "alternate", site_url("shows.programme"), "text/html")
    _add(_add(feed, "author"), "name", theatre)
    for each in newest[:_MAX_ENTRIES]:
        entry = _add(feed, "entry")
        title = f"{each.title.text}, {format_datetime(each.starts_at)}"
        if each.status is Status.CANCELLED:
            title = gettext("Cancelled: %(performance)s", performance=title)
        _head(entry, f"performance/{each.id}/{language}", title, changed[each.id])
        _link(entry, "alternate", site_url("shows.show", slug=each.show_slug), "text/html")
        _add(entry, "summary", _summary(each))
    content: bytes = Xml.tostring(feed, "utf-8", xml_declaration=True)
    return content


def _summary(performance: Listing) -> str:
    place = ", ".join(filter(None, (performance.venue_name, performance.venue_address)))
    cancelled = performance.status is Status.CANCELLED
    said = gettext("This performance is cancelled.") if cancelled else performance.summary.text
    moved = moved_text(performance.moved_from) if performance.moved_from else ""
    return "\n".join(filter(None, (moved, said, place)))


def _head(element: Xml.Element, key: str, title: str, updated: datetime) -> None:
    _add(element, "id", f"tag:{site_host()},2026:{key}")
    _add(element, "title", title)
    _add(element, "updated", updated.isoformat())


def _link(element: Xml.Element, relation: str, address: str, kind: str) -> None:
    link = Xml.SubElement(element, _name("link"))
    link.attrib.update(rel=relation, href=address, type=kind)


def _add(element: Xml.Element, name: str, text: str | None = None) -> Xml.Element:
    child = Xml.SubElement(element, _name(name))
    child.text = text
    return child


def _name(local: str) -> str:
    return f"{{{_ATOM}}}{local}"
