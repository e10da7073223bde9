"""A language is a folder of translations/ and nothing else: a copy of the application gets one, and speaks it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from tests.factories import a_performance
from tests.support.processes import PYTHON, ROOT

WORDS = {
    "What is on": "Spielplan",
    "Book your seats": "Plätze reservieren",
    "Page not found": "Seite nicht gefunden",
    "Confirm the booking": "Reservierung bestätigen",
    ("%(num)s seat left", "%(num)s seats left"): ("Noch %(num)s Platz", "Noch %(num)s Plätze"),
}
VISIT = """
import json, re, sys
from azionelab.app import create_app
from azionelab.bookings.mails.messages import render
from azionelab.database import db
from azionelab.mail.models import Mail

app = create_app()
german = app.test_client()
german.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de-AT,de;q=0.9,en;q=0.5"
told = {}
for name, address in json.loads(sys.argv[1]).items():
    answer = german.get(address)
    told[name] = [answer.status_code, answer.location, answer.text]
form = dict(re.findall(r'name="(csrf_token|request_key)"[^>]*value="([^"]+)"', told["form"][2]))
form |= {"name": "Ada", "email": "ada@example.org", "seats": "2", "consent": "y"}
booked = german.post(json.loads(sys.argv[1])["form"], data=form)
told["booked"] = [booked.status_code, booked.location, booked.text]
with app.app_context():
    message = render(db.session.query(Mail).one())
    told["mail"] = [0, message.link, message.text]
print(json.dumps(told))
"""


def test_a_new_folder_is_a_new_language(
    tmp_path: Path, settings: dict[str, str], in_app: object
) -> None:
    shutil.copytree(ROOT / "azionelab", tmp_path / "azionelab")
    for beside in ("static_frontend", "migrations"):
        (tmp_path / beside).symlink_to(ROOT / beside)
    catalogue = Catalog(locale="de")
    for text, words in WORDS.items():
        catalogue.add(text, words)
    folder = tmp_path / "azionelab/translations/de/LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)

    performance = a_performance(capacity=10)
    book = f"/de/performances/{performance.id}/book"
    addresses = {
        "entry": "/",
        "programme": "/de/",
        "form": book,
        "missing": "/de/nirgends",
        "login": "/staff/login",
    }
    visited = subprocess.run(
        [PYTHON, "-c", VISIT, json.dumps(addresses)],
        cwd=tmp_path,
        env=os.environ | settings | {"FLASK_SKIP_DOTENV": "1", "DEFAULT_LOCALE": "de"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert visited.returncode == 0, visited.stderr
    told = json.loads(visited.stdout.splitlines()[-1])
    assert told["entry"][:2] == [302, "/de/"]
    programme = told["programme"][2]
    for part in (
        '<html lang="de">', "Spielplan", "Noch 10 Plätze", f'href="{book}"', 'hreflang="de" href=',
        '<a href="/it/" lang="it" hreflang="it">', '<a href="/de/" lang="de" hreflang="de" aria-current="true">',
        " Deutsch</span>",
    ):  # fmt: skip
        assert part in programme, part
    assert "Plätze reservieren" in told["form"][2]
    assert told["missing"][0] == 404
    assert "Seite nicht gefunden" in told["missing"][2]
    assert '<html lang="de">' in told["login"][2]
    assert told["booked"][:2] == [303, book.replace("/book", "/received")]
    assert "/de/bookings/confirm/" in told["mail"][1]
    assert "Reservierung bestätigen" in told["mail"][2]
