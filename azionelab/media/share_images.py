"""The picture of a show that chats and social networks show: poster, title and dates, 1200 × 630 pixels."""

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import astuple, dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from azionelab.media.files import StorageFull, StorageUnavailable, media_dir, storing
from azionelab.media.models import Picture

SIZE = (1200, 630)
_POSTER = (420, 630)
_MARGIN = 64
_CURTAIN, _FOLD, _CREAM, _GOLD = "#6a1222", "#4a0a16", "#fbeed6", "#c9a24a"
# The fonts of tickets: letters of most European languages. (Pillow's own has no "ì".)
_FONTS = Path(__file__).resolve().parents[1] / "bookings" / "tickets" / "fonts"
_DRAWING = "2"  # changes when the same facts are to give another picture


@dataclass(frozen=True)
class ShareImage:
    """What is written on it. `poster` is the name of a JPEG in MEDIA_DIR, "" without one; the focal point in percent."""

    title: str
    dates: str
    theatre: str
    poster: str = ""
    focal: tuple[int, int] = (50, 50)

    @property
    def key(self) -> str:
        """A digest of all that it shows: another picture has another address."""
        return hashlib.sha256(repr((_DRAWING, astuple(self))).encode()).hexdigest()[:16]


def share_image(title: str, dates: str, theatre: str, poster: Picture | None) -> ShareImage:
    """The picture for a show with this poster."""
    if poster is None:
        return ShareImage(title, dates, theatre)
    name = poster.url_for_width(640).rpartition("/")[2]
    return ShareImage(title, dates, theatre, name, (poster.focal_x, poster.focal_y))


def read_share_image(image: ShareImage) -> bytes:
    """The picture as JPEG, kept in MEDIA_DIR until the next sweep where that can be written."""
    file = media_dir() / f"share-{image.key}.jpg"
    try:
        return file.read_bytes()
    except OSError:
        content = _draw(image)
    with suppress(StorageFull, StorageUnavailable):  # it is drawn again for the next one who asks
        _keep(file, content)
    return content


def _keep(file: Path, content: bytes) -> None:
    with storing():
        number, name = tempfile.mkstemp(prefix="incoming-", dir=file.parent)
        with os.fdopen(number, "wb") as new:
            new.write(content)
        Path(name).replace(file)


def _draw(image: ShareImage) -> bytes:
    picture = Image.new("RGB", SIZE, _CURTAIN)
    paint = ImageDraw.Draw(picture)
    for left in range(0, SIZE[0], 96):
        paint.rectangle((left, 0, left + 40, SIZE[1]), fill=_FOLD)
    right = SIZE[0]
    if poster := _read_poster(image):
        right -= _POSTER[0]
        picture.paste(poster, (right, 0))
    paint.rectangle((0, SIZE[1] - 14, right, SIZE[1]), fill=_GOLD)
    width = right - 2 * _MARGIN
    size, lines = _fit(image.title, width)
    top = 150
    for line in lines:
        paint.text((_MARGIN, top), line, fill=_CREAM, font=_font(size, bold=True))
        top += round(size * 1.12)
    small = _font(32)
    paint.text((_MARGIN, 64), _shortened(image.theatre, small, width), fill=_GOLD, font=small)
    paint.text(
        (_MARGIN, SIZE[1] - 104), _shortened(image.dates, small, width), fill=_CREAM, font=small
    )
    content = BytesIO()
    picture.save(content, "JPEG", quality=84, optimize=True, progressive=True)
    return content.getvalue()


def _read_poster(image: ShareImage) -> Image.Image | None:
    if not image.poster:
        return None
    try:
        with Image.open(media_dir() / image.poster, formats=("JPEG",)) as file:
            point = (image.focal[0] / 100, image.focal[1] / 100)
            return ImageOps.fit(file.convert("RGB"), _POSTER, centering=point)
    except OSError:
        return None  # its file is gone: `flask check` says so


def _fit(title: str, width: int) -> tuple[int, list[str]]:
    """The largest size in which a title fits in four lines, and the lines; a very long one is cut off."""
    for size in range(78, 39, -6):
        lines = _wrapped(title, _font(size, bold=True), width)
        if len(lines) * size * 1.12 <= 340:  # pixels between theatre and dates
            return size, lines
    font = _font(40, bold=True)
    lines = _wrapped(title, font, width)[:7]
    return 40, [*lines[:-1], _shortened(f"{lines[-1]} …", font, width)]


def _wrapped(title: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = _shortened(longer, font, width)
        else:
            lines.append(_shortened(word, font, width))
    return lines


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
