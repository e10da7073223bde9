"""The HTML that a theatre puts into its own site, as docs/embedding.md explains it."""

from dataclasses import dataclass

from flask_babel import force_locale, gettext
from markupsafe import Markup

from azionelab.shows.programme import Listing
from azionelab.web.dates import format_datetime
from azionelab.web.languages.links import with_query
from azionelab.web.site_urls import site_url

_LIST_HEIGHT, _EVENING_HEIGHT = 600, 180  # pixels, until the script fits it, or without scripts
_CODE = Markup(
    '<iframe src="{address}" title="{title}"\n'
    '        width="100%" height="{height}" style="border: 0"></iframe>\n'
    '<script src="{script}" async></script>'
)


@dataclass(frozen=True)
class Snippet:
    """A frame: its absolute address, the title that screen readers say, and its height in pixels."""

    address: str
    title: str
    height: int

    @property
    def code(self) -> str:
        """The HTML."""
        script = site_url("static", filename="embed.js")
        return str(
            _CODE.format(address=self.address, title=self.title, height=self.height, script=script)
        )


def list_snippet(language: str, show: Listing | None = None) -> Snippet:
    """The next evenings, in a language: of all shows, or of the one that an evening belongs to."""
    address = site_url("shows.embed", language=language)
    with force_locale(language):
        title = gettext("What is on")
        if show is not None:
            address = with_query(address, [("show", show.show_slug)])
            title = show.title.text
    return Snippet(address, title, _LIST_HEIGHT)


def evening_snippet(language: str, evening: Listing) -> Snippet:
    """One evening with its button, in a language."""
    address = site_url("shows.embed_performance", language=language, performance_id=evening.id)
    with force_locale(language):
        title = f"{evening.title.text}, {format_datetime(evening.starts_at)}"
    return Snippet(address, title, _EVENING_HEIGHT)
