"""The programme's pages: without cookies and equal for all visitors, so nginx can cache them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, NoReturn

from flask import (
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.database import now
from azionelab.media.share_images import ShareImage, read_share_image, share_image
from azionelab.shows.facts.formatting import formatted
from azionelab.shows.facts.texts import NO_WORDS
from azionelab.shows.former_slugs import find_current_slug
from azionelab.shows.models import Show
from azionelab.shows.pages.show_facts import ShowFacts, read_facts
from azionelab.shows.pages.structured_data import EventLinks, Production, Publisher, theater_events
from azionelab.shows.programme import (
    Listing,
    Status,
    find_published_show,
    list_performances,
    past_performances,
    programme,
)
from azionelab.shows.whats_on.board import next_bookable
from azionelab.theme.current import theatre_name
from azionelab.web.dates import format_date
from azionelab.web.languages.pages import PagesInLanguages
from azionelab.web.site_urls import site_url

blueprint = PagesInLanguages("shows", __name__)
_PAGES = "azionelab.programme_pages"
_MAX_PAGES = 500  # that a process remembers; a filtered programme has many
_DAY = "d MMMM"
_FEW = 3
_IMAGE_SECONDS = 7 * 24 * 3600


@blueprint.record_once
def _init_page_cache(state: BlueprintSetupState) -> None:
    pages: dict[str, tuple[str, float]] = {}
    state.app.extensions[_PAGES] = pages
    state.app.add_template_filter(formatted, "formatted")


@blueprint.after_request
def _cache_redirect(response: Response) -> Response:
    """Let nginx keep the redirect to a language: it stands in while the site is away, as the pages do."""
    if response.status_code == 302:
        response.cache_control.public = True
        response.cache_control.max_age = current_app.config["AZIONELAB"].page_cache_seconds
    return response


@blueprint.get("/shows/<slug>", endpoint="show")
def show_page(slug: str) -> Response:
    """One show and its coming performances."""
    return public_page(partial(_render_show, slug))


@blueprint.get("/shows/<slug>/share-<key>.jpg")
def show_image(slug: str, key: str) -> AnyResponse:
    """The picture of a show for chats and social networks. An older address leads to today's picture."""
    show = find_published_show(slug)
    if show is None:
        abort(404)
    at = now()
    image = _share_image(read_facts(show, at), list_performances(show, at))
    if image.key != key:
        return redirect(url_for(".show_image", slug=slug, key=image.key))
    response = make_response(read_share_image(image))
    response.mimetype = "image/jpeg"
    response.cache_control.public = True
    response.cache_control.max_age = _IMAGE_SECONDS
    return response


def _render_show(slug: str) -> str:
    show = find_published_show(slug)
    if show is None:
        _redirect_former_slug(slug)
    at = now()
    facts, performances = read_facts(show, at), list_performances(show, at)
    past, elsewhere = ([], []) if performances else _what_is_left(show, at)
    return render_template(
        "show.html",
        show=show,
        about=facts,
        performances=performances,
        past=past,
        elsewhere=elsewhere,
        structured_data=_events(show, facts, performances),
        image=site_url("shows.show_image", slug=slug, key=_share_image(facts, performances).key),
    )


def _what_is_left(show: Show, at: datetime) -> tuple[list[Listing], Sequence[Listing]]:
    """Of a show that is over, its last performances; and the next ones of others that can be booked."""
    return past_performances(show, at, _FEW), next_bookable(programme(at))


def _redirect_former_slug(slug: str) -> NoReturn:
    """Redirect from a show's former slug; 404 when no show had it."""
    new = find_current_slug(slug)
    if new is None:
        abort(404)
    answer = redirect(url_for(".show", slug=new), 301)
    # Permanent, but cached briefly: a show may get its former slug back.
    answer.headers["Cache-Control"] = "public, max-age=60"
    abort(answer)


def public_page(render: Callable[[], str], query: str | None = "") -> Response:
    """A public page, rendered at most once in PAGE_CACHE_SECONDS by each process.

    The same time as the page's `max-age`, so no visitor sees an older page than a cache would show. `query` is what
    the page depends on beside its path; None for one that is rendered each time.
    """
    seconds = current_app.config["AZIONELAB"].page_cache_seconds
    pages = current_app.extensions[_PAGES]
    key = f"{request.path}?{query}"
    page, fresh_until = pages.get(key, ("", 0.0))
    if monotonic() >= fresh_until:
        page = render()
        if seconds and query is not None:
            if len(pages) >= _MAX_PAGES:
                pages.clear()
            pages[key] = page, monotonic() + seconds
    return public_file(page, "text/html")


def public_file(content: str | bytes, kind: str) -> Response:
    """An answer that caches may keep for PAGE_CACHE_SECONDS."""
    response = make_response(content)
    response.mimetype = kind
    response.cache_control.public = True
    response.cache_control.max_age = current_app.config["AZIONELAB"].page_cache_seconds
    return response


def _events(show: Show, facts: ShowFacts, performances: list[Listing]) -> dict[str, Any]:
    """The page's structured data."""
    settings = current_app.config["AZIONELAB"]
    site = settings.site_base_url
    publisher = Publisher(
        name=theatre_name(),
        url=site_url("shows.programme", language=None),
        image=site + url_for("static", filename="icon-512.png", lang=None),
        zone=settings.time_zone,
    )
    page = site_url("shows.show", slug=show.slug)

    def links(listing: Listing) -> EventLinks:
        return EventLinks(page, site_url("bookings.book", performance_id=listing.id))

    poster = facts.poster
    production = Production(
        name=facts.title.text,
        description=facts.description_for_machines,
        images=[site + poster.url(), site + poster.url_for_width(640)] if poster else [],
        performers=facts.performers,
        language="" if show.spoken_language == NO_WORDS else show.spoken_language,
        age_from=show.age_from,
        doors=timedelta(minutes=show.doors_minutes) if show.doors_minutes else None,
        points={
            place.name: (place.latitude, place.longitude)
            for place in facts.places
            if place.latitude is not None and place.longitude is not None
        },
    )
    return theater_events(production, [(each, links(each)) for each in performances], publisher)


def _share_image(facts: ShowFacts, performances: list[Listing]) -> ShareImage:
    """The picture that chats and social networks show of the page."""
    coming = [each.starts_at for each in performances if each.status is not Status.CANCELLED]
    dates = ""
    if coming:
        dates = format_date(coming[-1], _DAY)
        if (first := format_date(coming[0], _DAY)) != dates:
            dates = gettext("%(first)s to %(last)s", first=first, last=dates)
    theatre = theatre_name()
    return share_image(facts.title.text, dates, theatre, facts.poster)
