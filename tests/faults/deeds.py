"""What people do that changes something, each as a press that can be repeated as it was.

A deed sets the stage and returns its press, which sends the same each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.unsubscribing import make_unsubscribe_token
from azionelab.bookings.rules import reserve
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.checkin.scanning.interval import allow_reentry
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, issue_token
from tests.api.expect import BOOKING
from tests.bookings.test_pages import fields, filled, open_form
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    an_offer,
    ticket_token,
    visitor_token,
)
from tests.support.people import english, logged_in, token_of

Press = Callable[[], TestResponse]


@dataclass
class Stage:
    """Who presses: browsers and a device of the application whose connections are cut."""

    visitor: FlaskClient
    admin: FlaskClient
    device: dict[str, str]  # its headers

    @classmethod
    def of(cls, app: Flask) -> "Stage":
        """One whose people are all logged in."""
        _, token = issue_token("Marta's phone", Scope.DOOR, hours=8)
        return cls(english(app), logged_in(app, "admin"), {"Authorization": f"Bearer {token}"})

    def at_door(self, method: str, path: str, body: dict[str, Any] | None = None) -> Press:
        """A request of the device's."""
        address = f"/api/v1/checkin/performances/{path}"
        return partial(
            self.visitor.open, address, method=method, json=body or {}, headers=self.device
        )

    def in_admin(self, path: str, **typed: Any) -> Press:
        """A form of the back office's."""
        form = token_of(self.admin) | typed
        return partial(self.admin.post, f"/admin/{path}", data=form)


Deed = Callable[[Stage], Press]


def tonight() -> Performance:
    """A performance about to begin, which can still be booked."""
    curtain = now() + timedelta(minutes=20)
    return a_performance(starts_at=curtain, booking_closes_at=curtain)


def party_tonight() -> Reservation:
    """A confirmed party of two."""
    return a_party(tonight())


def book(stage: Stage) -> Press:
    evening = a_performance().id
    form = filled(open_form(stage.visitor, evening))
    return partial(stage.visitor.post, f"/performances/{evening}/book", data=form)


def at_the_inbox(stage: Stage, what: str, **typed: Any) -> Press:
    address = book(stage)().location
    form = token_of(stage.visitor, address) | typed
    return partial(stage.visitor.post, f"{address}/{what}", data=form)


def correct_the_address(stage: Stage) -> Press:
    return at_the_inbox(stage, "address", email=f"{uuid4().hex}@example.org")


def ask_for_the_mail_again(stage: Stage) -> Press:
    return at_the_inbox(stage, "resend")


def book_by_api(stage: Stage) -> Press:
    address = f"/api/v1/performances/{a_performance().id}/reservations"
    key = {"Idempotency-Key": str(uuid4())}
    return partial(stage.visitor.post, address, json=BOOKING, headers=key)


def book_by_api_without_a_key(stage: Stage) -> Press:
    address = f"/api/v1/performances/{a_performance().id}/reservations"
    return partial(stage.visitor.post, address, json=BOOKING)


def own_page(stage: Stage, party: Reservation, what: str, **typed: Any) -> Press:
    address = "/bookings/" + what.format(visitor_token(party))
    page = "/bookings/" + (
        "{}" if what.endswith(("seats", "late", "evening", "hand-over", "wheelchair")) else what
    ).format(visitor_token(party))
    form = fields(stage.visitor.get(page).text) | typed
    return partial(stage.visitor.post, address, data=form)


def confirm(stage: Stage) -> Press:
    return own_page(stage, a_party(a_performance(), confirmed=False), "confirm/{}", coming="y")


def cancel(stage: Stage) -> Press:
    return own_page(stage, a_party(a_performance()), "{}/cancel", sure="y")


def fewer_seats(stage: Stage) -> Press:
    return own_page(stage, a_party(a_performance(), 4), "{}/seats", seats="2")


def more_seats(stage: Stage) -> Press:
    return own_page(stage, a_party(a_performance(), 2), "{}/seats", seats="4")


