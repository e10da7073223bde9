"""The door app as the server delivers it: the same for everybody, cacheable, in the reader's language."""

import gzip
import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from azionelab.checkin.limits import MAX_ACTIONS
from azionelab.checkin.verdicts import VerdictKind
from tests.bookings.test_pages import fields
from tests.checkin.test_door_pages import ENGLISH
from tests.factories import a_performance
from tests.support.processes import ROOT

pytestmark = pytest.mark.usefixtures("in_app")
SCRIPTS = sorted((ROOT / "static_frontend/src/door").rglob("*.ts"))
FOR_ALL = ("/checkin/app", "/checkin/sw.js", "/checkin/manifest.webmanifest")


def table_of(client: FlaskClient, language: str) -> dict[str, Any]:
    page = client.get("/checkin/app", headers={"Accept-Language": language}).text
    data = re.search(r'<script type="application/json" data-words>(.*?)</script>', page)
    assert data is not None
    table: dict[str, Any] = json.loads(data[1])
    return table


def shell_of(client: FlaskClient, **headers: str) -> dict[str, Any]:
    script = client.get("/checkin/sw.js", headers=headers).text
    shell: dict[str, Any] = json.loads(script.partition("=")[2].partition(";\n")[0])
    return shell


@pytest.mark.parametrize("address", FOR_ALL)
def test_it_is_the_same_for_everybody(
    client: FlaskClient,
    door: FlaskClient,
    address: str,
) -> None:
    stranger = door.application.test_client().get(address)
    assert stranger.status_code == 200
    assert stranger.data == door.get(address).data
    for answer in (stranger, door.get(address)):
        assert "Set-Cookie" not in answer.headers
        assert answer.cache_control.public
        assert answer.cache_control.no_cache
    again = client.get(address, headers={"If-None-Match": stranger.headers["ETag"]})
    assert again.status_code == 304


def test_it_sends_as_many_actions_at_once_as_the_api_takes() -> None:
    script = (ROOT / "static_frontend/src/door/sync/sync.ts").read_text(encoding="utf-8")
    assert f"const MAX_ACTIONS = {MAX_ACTIONS};" in script


def test_it_speaks_the_readers_language(client: FlaskClient) -> None:
    assert table_of(client, "it")["words"]["next"] == "Avanti"
    english = table_of(client, "en")
    assert english["words"]["already_in.first"] == "At {at} by {by}."
    assert english["words"]["admitted.rest"] == {
        "one": "{num} of the party is still to come.",
        "other": "{num} of the party are still to come.",
    }
    assert (english["locale"], english["time_zone"]) == ("en-GB", "Europe/Rome")


def test_every_verdict_has_a_text(client: FlaskClient) -> None:
    table = table_of(client, "en")
    assert {*VerdictKind} <= table["words"].keys()
    assert table["tones"].keys() <= table["words"].keys()
    with_detail = {*VerdictKind} - {
        VerdictKind.ADMITTED,
        VerdictKind.ALREADY_IN,
        VerdictKind.WRONG_PERFORMANCE,
    }
    assert {f"{kind}.detail" for kind in with_detail} <= table["words"].keys()


def test_the_scripts_use_only_existing_texts(client: FlaskClient) -> None:
    used = {
        name
        for script in SCRIPTS
        for name in re.findall(r'\btexts\.get\(\s*"([a-z_.-]+)"', script.read_text())
    }
    assert len(used) > 30
    assert used <= table_of(client, "en")["words"].keys()


def test_all_files_that_the_worker_caches_exist(client: FlaskClient) -> None:
    shell = shell_of(client)
    for address in [shell["page"], *shell["files"], *shell["later"]]:
        with client.get(address, buffered=True) as answer:
            assert answer.status_code == 200, address
    assert shell["page"] == "/checkin/app"
    assert any(address.endswith(".wasm") for address in shell["later"])


def test_the_worker_changes_with_the_page(client: FlaskClient, make_app: Any) -> None:
    here = shell_of(client, **{"Accept-Language": "en"})
    renamed = make_app(SITE_NAME="Another Theatre").test_client()
    assert here["version"] != shell_of(client, **{"Accept-Language": "it"})["version"]
    assert here["version"] != shell_of(renamed, **{"Accept-Language": "en"})["version"]


def test_it_can_be_installed(client: FlaskClient) -> None:
    answer = client.get("/checkin/manifest.webmanifest", headers=ENGLISH)
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.data)
    assert (manifest["start_url"], manifest["scope"]) == ("/checkin/app", "/checkin/")
    assert manifest["display"] == "standalone"
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        with client.get(icon["src"], buffered=True) as picture:
            size = Image.open(io.BytesIO(picture.data)).size
        assert "{}x{}".format(*size) == icon["sizes"]


def test_a_first_visit_is_less_than_200_kb(client: FlaskClient) -> None:
    shell = shell_of(client)
    worker = re.findall(r'importScripts\("([^"]+)"\)', client.get("/checkin/sw.js").text)
    size = 0
    for address in ["/checkin/app", "/checkin/sw.js", *worker, *shell["files"]]:
        with client.get(address, buffered=True) as answer:
            size += len(gzip.compress(answer.data))
    assert size < 100_000, "half of the law: it has never been near that"


def test_staff_enrol_their_own_phone_without_a_qr(door: FlaskClient) -> None:
    performance = a_performance()
    page = door.get(f"/checkin/performances/{performance.id}", headers=ENGLISH).text
    token = {"csrf_token": fields(page)["csrf_token"]}
    answer = door.post(f"/checkin/performances/{performance.id}/open", data=token)
    assert answer.status_code == 303
    invitation = re.search(r"/checkin/app#join=(\S+)$", answer.location)
    assert invitation is not None
    asked = {"invitation": invitation[1], "label": "Anna's phone"}
    enrolled = door.application.test_client().post("/api/v1/checkin/devices", json=asked)
    assert enrolled.status_code == 201
    assert enrolled.get_json()["performance_id"] == performance.id


def test_strangers_cannot_enrol_a_phone(client: FlaskClient) -> None:
    performance = a_performance()
    answer = client.post(f"/checkin/performances/{performance.id}/open")
    assert answer.location == f"/checkin/performances/{performance.id}"
    assert "/staff/login" in client.get(answer.location).location
