"""Pages for frames on the theatre's own site: a list of evenings, and one evening with its button (docs/embedding.md).

They have no form and no cookie: what they link to opens in place of the page around them.
"""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

from flask import Response, current_app, render_template, request

from azionelab.database import now
from azionelab.shows.pages.views import blueprint, public_page
from azionelab.shows.programme import Listing, find_listing, programme
from azionelab.shows.whats_on.selection import Selection, read_selection
from azionelab.web.security_headers import allow_frames

_MAX_EVENINGS = 12


@blueprint.get("/embed")
def embed() -> Response:
    """The next evenings; its query chooses among them as the programme's does."""
    selection = read_selection(request.args)
    query = None if selection.words else urlencode(selection.query())
    return _for_frames(public_page(render_embedded, query))


@blueprint.get("/embed/performances/<int:performance_id>")
def embed_performance(performance_id: int) -> Response:
    """One evening with its button. One that is not there any more leads to the programme."""
    return _for_frames(public_page(partial(render_embedded, performance_id)))


def render_embedded(performance_id: int | None = None) -> str:
    """The page of one evening, or of those that the request's query chooses; it is not kept."""
    if performance_id is None:
        return _render(_next_evenings(read_selection(request.args)), rest=True)
    found = find_listing(performance_id, now())
    shown = [found] if found is not None and found.published else []
    return _render(shown, rest=not shown)


def _next_evenings(selection: Selection) -> list[Listing]:
    zone = current_app.config["AZIONELAB"].time_zone
    return selection.select(programme(now()), zone)[:_MAX_EVENINGS]


def _render(performances: Sequence[Listing], *, rest: bool) -> str:
    origins = current_app.config["AZIONELAB"].embed_origins
    return render_template(
        "embed.html", performances=performances, whole_programme=rest, origins=origins
    )


def _for_frames(response: Response) -> Response:
    return allow_frames(response, current_app.config["AZIONELAB"].embed_origins)