def no_wheelchair_place(stage: Stage) -> Press:
    made = reserve(a_performance(wheelchair_places=1).id, a_visitor(), 3, wheelchair_places=1)
    return own_page(stage, made, "{}/wheelchair", kept="0")


def give_to_a_friend(stage: Stage) -> Press:
    friend = {"friend": "Bea", "friend_email": f"{uuid4().hex}@example.org"}
    return own_page(stage, a_party(a_performance()), "{}/hand-over", **friend)


def accept_from_a_friend(stage: Stage) -> Press:
    address = f"/hand-over/{make_friend_token(an_offer(a_party(a_performance())).id)}"
    form = fields(stage.visitor.get(address).text) | {"name": "Bea", "consent": "y"}
    return partial(stage.visitor.post, address, data=form)


def another_evening(stage: Stage) -> Press:
    performance = a_performance()
    there = a_performance(show=performance.show, starts_at=now() + timedelta(days=2))
    return own_page(stage, a_party(performance), "{}/evening", performance=str(there.id))


def late(stage: Stage) -> Press:
    return own_page(stage, party_tonight(), "{}/late", minutes="20")


def coming(stage: Stage) -> Press:
    return own_page(stage, party_tonight(), "{}/coming", answer="coming")


def unsubscribes(stage: Stage) -> Press:
    token = make_unsubscribe_token(a_party(a_performance()))
    return partial(stage.visitor.post, f"/bookings/{token}/unsubscribe")


def scan(stage: Stage, **how: Any) -> Press:
    party = party_tonight()
    body = {"scan_id": str(uuid4()), "code": ticket_token(party)} | how
    return stage.at_door("POST", f"{party.performance_id}/scans", body)


def scan_of_some(stage: Stage) -> Press:
    return scan(stage, people=1)


def walk_ins(stage: Stage) -> Press:
    body = {"scan_id": str(uuid4()), "people": 2}
    return stage.at_door("POST", f"{tonight().id}/walk-ins", body)


def sync(stage: Stage) -> Press:
    party = party_tonight()
    scan = {"kind": "scan", "scan_id": str(uuid4()), "code": ticket_token(party), "door": ""}
    guests = {"kind": "walk_in", "scan_id": str(uuid4()), "people": 3}
    body = {"version": 1, "cursor": None, "actions": [scan, guests]}
    return stage.at_door("POST", f"{party.performance_id}/sync", body)


def undo(stage: Stage) -> Press:
    party, scan_id = party_tonight(), uuid4()
    admit(party.performance_id, ticket_token(party), scan_id, DOOR_A)
    return stage.at_door("DELETE", f"{party.performance_id}/scans/{scan_id}")


def release(stage: Stage) -> Press:
    return stage.at_door("POST", f"{party_tonight().performance_id}/release")


def restore(stage: Stage) -> Press:
    evening = party_tonight().performance_id
    release_no_shows(evening)
    return stage.at_door("DELETE", f"{evening}/release")


def scan_on_the_page(stage: Stage) -> Press:
    party = party_tonight()
    address = f"/checkin/performances/{party.performance_id}"
    form = fields(stage.admin.get(address).text) | {"code": ticket_token(party)}
    return partial(stage.admin.post, f"{address}/scans", data=form)


def undo_on_the_page(stage: Stage) -> Press:
    party, scan_id = party_tonight(), uuid4()
    admit(party.performance_id, ticket_token(party), scan_id, DOOR_A)
    address = f"/checkin/performances/{party.performance_id}"
    form = token_of(stage.admin, address) | {"scan_id": str(scan_id)}
    return partial(stage.admin.post, f"{address}/undo", data=form)


def walk_ins_on_the_page(stage: Stage) -> Press:
    address = f"/checkin/performances/{tonight().id}"
    form = fields(stage.admin.get(address).text) | {"people": "2"}
    return partial(stage.admin.post, f"{address}/walk-ins", data=form)


def release_on_the_page(stage: Stage) -> Press:
    address = f"/checkin/performances/{party_tonight().performance_id}"
    form = token_of(stage.admin, address)
    return partial(stage.admin.post, f"{address}/release", data=form)


