"""The messages: right words in the right language, links that work, nothing smuggled in."""

import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
import zxingcpp
from icalendar import Calendar, Component
from PIL import Image
from sqlalchemy import select, text

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.mails.messages import render
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import event_ics, ticket_url
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now, transaction
from azionelab.mail.message import Message
from azionelab.mail.models import Mail, MailKind
from azionelab.shows.models import Performance, Show, Venue
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    fresh,
    let_lapse,
    move,
    ticket_token,
    visitor_token,
)

pytestmark = pytest.mark.usefixtures("in_app")


def mail_of(reservation: Reservation, kind: MailKind) -> Message:
    """The message of a kind, as it would go out now."""
    fresh(reservation.id)
    statement = select(Mail).where(Mail.reservation_id == reservation.id, Mail.kind == kind)
    return render(db.session.scalars(statement).one())


def confirm_address(settings: dict[str, str], reservation: Reservation) -> str:
    return f"{settings['SITE_BASE_URL']}/{reservation.locale}/bookings/confirm/{visitor_token(reservation)}"


def page_address(settings: dict[str, str], reservation: Reservation) -> str:
    return f"{settings['SITE_BASE_URL']}/{reservation.locale}/bookings/{visitor_token(reservation)}"


def test_a_booking_is_asked_to_be_confirmed(settings: dict[str, str]) -> None:
    show = Show(slug="hamlet", title="Hamlet", published=True)
    reservation = a_party(a_performance(show=show), 2, confirmed=False, locale="en")
    message = mail_of(reservation, MailKind.CONFIRM)
    assert message.recipient == reservation.email
    assert message.subject.startswith("Please confirm: Hamlet, ")
    for body in (message.text, message.html):
        assert confirm_address(settings, reservation) in body
        assert reservation.reference in body
        assert "2 seats" in body
    assert message.pictures == ()


def test_the_ticket_shows_its_qr(settings: dict[str, str]) -> None:
    reservation = a_party(a_performance(), 2)
    message = mail_of(reservation, MailKind.TICKET)
    (picture,) = message.pictures
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture.content)))
    assert code.text == ticket_url(reservation)
    assert f'src="cid:{picture.content_id}"' in message.html
    assert page_address(settings, reservation) in message.text
    # The ticket's token is in the picture only: who forwards the text gives no entry away by it.
    assert ticket_token(reservation) not in message.text + message.html


def test_a_smaller_party_keeps_its_ticket() -> None:
    reservation = a_party(a_performance(), 3)
    rules.reduce_seats(reservation.id, 1)
    message = mail_of(reservation, MailKind.CHANGED)
    assert "You now have 1 seat." in message.text
    assert len(message.pictures) == 1


def test_cancelled_bookings_and_evenings_are_told_apart() -> None:
    performance = a_performance()
    ours, theirs = a_party(performance), a_party(performance)
    rules.cancel(ours.id)
    performance_changes.cancel_performance(performance.id)
    assert mail_of(theirs, MailKind.PERFORMANCE_CANCELLED).subject.startswith(
        "Performance cancelled"
    )
    assert mail_of(ours, MailKind.CANCELLED).subject.startswith("Booking cancelled")


def test_a_mail_about_a_moved_evening_leads_to_keep_swap_and_cancel(
    settings: dict[str, str],
) -> None:
    performance = a_performance()
    reservation = a_party(performance)
    later = performance.starts_at + timedelta(hours=1)
    performance_changes.change_performance(
        performance.id, lambda evening: setattr(evening, "starts_at", later)
    )
    message = mail_of(reservation, MailKind.MOVED)
    page = page_address(settings, reservation)
    for address in (f"{page}/coming", f"{page}#evening", f"{page}/cancel"):
        assert f'href="{address}"' in message.html
        assert f": {address}\n" in message.text


def test_a_mail_about_a_cancelled_evening_leads_to_the_others(settings: dict[str, str]) -> None:
    performance = a_performance()
    reservation = a_party(performance)
    performance_changes.cancel_performance(performance.id)
    message = mail_of(reservation, MailKind.PERFORMANCE_CANCELLED)
    assert message.link == page_address(settings, reservation)
    assert "Choose another evening" in message.html


def test_a_late_message_about_an_evening_called_off_says_that_alone() -> None:
    performance = a_performance()
    inside = a_party(performance)
    admit(performance.id, inside.reference, uuid4(), DOOR_A, people=1)
    performance_changes.cancel_performance(performance.id)
    for kind in (MailKind.CONFIRM, MailKind.TICKET, MailKind.PERFORMANCE_CANCELLED):
        message = mail_of(inside, kind)
        assert "will not take place" in message.text
        assert message.pictures == ()


