"""Looking for somebody in the back office: results have an address, and no name is in it."""

import pytest
from flask.testing import FlaskClient

from tests.stage import a_party, a_performance
from tests.support.people import press

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


def test_what_is_not_kept_any_more_is_told(staff: FlaskClient, admin: FlaskClient) -> None:
    address = find(staff, "Ada Rossi")
    for client, path in ((admin, address), (staff, f"{LIST}?find=long-ago")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "not kept any more" in answer.text
    for number in range(8):
        find(staff, f"name {number}")
    assert "not kept any more" in staff.get(address).text
