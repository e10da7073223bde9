"""The pages of the waitlist, without scripts."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.mails.messages import render
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats import holds
from azionelab.database import db
from azionelab.mail.message import Message
from azionelab.mail.models import Mail
from tests.bookings.test_pages import fields
from tests.factories import (
    a_party,
    a_performance,
    a_waiting_party,
    an_entry,
    fresh,
    let_lapse,
    visitor_token,
)
from tests.support.people import english


@pytest.fixture
def visitor(make_app: Callable[..., Flask]) -> Iterator[FlaskClient]:
    """A visitor of a site without a night, so that tests do not depend on the time of day."""
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0")
    with app.app_context():
        yield english(app)


def read(page: str) -> str:
    """The words of a page's content."""
    content = page[page.index("<main") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


def newest_mail(kind: str) -> Message:
    db.session.rollback()
    found = db.session.scalars(
        db.select(Mail).where(Mail.kind == kind).order_by(Mail.created_at.desc())
    ).first()
    assert found is not None
    return render(found)


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_from_a_sold_out_evening_to_the_ticket(visitor: FlaskClient) -> None:
    evening = a_performance(2)
    party = a_party(evening)
    ahead = a_waiting_party(evening.id, 2)
    programme = visitor.get("/", follow_redirects=True).text
    assert f"/performances/{evening.id}/waitlist" in programme
    sold_out = visitor.get(f"/performances/{evening.id}/book", follow_redirects=True).text
    address = next(a for a in re.findall(r'href="([^"]+)"', sold_out) if a.endswith("/waitlist"))

    # Bad input is answered at its field, and nothing is lost.
    form = fields(visitor.get(address).text) | {"name": "Ada", "email": "ada@example", "seats": "2"}
    refused = visitor.post(address, data=form)
    assert refused.status_code == 422
    assert 'value="ada@example"' in refused.text
    assert "We need your consent" in refused.text
    form |= {"email": "ada@example.org", "consent": "y"}
    sent = visitor.post(address, data=form, follow_redirects=True)
    assert "ada@example.org" in read(sent.text)

    mail = newest_mail("waitlist")
    assert mail.recipient == "ada@example.org"
    assert "Ada" not in mail.text, "a stranger may have typed it"
    place = path_of(mail.link)
    asked = visitor.get(place).text
    assert read(visitor.get(place).text) == read(asked), "a GET changes nothing"
    unticked = visitor.post(place, data=fields(asked))
    assert unticked.status_code == 422, "a scanner submits the form as it is"
    taken = visitor.post(place, data=fields(asked) | {"wanted": "y"}, follow_redirects=True)
    assert "Your position: 2" in read(taken.text)
    again = visitor.post(place, data=fields(asked) | {"wanted": "y"}, follow_redirects=True)
    assert read(again.text) == read(taken.text), "pressed twice"
    # The page of the booking leads here as well.
    own = visitor.get(place.replace("/waitlist/", "/bookings/"))
    assert own.location.endswith(place)

    leaving = f"/waitlist/{visitor_token(ahead)}/leave"
    form = fields(visitor.get(leaving).text)
    left = visitor.post(leaving, data=form | {"sure": "y"}, follow_redirects=True)
    assert "You have left the waitlist" in read(left.text)
    assert "Your position: 1" in read(visitor.get(place).text)

    rules.cancel(party.id)
    offer = newest_mail("offer")
    assert "Dear \u2068Ada\u2069" in offer.text
    assert "2 seats" in offer.text
    page = visitor.get(path_of(offer.link)).text
    assert "2 seats are held for you until" in read(page)
    ticket = visitor.post(place, data=fields(page) | {"coming": "y"}, follow_redirects=True)
    assert "/ticket.pdf" in ticket.text
    again = visitor.post(place, data=fields(page) | {"coming": "y"}, follow_redirects=True)
    assert "/ticket.pdf" in again.text, "pressed twice"


def test_the_page_says_what_has_become_of_a_place(visitor: FlaskClient) -> None:
    evening = a_performance(1)
    party = a_party(evening, 1)
    first, second = a_waiting_party(evening.id), a_waiting_party(evening.id)
    unproven = an_entry(evening.id)

    def page(one: Reservation, what: str = "") -> str:
        return read(visitor.get(f"/waitlist/{visitor_token(one)}{what}").text)

    rules.cancel(party.id)
    assert "Give the seats back?" in page(first, "/leave")
    form = fields(visitor.get(f"/waitlist/{visitor_token(first)}").text)
    let_lapse(fresh(first.id))
    assert "The time to answer has passed" in page(first)
    holds.expire_lapsed_holds()
    told = page(first)
    assert "The time to answer has passed" in told
    assert "Join again, at the end of the line" in told
    assert "you can say here that you are near" in told
    late = visitor.post(f"/waitlist/{visitor_token(first)}", data=form | {"coming": "y"})
    assert late.status_code == 409
    assert "Do you want to wait for seats?" in page(unproven)
    cancel_performance(evening.id)
    for one in (first, second, unproven):
        assert "The performance has been cancelled" in page(one)
    assert "There is no waitlist" in read(
        visitor.get(f"/performances/{evening.id}/waitlist", follow_redirects=True).text
    )
    told = newest_mail("performance_cancelled")
    assert "You need not do anything" in told.text or "booking" in told.text


def test_there_is_no_line_where_seats_are_free(visitor: FlaskClient) -> None:
    evening = a_performance(3)
    address = f"/performances/{evening.id}/waitlist"
    form = fields(visitor.get(address, follow_redirects=True).text)
    form |= {"name": "Ada", "email": "ada@example.org", "seats": "3", "consent": "y"}
    refused = visitor.post(address, data=form)
    assert refused.status_code == 409
    assert "You need not wait: 3 seats are free." in read(refused.text)
    a_party(evening, 2)
    assert visitor.post(address, data=form).status_code == 303


def test_the_form_tells_what_is_left_as_the_booking_form_does(visitor: FlaskClient) -> None:
    evening = a_performance(3, wheelchair_places=1)
    party = a_party(evening)
    address = f"/en/performances/{evening.id}/waitlist"
    page = visitor.get(address).text
    assert f'data-seats-left="{address}"' in page
    assert "Sold out but for wheelchair places" in read(page)
    assert 'data-wrong="This is not a valid e-mail address."' in page
    assert "/booking-" in page  # the script that reads them
    rules.reduce_seats(party.id, 1)
    left = read(visitor.get(address).text)
    assert "Only 1 seat left" in left
    assert "Then you need not wait. Book now" in left


def test_scripts_are_limited_together_and_people_are_not(make_app: Callable[..., Flask]) -> None:
    with make_app(UNPROVEN_BOOKING_LIMIT="1 per 10 minutes").app_context() as context:
        client = english(context.app)
        evening = a_performance(1)
        a_party(evening, 1)
        address = f"/en/performances/{evening.id}/waitlist"
        told = []
        for name, website in (("bot-1", "x"), ("bot-2", "x"), ("ada", "")):
            form = fields(client.get(address).text)
            form |= {"name": name, "email": f"{name}@example.org", "seats": "1", "consent": "y"}
            answer = client.post(address, data=form | {"website": website})
            told.append(answer.status_code)
            if answer.status_code == 429:
                assert "Retry-After" in answer.headers
                assert 'value="bot-2@example.org"' in answer.text, "the input is kept"
        assert told == [303, 429, 303]
