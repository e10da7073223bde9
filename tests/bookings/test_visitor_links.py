"""Private links of a booking whose address staff corrected: what they still open, and what the ticket does."""

from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask

from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.mails.sent_texts import HIDDEN, keep
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.mail.message import Message
from tests.bookings.test_pages import fields
from tests.factories import DOOR_A, a_party, a_performance, fresh, visitor_token
from tests.support.people import english

pytestmark = pytest.mark.usefixtures("in_app")


def correct(party: Reservation, email: str) -> None:
    stored = fresh(party.id)
    change_party(party.id, replace(entries_of(stored), email=email), stored.changed_in)


def undo(party: Reservation) -> None:
    offer = find_undo(fresh(party.id))
    assert offer is not None
    undo_change(offer.id)


def test_links_of_a_mistyped_address_end_and_the_ticket_stays(app: Flask) -> None:
    performance = a_performance()
    party = a_party(performance, 4, email="ada@exmaple.org")
    old, ticket = visitor_token(party), write_ticket(party)
    visitor = english(app)
    sent = fields(visitor.get(f"/bookings/{old}/cancel").text)
    correct(party, "ada@example.org")
    new = visitor_token(fresh(party.id))
    assert new != old
    refused = visitor.get(f"/bookings/{old}")
    assert refused.status_code == 404
    assert "has been corrected" in refused.text
    assert party.name not in refused.text
    for what in ("cancel", "seats", "late"):
        assert visitor.post(f"/bookings/{old}/{what}", data=sent).status_code == 404
    for what in ("ticket.pdf", "qr.png", "event.ics"):
        assert visitor.get(f"/bookings/{old}/{what}").status_code == 404
    assert fresh(party.id).state == "confirmed"
    assert visitor.get(f"/bookings/{new}").status_code == 200
    assert admit(performance.id, ticket, uuid4(), DOOR_A).kind is VerdictKind.ADMITTED
    assert write_ticket(fresh(party.id)) == ticket


def test_undo_makes_them_valid_again_and_ends_those_between(app: Flask) -> None:
    party = a_party(a_performance(), email="ada@example.org")
    visitor = english(app)

    def opens(token: str) -> bool:
        return visitor.get(f"/bookings/{token}").status_code == 200

    first = visitor_token(party)
    correct(party, "eda@example.org")
    between = visitor_token(fresh(party.id))
    undo(party)
    assert (opens(first), opens(between)) == (True, False)
    correct(party, "ida@example.org")
    correct(party, "oda@example.org")
    undo(party)
    last = visitor_token(fresh(party.id))
    assert (opens(first), opens(between), opens(last)) == (False, False, True)


@pytest.mark.parametrize(
    ("before", "after"), [("ada@example.org", "Ada@Example.org"), ("", "ada@example.org")]
)
def test_the_same_mailbox_and_the_first_address_keep_the_links(before: str, after: str) -> None:
    party = a_party(a_performance(), email="somebody@example.org")
    correct(party, before)
    token = visitor_token(fresh(party.id))
    correct(party, after)
    assert visitor_token(fresh(party.id)) == token


def test_what_is_kept_of_a_mail_has_no_new_link_either() -> None:
    party = a_party(a_performance(), email="ada@exmaple.org")
    correct(party, "ada@example.org")
    stored = fresh(party.id)
    message = Message("", "", f"/bookings/{visitor_token(stored)}", "", "")
    assert keep(stored, message).text == f"/bookings/{HIDDEN}"
