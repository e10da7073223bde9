"""Hours before the curtain, as people write them: `48, 3`."""

import re

NONE = "none"
MAX_HOURS = 7 * 24
MOST = 4  # of them
_LIST = re.compile(r"[0-9]{1,3}(\s*,\s*[0-9]{1,3})*", re.ASCII)


def read_hours(written: str) -> tuple[int, ...]:
    """The hours, the most first; () for `none`. ValueError for anything else, or what is out of range."""
    text = written.strip().casefold()
    if text == NONE:
        return ()
    if not _LIST.fullmatch(text):
        raise ValueError(written)
    hours = sorted({int(each) for each in text.split(",")}, reverse=True)
    if hours[-1] < 1 or hours[0] > MAX_HOURS or len(hours) > MOST:
        raise ValueError(written)
    return tuple(hours)


def write_hours(hours: tuple[int, ...]) -> str:
    """The hours as `read_hours` reads them."""
    return ", ".join(map(str, hours)) or NONE
