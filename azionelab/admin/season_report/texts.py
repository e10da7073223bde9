"""Texts of the season report."""

from babel import numbers
from flask_babel import get_locale, gettext, ngettext

from azionelab.admin.season.texts import day_format
from azionelab.reports.periods import Period, season_of, year_of
from azionelab.reports.season import SeasonFigures, total


def format_number(value: float, digits: int = 0) -> str:
    """A number in the current language, with so many digits after the point."""
    pattern = "#,##0.0" if digits else "#,##0"
    return numbers.format_decimal(round(value, digits), pattern, str(get_locale()))


def name_of(period: Period) -> str:
    """A period for people: "2026", "2026/27", or its two days."""
    if period == year_of(period.first):
        return str(period.first.year)
    if period == season_of(period.first):
        return f"{period.first.year}/{period.last:%y}"
    return days_of(period)


def days_of(period: Period) -> str:
    """The first and the last day of a period."""
    first, last = (day_format(day, "d MMM y") for day in (period.first, period.last))
    return gettext("%(first)s to %(last)s", first=first, last=last)


def describe_rest(figures: SeasonFigures) -> list[str]:
    """Sentences on the performances that the figures leave out, and on those without a check-in."""
    texts = []
    if coming := len(figures.coming):
        text = ngettext(
            "%(num)s performance is still to come", "%(num)s performances are still to come", coming
        )
        sums = total(figures.coming)
        seats = gettext(
            "%(booked)s of %(seats)s seats are booked",
            booked=format_number(sums.booked),
            seats=format_number(sums.seats),
        )
        texts.append(f"{text}: {seats}.")
    if cancelled := len(figures.cancelled):
        texts.append(
            ngettext(
                "%(num)s performance was cancelled.",
                "%(num)s performances were cancelled.",
                cancelled,
            )
        )
    sums = figures.total
    if unchecked := sums.performances - sums.checked:
        texts.append(
            ngettext(
                "%(num)s performance had no check-in, so nobody knows who came to it.",
                "%(num)s performances had no check-in, so nobody knows who came to them.",
                unchecked,
            )
        )
    return texts


def definitions() -> list[tuple[str, str]]:
    """What each figure counts."""
    return [
        (
            gettext("Performances"),
            gettext(
                "Those that are over. Cancelled ones are not counted, nor those of a draft that nobody booked."
            ),
        ),
        (gettext("Seats offered"), gettext("The capacity of each performance.")),
        (
            gettext("Seats booked"),
            gettext("Confirmed seats. Bookings that were cancelled or expired are not counted."),
        ),
        (
            gettext("Said they come"),
            gettext(
                "Seats of confirmed parties that said, when they were reminded, that they are coming to that evening."
            ),
        ),
        (
            gettext("Came"),
            gettext("People who were let in, walk-ins included; of performances with a check-in."),
        ),
        (
            gettext("Fill"),
            gettext(
                "Seats taken by bookings and walk-ins, in percent of those offered. Seats of no-shows that were"
                " released are not counted twice."
            ),
        ),
        (
            gettext("No-shows"),
            gettext(
                "Booked people who did not come, in percent of those expected; of performances with a check-in."
            ),
        ),
        (
            gettext("Booked days before"),
            gettext("How many days before the curtain a seat was booked, on average."),
        ),
    ]
