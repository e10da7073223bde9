"""The waitlist in the back office: who is in line, what is offered, adding and removing."""

from collections.abc import Callable

from flask import Flask

from azionelab.bookings import rules
from azionelab.bookings.visitor_changes.seats import give_back_wheelchair_places
from azionelab.waitlist import line
from tests.factories import (
    a_party,
    a_performance,
    a_visitor,
    a_waiting_party,
    an_entry,
    fresh,
    mails,
)
from tests.support.people import logged_in, token_of


def test_staff_see_the_line_add_a_caller_and_remove_somebody(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0")
    with app.app_context():
        evening = a_performance(3)
        party = a_party(evening, 3)
        office = logged_in(app, "box_office")
        first = a_waiting_party(evening.id, 1, name="First")
        an_entry(evening.id)
        address = f"/admin/evenings/{evening.id}/waitlist"
        assert "Waitlist (1)" in office.get(f"/admin/evenings/{evening.id}").text

        form = token_of(office) | {
            "name": "A caller",
            "email": "caller@nowhere",
            "seats": "2",
            "locale": "it",
        }
        refused = office.post(address, data=form)
        assert refused.status_code == 422
        assert "caller@nowhere" in refused.text
        form["email"] = "caller@example.org"
        told = office.post(address, data=form, follow_redirects=True).text
        assert "A caller is on the waitlist, and gets a mail about it." in told
        assert "1 more has not confirmed the mailbox yet" in told
        told = office.post(address, data=form, follow_redirects=True).text
        assert "A caller is on the waitlist already." in told
        in_line = line.parties_in_line(evening.id)
        assert [each.name for each in in_line] == ["First", "A caller"]
        caller = in_line[1]
        assert mails(caller) == ["waitlist"]

        rules.reduce_seats(party.id, 1)  # one for the first, one that fits nobody
        page = office.get(address).text
        assert page.index("First") < page.index("A caller")
        assert fresh(first.id).state == "pending"
        # The offer is taken back: both seats are enough for the caller.
        gone = token_of(office) | {"id": str(first.id)}
        assert (
            "First is off the waitlist."
            in office.post(f"{address}/remove", data=gone, follow_redirects=True).text
        )
        assert (fresh(first.id).state, fresh(caller.id).state) == ("cancelled", "pending")
        rules.confirm(caller.id)
        taken = token_of(office) | {"id": str(caller.id)}
        told = office.post(f"{address}/remove", data=taken, follow_redirects=True).text
        assert "does not wait any more" in told
        assert fresh(caller.id).state == "confirmed"


def test_a_caller_waits_for_a_wheelchair_place(make_app: Callable[..., Flask]) -> None:
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0")
    with app.app_context():
        evening = a_performance(3, wheelchair_places=1)
        party = rules.reserve(evening.id, a_visitor(), 3, wheelchair_places=1)
        office = logged_in(app, "box_office")
        address = f"/admin/evenings/{evening.id}/waitlist"
        caller = {"name": "Ada", "email": "ada@example.org", "seats": "1", "locale": "it"}
        for wanted, told in (
            ("2", "more wheelchair places than seats"),
            ("0", "is on the waitlist, and gets a mail"),
            ("1", "is on the waitlist, and gets a mail"),
        ):
            form = token_of(office) | caller | {"wheelchair_places": wanted}
            form["email"] = f"ada{wanted}@example.org"
            assert told in office.post(address, data=form, follow_redirects=True).text
        give_back_wheelchair_places(party.id, 0, fresh(party.id).changed_in)
        (offer,) = line.open_offers(evening.id)
        assert (offer.email, offer.wheelchair_places) == ("ada1@example.org", 1)
        none = a_performance(1)
        a_party(none, 1)
        page = office.get(f"/admin/evenings/{none.id}/waitlist").text
        assert "wheelchair_places" not in page
