"""The theme in mails: the tones of head and button, and the logo, which comes with the mail.

Head and button have a ground and a text colour of their own, so their contrast (colours.py) is the same in mail programs
that are dark; all other text has the program's colours. Mail programs load no picture of a site until somebody asks for
it, and some know no WebP: the logo is a part of the mail, as PNG, and its alternative text is the theatre's name.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from azionelab.database import db
from azionelab.database.transactions import commit_read_transaction
from azionelab.theme.colours import ON_ACCENT, SHIPPED_ACCENT, palettes
from azionelab.theme.models import Logo, Theme
from azionelab.theme.rules import read_logo

_SHOWN = (200, 48)  # pixels at most
_SHARPNESS = 2  # pixels of the picture for one that is shown
_CONTENT_ID = re.compile(r"cid:(logo\.([0-9a-f]+)@theme)\b")


@dataclass(frozen=True)
class MailLogo:
    """A logo in a mail: the Content-ID of its part (RFC 2392), and the pixels that it is shown in."""

    content_id: str
    width: int
    height: int


@dataclass(frozen=True)
class MailTheme:
    """What the mails' layout is made of: colours, and the logo if there is one."""

    head: str
    action: str
    on_both: str
    logo: MailLogo | None


def theme_of_mails(theme: Theme) -> MailTheme:
    """A theme as mails show it."""
    light, _dark = palettes(theme.accent or SHIPPED_ACCENT)
    return MailTheme(
        light.curtain, light.action, ON_ACCENT, _scale(theme.logo) if theme.logo else None
    )


def read_attached_logo(html: str) -> tuple[str, bytes] | None:
    """The Content-ID of the logo that a mail refers to, and its PNG; None when it refers to none.

    Its digest is in the Content-ID, so a look that is saved meanwhile changes nothing.
    """
    found = _CONTENT_ID.search(html)
    return (found[1], _read_png(found[2])) if found else None


def _scale(logo: Logo) -> MailLogo:
    factor = min(1, _SHOWN[0] / logo.width, _SHOWN[1] / logo.height)
    width, height = (max(1, round(side * factor)) for side in (logo.width, logo.height))
    return MailLogo(f"logo.{logo.digest}@theme", width, height)


@lru_cache(maxsize=4)
def _read_png(digest: str) -> bytes:
    """A logo that is stored, for mail programs. Owns its reading: nothing is open while the mail server is talked to."""
    # Imported here: the web processes write no mails, and need no library for pictures.
    from PIL import Image  # noqa: PLC0415

    session = db.session()
    is_alone = not session.in_transaction()
    stored = read_logo(session, digest)
    if is_alone:
        commit_read_transaction(session)
    if stored is None:
        raise LookupError(digest)
    with Image.open(BytesIO(stored)) as picture:
        small = picture.convert("RGBA")
    small.thumbnail((_SHOWN[0] * _SHARPNESS, _SHOWN[1] * _SHARPNESS), Image.Resampling.LANCZOS)
    content = BytesIO()
    # 256 colours with transparency: some kilobytes, whatever it shows.
    small.quantize(method=Image.Quantize.FASTOCTREE).save(content, "PNG", optimize=True)
    return content.getvalue()
