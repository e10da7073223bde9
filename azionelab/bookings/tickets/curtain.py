"""What of the theatre's look stands on a sheet of paper, and on a pass."""

from dataclasses import dataclass

from azionelab.database import db
from azionelab.theme.colours import SHIPPED_ACCENT, palettes
from azionelab.theme.current import current_theme
from azionelab.theme.rules import read_logo


@dataclass(frozen=True)
class Curtain:
    """What stands across the top: the theatre's colour (`#rrggbb`), and its logo, which is made for a dark ground."""

    colour: str
    logo: bytes | None = None


def read_curtain() -> Curtain:
    """The curtain that pages have on light screens."""
    theme = current_theme()
    logo = read_logo(db.session(), theme.logo.digest) if theme.logo else None
    return Curtain(palettes(theme.accent or SHIPPED_ACCENT)[0].curtain, logo)
