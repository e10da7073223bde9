"""Looking for somebody in the back office: results have an address, and no name is in it."""

import pytest
from flask.testing import FlaskClient

from azionelab.database import transaction
from azionelab.shows.models import Show, Venue
from azionelab.staff.accounts import create_account
from azionelab.staff.tokens import Scope, issue_token
from tests.factories import a_party, a_performance
from tests.support.people import PASSWORD, press

pytestmark = pytest.mark.usefixtures("in_app")

LIST = "/admin/reservations/"


def find(staff: FlaskClient, text: str, address: str = f"{LIST}find/") -> str:
    """Look for a text; the address of its results."""
    answer = press(staff, address, LIST, search=text)
    assert answer.status_code == 200
    return answer.request.full_path


def test_results_have_an_address_that_names_nobody(staff: FlaskClient) -> None:
    a_party(a_performance())
    address = find(staff, "Ada Rossi")
    assert "Rossi" not in address
    assert "ada" not in address.lower().replace("admin", "")
    again = staff.get(address).text
    assert "Ada Rossi" in again
    # Pages, filters and the way back from a reservation keep it.
    assert address.partition("find=")[2] in again.partition("<tbody>")[2]
    assert 'type="hidden" name="find"' in again


def test_a_page_behind_the_last_one_leads_back(staff: FlaskClient) -> None:
    a_party(a_performance())
    beyond = staff.get(f"{LIST}?page=7").text
    assert "the list has become shorter" in beyond
    assert "Page 8" not in beyond
    assert 'rel="prev" href="/admin/reservations/' in beyond
    assert "page=6" not in beyond


def test_what_is_not_kept_any_more_is_told(staff: FlaskClient, admin: FlaskClient) -> None:
    address = find(staff, "Ada Rossi")
    for client, path in ((admin, address), (staff, f"{LIST}?find=long-ago")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "This search has expired" in answer.text
    for number in range(8):
        find(staff, f"name {number}")
    assert "This search has expired" in staff.get(address).text


@pytest.mark.parametrize(
    ("table", "typed", "listed"),
    [
        ("shows", "cosi", "Così è"),
        ("shows", "PERO", "Così è"),
        ("performances", "uebergaenge", "Stück für Übergänge"),
        ("performances", "l’opera citta", "Stück für Übergänge"),
        ("venues", "citta dell’Opera", "Città dell&#39;Opera"),
        ("mails", "nicolo damico", "nicolo@<wbr>example"),
        ("accounts", "zoe", "zoe@example.org"),
        ("tokens", "entree", "Entrée"),
    ],
)
def test_every_list_finds_a_text_however_it_is_typed(
    admin: FlaskClient, table: str, typed: str, listed: str
) -> None:
    with transaction() as session:
        session.add(Show(slug="cosi-e", title="Così è", summary="Pirandello, però breve"))
        other = Show(slug="other", title="Stück für Übergänge", published=True)
        session.add(other)
        venue = Venue(name="Città dell'Opera", address="Via Roma 1")
    performance = a_performance(show=other, venue=venue)
    a_party(performance, name="Nicolò D'Amico", email="nicolo@example.org")
    create_account("zoe@example.org", "door", PASSWORD, "Zoë")
    issue_token("Entrée A", Scope.DOOR, 1)
    listing = f"/admin/{table}/"
    for text, found in ((typed, True), (f"{typed} nobody", False)):
        page = press(admin, f"{listing}find/", listing, search=text).text
        assert (listed in page) is found, page
