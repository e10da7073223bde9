"""Pictures for the door's camera, and videos of them that Chromium uses as a fake camera."""

import io
from collections.abc import Sequence
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import qr_png

FRAMES_PER_SECOND = 30  # Chromium's rate for motion JPEG
_SIZE = (640, 480)
_MIDDLE = (_SIZE[0] // 2, _SIZE[1] // 2)
_SIDE = 300  # pixels; a ticket at the right distance

Scene = tuple[Image.Image, float]


def ticket(reservation: Reservation, side: int = _SIDE) -> Image.Image:
    """A ticket's QR code, `side` pixels wide."""
    picture = Image.open(io.BytesIO(qr_png(reservation))).convert("RGB")
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def code(text: str, side: int = _SIDE) -> Image.Image:
    """A QR code of `text`, `side` pixels wide."""
    made = qrcode.QRCode(border=4, box_size=8)
    made.add_data(text)
    return made.make_image().get_image().convert("RGB").resize((side, side))


def seen(*things: Image.Image, at: Sequence[tuple[int, int]] = (_MIDDLE,)) -> Image.Image:
    """A table with things on it, each centred `at` a point of the picture."""
    table = Image.new("RGB", _SIZE, (150, 140, 130))
    for thing, (x, y) in zip(things, at, strict=True):
        corner = (x - thing.width // 2, y - thing.height // 2)
        table.paste(thing, corner, thing if thing.mode == "RGBA" else None)
    return table


def table() -> Image.Image:
    """An empty table."""
    return seen(at=())


def stripes() -> Image.Image:
    """Stripes: edges like a QR code's, but no code."""
    picture = Image.new("RGB", (_SIDE, _SIDE), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(0, _SIDE, 12):
        draw.rectangle((x, 0, x + 4 + x % 5, _SIDE), fill="black")
    return seen(picture, at=[_MIDDLE])


def rotated(picture: Image.Image, degrees: float) -> Image.Image:
    """The picture, rotated."""
    return picture.convert("RGBA").rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def blurred(picture: Image.Image, pixels: float) -> Image.Image:
    """The picture, out of focus."""
    return picture.filter(ImageFilter.GaussianBlur(pixels))


def dark(picture: Image.Image, light: float) -> Image.Image:
    """The picture with `light`, a share of its brightness, and little contrast."""
    return ImageEnhance.Brightness(ImageEnhance.Contrast(picture).enhance(0.5)).enhance(light)


def foyer(picture: Image.Image, light: float) -> Image.Image:
    """The picture so dark that few levels are left between black and white.

    Chromium reads a JPEG's levels as video levels, from 16 (black) to 235 (white).
    """
    return picture.point(lambda value: 16 + round(value * light) * 219 / 255)


def covered(picture: Image.Image, share: float) -> Image.Image:
    """The picture with a thumb over its lower right corner; `share` is of its width."""
    held = picture.copy()
    thumb = round(picture.width * share)
    corner = (picture.width - thumb, picture.height - thumb)
    held.paste((196, 150, 125), (*corner, picture.width, picture.height))
    return held


def film(path: Path, *scenes: Scene) -> None:
    """Write scenes, each a picture and its seconds, as motion JPEG; replaces the file.

    An open camera goes on with the old file.
    """
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as written:
        for picture, seconds in scenes:
            frame = io.BytesIO()
            picture.save(frame, "JPEG", quality=90)
            written.write(frame.getvalue() * round(seconds * FRAMES_PER_SECOND))
    fresh.replace(path)
