"""Passes for wallets: what they say, that their signatures hold, and that nothing is offered without keys."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.mails.messages import render
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import ticket_url
from azionelab.bookings.wallet.google import MAX_LENGTH, SAVE
from azionelab.database import transaction
from azionelab.mail.models import Mail, MailKind
from azionelab.shows.models import Show, Venue
from azionelab.theme.models import Logo, Theme
from azionelab.theme.rules import save_theme
from tests.factories import a_party, a_performance, a_visitor, fresh, move, visitor_token
from tests.support.wallet_keys import (
    GOOGLE_EMAIL,
    GOOGLE_ISSUER,
    PASS_TYPE,
    TEAM,
    a_key,
    apple,
    wallet_settings,
)


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The site of a theatre with keys."""
    app = make_app(**wallet_settings())
    with app.app_context():
        yield app


def get(app: Flask, reservation: Reservation, what: str = "", language: str = "en") -> Any:
    address = f"/{language}/bookings/{visitor_token(reservation)}{what}"
    return app.test_client().get(address)


def unpacked(app: Flask, reservation: Reservation, language: str = "en") -> dict[str, bytes]:
    answer = get(app, reservation, "/ticket.pkpass", language)
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.apple.pkpass")
    with ZipFile(BytesIO(answer.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def content(files: dict[str, bytes]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files["pass.json"])
    return read


def values(read: dict[str, Any]) -> dict[str, str]:
    return {
        field["key"]: field["value"] for group in read["eventTicket"].values() for field in group
    }


def claims(app: Flask, reservation: Reservation, language: str = "en") -> dict[str, Any]:
    """What Google reads of the link, its signature checked."""
    answer = get(app, reservation, "/google-wallet", language)
    assert answer.status_code == 303
    token = answer.location.removeprefix(SAVE)
    assert len(token) <= MAX_LENGTH
    head, body, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
    )
    signed = token.rpartition(".")[0].encode()
    a_key("google").public_key().verify(signature, signed, PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        a_key("google").public_key().verify(signature, signed + b"x", PKCS1v15(), SHA256())
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT"}
    read: dict[str, Any] = json.loads(body)
    return read


def verify(folder: Path, manifest: bytes, signature: bytes) -> bool:
    """Whether OpenSSL finds the signature good, by the authority's root alone."""
    for name, file in (
        ("manifest", manifest),
        ("signature", signature),
        ("root", apple().root.encode()),
    ):
        (folder / name).write_bytes(file)
    command = (
        "openssl cms -verify -binary -inform DER -in signature -content manifest -CAfile root"
        " -purpose any -out /dev/null"
    )
    return (
        subprocess.run(command.split(), cwd=folder, capture_output=True, check=False).returncode
        == 0
    )


def test_a_pass_is_signed_as_apple_wants_it(site: Flask, tmp_path: Path) -> None:
    files = unpacked(site, a_party(a_performance(), 3))
    manifest, signature = files.pop("manifest.json"), files.pop("signature")
    assert json.loads(manifest) == {
        name: hashlib.sha1(file, usedforsecurity=False).hexdigest() for name, file in files.items()
    }
    assert verify(tmp_path, manifest, signature)
    assert not verify(tmp_path, manifest.replace(b"a", b"b", 1), signature)
    sizes = {name: Image.open(BytesIO(file)).size for name, file in files.items() if ".png" in name}
    assert sizes == {"icon.png": (29, 29), "icon@2x.png": (58, 58), "icon@3x.png": (87, 87)}


def test_a_pass_says_what_the_ticket_says(site: Flask) -> None:
    party = a_party(a_performance(), 3, name="Ada Zzyzx", email="ada.zzyzx@example.org")
    files = unpacked(site, party)
    read, performance = content(files), party.performance
    assert (read["passTypeIdentifier"], read["teamIdentifier"]) == (PASS_TYPE, TEAM)
    assert read["serialNumber"] == str(party.id)
    (code,) = read["barcodes"]
    assert (code["message"], code["format"]) == (ticket_url(party), "PKBarcodeFormatQR")
    assert not read["voided"]
    zone = site.config["AZIONELAB"].time_zone
    assert read["relevantDate"] == performance.starts_at.astimezone(zone).isoformat(
        timespec="seconds"
    )
    assert read["expirationDate"] == performance.ends_at.astimezone(zone).isoformat(
        timespec="seconds"
    )
    said = values(read)
    assert said["show"] == performance.show.title
    assert (said["seats"], said["reference"]) == ("3 seats", party.reference)
    assert said["where"] == performance.venue.name
    assert '"3 seats" = "3 posti";' in files["it.lproj/pass.strings"].decode()
    assert '"3 posti" = "3 seats";' in unpacked(site, party, "it")["en.lproj/pass.strings"].decode()
    for file in files.values():
        assert b"Ada" not in file
        assert b"zzyzx" not in file.lower()
        assert visitor_token(party).encode() not in file


def test_a_moved_performance_gives_a_pass_that_replaces_the_one_on_the_phone(site: Flask) -> None:
    party = a_party(a_performance())
    before, google_before = content(unpacked(site, party)), claims(site, party)
    move(party.performance_id, party.performance.starts_at + timedelta(hours=26))
    after, google_after = content(unpacked(site, fresh(party.id))), claims(site, fresh(party.id))
    assert after["relevantDate"] != before["relevantDate"]
    assert after["barcodes"] == before["barcodes"]
    named = ("passTypeIdentifier", "serialNumber")
    assert [after[name] for name in named] == [before[name] for name in named]
    # Google keeps what it first saw of an id.
    for kind in ("eventTicketClasses", "eventTicketObjects"):
        assert google_after["payload"][kind][0]["id"] != google_before["payload"][kind][0]["id"]


@pytest.mark.parametrize("called_off", [True, False])
def test_an_invalid_ticket_gives_a_void_pass(site: Flask, called_off: bool) -> None:
    party = a_party(a_performance())
    if called_off:
        performance_changes.cancel_performance(party.performance_id)
    else:
        rules.cancel(party.id)
    read = content(unpacked(site, party))
    assert read["voided"]
    assert "barcodes" not in read
    why = "This performance is cancelled." if called_off else "This booking was cancelled."
    assert values(read)["note"] == why
    assert get(site, party, "/google-wallet").status_code == 404
    page = get(site, party).text
    assert "Mark as void in Apple Wallet" in page
    assert "google-wallet" not in page


def test_the_link_to_google_holds_the_ticket(site: Flask) -> None:
    party = a_party(a_performance(), 2, name="Ada Zzyzx", email="ada.zzyzx@example.org")
    with transaction() as session:
        show = session.get_one(Show, party.performance.show_id)
        show.titles = {"en": "The Tempest"}
        session.get_one(Venue, party.performance.venue_id).address = "Via Roma 1, Torino"
    read = claims(site, fresh(party.id))
    assert (read["iss"], read["aud"], read["typ"]) == (GOOGLE_EMAIL, "google", "savetowallet")
    (event,), (ticket,) = read["payload"].values()
    assert ticket["classId"] == event["id"]
    assert {one["id"].partition(".")[0] for one in (event, ticket)} == {GOOGLE_ISSUER}
    zone = site.config["AZIONELAB"].time_zone
    assert (
        event["dateTime"]["start"]
        == f"{party.performance.starts_at.astimezone(zone):%Y-%m-%dT%H:%M}"
    )
    assert ticket["barcode"]["value"] == ticket_url(party)
    assert ticket["ticketType"]["defaultValue"] == {"language": "en", "value": "2 seats"}
    assert event["eventName"]["defaultValue"]["value"] == "The Tempest"
    assert event["venue"]["address"]["defaultValue"]["value"] == "Via Roma 1, Torino"
    assert "zzyzx" not in json.dumps(read).lower()


def test_the_longest_texts_fit_into_the_link(site: Flask) -> None:
    party = a_party(a_performance())
    with transaction() as session:
        show = session.get_one(Show, party.performance.show_id)
        show.title, show.titles = "Ž" * 200, {"en": "Ý" * 200}
        venue = session.get_one(Venue, party.performance.venue_id)
        venue.name, venue.address = "ß" * 200, "劇" * 200
    read = claims(site, fresh(party.id))
    title = read["payload"]["eventTicketClasses"][0]["eventName"]["defaultValue"]["value"]
    assert title.startswith("Ý")
    assert title.endswith("…")


def test_a_wheelchair_place_is_named(site: Flask) -> None:
    performance = a_performance(wheelchair_places=2)
    party = rules.reserve(performance.id, a_visitor(), 2, uuid4(), wheelchair_places=1)
    rules.confirm(party.id)
    said = values(content(unpacked(site, party)))["seats"]
    assert said == "2 seats, 1 of them a wheelchair place"


def test_a_pass_has_the_theatres_look(site: Flask) -> None:
    picture = BytesIO()
    Image.new("RGBA", (400, 100), "#0a0b0c80").save(picture, "WEBP")
    theme = Theme(name="Teatro della Luna", accent="#1d4e89", logo=Logo("d" * 32, 400, 100))
    save_theme(theme, seen=0, by=None, logo=picture.getvalue())
    files = unpacked(site, a_party(a_performance()))
    read = content(files)
    assert read["organizationName"] == "Teatro della Luna"
    red, _green, blue = (int(part) for part in read["backgroundColor"][4:-1].split(","))
    assert blue > red
    assert "logoText" not in read
    sizes = {name: Image.open(BytesIO(file)).size for name, file in files.items() if "logo" in name}
    assert sizes == {"logo.png": (160, 40), "logo@2x.png": (320, 80), "logo@3x.png": (480, 120)}


def test_the_page_offers_what_there_are_keys_for(
    site: Flask, make_app: Callable[..., Flask], client: FlaskClient
) -> None:
    party = a_party(a_performance())
    page = get(site, party)
    assert "Add to Apple Wallet" in page.text
    assert "Add to Google Wallet" in page.text
    # Nothing of Google's is on the page before it is asked for.
    assert "google.com" not in page.text
    for what in ("/ticket.pkpass", "/google-wallet"):
        answer = get(site, party, what)
        assert "no-store" in answer.headers["Cache-Control"]
        assert get(site, a_party(a_performance(), confirmed=False), what).status_code == 404
        assert client.get(f"/en/bookings/{visitor_token(party)}{what}").status_code == 404
    assert "Wallet" not in client.get(f"/en/bookings/{visitor_token(party)}").text
    assert "Google" in site.test_client().get("/en/privacy").text
    assert "Google" not in client.get("/en/privacy").text
    over = make_app(APPLE_PASS=apple(days=-1).setting)
    assert "Wallet" not in get(over, party).text
    assert get(over, party, "/ticket.pkpass").status_code == 404


def test_the_mail_about_a_change_says_that_a_pass_does_not_change_by_itself(
    site: Flask, in_app: Flask
) -> None:
    party = a_party(a_performance())
    move(party.performance_id, party.performance.starts_at + timedelta(hours=26))
    with transaction() as session:
        mail = session.query(Mail).filter_by(kind=MailKind.MOVED).one()
    with site.app_context():
        message = render(mail)
        assert "wallet" in message.text
        assert "wallet" in message.html
    assert "wallet" not in render(mail).text
