"""What people of the theatre do besides in the back office: edit, delete, erase, give up, release."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from azionelab.bookings.rules import Visitor, reserve
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.checkin.devices import invitations
from azionelab.database import db, now, transaction
from azionelab.mail.models import Mail
from azionelab.shows.models import Holiday, Performance, Show, Venue
from azionelab.staff.accounts import create_account
from tests.admin.test_editing import shown
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, a_visitor
from tests.faults.deeds import Press, Stage, party_tonight, tonight
from tests.support.people import PASSWORD, token_of
from tests.support.reservations import saving


def edit(stage: Stage, what: str, identity: object, **typed: Any) -> Press:
    """A form of the back office as it is shown, but for what is typed into it."""
    address = f"/admin/{what}/edit/?id={identity}"
    return partial(stage.admin.post, address, data=shown(stage.admin.get(address).text) | typed)


def staff_changes(stage: Stage) -> Press:
    party = a_party(a_performance())
    address = f"/admin/performances/edit/?id={party.performance_id}"
    hour, _, minute = shown(stage.admin.get(address).text)["starts_at"].rpartition(":")
    other = f"{hour}:{(int(minute[:2]) + 7) % 60:02}"  # the party is written to
    form = shown(stage.admin.get(address).text) | {"starts_at": other, "capacity": "25"}
    seen = fields(stage.admin.post(address, data=form).text)["seen_effect"]
    return partial(stage.admin.post, address, data=form | {"seen_effect": seen})


def staff_changes_show(stage: Stage) -> Press:
    show = a_performance().show_id
    return edit(stage, "shows", show, title="Re Lear", slug=f"lear-{uuid4().hex}")


def staff_changes_venue(stage: Stage) -> Press:
    return edit(stage, "venues", a_performance().venue_id, address="Via Verdi 2")


def staff_changes_account(stage: Stage) -> Press:
    user = create_account(f"{uuid4().hex}@theatre.org", "door", PASSWORD)
    return edit(stage, "accounts", user.id, name="Marta", role="staff")


def delete(stage: Stage, what: str, identity: object) -> Press:
    """The button that deletes a row as its page shows it."""
    version = shown(stage.admin.get(f"/admin/{what}/edit/?id={identity}").text)["version"]
    return stage.in_admin(f"{what}/delete/", id=identity, version=version)


def staff_deletes_performance(stage: Stage) -> Press:
    return delete(stage, "performances", a_performance().id)


def staff_deletes_show(stage: Stage) -> Press:
    with transaction() as session:
        show = Show(slug=f"lear-{uuid4().hex}", title="Lear")
        session.add(show)
    return delete(stage, "shows", show.id)


def staff_deletes_venue(stage: Stage) -> Press:
    with transaction() as session:
        venue = Venue(name=f"Sala {uuid4()}", address="Via Roma 1")
        session.add(venue)
    return delete(stage, "venues", venue.id)


def staff_gives_up_address(stage: Stage) -> Press:
    show = a_performance().show
    old = show.slug
    with transaction() as session:
        session.execute(update(Show).where(Show.id == show.id).values(slug=f"lear-{uuid4().hex}"))
    return stage.in_admin(f"shows/give-up-address/?slug={old}", id=show.id)


def staff_erases(stage: Stage) -> Press:
    return stage.in_admin("reservations/erase/", id=a_party(a_performance()).id)


def staff_tells_late(stage: Stage) -> Press:
    return stage.in_admin("reservations/late/", **saving(a_party(a_performance())), minutes="20")


def staff_resends_mail(stage: Stage) -> Press:
    party = a_party(a_performance())
    mail = db.session.scalars(select(Mail.id).where(Mail.reservation_id == party.id)).first()
    return stage.in_admin("mails/resend/", id=mail)


def in_evening(stage: Stage, evening: Performance | int, what: str, **typed: Any) -> Press:
    """A button of an evening's page."""
    number = evening if isinstance(evening, int) else evening.id
    return stage.in_admin(f"evenings/{number}/{what}", **typed)


def staff_releases(stage: Stage) -> Press:
    return in_evening(stage, party_tonight().performance_id, "release")


def staff_restores(stage: Stage) -> Press:
    evening = party_tonight().performance_id
    release_no_shows(evening)
    return in_evening(stage, evening, "restore")


