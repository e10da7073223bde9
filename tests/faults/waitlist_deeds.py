"""What visitors do on the waitlist, as presses that can be repeated."""

from datetime import timedelta
from functools import partial

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.database import now
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, a_waiting_party, an_entry, visitor_token
from tests.faults.deeds import Press, Stage


def join(stage: Stage) -> Press:
    evening = a_performance(2)
    a_party(evening)
    address = f"/performances/{evening.id}/waitlist"
    form = fields(stage.visitor.get(address).text)
    form |= {"name": "Ada Rossi", "email": "ada@example.org", "seats": "2", "consent": "y"}
    return partial(stage.visitor.post, address, data=form)


def own_place(stage: Stage, entry: Reservation, what: str, **typed: str) -> Press:
    address = f"/waitlist/{visitor_token(entry)}{what}"
    form = fields(stage.visitor.get(address).text) | typed
    return partial(stage.visitor.post, address, data=form)


def take_a_place(stage: Stage) -> Press:
    evening = a_performance(2)
    a_party(evening)
    return own_place(stage, an_entry(evening.id), "", wanted="y")


def leave(stage: Stage) -> Press:
    evening = a_performance(2)
    a_party(evening)
    return own_place(stage, a_waiting_party(evening.id), "/leave", sure="y")


def say_near(stage: Stage) -> Press:
    curtain = now() + timedelta(minutes=20)
    evening = a_performance(2, starts_at=curtain, booking_closes_at=curtain)
    a_party(evening)
    place = f"/waitlist/{visitor_token(a_waiting_party(evening.id))}"
    form = fields(stage.visitor.get(place).text) | {"minutes": "10"}
    return partial(stage.visitor.post, f"{place}/near", data=form)


def an_offer() -> Reservation:
    evening = a_performance(2)
    party = a_party(evening)
    waiting = a_waiting_party(evening.id)
    a_waiting_party(evening.id)
    rules.reduce_seats(party.id, 1)
    return waiting


def take(stage: Stage) -> Press:
    return own_place(stage, an_offer(), "", coming="y")


def give_back(stage: Stage) -> Press:
    """The next in line is offered them."""
    return own_place(stage, an_offer(), "/leave", sure="y")


def staff_add_a_caller(stage: Stage) -> Press:
    evening = a_performance(2)
    a_party(evening)
    caller = {"name": "Ada Rossi", "email": "ada@example.org", "seats": "2", "locale": "it"}
    return stage.in_admin(f"evenings/{evening.id}/waitlist", **caller)


def staff_remove(stage: Stage) -> Press:
    offered = an_offer()
    return stage.in_admin(f"evenings/{offered.performance_id}/waitlist/remove", id=offered.id)


WAITLIST = [join, take_a_place, leave, say_near, take, give_back, staff_add_a_caller, staff_remove]
