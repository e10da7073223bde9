"""What the door's camera sees: pictures, and videos of them that Chromium takes for a camera's."""

import io
from collections.abc import Sequence
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import qr_png

EACH_SECOND = 30  # pictures: Chromium's pace for motion JPEG
_SIZE = (640, 480)
_MIDDLE = (_SIZE[0] // 2, _SIZE[1] // 2)
_SIDE = 300  # pixels of a ticket that is held as one should

Scene = tuple[Image.Image, float]


def ticket(reservation: Reservation, side: int = _SIDE) -> Image.Image:
    """A ticket's QR, `side` pixels wide."""
    picture = Image.open(io.BytesIO(qr_png(reservation))).convert("RGB")
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def code(text: str, side: int = _SIDE) -> Image.Image:
    """A QR that says `text`, `side` pixels wide."""
    made = qrcode.QRCode(border=4, box_size=8)
    made.add_data(text)
    return made.make_image().get_image().convert("RGB").resize((side, side))


def seen(*things: Image.Image, at: Sequence[tuple[int, int]] = (_MIDDLE,)) -> Image.Image:
    """Things on a table, each with its middle `at` a point of the picture."""
    table = Image.new("RGB", _SIZE, (150, 140, 130))
    for thing, (x, y) in zip(things, at, strict=True):
        corner = (x - thing.width // 2, y - thing.height // 2)
        table.paste(thing, corner, thing if thing.mode == "RGBA" else None)
    return table


def table() -> Image.Image:
    """Nothing that anybody could read."""
    return seen(at=())


def stripes() -> Image.Image:
    """What has edges as a QR has, and is none."""
    picture = Image.new("RGB", (_SIDE, _SIDE), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(0, _SIDE, 12):
        draw.rectangle((x, 0, x + 4 + x % 5, _SIDE), fill="black")
    return seen(picture, at=[_MIDDLE])


def rotated(picture: Image.Image, degrees: float) -> Image.Image:
    """A thing that lies askew."""
    return picture.convert("RGBA").rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def blurred(picture: Image.Image, pixels: float) -> Image.Image:
    """Out of focus."""
    return picture.filter(ImageFilter.GaussianBlur(pixels))


def dark(picture: Image.Image, light: float) -> Image.Image:
    """With a part of the light, and little contrast."""
    return ImageEnhance.Brightness(ImageEnhance.Contrast(picture).enhance(0.5)).enhance(light)


def foyer(picture: Image.Image, light: float) -> Image.Image:
    """With so little of the light that hardly any steps are left between black and white.

    Chromium takes a JPEG's levels for those of video, whose black is 16 and white 235.
    """
    return picture.point(lambda value: 16 + round(value * light) * 219 / 255)


def covered(picture: Image.Image, share: float) -> Image.Image:
    """With a thumb over its lower right corner, as wide as a `share` of it."""
    held = picture.copy()
    thumb = round(picture.width * share)
    corner = (picture.width - thumb, picture.height - thumb)
    held.paste((196, 150, 125), (*corner, picture.width, picture.height))
    return held


def film(path: Path, *scenes: Scene) -> None:
    """Write scenes of some seconds each, as motion JPEG, over what was there.

    A camera that is open goes on with what it began with.
    """
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as written:
        for picture, seconds in scenes:
            frame = io.BytesIO()
            picture.save(frame, "JPEG", quality=90)
            written.write(frame.getvalue() * round(seconds * EACH_SECOND))
    fresh.replace(path)
