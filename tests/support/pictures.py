"""Pictures to upload, as cameras, phones and attackers make them."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def a_picture(
    size: tuple[int, int] = (600, 900), kind: str = "JPEG", colour: str = "#7a1020", **saved: Any
) -> bytes:
    """A picture with a light corner at its upper left."""
    image = Image.new("RGB", size, colour)
    image.paste("#f4e3c1", (0, 0, size[0] // 2, size[1] // 2))
    return _content(image, kind, **saved)


def a_phones_photograph() -> bytes:
    """A JPEG that lies on its side, with its place, its owner and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    exif[0x013B] = "Ada Rossi, Via Roma 1"
    exif.get_ifd(0x8825)[2] = (44.0, 29.0, 38.0)
    return a_picture((900, 600), exif=exif, comment=b"home of Ada Rossi")


def a_moving_picture(kind: str = "WEBP") -> bytes:
    """Two frames."""
    frames = [Image.new("RGB", (600, 600), colour) for colour in ("red", "blue")]
    return _content(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def a_bomb(side: int = 30_000) -> bytes:
    """A PNG of a few bytes that says it has very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def _content(image: Image.Image, kind: str, **saved: Any) -> bytes:
    content = BytesIO()
    image.save(content, kind, **saved)
    return content.getvalue()