@pytest.mark.parametrize("confirmed", [False, True])
def test_who_books_again_is_told_of_the_booking_they_have(
    settings: dict[str, str], confirmed: bool
) -> None:
    performance = a_performance()
    reservation = a_party(performance, confirmed=confirmed, email="twice@example.org")
    with transaction() as session:
        session.execute(text("UPDATE mail SET created_at = created_at - interval '1 hour'"))
    rules.reserve(performance.id, a_visitor("twice@example.org"), 1, uuid4())
    message = mail_of(reservation, MailKind.EXISTING)
    address = page_address if confirmed else confirm_address
    assert address(settings, reservation) == message.link
    assert message.link in message.text
    for body in (message.text, message.html):
        assert "already have a booking for 2 seats" in body
        assert "you can change it there" in " ".join(body.split())


def test_a_late_message_tells_what_is_true_by_now(settings: dict[str, str]) -> None:
    performance = a_performance()
    lapsed = a_party(performance, confirmed=False)
    let_lapse(lapsed)
    late = mail_of(lapsed, MailKind.CONFIRM)
    assert "no longer active" in late.text
    assert confirm_address(settings, lapsed) not in late.text
    given_back = a_party(performance)
    rules.cancel(given_back.id)
    assert mail_of(given_back, MailKind.TICKET).pictures == ()


def markup_of(message: Message) -> dict[str, Any] | None:
    """What a mailbox reads in a mail about the booking."""
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', message.html) or [
        None
    ]
    return json.loads(found) if found else None


def test_a_mailbox_can_show_the_booking_as_a_card(settings: dict[str, str]) -> None:
    venue = Venue(name="Teatro </script>", address="Via Mazzini 5, 40137 Bologna (BO)")
    at = datetime(2031, 7, 4, 18, 30, tzinfo=UTC)
    performance = a_performance(venue=venue, starts_at=at, booking_opens_at=now())
    reservation = a_party(performance, 3, name="Ada <Lovelace>")
    assert markup_of(mail_of(reservation, MailKind.CONFIRM)) is not None
    markup = markup_of(mail_of(reservation, MailKind.TICKET))
    assert markup is not None
    evening = markup["reservationFor"]
    assert markup["reservationNumber"] == reservation.reference
    assert markup["reservationStatus"] == "http://schema.org/ReservationConfirmed"
    assert markup["underName"] == {"@type": "Person", "name": "Ada <Lovelace>"}
    assert markup["modifyReservationUrl"] == page_address(settings, reservation)
    assert evening["startDate"] == "2031-07-04T20:30:00+02:00"
    assert evening["location"]["name"] == "Teatro </script>"
    assert evening["location"]["address"]["postalCode"] == "40137"
    assert ticket_token(reservation) not in json.dumps(markup)
    rules.cancel(reservation.id)
    cancelled = markup_of(mail_of(reservation, MailKind.CANCELLED))
    assert cancelled is not None
    assert cancelled["reservationStatus"] == "http://schema.org/ReservationCancelled"
    assert "underName" not in cancelled


def test_a_mailbox_is_told_nothing_before_its_owner_confirmed() -> None:
    reservation = a_party(a_performance(), confirmed=False)
    assert markup_of(mail_of(reservation, MailKind.CONFIRM)) is None


def test_each_visitor_is_written_to_in_their_language() -> None:
    performance = a_performance(show=Show(slug="re-lear", title="Re Lear", published=True))
    in_italian = mail_of(a_party(performance, confirmed=False, locale="it"), MailKind.CONFIRM)
    in_english = mail_of(a_party(performance, confirmed=False, locale="en"), MailKind.CONFIRM)
    assert '<html lang="it">' in in_italian.html
    assert '<html lang="en">' in in_english.html
    assert "2 posti" in in_italian.text
    assert "2 seats" in in_english.text
    assert in_italian.subject.split(":")[0] != in_english.subject.split(":")[0]


def test_times_are_the_theatres() -> None:
    performance = a_performance()
    with transaction() as session:
        evening = text("UPDATE performance SET starts_at = '2031-07-05 18:30+00' WHERE id = :id")
        session.execute(evening, {"id": performance.id})
    message = mail_of(a_party(db.session.merge(performance), locale="it"), MailKind.TICKET)
    assert "5 luglio 2031" in message.text
    assert "20:30" in message.text


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "O'Neil & Söhne", "משה כהן", "🎭 Zoë", "%(seats)s {{ name }} %s"],
)
def test_any_name_comes_out_as_it_is(name: str) -> None:
    message = mail_of(a_party(a_performance(), name=name), MailKind.TICKET)
    assert name in message.text
    assert "<script>" not in message.html
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"\u2068{escaped.replace(chr(39), '&#39;')}\u2069," in message.html


def test_a_strangers_text_is_not_sent_to_a_mailbox_that_did_not_confirm() -> None:
    spam = "Win at casino.example"
    reservation = a_party(a_performance(), confirmed=False, name=spam)
    message = mail_of(reservation, MailKind.CONFIRM)
    assert "casino" not in message.text + message.html + message.subject


def test_no_title_can_begin_another_header() -> None:
    show = Show(slug="evil", title="Lear\r\nBcc: all@example.org\u2028x", published=True)
    message = mail_of(a_party(a_performance(show=show)), MailKind.TICKET)
    assert message.subject.splitlines() == [message.subject]
    assert "Lear Bcc: all@example.org x" in message.subject


