"""Signed tickets: what they name, who can make them, and how little of a QR they take.

A phone checks the same table (static_frontend/tests/door/tickets.test.ts).
"""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from azionelab.bookings.tickets.files import qr_png, ticket_url
from azionelab.bookings.tickets.signing import public_keys, read_ticket, sign_ticket, write_ticket
from azionelab.tokens import Purpose, make_token, read_token
from tests.factories import a_party, a_performance
from tests.support.processes import ROOT

TABLE = json.loads((ROOT / "tests" / "checkin" / "tickets.json").read_text(encoding="utf-8"))
LISTED = pytest.mark.parametrize("row", TABLE["tickets"], ids=lambda row: row["ticket"])
SITE = "HTTPS://TICKETS.EXAMPLE.ORG/T/"


@pytest.fixture
def of_table(make_app: Callable[..., Flask]) -> Iterator[None]:
    """The keys of the table."""
    keys = {"SECRET_KEY": TABLE["secret"], "SECRET_KEY_FALLBACKS": TABLE["secret_before"]}
    with make_app(**keys).app_context():
        yield


@LISTED
@pytest.mark.usefixtures("of_table")
@pytest.mark.parametrize("form", ["{}", SITE + "{}", " " + SITE + "{}/\n"])
def test_a_genuine_ticket_names_performance_and_booking(row: dict[str, Any], form: str) -> None:
    named = (row["performance"], row["reference"]) if row["reference"] else None
    assert read_ticket(form.format(row["text"])) == named


@LISTED
def test_a_ticket_has_one_text(row: dict[str, Any], make_app: Callable[..., Flask]) -> None:
    """A phone keeps it by its digest: signed again, it is the same."""
    if row["reference"] is None:
        return
    texts = []
    for secret in (TABLE["secret"], TABLE["secret_before"]):
        with make_app(SECRET_KEY=secret).app_context():
            texts.append(sign_ticket(row["performance"], row["reference"]))
    assert row["text"] in texts


@pytest.mark.usefixtures("of_table")
def test_the_public_keys_are_those_that_phones_check_with() -> None:
    assert public_keys() == TABLE["keys"]


def test_todays_key_signs_and_earlier_ones_are_honoured(make_app: Callable[..., Flask]) -> None:
    new, old = "new-" * 10, "old-" * 10
    with make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old).app_context():
        text = sign_ticket(7, "K7Q2X9PM")
    with make_app(SECRET_KEY=new).app_context():
        assert read_ticket(text) == (7, "K7Q2X9PM")
    with make_app(SECRET_KEY=old).app_context():
        assert read_ticket(text) is None
    with make_app(SECRET_KEY="third" * 8, SECRET_KEY_FALLBACKS=f"{old},{new}").app_context():
        assert read_ticket(text) == (7, "K7Q2X9PM")


@pytest.mark.usefixtures("of_table")
def test_a_ticket_that_was_sent_before_signatures_opens_for_ever() -> None:
    """As it stands in somebody's mail; what makes such tickets may go, what reads them may not."""
    mailed = TABLE["tickets"][-1]["text"]
    assert read_token(Purpose.TICKET, mailed) == UUID(TABLE["old_reservation"])
    assert make_token(Purpose.TICKET, UUID(TABLE["old_reservation"])) == mailed


@pytest.mark.usefixtures("of_table")
@pytest.mark.parametrize(
    "damaged",
    [
        lambda text: text.replace("/", ""),
        lambda text: text.replace("/", "//"),
        lambda text: text[1:],
        lambda text: "0" + text,
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text[:-1] + "٣",
        lambda text: text + "/x",
        lambda text: "7" + text[1:],
        # The least number that 73 bytes do not hold.
        lambda text: f"{256**73:0176}"[:133] + "/" + f"{256**73:0176}"[133:],
    ],
)
def test_another_spelling_is_no_ticket(damaged: Callable[[str], str]) -> None:
    assert read_ticket(damaged(TABLE["tickets"][0]["text"])) is None


@pytest.mark.usefixtures("in_app")
def test_the_ticket_of_a_booking_names_it() -> None:
    party = a_party(a_performance())
    assert read_ticket(write_ticket(party)) == (party.performance_id, party.reference)


def test_an_ordinary_address_takes_no_larger_qr_than_before(make_app: Callable[..., Flask]) -> None:
    """41 modules a side, as a ticket before 0.4 took; docs/performance.md has more addresses."""
    with make_app(SITE_BASE_URL="https://tickets.example.org").app_context():
        party = a_party(a_performance())
        (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(qr_png(party))))
        assert code.text == ticket_url(party) == SITE + write_ticket(party)
        assert Image.open(BytesIO(qr_png(party))).width == (41 + 2 * 4) * 8
