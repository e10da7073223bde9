"""The forms of a reservation's page in the back office, as its page shows them."""

from typing import Any

from azionelab.bookings.models import Reservation
from tests.factories import fresh


def saving(party: Reservation, **typed: Any) -> dict[str, Any]:
    """The fields that every change of a reservation sends when it is saved; the mail is wanted."""
    return {
        "id": party.id,
        "seen": fresh(party.id).changed_in,
        "step": "save",
        "notify": "y",
    } | typed


def entries(party: Reservation, **typed: Any) -> dict[str, Any]:
    """What the form of a reservation says, but for what is typed into it."""
    stored = fresh(party.id)
    names = ("name", "email", "locale", "seats", "note")
    return {name: getattr(stored, name) for name in names} | {"reason": ""} | typed
