"""A show's performances in schema.org's vocabulary, for search engines.

The required fields are in Google's and schema.org's documentation of Event: local times with offset, a
structured address, an organizer, an image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from azionelab.shows.programme import Listing, Status
from azionelab.validation.postal_addresses import postal_address

_AVAILABILITY = {
    Status.OPEN: "https://schema.org/InStock",
    Status.SOLD_OUT: "https://schema.org/SoldOut",
    Status.NOT_YET_OPEN: "https://schema.org/PreOrder",
    Status.CLOSED: "https://schema.org/OutOfStock",
    Status.CANCELLED: "https://schema.org/Discontinued",
    Status.PAST: "https://schema.org/OutOfStock",
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


@dataclass(frozen=True)
class Production:
    """What is played, in the page's language; `images` are absolute URLs, the largest first."""

    name: str
    description: str
    images: list[str]
    performers: list[str]
    language: str  # spoken; "" when it is not known, or there are no words
    age_from: int | None
    doors: timedelta | None  # before the curtain
    points: dict[str, tuple[float, float]]  # latitude and longitude by the venue's name


def theater_events(
    production: Production, performances: Iterable[tuple[Listing, EventLinks]], publisher: Publisher
) -> dict[str, Any]:
    """The performances of a show as schema.org TheaterEvents, in JSON-LD."""
    events = [_event(production, listing, links, publisher) for listing, links in performances]
    return {"@context": "https://schema.org", "@graph": events}


def _event(
    production: Production, listing: Listing, links: EventLinks, publisher: Publisher
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "@type": "TheaterEvent",
        "name": production.name,
        "description": production.description or production.name,
        "url": links.show,
        "image": production.images or [publisher.image],
        "startDate": _local(listing.starts_at, publisher),
        "eventStatus": f"https://schema.org/{_event_status(listing)}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": _location(listing, production),
        "organizer": {"@type": "Organization", "name": publisher.name, "url": publisher.url},
        "isAccessibleForFree": True,
        "offers": {
            "@type": "Offer",
            "price": 0,
            "priceCurrency": "EUR",
            "availability": _availability(listing),
            "validFrom": _local(listing.booking_opens_at, publisher),
            "url": links.booking,
        },
    }
    if listing.moved_from is not None:
        event["previousStartDate"] = _local(listing.moved_from, publisher)
    if production.performers:
        event["performer"] = [{"@type": "Person", "name": name} for name in production.performers]
    if production.language:
        event["inLanguage"] = production.language
    if production.age_from is not None:
        event["typicalAgeRange"] = f"{production.age_from}-"
    if production.doors is not None:
        event["doorTime"] = _local(listing.starts_at - production.doors, publisher)
    if listing.duration_minutes is not None:
        event["endDate"] = _local(listing.ends_at, publisher)
        event["duration"] = f"PT{listing.duration_minutes}M"
    return event


def _availability(listing: Listing) -> str:
    if listing.has_only_wheelchair_places:
        return "https://schema.org/LimitedAvailability"
    return _AVAILABILITY[listing.status]


def _event_status(listing: Listing) -> str:
    if listing.status is Status.CANCELLED:
        return "EventCancelled"
    return "EventScheduled" if listing.moved_from is None else "EventRescheduled"


def _location(listing: Listing, production: Production) -> dict[str, Any]:
    place: dict[str, Any] = {
        "@type": "PerformingArtsTheater",
        "name": listing.venue_name,
        "address": postal_address(listing.venue_address),
    }
    if point := production.points.get(listing.venue_name):
        place["geo"] = {"@type": "GeoCoordinates", "latitude": point[0], "longitude": point[1]}
    return place


def _local(moment: datetime, publisher: Publisher) -> str:
    """A datetime in ISO 8601, in the theatre's time zone with its offset."""
    return moment.astimezone(publisher.zone).isoformat(timespec="seconds")
