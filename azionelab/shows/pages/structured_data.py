"""A show's performances in schema.org's vocabulary, for search engines.

The required fields are in Google's and schema.org's documentation of Event: local times with offset, a
structured address, an organizer, an image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from azionelab.shows.models import Show
from azionelab.shows.programme import Listing, Status
from azionelab.validation.postal_addresses import postal_address

_AVAILABILITY = {
    Status.OPEN: "https://schema.org/InStock",
    Status.SOLD_OUT: "https://schema.org/SoldOut",
    Status.NOT_YET_OPEN: "https://schema.org/PreOrder",
    Status.CLOSED: "https://schema.org/OutOfStock",
    Status.CANCELLED: "https://schema.org/Discontinued",
}


@dataclass(frozen=True)
class Publisher:
    """The theatre: its name, site, logo and time zone."""

    name: str
    url: str
    image: str
    zone: ZoneInfo


@dataclass(frozen=True)
class EventLinks:
    """Absolute URLs of a show's page and of a performance's booking form."""

    show: str
    booking: str


def theater_events(
    show: Show, performances: Iterable[tuple[Listing, EventLinks]], publisher: Publisher
) -> dict[str, Any]:
    """The performances of a show as schema.org TheaterEvents, in JSON-LD."""
    events = [_event(show, listing, links, publisher) for listing, links in performances]
    return {"@context": "https://schema.org", "@graph": events}


def _event(show: Show, listing: Listing, links: EventLinks, publisher: Publisher) -> dict[str, Any]:
    cancelled = listing.status is Status.CANCELLED
    event: dict[str, Any] = {
        "@type": "TheaterEvent",
        "name": show.title,
        "description": show.summary,
        "url": links.show,
        "image": [publisher.image],
        "startDate": _local(listing.starts_at, publisher),
        "eventStatus": f"https://schema.org/Event{'Cancelled' if cancelled else 'Scheduled'}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {
            "@type": "PerformingArtsTheater",
            "name": listing.venue_name,
            "address": postal_address(listing.venue_address),
        },
        "organizer": {"@type": "Organization", "name": publisher.name, "url": publisher.url},
        "isAccessibleForFree": True,
        "offers": {
            "@type": "Offer",
            "price": 0,
            "priceCurrency": "EUR",
            "availability": _AVAILABILITY[listing.status],
            "validFrom": _local(listing.booking_opens_at, publisher),
            "url": links.booking,
        },
    }
    if listing.duration_minutes is not None:
        event["endDate"] = _local(listing.ends_at, publisher)
    return event


def _local(moment: datetime, publisher: Publisher) -> str:
    """A datetime in ISO 8601, in the theatre's time zone with its offset."""
    return moment.astimezone(publisher.zone).isoformat(timespec="seconds")
