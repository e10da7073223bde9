"""What the door's API answers, made from rows and verdicts, without what the device may not know."""

from typing import Any, TypeVar

from flask import request

from azionelab.bookings import places
from azionelab.bookings.changes import ended, reduced
from azionelab.bookings.locks import PartyRow
from azionelab.bookings.models import Reservation
from azionelab.checkin import scan_log
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.offline_list import Conflict, ListedParty
from azionelab.checkin.devices.rights import Right, rights_of
from azionelab.checkin.house.building import people_in
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.pages.access import may
from azionelab.checkin.verdicts import Kind
from azionelab.shows.programme import Listing
from azionelab.staff.tokens import Scope


def counts_answer(performance_id: int) -> dict[str, Any]:
    """The house in figures, and how many are in the building."""
    counts, building = house_counts([performance_id])[performance_id], people_in(performance_id)
    figures = {figure: getattr(counts, figure) for figure in _FIGURES}
    return figures | {
        "outside": building.outside,
        "in_building": building.people,
        "known_at": building.known_at,
    }


_FIGURES = (
    "capacity", "expected", "inside", "to_come", "pending", "without_hold", "released", "walk_ins",
    "free",
)  # fmt: skip


def listed_rights(scope: Scope) -> list[Right]:
    """What a scope of tokens may do, in a fixed order."""
    return sorted(rights_of(scope))


def silent_phones(performance_id: int) -> list[str]:
    """The devices that somebody must know of who releases places."""
    return devices.silent_devices(performance_id) if may(Right.RELEASE) else []


_Row = TypeVar("_Row", ListedParty, Conflict)


def rows_for_device(rows: list[_Row]) -> list[_Row]:
    """The rows without names and notes, unless the device may know who booked."""
    return rows if may(Right.NAMES) else [row.without_names() for row in rows]


def verdict_answer(verdict: scan_log.Verdict) -> dict[str, Any]:
    """A verdict, with what the device may know of the party."""
    # Of another performance's visitors this door learns nothing but which evening theirs is. Not by the verdict:
    # the device may have decided itself, and anything.
    party = verdict.reservation
    here = (request.view_args or {}).get("performance_id")
    ours = party if party and party.performance_id == here else None
    return {
        "scan_id": verdict.scan_id,
        "verdict": verdict.kind,
        "people": verdict.people,
        "claimed": verdict.claimed,
        "replayed": verdict.replayed,
        "undone": verdict.undone,
        "party": party_answer(ours) if ours else None,
        "first": verdict.first,
        "evening": _evening_of(verdict),
    }


def _evening_of(verdict: scan_log.Verdict) -> dict[str, Any] | None:
    if verdict.kind is not Kind.WRONG_PERFORMANCE or not isinstance(
        verdict.reservation, Reservation
    ):
        return None
    performance = verdict.reservation.performance
    return {
        "id": performance.id,
        "show_title": performance.show.title,
        "venue_name": performance.venue.name,
        "starts_at": performance.starts_at,
    }


def performance_answer(performance: Listing) -> dict[str, Any]:
    """A performance, as every answer names it."""
    return {
        "id": performance.id,
        "show_title": performance.show_title,
        "venue_name": performance.venue_name,
        "starts_at": performance.starts_at,
    }


def door_performance_answer(performance: Listing) -> dict[str, Any]:
    """A performance with what a door must know of it."""
    return performance_answer(performance) | {
        "cancelled": performance.cancelled_at is not None,
        "cancelled_at": performance.cancelled_at,
        "closes_at": devices.door_closes_at(performance.starts_at, performance.duration_minutes),
        "release_from": performance.starts_at - places.RELEASE_FROM,
        "released_at": performance.released_at,
        "reentry": performance.reentry,
    }


def party_answer(reservation: Reservation | PartyRow) -> dict[str, Any]:
    """A party, without name and note unless the device may know them."""
    return {
        "reference": reservation.reference,
        # With every reference on its list, it could ask for every name.
        "name": reservation.name if may(Right.NAMES) else "",
        "ended": ended(reservation),
        "reduced": reduced(reservation),
        "late_at": reservation.awaited_at,
        "note": reservation.note if may(Right.NAMES) else "",
        "has_note": bool(reservation.note),
        "state": reservation.state,
        "seats": reservation.seats,
        "admitted": reservation.admitted,
        "released": reservation.released,
        "outside": reservation.outside,
        "remaining": reservation.to_come,
    }
