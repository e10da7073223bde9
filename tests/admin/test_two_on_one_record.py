"""Two of staff on one record: the second is told, at every form of the back office that changes one."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.house_seats import HouseEntries, change_house_seats, keep_back
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.walk_in_corrections import correct_walk_ins
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.shows.models import Performance
from tests.admin.test_access import rules_of
from tests.bookings.test_pages import fields
from tests.factories import DOOR_A, a_party, a_performance, fresh
from tests.support.people import logged_in, press
from tests.support.reservations import entries, saving

pytestmark = pytest.mark.usefixtures("in_app")

# What is compared is the row's `version`, the `digest` of a preview, or what the form showed.
# tests/admin/test_editing.py, test_runs.py, test_messages.py, test_mails.py, test_box_office.py, test_performance_day.py,
# test_long_files.py, test_pictures.py, test_queue.py
TOLD_ELSEWHERE = {
    "venues/edit/", "shows/edit/", "shows/picture/", "performances/edit/", "holidays/edit/", "accounts/edit/",
    "venues/delete/", "shows/delete/", "performances/delete/", "holidays/delete/", "performances/cancel/",
    "season/evenings", "messages/edit/", "messages/start/", "evenings/<int:performance_id>/note",
    "evenings/<int:performance_id>/book", "evenings/<int:performance_id>/house-seats/release",
    "evenings/<int:performance_id>/move-parties", "reservations/undo/", "mail-texts/edit/", "theme/", "theme/restore/", "theme/logo/",
    "mails/correct/", "queue/change/", "season/import/<uuid:import_id>/save",
}  # fmt: skip
# They set one thing to what the button says, or do what can be done once: the second finds it done, and reads that.
SETS_ONE_THING = {
    "reservations/confirm/", "reservations/erase/", "reservations/resend/", "people/erase/", "mails/resend/",
    "failed_mails/", "shows/archive/", "shows/restore/", "shows/give-up-address/", "tokens/revoke/",
    "programs/revoke/", "accounts/link/", "accounts/withdraw/", "accounts/end-sessions/",
    "accounts/reset-second-factor/", "messages/pause/", "messages/resume/", "messages/stop/",
    "messages/take-back/", "messages/delete/", "shows/move-picture/", "shows/remove-picture/",
    "shows/put-back-picture/", "webhooks/<int:webhook_id>/active",
    "webhooks/<int:webhook_id>/delete", "webhooks/<int:webhook_id>/again", "webhooks/<int:webhook_id>/test",
    "season/import/<uuid:import_id>/stop", "evenings/<int:performance_id>/waitlist/remove", "files/<uuid:file_id>/cancel",
    "queue/end/", "queue/resume/",
    *(
        f"evenings/<int:performance_id>/{what}"
        for what in (
            "bring-back", "put-away", "revoke", "reentry", "release", "release-holds", "restore", "resend",
            "undo-booking",
        )
    ),
}  # fmt: skip
# Nothing was there before.
MAKES_NEW = {
    "venues/new/", "shows/new/", "performances/new/", "holidays/new/", "accounts/new/", "tokens/new/",
    "programs/new/", "messages/new/", "messages/copy/", "messages/test/", "mail-texts/preview/", "theme/preview/", "mail-texts/test/",
    "shows/add-picture/", "shows/replace-picture/", "season/run", "season/duplicate", "season/import", "evenings/<int:performance_id>/house-seats",
    "evenings/<int:performance_id>/waitlist", "webhooks/", "queue/open/",
    "status/test",
}  # fmt: skip


def noted(party: Reservation) -> None:
    """Somebody else writes a note."""
    stored = fresh(party.id)
    change_party(party.id, replace(entries_of(stored), note="Row 1"), stored.changed_in)


def walk_ins(performance: Performance) -> Reservation:
    party = let_in_walk_ins(performance.id, 3, uuid4(), DOOR_A).party
    assert party is not None
    assert party.id is not None
    return fresh(party.id)


def corrected(party: Reservation) -> None:
    correct_walk_ins(party.id, 2, fresh(party.id).changed_in, DOOR_A)


def released_earlier(house: Reservation) -> None:
    seen = fresh(house.id).changed_in
    change_house_seats(house.id, HouseEntries("Radio", house.seats, None), seen)


def cancelled(performance: Performance) -> Reservation:
    party = a_party(performance)
    rules.cancel(party.id)
    return party


def taken_back_and_cancelled(party: Reservation) -> None:
    reinstate_party(party.id, fresh(party.id).changed_in)
    cancel_party(party.id, fresh(party.id).changed_in)


Other = Callable[[Reservation], Any]
Made = Callable[[Performance], Reservation]
PARTIES: dict[str, tuple[Made, Other, dict[str, Any]]] = {
    "change": (a_party, noted, {"seats": "1"}),
    "move": (a_party, noted, {}),
    "split": (a_party, noted, {"split_seats": "1", "split_name": "B", "split_email": ""}),
    "merge": (a_party, noted, {}),
    "cancel": (a_party, noted, {}),
    "late": (a_party, noted, {"minutes": "20"}),
    "reinstate": (cancelled, taken_back_and_cancelled, {}),
    "correct": (walk_ins, corrected, {"people": "4"}),
    "move-walk-ins": (walk_ins, corrected, {}),
    "house": (
        lambda performance: keep_back(performance.id, "Press", 2),
        released_earlier,
        {"house_note": "Critics", "house_seats": "1", "house_until": ""},
    ),
}


def test_the_second_of_two_on_a_reservation_is_told_and_changes_nothing(staff: FlaskClient) -> None:
    performance, target = a_performance(100), a_performance(100)
    for what, (make, other, typed) in PARTIES.items():
        party = make(performance)
        if what == "change":
            sent = entries(party, **typed)
        elif what == "merge":
            sent = {"other": a_party(performance).id}
        else:
            sent = {"performance": target.id} | typed
        form = saving(party, **sent)
        other(party)
        before = fresh(party.id).changed_in
        answer = press(staff, f"/admin/reservations/{what}/", **form)
        assert "Somebody else has changed this reservation" in answer.text, what
        assert fresh(party.id).changed_in == before, what
        # The page is as it is now: the next press does it.
        press(staff, f"/admin/reservations/{what}/", **saving(party, **sent))
        assert fresh(party.id).changed_in != before, what


def test_the_second_reads_who_changed_what_and_puts_nothing_back(
    staff: FlaskClient, app: Flask
) -> None:
    party = a_party(a_performance(100), 2, name="Ana Rosi")
    shown = fields(staff.get(f"/admin/reservations/details/?id={party.id}").text)["shown"]
    mine = saving(party, **entries(party, seats="3"), shown=shown)
    theirs = saving(party, **entries(party, name="Anna Rossi", note="Row 1"))
    colleague = logged_in(app, "box_office")
    press(colleague, "/admin/reservations/change/", **theirs)
    told = press(staff, "/admin/reservations/change/", **mine)
    assert "Box_Office changed the name from “Ana Rosi” to “Anna Rossi”." in told.text
    # What was typed is there, and what was not is as the colleague saved it.
    for name, value in (("name", "Anna Rossi"), ("note", "Row 1"), ("seats", "3")):
        assert re.search(f'id="{name}"[^>]* value="{value}"', told.text), name


def test_no_form_that_changes_a_record_is_left_out(app: Flask) -> None:
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views}
    known = TOLD_ELSEWHERE | SETS_ONE_THING | MAKES_NEW
    known |= {f"reservations/{what}/" for what in PARTIES}
    left_out = set()
    for rule in rules_of(app, "POST"):
        address = str(rule).removeprefix("/admin/")
        view = views[rule.endpoint.partition(".")[0]]
        name = rule.endpoint.rpartition(".")[2]
        switch = {"edit_view": "can_edit", "create_view": "can_create", "delete_view": "can_delete"}
        is_off = name in switch and not getattr(view, switch[name], True)
        # Searches; mass actions and inline edits do nothing (test_model_writes.py).
        reads = address.endswith("/find/") or name in ("action_view", "ajax_update", "customers")
        reads = reads or address.endswith("/export/make/")
        if not is_off and not reads and address not in known:
            left_out.add(address)
    assert left_out == set()
