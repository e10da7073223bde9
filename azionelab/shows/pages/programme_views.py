"""The programme: the season at a glance, as a list or a calendar; its filters and search are in its address."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, abort, current_app, render_template, request, url_for
from flask_babel import gettext

from azionelab.database import now
from azionelab.media.pictures import posters_of
from azionelab.shows.pages.atom import season_feed
from azionelab.shows.pages.calendars import opening_entry, season_calendar
from azionelab.shows.pages.views import blueprint, public_file, public_page
from azionelab.shows.programme import Listing, Status, find_listing, find_published_show, programme
from azionelab.shows.programme import list_performances as performances_of
from azionelab.shows.whats_on.board import board, choices, month_sheet, next_bookable
from azionelab.shows.whats_on.change_times import change_times
from azionelab.shows.whats_on.selection import MAX_WORDS, Selection, read_selection
from azionelab.theme.current import theatre_name
from azionelab.web.languages.links import with_query


@blueprint.get("/", endpoint="programme")
def programme_page() -> Response:
    """The coming performances that the visitor chose to see; by default all, by show."""
    selection = read_selection(request.args)
    # Searches are too many to remember.
    query = None if selection.words else urlencode(selection.query(page=selection.page))
    return public_page(lambda: _render(selection), query)


@blueprint.get("/season.ics")
def season_ics() -> Response:
    """The season as a calendar to subscribe to."""
    title = theatre_name()
    return _calendar(season_calendar(programme(now()), title), "season.ics")


@blueprint.get("/season.atom")
def season_atom() -> Response:
    """The season as a feed (RFC 4287)."""
    season = programme(now())
    return public_file(season_feed(season, change_times(season)), "application/atom+xml")


@blueprint.get("/shows/<slug>/season.ics")
def show_ics(slug: str) -> Response:
    """A show's performances as a calendar to subscribe to."""
    show = find_published_show(slug)
    if show is None:
        abort(404)
    listings = performances_of(show, now())
    return _calendar(season_calendar(listings, show.title), f"{slug}.ics")


@blueprint.get("/performances/<int:performance_id>/opening.ics")
def opening_ics(performance_id: int) -> Response:
    """The moment when booking opens, for the visitor's calendar."""
    performance = find_listing(performance_id, now())
    if performance is None or not performance.published:
        abort(404)
    if performance.status is not Status.NOT_YET_OPEN:
        abort(410, gettext("Booking has opened already, or the performance is cancelled."))
    return _calendar(opening_entry(performance), f"opening-{performance_id}.ics")


def render_programme() -> str:
    """The whole programme's page, for a look at it; it is not kept."""
    return _render(Selection())


def _render(selection: Selection) -> str:
    zone = current_app.config["AZIONELAB"].time_zone
    at = now()
    season = programme(at)
    offered = choices(season, zone)
    chosen = selection.select(season, zone)
    context: dict[str, Any] = {"board": None, "sheet": None, "posters": {}}
    if season and not chosen:
        context |= _instead(selection, season, zone)
    if selection.view == "calendar":
        context["sheet"] = month_sheet(
            chosen, selection, offered.months, at.astimezone(zone).date(), zone
        )
    else:
        context["board"] = shown = board(chosen, selection.page)
        context["posters"] = posters_of(row.evenings[0].show_id for row in shown.rows)

    def address(**changes: Any) -> str:
        return with_query(url_for("shows.programme"), list(selection.query(**changes).items()))

    return render_template(
        "programme.html",
        **context,
        selection=selection,
        choices=offered,
        count=len(chosen),
        has_season=bool(season),
        address=address,
        max_words=MAX_WORDS,
        at_noon=partial(_at_noon, zone=zone),
    )


def _instead(selection: Selection, season: Sequence[Listing], zone: ZoneInfo) -> dict[str, Any]:
    """What there is for a visitor whose choice shows nothing."""
    coming = [each for each in season if each.status is not Status.CANCELLED]
    without_free_seats = replace(selection, free=False).select(coming, zone)
    of_show = any(each.show_slug == selection.show for each in coming)
    return {
        "full": any(each.status is Status.SOLD_OUT for each in without_free_seats),
        "unbookable": without_free_seats,
        # A show that a link chose, and that has nothing more to come.
        "over": None if of_show else find_published_show(selection.show),
        "bookable": next_bookable(season),
    }


def _at_noon(day: date, zone: Any) -> datetime:
    """A moment of a day, for the filters that format moments."""
    return datetime.combine(day, time(12), zone)


def _calendar(content: bytes, name: str) -> Response:
    response = public_file(content, "text/calendar")
    response.headers.set("Content-Disposition", "inline", filename=name)
    return response
