"""Pictures of a pass for Apple Wallet: an icon, and the theatre's logo if it has one."""

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from azionelab.bookings.tickets.curtain import Curtain
from azionelab.bookings.tickets.fonts import DEJAVU, bold_of, font_for
from azionelab.theme.colours import ON_ACCENT

# Points of Apple's screens; a file for each of one, two and three pixels a point.
_ICON = (29, 29)
_LOGO = (160, 50)  # at most
_SCALES = {"": 1, "@2x": 2, "@3x": 3}
_Size = tuple[int, int]


def pass_pictures(curtain: Curtain, theatre: str) -> dict[str, bytes]:
    """The pictures by file name. Without a logo the icon is the first letter of the theatre's name."""
    return _draw(curtain, theatre[:1].upper())


@lru_cache(maxsize=2)
def _draw(curtain: Curtain, letter: str) -> dict[str, bytes]:
    files = {}
    ground, logo = curtain.colour, curtain.logo
    for suffix, scale in _SCALES.items():
        icon = _scaled(_ICON, scale)
        if logo is None:
            files[f"icon{suffix}.png"] = _png(_letter(letter, icon, ground))
            continue
        files[f"icon{suffix}.png"] = _png(
            _on_ground(_fit(logo, _scaled(_ICON, scale, 0.84)), icon, ground)
        )
        files[f"logo{suffix}.png"] = _png(_fit(logo, _scaled(_LOGO, scale)))
    return files


def _scaled(size: _Size, scale: int, share: float = 1) -> _Size:
    return round(size[0] * scale * share), round(size[1] * scale * share)


def _fit(logo: bytes, size: _Size) -> Image.Image:
    """The logo, as large as it can be in `size`; what is transparent stays so."""
    picture = Image.open(BytesIO(logo)).convert("RGBA")
    factor = min(size[0] / picture.width, size[1] / picture.height)
    fitted = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(fitted, Image.Resampling.LANCZOS)


def _on_ground(picture: Image.Image, size: _Size, ground: str) -> Image.Image:
    icon = Image.new("RGB", size, ground)
    corner = ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2)
    icon.paste(picture, corner, picture)
    return icon


def _letter(letter: str, size: _Size, ground: str) -> Image.Image:
    icon = Image.new("RGB", size, ground)
    font = ImageFont.truetype(str(bold_of(font_for(letter) or DEJAVU[""])), round(size[1] * 0.66))
    middle = (size[0] / 2, size[1] / 2)
    ImageDraw.Draw(icon).text(middle, letter, fill=ON_ACCENT, font=font, anchor="mm")
    return icon


def _png(picture: Image.Image) -> bytes:
    content = BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()
