"""Calendar files for everybody (RFC 5545): a season's performances, and the moment when booking opens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask_babel import gettext
from icalendar import Alarm, Calendar, Event

from azionelab.shows.programme import Listing, Status
from azionelab.theme.current import theatre_name
from azionelab.web.dates import format_datetime
from azionelab.web.site_urls import site_host, site_url

_OPENING = timedelta(minutes=15)  # how long the entry is
_REFRESH = timedelta(hours=6)  # how often a subscribed calendar should look for changes


def season_calendar(performances: Iterable[Listing], title: str) -> bytes:
    """A calendar to subscribe to. An event keeps its `uid`; its `sequence` grows with each edit of the performance."""
    calendar = _calendar()
    calendar.add("x-wr-calname", title)
    calendar.add("name", title)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for each in performances:
        event = Event()
        event.add("uid", f"performance-{each.id}@{site_host()}")
        event.add("sequence", each.version)
        event.add("dtstamp", each.read_at)
        event.add("dtstart", each.starts_at)
        event.add("dtend", each.ends_at)
        event.add("summary", each.show_title)
        event.add("location", _place(each))
        event.add("url", site_url("shows.show", slug=each.show_slug))
        event.add("description", _describe(each))
        event.add("status", "CANCELLED" if each.status is Status.CANCELLED else "CONFIRMED")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def opening_entry(performance: Listing) -> bytes:
    """The moment when booking opens, with a reminder ten minutes before."""
    event = Event()
    event.add("uid", f"opening-{performance.id}@{site_host()}")
    event.add("sequence", performance.version)
    event.add("dtstamp", performance.read_at)
    event.add("dtstart", performance.booking_opens_at)
    event.add("dtend", performance.booking_opens_at + _OPENING)
    title = gettext("Booking opens: %(show)s", show=performance.show_title)
    event.add("summary", title)
    event.add("url", site_url("bookings.book", performance_id=performance.id))
    event.add("description", site_url("bookings.book", performance_id=performance.id))
    event.add("transp", "TRANSPARENT")
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("description", title)
    reminder.add("trigger", timedelta(minutes=-10))
    event.add_component(reminder)
    calendar = _calendar()
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def moved_text(moved_from: datetime) -> str:
    """That a performance was moved, and from when."""
    return gettext("Moved from %(when)s", when=format_datetime(moved_from))


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", f"-//{theatre_name()}//AzioneLab//EN")
    calendar.add("method", "PUBLISH")
    return calendar


def _place(performance: Listing) -> str:
    places = performance.venue_name, performance.venue_address
    return ", ".join(part for part in places if part)


def _describe(performance: Listing) -> str:
    cancelled = [gettext("This performance is cancelled.")]
    facts = cancelled if performance.status is Status.CANCELLED else [performance.show_summary]
    if performance.moved_from is not None:
        facts.insert(0, moved_text(performance.moved_from))
    return "\n".join([*filter(None, facts), site_url("shows.show", slug=performance.show_slug)])
