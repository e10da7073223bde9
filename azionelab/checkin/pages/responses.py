"""Response bodies of the door's API, without what the device has no right to see."""

from typing import Any, TypeVar

from flask import g, request

from azionelab.bookings.history import ended, reduced
from azionelab.bookings.party import Party
from azionelab.bookings.seats import no_show_seats
from azionelab.bookings.tickets.signing import public_keys
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.offline_list import (
    Conflict,
    ListedParty,
    changes_since,
    conflicts,
)
from azionelab.checkin.devices.rights import Right, rights_of
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.pages.access import has_right, is_closed
from azionelab.checkin.scanning import scan_log
from azionelab.database import now
from azionelab.shows.programme import Listing
from azionelab.staff.tokens import Scope
from azionelab.waitlist.line import near_the_door


def counts_body(performance: Listing) -> dict[str, Any]:
    """The counts of the house, the people in the building, and who waits near it."""
    counts, building = house_counts([performance.id])[performance.id], people_in(performance.id)
    near = near_the_door(performance, now())
    figures = {figure: getattr(counts, figure) for figure in _FIGURES}
    return figures | {
        "near_parties": near.waiting.parties,
        "near_people": near.waiting.seats,
        "on_offer": near.on_offer,
        "on_offer_until": near.until,
        "outside": building.outside,
        "in_building": building.people,
        "known_at": building.known_at,
    }


_FIGURES = (
    "capacity", "expected", "inside", "to_come", "pending", "without_hold", "released", "walk_ins",
    "free",
)  # fmt: skip


def sorted_rights(scope: Scope) -> list[Right]:
    """The rights of a scope, in a fixed order."""
    return sorted(rights_of(scope))


def visible_silent_phones(performance_id: int) -> list[str]:
    """Labels of silent phones, for devices that may release seats."""
    return devices.silent_devices(performance_id) if has_right(Right.RELEASE) else []


_Row = TypeVar("_Row", ListedParty, Conflict)


def without_forbidden_names(rows: list[_Row]) -> list[_Row]:
    """The rows, without names and notes unless the device has the right `names`."""
    return rows if has_right(Right.NAMES) else [row.without_names() for row in rows]


def news_body(performance: Listing, cursor: int | None) -> dict[str, Any]:
    """What a device is told by each sync: the house now, and what changed since its cursor."""
    closed = is_closed()
    changes = changes_since(performance.id, cursor)
    return {
        "server_time": now(),
        "rights": sorted_rights(g.device.scope),
        "closed": closed,
        "performance": door_performance_body(performance),
        "counts": counts_body(performance),
        "silent": [] if closed else visible_silent_phones(performance.id),
        "complete": changes.complete,
        "parties": [] if closed else without_forbidden_names(changes.parties),
        "conflicts": [] if closed else without_forbidden_names(conflicts(performance.id)),
        "ticket_keys": public_keys(),
        "cursor": changes.cursor,
    }


def verdict_body(verdict: scan_log.Verdict) -> dict[str, Any]:
    """A verdict, with the party only if it is of this performance."""
    # A door must not see visitors of other performances. Compare the performance, not the verdict: an offline
    # device may have claimed any verdict.
    party = verdict.party
    here = (request.view_args or {}).get("performance_id")
    ours = party if party and party.performance_id == here else None
    return {
        "scan_id": verdict.scan_id,
        "verdict": verdict.kind,
        "people": verdict.people,
        "claimed": verdict.claimed,
        "replayed": verdict.replayed,
        "undone": verdict.undone,
        "party": party_body(ours) if ours else None,
        "first": verdict.first,
        "evening": _ticket_performance(verdict),
    }


def _ticket_performance(verdict: scan_log.Verdict) -> dict[str, Any] | None:
    performance = verdict.elsewhere
    if performance is None:
        return None
    return {
        "id": performance.id,
        "show_title": performance.show.title,
        "venue_name": performance.venue.name,
        "starts_at": performance.starts_at,
    }


def performance_body(performance: Listing) -> dict[str, Any]:
    """A performance, as in all responses."""
    return {
        "id": performance.id,
        "show_title": performance.show_title,
        "venue_name": performance.venue_name,
        "starts_at": performance.starts_at,
    }


def door_performance_body(performance: Listing) -> dict[str, Any]:
    """A performance with its state for the door."""
    return performance_body(performance) | {
        "cancelled": performance.cancelled_at is not None,
        "cancelled_at": performance.cancelled_at,
        "closes_at": devices.door_closes_at(performance.starts_at, performance.duration_minutes),
        "release_from": performance.starts_at - no_show_seats.RELEASE_FROM,
        "late_hold_until": no_show_seats.late_hold_ends(performance.starts_at),
        "released_at": performance.released_at,
        "reentry": performance.reentry,
    }


def party_body(party: Party) -> dict[str, Any]:
    """A party, without name and note unless the device has the right `names`."""
    return {
        "reference": party.reference,
        # A device has all references on its list, and could ask for each name.
        "name": party.name if has_right(Right.NAMES) else "",
        "ended": ended(party),
        "reduced": reduced(party),
        "late_at": party.awaited_at,
        "note": party.note if has_right(Right.NAMES) else "",
        "has_note": bool(party.note),
        "state": party.state,
        "seats": party.seats,
        "wheelchair_places": party.wheelchair_places,
        "admitted": party.admitted,
        "released": party.released,
        "outside": party.outside,
        "remaining": party.to_come,
    }