def staff_releases_network(stage: Stage) -> Press:
    evening = a_performance()
    party = reserve(evening.id, Visitor("Ada", a_visitor().email, "en", "192.0.2.7"), 2)
    network = (party.network or b"").hex()
    return in_evening(stage, evening, "release-holds", network=network)


def staff_revokes_device(stage: Stage) -> Press:
    evening = tonight()
    device, _ = invitations.enrol(invitations.make_invitation(evening.id), "Marta's phone")
    return in_evening(stage, evening, "revoke", device=device.id)


def staff_lets_people_out(stage: Stage) -> Press:
    return in_evening(stage, tonight(), "reentry", allowed="yes")


def planned(stage: Stage, address: str, **typed: Any) -> Press:
    """The second press of a planning form, which saves what the first one previewed."""
    page = stage.admin.post(address, data=typed | {"preview": "change"}).text
    form = typed | {"seen": fields(page)["seen"], "save": "change"}
    return partial(stage.admin.post, address, data=form)


def staff_adds_run(stage: Stage) -> Press:
    with transaction() as session:
        venue = Venue(name=f"Sala {uuid4()}", default_capacity=50)
        session.add(venue)
    return planned(
        stage,
        "/admin/season/run",
        **token_of(stage.admin),
        show_id="0",
        title=f"Lear {uuid4().hex}",
        venue_id=venue.id,
        party_limit="6",
        closes_minutes="60",
        sentence="Fri and Sat 20:30 from 5 to 12 October 2029",
    )


def staff_changes_run(stage: Stage) -> Press:
    party = a_party(a_performance())
    address = f"/admin/season/evenings?show={party.performance.show_id}"
    token = token_of(stage.admin)
    return planned(stage, address, **token, evening=party.performance_id, days="3", capacity="25")


def staff_adds_holiday(stage: Stage) -> Press:
    return stage.in_admin("holidays/new/", name=f"Natale {uuid4()}", first_day="2029-12-24")


def staff_duplicates(stage: Stage) -> Press:
    address = f"/admin/season/duplicate?show={a_performance().show_id}"
    typed = {"title": f"Lear {uuid4().hex}", "first_day": "2029-10-05"}
    return planned(stage, address, **token_of(stage.admin), **typed)


def staff_imports(stage: Stage) -> Press:
    name = uuid4().hex
    lines = f"show,venue,starts,seats\nLear {name},Sala {name},2029-10-05 20:30,50\n"
    return planned(stage, "/admin/season/import", **token_of(stage.admin), content=lines)


def staff_archives(stage: Stage) -> Press:
    with transaction() as session:
        show = Show(slug=f"lear-{uuid4().hex}", title="Lear")
        session.add(show)
    return stage.in_admin("shows/archive/", id=show.id)


def staff_restores_show(stage: Stage) -> Press:
    with transaction() as session:
        show = Show(slug=f"lear-{uuid4().hex}", title="Lear", archived_at=now())
        session.add(show)
    return stage.in_admin("shows/restore/", id=show.id)


def a_holiday() -> Holiday:
    with transaction() as session:
        holiday = Holiday(
            name=f"Natale {uuid4()}", first_day=date(2029, 12, 24), last_day=date(2029, 12, 26)
        )
        session.add(holiday)
    return holiday


def staff_changes_holiday(stage: Stage) -> Press:
    return edit(stage, "holidays", a_holiday().id, name=f"Noël {uuid4()}")


def staff_deletes_holiday(stage: Stage) -> Press:
    return delete(stage, "holidays", a_holiday().id)


OFFICE: tuple[Callable[[Stage], Press], ...] = (
    staff_changes, staff_changes_show, staff_changes_venue, staff_changes_account,
    staff_deletes_performance, staff_deletes_show, staff_deletes_venue, staff_gives_up_address,
    staff_erases, staff_tells_late, staff_resends_mail, staff_releases, staff_restores,
    staff_adds_run, staff_changes_run, staff_adds_holiday, staff_changes_holiday, staff_duplicates, staff_imports,
    staff_archives, staff_restores_show, staff_deletes_holiday,
    staff_releases_network, staff_revokes_device, staff_lets_people_out,
)  # fmt: skip