def test_every_kind_of_every_state_can_be_rendered() -> None:
    performance = a_performance(capacity=100)
    pending, lapsed, confirmed, ended = (
        a_party(performance, confirmed=confirmed) for confirmed in (False, False, True, True)
    )
    let_lapse(lapsed)
    rules.cancel(ended.id)
    db.session.rollback()
    for reservation in (pending, lapsed, confirmed, ended):
        # The other two are about a link (tests/admin/test_link_mails.py).
        for kind in set(MailKind) - {MailKind.MY_BOOKINGS, MailKind.HAND_OVER}:
            mail = Mail(id=uuid4(), kind=kind, reservation=fresh(reservation.id))
            db.session.expunge_all()
            mail.reservation = db.session.get_one(Reservation, reservation.id)
            message = render(mail)
            assert reservation.reference in message.text
            assert db.session.get_one(Performance, performance.id).show.title in message.subject


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("en", "Rescheduled: Hamlet, ", "time or venue of this performance has changed"),
        ("it", "Replica spostata: Hamlet, ", "orario o il luogo di questa replica"),
    ],
)
def test_a_party_is_told_where_and_when_its_evening_is_now(
    settings: dict[str, str], locale: str, subject: str, words: str
) -> None:
    show = Show(slug="hamlet", title="Hamlet", published=True)
    performance = a_performance(show=show)
    firm = a_party(performance, locale=locale)
    waiting = a_party(performance, locale=locale, confirmed=False)
    move(performance.id, datetime(2030, 6, 7, 18, 30, tzinfo=UTC))
    told = mail_of(firm, MailKind.MOVED)
    assert told.subject.startswith(subject)
    for body in (told.text, told.html):
        assert words in body
        assert "20:30" in body
        assert performance.venue.name in body
        assert page_address(settings, firm) in body
    assert len(told.pictures) == 1
    asked = mail_of(waiting, MailKind.MOVED)
    assert confirm_address(settings, waiting) in asked.text
    assert asked.pictures == ()
    rules.cancel(firm.id)
    assert mail_of(firm, MailKind.MOVED).pictures == ()
    performance_changes.cancel_performance(performance.id)
    assert mail_of(waiting, MailKind.MOVED).subject != asked.subject


def test_what_somebody_saved_in_their_calendar_is_brought_up_to_date() -> None:
    performance = a_performance()
    firm, waiting = a_party(performance, 3), a_party(performance, confirmed=False)
    saved = entry(event_ics(firm))
    rules.reduce_seats(firm.id, 2)
    assert mail_of(firm, MailKind.TICKET).calendar is None
    fewer = entry(calendar_of(firm, MailKind.CHANGED, "PUBLISH"))
    move(performance.id, datetime(2030, 6, 7, 18, 30, tzinfo=UTC))
    moved = entry(calendar_of(firm, MailKind.MOVED, "PUBLISH"))
    assert moved["DTSTART"].dt == datetime(2030, 6, 7, 18, 30, tzinfo=UTC)
    assert mail_of(waiting, MailKind.MOVED).calendar is None
    performance_changes.cancel_performance(performance.id)
    off = entry(calendar_of(firm, MailKind.PERFORMANCE_CANCELLED, "CANCEL"))
    assert mail_of(waiting, MailKind.PERFORMANCE_CANCELLED).calendar is None
    assert saved["UID"] == fewer["UID"] == moved["UID"] == off["UID"]
    assert saved["SEQUENCE"] < fewer["SEQUENCE"] < moved["SEQUENCE"] < off["SEQUENCE"]


def test_who_gave_the_seats_back_takes_the_evening_out_of_the_calendar() -> None:
    reservation = a_party(a_performance())
    saved = entry(event_ics(reservation))
    rules.cancel(reservation.id)
    gone = entry(calendar_of(reservation, MailKind.CANCELLED, "CANCEL"))
    assert gone["STATUS"] == "CANCELLED"
    assert gone["SEQUENCE"] > saved["SEQUENCE"]


def calendar_of(reservation: Reservation, kind: MailKind, method: str) -> bytes:
    """The calendar file of a kind of mail, which asks for `method`."""
    message = mail_of(reservation, kind)
    assert message.calendar is not None
    assert message.calendar.method == method
    assert message.calendar.filename == f"{reservation.reference}.ics"
    assert "updates the entry" in message.text
    assert "updates the entry" in message.html
    return message.calendar.content


def entry(content: bytes) -> Component:
    """The event in a calendar file."""
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return event


@pytest.mark.parametrize("kind", [MailKind.CONFIRM, MailKind.EXISTING])
def test_what_has_to_be_pressed_comes_first(kind: MailKind) -> None:
    reservation = a_party(a_performance(), confirmed=False)
    message = render(Mail(id=uuid4(), kind=kind, reservation=fresh(reservation.id)))
    assert message.text.startswith(f"Confirm the booking:\n{message.link}\n")
    before, _, after = message.html.partition("Confirm the booking</a>")
    assert before.count("<p") == 2, "the theatre's name and the button"
    assert after.count("<p") > 2
