"""What a visitor chose to see of the programme. All of it is in the page's address."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from azionelab.shows.limits import SLUG
from azionelab.shows.programme import Listing, Status

MAX_WORDS = 60  # characters of a search
_MAX_PAGE = 999
_MAX_VENUE = 2**31 - 1
View = Literal["list", "calendar"]


@dataclass(frozen=True)
class Selection:
    """Filters, view and page; by default the whole programme as a list."""

    view: View = "list"
    month: date | None = None  # its first day
    show: str = ""  # a slug
    venue: int | None = None
    free: bool = False  # only what can be booked now
    words: str = ""
    page: int = 1

    @property
    def filters(self) -> int:
        """How many of its filters leave something out."""
        return sum(map(bool, (self.month, self.show, self.venue, self.free, self.words)))

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves anything out."""
        return self.filters > 0

    @property
    def is_plain(self) -> bool:
        """Whether it is the programme itself, which search engines should show."""
        return self == Selection()

    def query(self, **changes: Any) -> dict[str, str]:
        """The address's query for this selection with `changes`, which begin on its first page."""
        chosen = replace(self, **{"page": 1} | changes)
        facts = {
            "view": chosen.view if chosen.view != "list" else "",
            "month": f"{chosen.month:%Y-%m}" if chosen.month else "",
            "show": chosen.show,
            "venue": str(chosen.venue or ""),
            "free": "1" if chosen.free else "",
            "q": chosen.words,
            "page": str(chosen.page) if chosen.page > 1 else "",
        }
        return {name: value for name, value in facts.items() if value}

    def select(self, performances: Iterable[Listing], zone: ZoneInfo) -> list[Listing]:
        """The performances that it shows; `zone` is the theatre's, for months."""
        words = _plain(self.words).split()
        return [each for each in performances if self._shows(each, words, zone)]

    def _shows(self, performance: Listing, words: list[str], zone: ZoneInfo) -> bool:
        if self.month and month_of(performance, zone) != self.month:
            return False
        if self.show and performance.show_slug != self.show:
            return False
        if self.venue and performance.venue_id != self.venue:
            return False
        if self.free and performance.status is not Status.OPEN:
            return False
        if not words:
            return True
        texts = (
            performance.show_title,
            *performance.show_titles.values(),
            performance.show_summary,
            *performance.show_summaries.values(),
            performance.venue_name,
        )
        text = _plain(" ".join(texts))
        return all(word in text for word in words)


def read_selection(typed: Mapping[str, str]) -> Selection:
    """The selection of a query. What cannot be meant is left out."""
    slug, venue, page = typed.get("show", ""), typed.get("venue", ""), typed.get("page", "")
    return Selection(
        view="calendar" if typed.get("view") == "calendar" else "list",
        month=_read_month(typed.get("month", "")),
        show=slug if re.fullmatch(SLUG, slug) else "",
        venue=_read_number(venue, _MAX_VENUE),
        free=typed.get("free") == "1",
        words=" ".join(typed.get("q", "").replace("\0", " ").split())[:MAX_WORDS],
        page=_read_number(page, _MAX_PAGE) or 1,
    )


def month_of(performance: Listing, zone: ZoneInfo) -> date:
    """The first day of a performance's month in the theatre's time zone."""
    return performance.starts_at.astimezone(zone).date().replace(day=1)


def _read_month(text: str) -> date | None:
    if not re.fullmatch(r"20\d\d-\d\d", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _read_number(text: str, greatest: int) -> int | None:
    if not re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII):
        return None
    return min(int(text), greatest)


def _plain(text: str) -> str:
    """Without case and accents: whoever types "perche" finds "Perché"."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
