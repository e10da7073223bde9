"""Staff change a reservation on its page: what it shows before and after, and what it keeps when it refuses."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import db, now
from azionelab.shows.models import Performance
from tests.admin.test_editing import shown
from tests.factories import DOOR_A, a_party, a_performance, fresh, mails, seats_held
from tests.support.people import logged_in, press
from tests.support.reservations import entries, saving


@pytest.fixture
def performance(in_app: Flask) -> Performance:
    return a_performance(10)


def local(moment: datetime) -> str:
    """A moment as a form has it."""
    return f"{moment.astimezone(ZoneInfo('Europe/Rome')):%Y-%m-%dT%H:%M}"


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def send(staff: FlaskClient, what: str, party: Reservation, **typed: Any) -> Any:
    return press(staff, f"/admin/reservations/{what}/", **saving(party, **typed))


def preview(staff: FlaskClient, what: str, party: Reservation, **typed: Any) -> Any:
    return send(staff, what, party, **typed, step="show", notify="")


def page_of(staff: FlaskClient, party: Reservation) -> str:
    return staff.get(f"/admin/reservations/details/?id={party.id}").text


def test_a_change_is_shown_before_it_is_saved(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4, name="Ana Rossi")
    page = preview(staff, "change", party, **entries(party, name="Anna Rossi", seats="5"))
    told = text_of(page.text)
    assert "Name: Ana Rossi → Anna Rossi" in told
    assert "Seats: 4 → 5. Then 5 seats are free." in told
    assert f"{party.email} gets an e-mail: Booking changed:" in told
    assert "You now have 5 seats (before: 4)." in told
    assert 'name="notify" value="y" checked' in page.text
    assert (fresh(party.id).seats, fresh(party.id).name) == (4, "Ana Rossi")
    # What the preview sends is what is saved.
    saved = press(staff, "/admin/reservations/change/", **shown(page.text), step="save")
    assert f"Saved. An e-mail is on its way to {party.email}." in text_of(saved.text)
    assert (fresh(party.id).seats, fresh(party.id).name) == (5, "Anna Rossi")
    assert mails(party)[-1] == "changed"


def test_nobody_is_written_to_if_staff_say_so(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4)
    told = send(staff, "change", party, **entries(party, seats="5"), notify="").text
    assert "Nobody was written to, as you chose." in told
    assert mails(party) == ["confirm", "ticket"]


def test_who_goes_back_finds_what_was_typed(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4)
    page = send(staff, "change", party, **entries(party, name="Anna", seats="9"), step="edit")
    assert page.status_code == 200
    assert 'value="Anna"' in page.text
    assert 'value="9"' in page.text
    assert fresh(party.id).seats == 4


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"reason": "a class", "seats": "11"}, "Only 6 seats are free."),
        ({"seats": "7", "reason": ""}, "More than 6 seats need a reason"),
        ({"seats": "0"}, "between 1 and 100"),
        ({"seats": "two"}, "Not a valid integer"),
        ({"name": ""}, "Please enter your name."),
        ({"email": "nobody"}, "not a valid e-mail address"),
        ({"email": "taken@example.org"}, "This address already has a booking"),
        ({"locale": "xx"}, "Not a valid choice"),
    ],
)
def test_bad_entries_are_answered_at_their_field_with_nothing_lost(
    staff: FlaskClient, performance: Performance, typed: dict[str, str], told: str
) -> None:
    party = a_party(performance, 4)
    if "taken" in typed.get("email", ""):
        a_party(performance, 1, email="taken@example.org")
    for step in ("show", "save"):
        page = send(staff, "change", party, **entries(party, note="Row 1") | typed, step=step)
        assert page.status_code == 422
        (field,) = re.findall(
            r'<p class="text-danger mb-0" id="(\w+)-error">([^<]*)</p>', page.text
        )
        assert field[0] == list(typed)[-1]
        assert told in unescape(field[1])
        assert 'value="Row 1"' in page.text
    assert fresh(party.id).note == ""


def test_a_party_above_the_limit_needs_a_reason(
    staff: FlaskClient, performance: Performance
) -> None:
    party = a_party(performance, 4)
    send(staff, "change", party, **entries(party, seats="8", reason="two families"))
    assert fresh(party.id).seats == 8


def test_the_reason_of_a_party_above_the_limit_is_kept_and_told(
    staff: FlaskClient, performance: Performance
) -> None:
    party = a_party(performance, 4)
    send(staff, "change", party, **entries(party, seats="8", reason="two families"))
    # More seats need no new one, and keep it.
    send(staff, "change", party, **entries(party, seats="9"))
    assert fresh(party.id).limit_reason == "two families"
    typed = entries(party, reason="a class of Ada's school")
    told = text_of(preview(staff, "change", party, **typed).text)
    assert "Reason for a party above the limit: two families → a class of Ada's school" in told
    send(staff, "change", party, **typed)
    told = text_of(page_of(staff, party))
    assert "the reason for the larger party from “two families” to “a class of Ada's" in told
    send(staff, "change", party, **entries(party, seats="5", reason="no more"))
    assert fresh(party.id).limit_reason == ""


def test_house_seats_are_changed_on_their_page(
    staff: FlaskClient, performance: Performance
) -> None:
    kept = keep_back(performance.id, "Press", 4)
    page = page_of(staff, kept)
    assert "house seats" in text_of(page)
    assert "not confirmed yet" not in text_of(page)
    stored = {"house_note": "Press", "house_seats": "4", "house_until": ""}
    unchanged = send(staff, "house", kept, **stored)
    assert "Nothing is different" in unchanged.text
    until = (now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    typed = stored | {"house_note": "Radio", "house_seats": "2", "house_until": local(until)}
    shown_first = preview(staff, "house", kept, **typed)
    told = text_of(shown_first.text)
    assert "For whom: Press → Radio" in told
    assert "Seats: 4 → 2. Then 8 seats are free." in told
    assert "Release them at:" in told
    assert "No e-mail is sent about this." in told
    press(staff, "/admin/reservations/house/", **shown(shown_first.text), step="save")
    assert (fresh(kept.id).name, fresh(kept.id).hold_expires_at) == ("Radio", until)
    told = text_of(page_of(staff, kept))
    assert "kept 4 seats back for the house." in told
    assert "changed for whom they are kept back from “Press” to “Radio”." in told
    assert "changed the time of their release from" in told
    refused = send(staff, "house", kept, **typed | {"house_seats": "11"})
    assert "Only 8 seats are free." in refused.text
    assert refused.status_code == 422
    waiting = a_party(performance, 1, confirmed=False)
    pending = staff.get("/admin/reservations/?flt0_0=pending").text
    assert waiting.reference in pending
    assert kept.reference not in pending
    listed = staff.get("/admin/reservations/?flt0_0=house").text
    assert waiting.reference not in listed
    assert kept.reference in listed


def test_a_party_is_moved(staff: FlaskClient, performance: Performance) -> None:
    saturday = a_performance(9, show=performance.show)
    party = a_party(performance, 4)
    offered = page_of(staff, party)
    assert f'<option value="{saturday.id}">' in offered
    assert "9 free" in offered
    told = text_of(preview(staff, "move", party, performance=saturday.id).text)
    assert "From:" in told
    assert "Then 5 seats are free." in told
    assert "Reference and ticket stay the same." in told
    done = send(staff, "move", party, performance=saturday.id)
    assert "The party has been moved. An e-mail is on its way" in text_of(done.text)
    assert (seats_held(performance.id), seats_held(saturday.id)) == ((0, 0), (4, 4))
    full = send(staff, "move", a_party(performance, 6), performance=saturday.id)
    assert full.status_code == 422
    assert "Only 5 seats are free." in full.text


def test_a_party_is_split_and_merged_again(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4, name="Ada Rossi")
    typed = {"split_seats": "1", "split_name": "Bruno Neri", "split_email": party.email}
    told = text_of(preview(staff, "split", party, **typed).text)
    assert f"{party.reference} keeps 3 of 4 seats." in told
    assert "A new reservation of 1 seat in the name of Bruno Neri" in told
    send(staff, "split", party, **typed)
    other = db.session.scalar(
        db.select(Reservation).where(Reservation.name == "Bruno Neri").limit(1)
    )
    assert other is not None
    assert f'<option value="{other.id}">Bruno Neri · 1 seat · {other.reference}' in page_of(
        staff, party
    )
    told = text_of(preview(staff, "merge", party, other=other.id).text)
    assert "3 → 4 seats" in told
    assert f"{other.reference} (Bruno Neri) ends" in told
    send(staff, "merge", party, other=other.id)
    assert (fresh(party.id).seats, fresh(other.id).state) == (4, "cancelled")
    assert send(staff, "split", party, **typed | {"split_seats": "4"}).status_code == 422
    assert send(staff, "merge", party, other="no-id").status_code == 422


def test_a_cancellation_is_taken_back(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4)
    assert "4 seats come free. Then 10 seats are free." in text_of(
        preview(staff, "cancel", party).text
    )
    assert "Take back …" not in page_of(staff, party)
    send(staff, "cancel", party)
    page = page_of(staff, party)
    assert "Take back …" in page
    assert "Show what changes" not in page
    assert "with 4 seats. Then 6 seats are free." in text_of(
        preview(staff, "reinstate", party).text
    )
    assert "The reservation is valid again." in send(staff, "reinstate", party).text
    assert fresh(party.id).state == "confirmed"


def test_the_last_change_is_undone(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 4)
    assert "Undo the last change" not in page_of(staff, party)
    page = send(staff, "change", party, **entries(party, seats="5")).text
    assert "E-mails that have left cannot be taken back." in page
    assert 'id="undo-notify" name="notify" value="y" checked' in page
    (offer,) = re.findall(r'name="offer" value="([^"]+)"', page)
    undone = press(staff, "/admin/reservations/undo/", id=party.id, offer=offer, notify="y")
    assert "The change has been undone." in undone.text
    assert fresh(party.id).seats == 4
    assert mails(party)[-2:] == ["changed", "changed"]
    again = press(staff, "/admin/reservations/undo/", id=party.id, offer=offer)
    assert "It cannot be undone" in again.text
    for unknown in ("", "no-id"):
        told = press(staff, "/admin/reservations/undo/", id=party.id, offer=unknown)
        assert "It cannot be undone" in told.text


def test_the_second_of_two_is_told_and_keeps_the_entries(
    staff: FlaskClient, performance: Performance
) -> None:
    party = a_party(performance, 4)
    seen = fresh(party.id).changed_in
    send(staff, "change", party, **entries(party, name="Anna"))
    page = send(staff, "change", party, **entries(party, name="Ada B."), seen=seen)
    assert page.status_code == 409
    assert "Somebody else has changed this reservation" in page.text
    assert 'value="Ada B."' in page.text
    assert fresh(party.id).name == "Anna"
    assert f'name="seen" value="{fresh(party.id).changed_in}"' in page.text


def test_nobody_without_an_address_is_written_to(
    staff: FlaskClient, performance: Performance
) -> None:
    party = a_party(performance, 4)
    erasure.erase_on_request(party.id)
    page = preview(staff, "change", party, seats="2", locale="en").text
    assert "Nobody is written to: the party has no e-mail address." in page
    told = send(staff, "change", party, seats="2", locale="en").text
    assert "Nobody was written to." in told
    assert fresh(party.id).seats == 2


def test_who_may_only_look_finds_no_form_and_changes_nothing(
    in_app: Flask, performance: Performance
) -> None:
    party = a_party(performance, 4)
    reader = logged_in(in_app, "read_only")
    assert "<form class" not in page_of(reader, party)
    assert send(reader, "cancel", party).status_code == 403
    assert fresh(party.id).state == "confirmed"


def test_the_page_costs_few_statements(staff: FlaskClient, performance: Performance) -> None:
    from sqlalchemy import event

    for _ in range(5):
        a_performance()
        a_party(performance, 1)
    party = a_party(performance, 4)
    rules.reduce_seats(party.id, 3)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    page_of(staff, party)
    # Of these the history asks eight.
    assert len(statements) <= 15, statements


def test_walk_ins_are_corrected_and_moved(staff: FlaskClient, performance: Performance) -> None:
    other = a_performance(10)
    verdict = let_in_walk_ins(performance.id, 4, uuid4(), DOOR_A)
    assert verdict.party is not None
    assert verdict.party.id is not None
    party = fresh(verdict.party.id)
    page = page_of(staff, party)
    assert "Correct the number …" in page
    assert "Show what changes" not in page
    told = text_of(preview(staff, "correct", party, people="6").text)
    assert "People let in: 4 → 6. Then 4 seats are free." in told
    assert fresh(party.id).admitted == 4
    assert send(staff, "correct", party, people="11").status_code == 422
    send(staff, "correct", party, people="6")
    assert fresh(party.id).admitted == 6
    told = text_of(preview(staff, "move-walk-ins", party, performance=other.id).text)
    assert "Then 4 seats are free." in told
    send(staff, "move-walk-ins", party, performance=other.id)
    assert (seats_held(performance.id), seats_held(other.id)) == ((0, 0), (6, 6))
    again = send(staff, "move-walk-ins", party, performance=other.id).text
    assert "They are already there" in again


def test_parties_of_a_cancelled_performance_are_moved_together(
    staff: FlaskClient, performance: Performance
) -> None:
    saturday = a_performance(5, show=performance.show)
    fits, too_many = a_party(performance, 4, name="Ada Rossi"), a_party(performance, 3, name="Bo")
    waiting = a_party(performance, 1, name="Ciro", confirmed=False)
    address = f"/admin/evenings/{performance.id}/move-parties"
    assert (
        "Only parties of a cancelled performance" in staff.get(address, follow_redirects=True).text
    )
    cancel_performance(performance.id)
    page = staff.get(address).text
    assert re.findall(r'value="([^":]+):\d+"( checked)?', page) == [
        (str(fits.id), " checked"),
        (str(too_many.id), " checked"),
        (str(waiting.id), ""),
    ]
    chosen = [f"{one.id}:{fresh(one.id).changed_in}" for one in (fits, too_many)]
    nobody = press(staff, address, performance=saturday.id)
    assert (nobody.status_code, "Choose at least one party." in nobody.text) == (422, True)
    plan = press(staff, address, performance=saturday.id, party=chosen)
    told = text_of(plan.text)
    assert (
        f"1 party cannot be moved Bo · {too_many.reference} · 3 seats: Only 1 seat is free." in told
    )
    assert f"1 party is moved (4 seats) Ada Rossi · {fits.reference}" in told
    assert "Write to them: 1 e-mail" in told
    assert seats_held(saturday.id) == (0, 0)
    back = press(staff, address, **shown(plan.text), step="edit").text
    assert back.count(" checked") == 2
    done = press(staff, address, **shown(plan.text), step="save")
    assert "1 party has been moved. 1 e-mail is on its way." in text_of(done.text)
    assert fresh(fits.id).performance_id == saturday.id
    assert mails(fits)[-1] == "changed"
    # Somebody has taken the last seat of those whom the next preview named.
    chosen = [f"{waiting.id}:{fresh(waiting.id).changed_in}"]
    plan = press(staff, address, performance=saturday.id, party=chosen)
    a_party(saturday, 1)
    late = press(staff, address, **shown(plan.text), step="save")
    assert late.status_code == 409
    assert "nobody was moved" in late.text
    # One of them, on its own page.
    sunday = a_performance(9)
    assert "which is cancelled." in text_of(
        preview(staff, "move", too_many, performance=sunday.id).text
    )
    send(staff, "move", too_many, performance=sunday.id)
    assert (fresh(too_many.id).state, fresh(too_many.id).performance_id) == ("confirmed", sunday.id)
