"""What of the theatre's look stands on a sheet of paper, and on a pass."""

from dataclasses import dataclass

from azionelab.database import db
from azionelab.theme.colours import SHIPPED_ACCENT, palettes
from azionelab.theme.current import current_theme
from azionelab.theme.models import Fonts
from azionelab.theme.rules import read_logo


@dataclass(frozen=True)
class Curtain:
    """What stands across the top: the theatre's colour (`#rrggbb`), and its logo, which is made for a dark ground.

    `playbill` is whether titles are set in Bodoni, as on the pages.
    """

    colour: str
    logo: bytes | None = None
    playbill: bool = True


def read_curtain() -> Curtain:
    """The curtain that pages have on light screens."""
    theme = current_theme()
    logo = read_logo(db.session(), theme.logo.digest) if theme.logo else None
    colour = palettes(theme.accent or SHIPPED_ACCENT)[0].curtain
    return Curtain(colour, logo, theme.fonts is Fonts.BODONI)
