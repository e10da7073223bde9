"""The theatre's look in mails: its colours, its logo inside the mail, its foot."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from azionelab.mail.smtp import with_logo
from azionelab.theme.colours import CONTRAST, contrast
from azionelab.theme.current import shown_as
from azionelab.theme.models import Logo, Theme
from azionelab.theme.rules import save_theme
from tests.frontend.test_valid_html import check
from tests.mail.corpus import every_mail
from tests.mail.test_html import ONLY_LOOKS, missing_in_programs

pytestmark = pytest.mark.usefixtures("in_app")
DIGEST = "0123456789abcdef0123456789abcdef"
THEME = Theme(
    name='Teatro "Sociale"',
    accent="#0b5345",
    footer={"it": "Con il sostegno del Comune", "en": "Supported by the city"},
    logo=Logo(DIGEST, 640, 160),
)


@pytest.fixture
def logo() -> bytes:
    """A logo that is saved: of many colours, on nothing."""
    content = BytesIO()
    picture = Image.effect_noise((640, 160), 90).convert("RGBA")
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.save(content, "WEBP", lossless=True)
    save_theme(THEME, seen=0, by=None, logo=content.getvalue())
    return content.getvalue()


def test_every_mail_is_in_the_look_and_programs_show_it(logo: bytes, tmp_path: Path) -> None:
    with shown_as(THEME):
        samples = list(every_mail())
    for number, sample in enumerate(samples):
        message = with_logo(sample.message)
        (tmp_path / f"{number}.html").write_text(message.html, encoding="utf-8")
        assert THEME.footer["it" if sample.name.endswith("it") else "en"] in message.html
        assert [picture.filename for picture in message.pictures][-1] == "logo.png"
        size = len(message.html) + len(message.text) + sum(len(p.content) for p in message.pictures)
        assert size * 4 / 3 < 100_000, sample.name
        # Nothing is loaded: every picture is a part of the mail.
        sources = re.findall(r'src="([^"]+)"', message.html)
        assert {source.removeprefix("cid:") for source in sources} <= {
            picture.content_id for picture in message.pictures
        }
        for style in re.findall(r'style="([^"]*background-color[^"]*)"', message.html):
            colours = dict(re.findall(r"(background-color|(?<!-)color):(#[0-9a-f]{6})", style))
            if "color" in colours:
                assert contrast(colours["color"], colours["background-color"]) >= CONTRAST
    assert check(tmp_path) == []
    assert missing_in_programs([sample.message.html for sample in samples]).keys() <= ONLY_LOOKS


def test_the_logo_is_small_and_keeps_what_is_transparent(app: Flask, logo: bytes) -> None:
    with shown_as(THEME):
        message = with_logo(next(every_mail()).message)
    picture = message.pictures[-1]
    assert 'alt="Teatro &#34;Sociale&#34;" width="192" height="48"' in message.html
    assert f"cid:{picture.content_id}" in message.html
    shown = Image.open(BytesIO(picture.content))
    assert (shown.format, shown.size) == ("PNG", (384, 96))


def test_without_a_logo_the_head_has_the_name(app: Flask) -> None:
    with shown_as(Theme()):
        message = next(every_mail()).message
    assert with_logo(message) is message
    assert "<img" not in message.html.partition("<h1")[0]
