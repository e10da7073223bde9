"""What the box office does: books for somebody, undoes it, keeps seats back and releases them."""

from collections.abc import Callable
from functools import partial

from azionelab.bookings.box_office.book_for import Guest, book_for
from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.performance_changes import cancel_performance
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, fresh
from tests.faults.deeds import Press, Stage
from tests.support.reservations import saving


def _form(stage: Stage, address: str, **typed: str) -> Press:
    """A form of the box office as it is shown, but for what is typed into it."""
    shown = fields(stage.admin.get(address).text)
    sent = {name: shown[name] for name in ("csrf_token", "request_key")}
    return partial(stage.admin.post, address, data=sent | typed)


def staff_books_for_somebody(stage: Stage) -> Press:
    return _form(
        stage,
        f"/admin/evenings/{a_performance().id}/book",
        name="Ada Rossi",
        email="ada@example.org",
        seats="2",
        how="at_once",
        locale="it",
        with_mail="y",
        from_house="",
    )


def staff_undoes_booking(stage: Stage) -> Press:
    party = book_for(a_performance().id, Guest("Ada Rossi", "ada@example.org", "it"), 2)
    return stage.in_admin(f"evenings/{party.performance_id}/undo-booking", id=party.id)


def staff_keeps_back(stage: Stage) -> Press:
    address = f"/admin/evenings/{a_performance().id}/house-seats"
    return _form(stage, address, note="Press", seats="3", until="")


def staff_releases_house_seats(stage: Stage) -> Press:
    house = keep_back(a_performance().id, "Press", 5)
    address = f"evenings/{house.performance_id}/house-seats/release"
    return stage.in_admin(address, id=house.id, seen=5, seats=2)


def staff_changes_house_seats(stage: Stage) -> Press:
    house = keep_back(a_performance().id, "Press", 5)
    typed = {"house_note": "Radio", "house_seats": "3", "house_until": ""}
    return stage.in_admin("reservations/house/", **saving(house, **typed))


def staff_moves_parties_of_a_cancelled_performance(stage: Stage) -> Press:
    gone, target = a_performance(), a_performance()
    parties = [a_party(gone, 2), a_party(gone, 3)]
    cancel_performance(gone.id)
    chosen = [f"{party.id}:{fresh(party.id).changed_in}" for party in parties]
    sent = {"performance": target.id, "party": chosen, "step": "save", "notify": "y"}
    return stage.in_admin(f"evenings/{gone.id}/move-parties", **sent)


BOX_OFFICE: tuple[Callable[[Stage], Press], ...] = (
    staff_books_for_somebody,
    staff_undoes_booking,
    staff_keeps_back,
    staff_releases_house_seats,
    staff_changes_house_seats,
    staff_moves_parties_of_a_cancelled_performance,
)
