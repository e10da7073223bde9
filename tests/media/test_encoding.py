"""What becomes of an upload, and which are refused: without a database."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from azionelab.media.encoding import Refused, write_pictures
from tests.support.pictures import a_bomb, a_moving_picture, a_phones_photograph, a_picture

MOST = 50_000_000  # pixels


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_becomes_small_files_of_three_formats(kind: str, tmp_path: Path) -> None:
    made = write_pictures(a_picture((1000, 1500), kind), tmp_path, MOST)
    assert made == {"width": 960, "height": 1440, "widths": [320, 640, 960]}
    assert len(list(tmp_path.iterdir())) == 9
    for suffix, wanted in (("avif", "AVIF"), ("webp", "WEBP"), ("jpg", "JPEG")):
        with Image.open(tmp_path / f"640.{suffix}") as file:
            assert (file.format, file.size) == (wanted, (640, 960))


def test_nothing_but_the_pixels_is_kept_and_they_stand_upright(tmp_path: Path) -> None:
    made = write_pictures(a_phones_photograph(), tmp_path, MOST)
    assert (made["width"], made["height"]) == (600, 900)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"Rossi" not in content
        assert b"Exif" not in content
        with Image.open(file) as image:
            assert not image.getexif()
            # The light corner was at the upper left of the sensor: turned, it is at the upper right.
            light, dark = (
                image.convert("RGB").getpixel((image.width - 9, 9)),
                image.getpixel((9, 9)),
            )
            assert light[0] > 200 > dark[0]


def test_what_is_transparent_becomes_white_and_colours_of_print_become_those_of_screens(
    tmp_path: Path,
) -> None:
    glass, print_colours = BytesIO(), BytesIO()
    Image.new("RGBA", (500, 500), (0, 0, 0, 0)).save(glass, "PNG")
    Image.new("CMYK", (500, 500), (0, 255, 255, 0)).save(print_colours, "JPEG")
    for upload, wanted in ((glass, (255, 255, 255)), (print_colours, (254, 0, 0))):
        write_pictures(upload.getvalue(), tmp_path, MOST)
        with Image.open(tmp_path / "500.jpg") as file:
            pixel = file.getpixel((250, 250))
        assert all(abs(one - other) < 12 for one, other in zip(pixel, wanted, strict=True))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><script/></svg>'


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (b"", "empty"),
        (b"MZ not a picture", "type"),
        (SVG, "type"),
        (a_picture(kind="GIF"), "type"),
        (a_picture()[:3000], "damaged"),
        (a_picture(kind="PNG")[:900], "damaged"),
        (a_moving_picture("WEBP"), "animated"),
        (a_moving_picture("PNG"), "animated"),
        (a_picture((399, 900)), "small"),
        (a_picture((500, 2001)), "narrow"),
        (a_bomb(), "large"),
        (a_bomb(7_000), "damaged"),
    ],
)
def test_what_is_no_picture_to_show_is_refused(upload: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        write_pictures(upload, tmp_path, MOST)
    assert refused.value.reason == reason
    assert list(tmp_path.iterdir()) == []
