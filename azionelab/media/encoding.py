"""Checks an uploaded picture and re-encodes it: a program of its own, which `files.encode` starts.

    python -m azionelab.media.encoding FOLDER MEGAPIXELS [logo] < upload

It writes `<width>.avif`, `<width>.webp` and `<width>.jpg` of each width into FOLDER and prints a JSON object:
`width` and `height` of the largest one and `widths`, or `refused` with a reason of `Refusal`. Of a logo it writes LOGO_FILE alone, with what is transparent in it. A process of its own
bounds time and memory, and a fault of a decoder ends it and no web process. It has no settings and no secrets.
"""

import json
import resource
import sys
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
WIDTHS = (320, 640, 960, 1440)  # pixels
MAX_HEIGHT = 2400  # pixels, of the largest file
MIN_SIDE = 400  # pixels
MAX_RATIO = 4  # of the longer to the shorter side
SAVED = {
    "avif": ("AVIF", {"quality": 55, "speed": 8, "max_threads": 2}),
    "webp": ("WEBP", {"quality": 78, "method": 4}),
    "jpg": ("JPEG", {"quality": 80, "progressive": True, "optimize": True}),
}
LOGO = "logo"
LOGO_FILE = "logo.webp"
LOGO_SIDE = 48  # pixels at least
LOGO_RATIO = 8  # of the longer to the shorter side
_LOGO_SIZE = (640, 160)  # pixels at most: twice what is shown
_MEMORY = 1_500_000_000  # bytes of address space, of which an encoder's threads reserve much
_PROCESSOR_TIME = 60  # seconds


class Refusal(StrEnum):
    """Why an upload is no picture that can be shown."""

    EMPTY = "empty"
    TYPE = "type"
    DAMAGED = "damaged"
    ANIMATED = "animated"
    SMALL = "small"
    LARGE = "large"
    NARROW = "narrow"
    SLOW = "slow"


class Refused(Exception):
    """The upload is refused."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


def write_pictures(upload: bytes, folder: Path, max_pixels: int) -> dict[str, Any]:
    """Write an upload's files; the size of the largest, and all widths. Raises Refused, and OSError of the disk."""
    picture = _upright(_open(upload, max_pixels))
    widths = [width for width in WIDTHS if width <= picture.width]
    if not widths or (picture.width < WIDTHS[-1] and picture.width > widths[-1] * 1.2):
        widths.append(picture.width)
    largest = (0, 0)
    for width in widths:
        height = round(picture.height * width / picture.width)
        resized = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
        largest = resized.size
        for suffix, (kind, options) in SAVED.items():
            content = BytesIO()
            resized.save(content, kind, **options)
            (folder / f"{width}.{suffix}").write_bytes(content.getvalue())
    return {"width": largest[0], "height": largest[1], "widths": widths}


def write_logo(upload: bytes, folder: Path, max_pixels: int) -> dict[str, Any]:
    """Write a logo's file; its size. Raises Refused, and OSError of the disk."""
    picture = _upright(_open(upload, max_pixels, LOGO_SIDE, LOGO_RATIO), keep_alpha=True)
    picture.thumbnail(_LOGO_SIZE, Image.Resampling.LANCZOS)
    content = BytesIO()
    picture.save(content, "WEBP", quality=90, method=6)
    (folder / LOGO_FILE).write_bytes(content.getvalue())
    return {"width": picture.width, "height": picture.height, "widths": []}


def _open(
    upload: bytes, max_pixels: int, min_side: int = MIN_SIDE, max_ratio: int = MAX_RATIO
) -> Image.Image:
    """The picture, not decoded yet; its header says whether it may be."""
    if not upload:
        raise Refused(Refusal.EMPTY)
    Image.MAX_IMAGE_PIXELS = None  # checked here, with an error that says the limit
    try:
        picture = Image.open(BytesIO(upload), formats=FORMATS)
    except UnidentifiedImageError:
        raise Refused(Refusal.TYPE) from None
    except Exception:  # noqa: BLE001  # a decoder's own fault, of many kinds
        raise Refused(Refusal.DAMAGED) from None
    # Phones append a second picture to a JPEG, which is no animation.
    if picture.format not in ("JPEG", "MPO") and getattr(picture, "is_animated", False):
        raise Refused(Refusal.ANIMATED)
    short, long = sorted(picture.size)
    if short * long > max_pixels:
        raise Refused(Refusal.LARGE)
    if short < min_side:
        raise Refused(Refusal.SMALL)
    if long > max_ratio * short:
        raise Refused(Refusal.NARROW)
    return picture


def _upright(picture: Image.Image, *, keep_alpha: bool = False) -> Image.Image:
    """The picture as it is looked at, in sRGB and with nothing but its pixels: no EXIF, no place, no name."""
    try:
        picture.draft(
            "RGB", (WIDTHS[-1], MAX_HEIGHT)
        )  # a JPEG is decoded at a fraction of its size
        picture.load()
        turned = ImageOps.exif_transpose(picture)
        turned.thumbnail((WIDTHS[-1], MAX_HEIGHT), Image.Resampling.LANCZOS, reducing_gap=3)
        flat = _in_srgb(turned)
    except Exception:  # noqa: BLE001  # a decoder's own fault, of many kinds
        raise Refused(Refusal.DAMAGED) from None
    if keep_alpha:
        # A new picture has no EXIF either.
        clean = Image.new("RGBA", flat.size)
        clean.paste(flat.convert("RGBA"))
        return clean
    clean = Image.new("RGB", flat.size, "white")
    clean.paste(flat, mask=flat.getchannel("A") if flat.mode == "RGBA" else None)
    return clean


def _in_srgb(picture: Image.Image) -> Image.Image:
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, given, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile: the colours are a little off
        else:
            if converted is not None:
                return converted
    return picture.convert("RGBA" if has_alpha else "RGB")


def main() -> int:
    """Read the upload, write the files, print what was made."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_TIME, _PROCESSOR_TIME))
    folder, megapixels = Path(sys.argv[1]), int(sys.argv[2])
    try:
        make = write_logo if sys.argv[3:] == [LOGO] else write_pictures
        made = make(sys.stdin.buffer.read(), folder, megapixels * 1_000_000)
    except Refused as refused:
        made = {"refused": refused.reason}
    except MemoryError:
        made = {"refused": Refusal.LARGE}
    except OSError as error:
        made = {"errno": error.errno}
    print(json.dumps(made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
