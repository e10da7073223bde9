"""The page "Check your inbox": a mistyped address is corrected, the mail is sent once more; nobody learns of others."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance
from tests.bookings.test_pages import ENGLISH, bookings, fields, filled, open_form
from tests.factories import a_party, a_performance, fresh, mails, seats_held, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")
TYPO, RIGHT = "ada@exmaple.org", "ada@example.org"


class Inbox:
    """A browser that has booked with the address, and its page."""

    def __init__(self, app: Flask, performance: Performance, email: str = TYPO) -> None:
        self.browser = app.test_client()
        form = filled(open_form(self.browser, performance.id), email=email, seats="3")
        address = f"/performances/{performance.id}/book"
        self.address = self.browser.post(address, data=form, headers=ENGLISH).location

    def page(self) -> str:
        return self.browser.get(self.address, headers=ENGLISH).text

    def press(self, what: str, **typed: Any) -> TestResponse:
        form = {"csrf_token": fields(self.page())["csrf_token"]} | typed
        return self.browser.post(f"{self.address}/{what}", data=form, headers=ENGLISH)


def resent(reservation: Reservation) -> int:
    db.session.rollback()
    asked = select(Mail).where(Mail.reservation_id == reservation.id, Mail.resent_at.is_not(None))
    return len(db.session.scalars(asked).all())


def test_who_mistyped_gets_the_same_booking_at_the_right_address(
    app: Flask, client: FlaskClient
) -> None:
    performance = a_performance()
    inbox = Inbox(app, performance)
    (made,) = bookings()
    held_until = made.hold_expires_at
    old_link = f"/bookings/confirm/{visitor_token(made)}"
    assert client.get(old_link).status_code == 200
    for typed, words in (("ada", "not a valid e-mail"), ("", "enter your e-mail")):
        answer = inbox.press("address", email=typed)
        assert answer.status_code == 422
        assert words in answer.text
        assert f'value="{typed}"' in answer.text
    stale = inbox.press("address", email=RIGHT, csrf_token="stale")
    assert (stale.status_code, f'value="{RIGHT}"' in stale.text) == (422, True)
    for _again in range(2):  # pressed twice, for want of an answer
        answer = inbox.press("address", email=RIGHT)
        assert (answer.status_code, answer.location) == (303, inbox.address)
    (right,) = bookings()
    assert (right.id, right.reference, right.seats) == (made.id, made.reference, 3)
    assert (right.email, right.state) == (RIGHT, "pending")
    assert right.hold_expires_at > held_until
    assert mails(right) == ["confirm", "confirm"]
    page = inbox.page()
    assert f"on its way to {RIGHT}" in page
    assert TYPO not in page
    # A stranger may have the first mail.
    assert client.get(old_link).status_code == 404
    assert client.get(f"/bookings/confirm/{visitor_token(right)}").status_code == 200
    assert seats_held(performance.id) == (3, 3)


def test_a_third_correction_is_the_last_and_confirming_ends_them(app: Flask) -> None:
    inbox = Inbox(app, a_performance())
    answers = [inbox.press("address", email=f"a{n}@example.org").status_code for n in range(4)]
    assert answers == [303, 303, 303, 429]
    (made,) = bookings()
    assert made.email == "a2@example.org"
    limited = inbox.press("address", email=RIGHT)
    assert "That was too often." in limited.text
    assert f'value="{RIGHT}"' in limited.text
    assert int(limited.headers["Retry-After"]) > 0
    rules.confirm(made.id)
    other = Inbox(app, made.performance, "other@example.org")
    second = next(one for one in bookings() if one.id != made.id)
    rules.confirm(second.id)  # on the phone, while this browser still shows the page
    assert other.press("address", email="new@example.org").status_code == 303
    assert fresh(second.id).email == "other@example.org"


def test_the_mail_is_sent_again_at_most_three_times(app: Flask) -> None:
    inbox = Inbox(app, a_performance())
    (made,) = bookings()
    assert inbox.press("resend").status_code == 303
    assert f"on its way to {TYPO}" in inbox.page()
    assert [inbox.press("resend").status_code for _ in range(3)] == [303, 303, 429]
    assert (mails(made), resent(made)) == (["confirm"], 1)


def test_nobody_learns_whether_an_address_has_a_booking(app: Flask) -> None:
    """Neither the address that was typed first, nor the one that it is corrected to."""
    performance = a_performance(100)
    known = a_party(performance, email="known@example.org")
    told = []
    for first, second in (
        ("new.one@example.org", "new.two@example.org"),
        ("known@example.org", "new.three@example.org"),
        ("new.four@example.org", "known@example.org"),
    ):
        inbox = Inbox(app, performance, first)
        seen: list[Any] = []
        for what in ("resend", "address", "resend"):
            answer = inbox.press(what, email=second)
            page = inbox.page().replace(first, "FIRST").replace(second, "SECOND")
            token = fields(page)["csrf_token"]
            seen.append((answer.status_code, answer.location, page.replace(token, "TOKEN")))
        told.append(seen)
    assert told[0] == told[1] == told[2]
    kept = fresh(known.id)
    assert (kept.email, kept.state, kept.link_id) == ("known@example.org", "confirmed", None)
    # It was written to once: whoever presses again and again does not fill its mailbox.
    assert mails(known) == ["confirm", "ticket", "existing"]
    others = {one.email: one.state for one in bookings() if one.id != known.id}
    assert others == {
        "new.two@example.org": "pending",
        "new.three@example.org": "pending",
        "new.four@example.org": "cancelled",
    }


def test_a_full_house_does_not_tell_it_either(app: Flask) -> None:
    performance = a_performance(5)
    known = a_party(performance, 2, email="known@example.org")
    inbox = Inbox(app, performance, "known@example.org")
    a_party(performance, 3)
    answer = inbox.press("address", email=RIGHT)
    assert answer.status_code == 303
    assert f"on its way to {RIGHT}" in inbox.page()
    assert fresh(known.id).seats == 2
