"""Each reservation keeps which text its visitor agreed to."""

from hashlib import sha256

import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale

from azionelab.bookings.box_office.book_for import book_for
from azionelab.bookings.pages.consent import TEXTS, Consent
from tests.bookings.test_box_office import CALLER
from tests.bookings.test_pages import ENGLISH, bookings, filled, open_form
from tests.factories import a_performance, fresh

pytestmark = pytest.mark.usefixtures("in_app")


def test_who_books_agrees_to_the_text_of_the_page(client: FlaskClient) -> None:
    performance = a_performance()
    page = open_form(client, performance.id)
    client.post(f"/performances/{performance.id}/book", data=filled(page), headers=ENGLISH)
    (reservation,) = bookings()
    assert reservation.consent == Consent.BOOKING
    with force_locale("en"):
        assert str(TEXTS[Consent.BOOKING]) in page


def test_a_program_agrees_to_the_same(client: FlaskClient) -> None:
    performance = a_performance()
    booking = {"name": "Ada", "email": "ada@example.org", "seats": 2, "consent": True}
    client.post(f"/api/v1/performances/{performance.id}/reservations", json=booking)
    (reservation,) = bookings()
    assert reservation.consent == Consent.BOOKING


def test_who_asked_the_box_office_ticked_nothing() -> None:
    assert fresh(book_for(a_performance().id, CALLER, 2).id).consent is None


def test_a_text_that_was_shown_is_never_changed() -> None:
    texts = {version: text._args[0] for version, text in TEXTS.items()}
    shown = {version: sha256(text.encode()).hexdigest()[:12] for version, text in texts.items()}
    assert shown == {Consent.BOOKING: "aa8dd8901272", Consent.WAITLIST: "d4a15f73061b"}
