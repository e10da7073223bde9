"""The stylesheet of an accent colour, and its address, which names the colour and a digest of the content.

It is made of nothing but its address: no process needs the database for it, and it never changes.
"""

import hashlib
from functools import cache

from azionelab.theme.colours import SHIPPED_ACCENT, Palette, is_colour, is_readable, palettes


@cache
def stylesheet(accent: str) -> str:
    """The CSS of an accent that can be read."""
    light, dark = palettes(accent)
    return (
        f"body{{{_tones(light)}}}\n"
        # Paper is light whatever the screen is.
        f"@media screen and (prefers-color-scheme:dark){{body{{{_tones(dark)}}}}}\n"
    )


def file_name(accent: str) -> str:
    """The name of an accent's stylesheet; "" for the shipped colours."""
    if not accent or accent == SHIPPED_ACCENT:
        return ""
    digest = hashlib.sha256(stylesheet(accent).encode()).hexdigest()[:12]
    return f"{accent[1:]}-{digest}.css"


def find_stylesheet(name: str) -> str | None:
    """The stylesheet with a name; None when there is none."""
    accent = f"#{name[:6]}"
    if not is_colour(accent) or not is_readable(accent) or file_name(accent) != name:
        return None
    return stylesheet(accent)


def _tones(palette: Palette) -> str:
    return (
        f"--link:{palette.link};--action:{palette.action};--action-deep:{palette.action_deep};"
        f"--curtain:{palette.curtain};--fold:{palette.fold}"
    )
