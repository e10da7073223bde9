"""What a spam filter thinks of each mail: SpamAssassin, with the rules it has without a network."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from azionelab.mail.mime import encode
from tests.mail.corpus import Sample, every_mail

# Points; SpamAssassin takes five for spam. Bayes and network tests would add to these on both sides.
MOST = 1.0
_SCORED = re.compile(
    rb"^X-Spam-Status: \w+, score=(-?[0-9.]+).*?tests=(.*?)\s+autolearn.*?^X-Sample: (.*?)$",
    re.MULTILINE | re.DOTALL,
)
_RULES = "/usr/share/spamassassin"


@pytest.fixture
def spamassassin() -> str:
    """The program; without it the test fails, and says what to install."""
    if path := shutil.which("spamassassin"):
        return path
    pytest.fail(
        "no spamassassin found (Debian: `apt-get install --no-install-recommends spamassassin`)"
    )


@pytest.mark.parametrize("words", [{}, {"title": "Lear", "visitor": "Li"}], ids=["usual", "short"])
def test_no_kind_of_mail_looks_like_spam(
    make_app: Callable[..., Flask], spamassassin: str, tmp_path: Path, words: dict[str, str]
) -> None:
    with make_app(SITE_BASE_URL="https://teatro.it", SITE_NAME="Teatro").app_context():
        samples = list(every_mail(**words))
    scored = scores(spamassassin, samples, tmp_path)
    assert {name: score for name, score in scored.items() if score[0] > MOST} == {}


def test_the_filter_knows_a_picture_with_little_text(
    app: Flask, spamassassin: str, tmp_path: Path
) -> None:
    """The control: else any answer would do."""
    with app.app_context():
        ticket = next(sample for sample in every_mail() if sample.message.pictures)
    page = replace(
        ticket.message,
        html=re.sub(r"<script.*</script>|<h2.*</table>", "", ticket.message.html, flags=re.S),
    )
    letter = encode(page, "<1@teatro.example>", sender="a@teatro.example", reply_to=None)
    bare = Sample("bare", page, letter.as_bytes())
    ((points, rules),) = scores(spamassassin, [bare], tmp_path).values()
    assert points > MOST
    assert "HTML_IMAGE_ONLY" in rules


def scores(spamassassin: str, samples: list[Sample], folder: Path) -> dict[str, tuple[float, str]]:
    """Points and the rules that gave them, by the sample's name: one process for all of them."""
    box = folder / "all.mbox"
    with box.open("wb") as mbox:
        for sample in samples:
            mbox.write(b"From biglietteria@teatro.example Mon Nov 24 20:00:00 2031\n")
            mbox.write(f"X-Sample: {sample.name}\n".encode())
            mbox.write(sample.raw.replace(b"\r\n", b"\n") + b"\n")
    command = [spamassassin, "--local", "--mbox", "-x", f"--configpath={_RULES}", str(box)]
    told = subprocess.run(
        command, capture_output=True, check=True, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    )
    # They come back in an order of its own.
    found = {
        name.decode(): (float(points), re.sub(r"\s+", "", rules.decode()))
        for points, rules, name in _SCORED.findall(told.stdout)
    }
    assert found.keys() == {sample.name for sample in samples}, told.stderr
    return found
