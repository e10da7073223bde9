"""A show's performances in schema.org's vocabulary, for search engines.

The required fields are in Google's and schema.org's documentation of Event: local times with offset, a
structured address, an organizer, an image.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from azionelab.shows.models import Show
from azionelab.shows.programme import Listing, Status

_AVAILABILITY = {
    Status.OPEN: "https://schema.org/InStock",
    Status.SOLD_OUT: "https://schema.org/SoldOut",
    Status.NOT_YET_OPEN: "https://schema.org/PreOrder",
    Status.CLOSED: "https://schema.org/OutOfStock",
    Status.CANCELLED: "https://schema.org/Discontinued",
}
# "Via Mazzini 5, 40137 Bologna (BO)": street, postal code, town, province.
_ADDRESS = re.compile(
    r"(?P<street>.+?)\s*[,\n]\s*(?P<code>(?:[A-Z]{1,2}-)?\d{4,5})\s+(?P<town>[^,()\d]+?)"
    r"\s*(?:\((?P<region>[A-Z]{2})\))?",
    re.DOTALL,
)


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


def postal_address(typed: str) -> dict[str, str]:
    """Split a venue's address, one line that staff typed, into schema.org's PostalAddress.

    An address that is not "street, postal code town" becomes the street as a whole.
    """
    address = {"@type": "PostalAddress"}
    found = _ADDRESS.fullmatch(typed.strip())
    if found is None:
        return address | ({"streetAddress": typed.strip()} if typed.strip() else {})
    parts = {
        "streetAddress": found["street"],
        "postalCode": found["code"],
        "addressLocality": found["town"],
        "addressRegion": found["region"],
    }
    return address | {name: part for name, part in parts.items() if part}


def _local(moment: datetime, publisher: Publisher) -> str:
    """A datetime in ISO 8601, in the theatre's time zone with its offset."""
    return moment.astimezone(publisher.zone).isoformat(timespec="seconds")