def out_on_the_page(stage: Stage) -> Press:
    party = party_tonight()
    allow_reentry(party.performance_id, allowed=True)
    admit(party.performance_id, ticket_token(party), uuid4(), DOOR_A)
    address = f"/checkin/performances/{party.performance_id}"
    form = fields(stage.admin.get(address).text) | {"code": party.reference, "way": "out"}
    return partial(stage.admin.post, f"{address}/scans", data=form)


def reentry_on_the_page(stage: Stage) -> Press:
    address = f"/checkin/performances/{tonight().id}"
    form = token_of(stage.admin, address) | {"allowed": "yes"}
    return partial(stage.admin.post, f"{address}/reentry", data=form)


def coming_on_the_page(stage: Stage) -> Press:
    party = party_tonight()
    address = f"/checkin/performances/{party.performance_id}"
    form = token_of(stage.admin, address) | {"coming": "yes", "party": str(party.id)}
    return partial(stage.admin.post, f"{address}/coming", data=form)


def restore_on_the_page(stage: Stage) -> Press:
    evening = party_tonight().performance_id
    release_no_shows(evening)
    address = f"/checkin/performances/{evening}"
    form = token_of(stage.admin, address)
    return partial(stage.admin.post, f"{address}/restore", data=form)


def staff_confirms(stage: Stage) -> Press:
    return stage.in_admin("reservations/confirm/", id=a_party(a_performance(), confirmed=False).id)


def staff_resends(stage: Stage) -> Press:
    return stage.in_admin("reservations/resend/", id=a_party(a_performance()).id)


def staff_calls_off(stage: Stage) -> Press:
    address = f"/admin/performances/cancel/?id={a_party(a_performance()).performance_id}"
    return partial(stage.admin.post, address, data=fields(stage.admin.get(address).text))


def new_venue(stage: Stage) -> Press:
    return stage.in_admin("venues/new/", name=f"Sala {uuid4()}", address="Via Roma 1")


def new_show(stage: Stage) -> Press:
    return stage.in_admin("shows/new/", title="Amleto", slug=f"amleto-{uuid4().hex}")


def new_performance(stage: Stage) -> Press:
    other = a_performance()
    return stage.in_admin(
        "performances/new/",
        show_id=other.show_id,
        venue_id=other.venue_id,
        starts_at=(now() + timedelta(days=90)).strftime("%Y-%m-%dT21:00"),
        capacity="80",
        party_limit="6",
        booking_opens_at=now().strftime("%Y-%m-%dT10:00"),
    )


def new_account(stage: Stage) -> Press:
    address = f"{uuid4().hex}@theatre.org"
    return stage.in_admin("accounts/new/", email=address, role="door", name="")


def new_token(stage: Stage) -> Press:
    form = fields(stage.admin.get("/admin/tokens/new/").text) | {"label": "Box", "hours": "8"}
    return partial(stage.admin.post, "/admin/tokens/new/", data=form)


def revoke_token(stage: Stage) -> Press:
    token, _ = issue_token("Box", Scope.DOOR, hours=8)
    return stage.in_admin("tokens/revoke/", id=token.id)


VISITORS = (
    book, correct_the_address, ask_for_the_mail_again, book_by_api, book_by_api_without_a_key, confirm, cancel, fewer_seats, more_seats, no_wheelchair_place, another_evening, late,
    give_to_a_friend, accept_from_a_friend, coming, unsubscribes,
)  # fmt: skip
DOORS = (
    scan, scan_of_some, walk_ins, sync, undo, release, restore, scan_on_the_page,
    undo_on_the_page, walk_ins_on_the_page, release_on_the_page, restore_on_the_page,
    out_on_the_page, reentry_on_the_page, coming_on_the_page,
)  # fmt: skip
STAFF = (
    staff_confirms, staff_resends, staff_calls_off, new_venue,
    new_show, new_performance, new_account, new_token, revoke_token,
)  # fmt: skip
