"""Loading a season: all of it or nothing, and what is wrong told by line and field."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.programme import Status, programme
from azionelab.shows.season import Loaded, load_season
from azionelab.shows.season_file import SeasonError
from tests.support.processes import ROOT, eventually

pytestmark = pytest.mark.usefixtures("in_app")

ROME = ZoneInfo("Europe/Rome")
VENUE = '[[venue]]\nname = "Grande"\naddress = "Via Roma 1"\n'
SHOW = '[[show]]\nslug = "amleto"\ntitle = "Amleto"\n'
PERFORMANCE = """[[performance]]
show = "amleto"
venue = "Grande"
starts = "2030-05-01 20:30"
capacity = 50
"""
SEASON = VENUE + SHOW + PERFORMANCE  # the performance begins in line 7


def load(folder: Path, text: str | bytes) -> Loaded:
    file = folder / "season.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_season(file)


def refused(folder: Path, text: str | bytes) -> list[str]:
    before = counts()
    with pytest.raises(SeasonError) as refusal:
        load(folder, text)
    assert counts() == before, "something was loaded"
    return refusal.value.problems


def counts() -> list[int]:
    db.session.rollback()
    return [
        db.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Venue, Show, Performance)
    ]


def only_performance() -> Performance:
    db.session.rollback()
    return db.session.scalars(select(Performance)).one()


def test_a_season_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path, SEASON) == Loaded(venues=1, shows=1, performances=1)
    performance = only_performance()
    assert performance.show.slug == "amleto"
    assert performance.show.published
    assert performance.venue.address == "Via Roma 1"
    assert performance.starts_at == datetime(2030, 5, 1, 18, 30, tzinfo=UTC)
    assert performance.booking_opens_at <= now()
    assert performance.starts_at - performance.booking_closes_at == timedelta(hours=1)
    assert (performance.capacity, performance.party_limit) == (50, 6)


def test_the_example_season_is_a_programme() -> None:
    load_season(ROOT / "seasons" / "example.toml")
    listings = programme(now())
    assert len({listing.show_slug for listing in listings}) == 3
    assert len(listings) == 9
    assert [listing.status for listing in listings].count(Status.NOT_YET_OPEN) == 1
    assert [listing.status for listing in listings].count(Status.OPEN) == 8
    assert min(listing.seats_left for listing in listings) == 4


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ('"2030-01-05 20:30"', datetime(2030, 1, 5, 20, 30, tzinfo=ROME)),
        ('"2030-01-05T20:30"', datetime(2030, 1, 5, 20, 30, tzinfo=ROME)),
        ("2030-07-05T20:30:00", datetime(2030, 7, 5, 20, 30, tzinfo=ROME)),
        ("2030-07-05 20:30:00", datetime(2030, 7, 5, 20, 30, tzinfo=ROME)),
        ("2030-10-27T02:30:00+01:00", datetime(2030, 10, 27, 1, 30, tzinfo=UTC)),
    ],
)
def test_times_are_the_theatres(tmp_path: Path, written: str, moment: datetime) -> None:
    load(tmp_path, SEASON.replace('"2030-05-01 20:30"', written))
    assert only_performance().starts_at == moment.astimezone(UTC)


def test_days_are_counted_from_today(tmp_path: Path) -> None:
    before = now().astimezone(ROME).date()
    load(tmp_path, SEASON.replace("2030-05-01 20:30", "+3 days 20:30"))
    after = now().astimezone(ROME).date()
    starts_at = only_performance().starts_at.astimezone(ROME)
    assert before <= starts_at.date() - timedelta(days=3) <= after
    assert (starts_at.hour, starts_at.minute) == (20, 30)


def test_booking_is_counted_back_from_the_curtain(tmp_path: Path) -> None:
    # The clocks go forward on 26 March 2030: a day before is the same time of day, not 24 hours.
    text = SEASON.replace("2030-05-01 20:30", "2030-03-31 20:30")
    load(tmp_path, f'{text}booking_opens = "1 day before"\nbooking_closes = "90 minutes before"\n')
    performance = only_performance()
    assert performance.booking_opens_at == datetime(2030, 3, 30, 20, 30, tzinfo=ROME)
    assert performance.starts_at - performance.booking_opens_at == timedelta(hours=23)
    assert performance.starts_at - performance.booking_closes_at == timedelta(minutes=90)


def test_a_later_season_names_what_is_there(tmp_path: Path) -> None:
    load(tmp_path, SEASON)
    later = PERFORMANCE.replace("2030-05-01", "2030-05-02")
    assert load(tmp_path, later) == Loaded(venues=0, shows=0, performances=1)
    assert counts() == [1, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "right", "problem"),
    [
        ('name = "Grande"', "name = 3", 'line 2: name: is not a text in "quotes"'),
        ('name = "Grande"', 'name = "  "', "line 2: name: is missing"),
        ("[[show]]", "latitude = 91\nlongitude = 0\n[[show]]", "line 4: latitude: is not a number"),
        ("[[show]]", "latitude = 45.0\n[[show]]", "line 4: latitude: give both coordinates"),
        ('title = "', 'reminders = "soon"\ntitle = "', "line 6: reminders: is not like"),
        ('name = "Grande"', 'name = "\u200b"', "line 2: name: is missing"),
        ('address = "Via Roma 1"', 'addres = "x"', "line 3: addres: is not a field of this entry"),
        ("title", "#title", "line 4: title: is missing"),
        ('title = "Amleto"', f'title = "{"x" * 201}"', "line 6: title: is longer than 200"),
        ('"Amleto"', r'"Am\nleto"', "line 6: title: contains line breaks"),
        ('"Amleto"', r'"Am\u202eleto"', "line 6: title: contains line breaks"),
        ('"Amleto"', r'"Am\u0000leto"', "line 6: title: contains"),
        (
            'slug = "amleto"',
            'slug = "Amleto!"',
            "line 5: slug: may contain only lower-case letters",
        ),
        ('title = "', 'published = "yes"\ntitle = "', "line 6: published: is neither true nor"),
        (
            'title = "',
            'duration_minutes = 0\ntitle = "',
            "line 6: duration_minutes: is not a whole",
        ),
        ('show = "amleto"', 'show = "otello"', "line 8: show: 'otello' is neither in this file"),
        ('venue = "Grande"', 'venue = "Piccolo"', "line 9: venue: 'Piccolo' is neither in this"),
        ("2030-05-01 20:30", "2030-02-30 20:30", 'line 10: starts: is not like "2027-03-12 20:30"'),
        ("2030-05-01 20:30", "1.5.2030, 20.30", 'line 10: starts: is not like "2027-03-12 20:30"'),
        ("2030-05-01 20:30", "2030-05-01 25:00", "line 10: starts: is not like"),
        ("2030-05-01 20:30", "0001-01-01 00:00", "line 10: starts: is not like"),
        ("2030-05-01 20:30", "2 hours before", "line 10: starts: is not like"),
        ('"2030-05-01 20:30"', "2030-05-01", "line 10: starts: is not like"),
        ("2030-05-01 20:30", "2020-05-01 20:30", "line 10: starts: is in the past"),
        ("2030-05-01 20:30", "9999-05-01 20:30", "line 10: starts: is more than 5 years away"),
        ("2030-05-01 20:30", "2030-03-31 02:30", "line 10: starts: the clocks skip this time"),
        (
            "2030-05-01 20:30",
            "2030-10-27 02:30",
            "line 10: starts: the clocks show this time twice",
        ),
        ("starts", "begins", "line 7: starts: is missing"),
        ("capacity = 50", "capacity = -1", "line 11: capacity: is not a whole number from 0"),
        ("capacity = 50", "capacity = true", "line 11: capacity: is not a whole number"),
        ("capacity = 50", "capacity = 50.0", "line 11: capacity: is not a whole number"),
        ("capacity = 50", "", "line 7: capacity: is missing"),
        (
            "capacity = 50",
            "capacity = 5\nparty_limit = 101",
            "line 12: party_limit: is not a whole",
        ),
        (
            "capacity = 50",
            'capacity = 5\nbooking_closes = "2030-05-01 20:31"',
            "line 12: booking_closes: is after the curtain",
        ),
        (
            "capacity = 50",
            'capacity = 5\nbooking_opens = "59 minutes before"',
            "line 12: booking_opens: is not before booking closes, 2030-05-01 19:30",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, wrong: str, right: str, problem: str) -> None:
    text = SEASON.replace(wrong, right, 1)
    assert text != SEASON
    assert any(line.startswith(problem) for line in refused(tmp_path, text))


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("2030-05-01 20:30", "tomorrow", "line 10: starts: is not like"),
        ("2030-05-01 20:30", "2020-05-01 20:30", "line 10: starts: is in the past"),
        ('address = "', 'address = "\\u0000', "line 3: address: contains characters that"),
        ('slug = "amleto"', 'slug = "amleto"\nsummary = "\\u0000"', "line 6: summary: contains"),
        (
            'slug = "amleto"',
            'slug = "amleto"\ndescription = "Am\\u202eleto"',
            "line 6: description: contains",
        ),
        ('title = "Amleto"', 'title = "\\u0007"', "line 6: title: is missing"),
        (
            "capacity = 50",
            'capacity = 50\nbooking_closes = "2020-05-01 20:30"',
            "line 12: booking_closes: leaves no time to book: booking closes 2020-05-01 20:30",
        ),
    ],
)
def test_a_slip_is_told_once(tmp_path: Path, right: str, wrong: str, problem: str) -> None:
    (told,) = refused(tmp_path, SEASON.replace(right, wrong))
    assert told.startswith(problem)


def test_a_curtain_too_near_to_book_is_told_by_its_own_line(tmp_path: Path) -> None:
    soon = f"{(now() + timedelta(minutes=30)).astimezone(ROME):%Y-%m-%d %H:%M}"
    (told,) = refused(tmp_path, SEASON.replace("2030-05-01 20:30", soon))
    assert told.startswith("line 10: starts: leaves no time to book: booking closes ")


def test_any_characters_that_can_be_shown_are_taken(tmp_path: Path) -> None:
    title = "Così\u00a0è: 👩\u200d🎤, המלט"
    load(tmp_path, SEASON.replace("Amleto", title))
    assert only_performance().show.title == title


def test_quotes_round_names_do_not_mislead_the_lines(tmp_path: Path) -> None:
    quoted = r"""# 1
[[ "venue" ]]
"name" = "Grande"
'addres' = "x"
[ 'sh\u006fws' ]
"na\u006de" = 3
[["sh\u006fw"]]
slug = [
  "capacity",
  ["performance"],
]
"title" = ""
"""
    assert refused(tmp_path, quoted) == [
        "line 4: addres: is not a field of this entry",
        "line 5: sh\\u006fws: is not one of [[venue]], [[show]], [[performance]]",
        'line 8: slug: is not a text in "quotes"',
        "line 12: title: is missing",
    ]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SEASON.replace("50", "-5").replace("Via Roma 1", "x" * 300)
    text += '[[show]]\nslug = "amleto"\ntitle = ""\n'
    assert [problem.split(":")[:2] for problem in refused(tmp_path, text)] == [
        ["line 3", " address"],
        ["line 11", " capacity"],
        ["line 13", " slug"],
        ["line 14", " title"],
    ]


@pytest.mark.parametrize(
    ("twice", "problem"),
    [
        (VENUE, "line 13: name: exists already, in line 1"),
        (SHOW, "line 13: slug: exists already, in line 4"),
        (PERFORMANCE, "line 15: starts: exists already, in line 7"),
    ],
)
def test_what_is_listed_twice_is_named(tmp_path: Path, twice: str, problem: str) -> None:
    assert refused(tmp_path, SEASON + twice) == [problem]


def test_what_was_loaded_is_not_loaded_again(tmp_path: Path) -> None:
    load(tmp_path, SEASON)
    assert refused(tmp_path, SEASON) == [
        "line 2: name: exists already, in the database",
        "line 5: slug: exists already, in the database",
        "line 10: starts: exists already, in the database",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{SEASON}[[performances]]\n", "line 12: performances: is not one of [[venue]], [[show]]"),
        (f"title = 3\n{SEASON}", "line 1: title: is not one of"),
        (SEASON.replace("[[venue]]", "[venue]"), "line 1: venue: write each entry under"),
        ('venue = [{name = "A"}, {name = "B"}]', "line 1: venue: write each entry under"),
        ("", "line 1: there is no [[venue]]"),
        (f"{SEASON}capacity = 60\n", "line 12: is not TOML"),
        (f"{SEASON}name = Grande\n", "line 12: is not TOML: Invalid value"),
        (f'{SEASON}note = """never\nended', "line 13: is not TOML"),
        (SEASON.encode("latin-1") + b"# \xe8\n", "line 12: is not UTF-8"),
        (SEASON.encode("utf-16"), "line 1: is not UTF-8"),
    ],
)
def test_what_is_no_season_is_refused(tmp_path: Path, text: str | bytes, problem: str) -> None:
    problems = refused(tmp_path, text)
    assert problems[0].startswith(problem), problems


def test_texts_and_notes_do_not_mislead_the_lines(tmp_path: Path) -> None:
    show = (
        '[[show]] # [[show]]\nslug = "amleto" # title = "Otello"\n'
        'title = "A # \\" [[venue]]"\n'
        'description = """\n[[performance]]\ncapacity = 3\n\\""" still the text """"\n'
        "summary = '''[[show]]'''\n"
    )
    text = VENUE + show + PERFORMANCE.replace("50", "-5")
    line = text[: text.index("capacity = -5")].count("\n") + 1
    assert refused(tmp_path, text) == [
        f"line {line}: capacity: is not a whole number from 0 to 100000"
    ]
    load(tmp_path, text.replace("-5", "5"))
    assert only_performance().show.title == 'A # " [[venue]]'


def test_a_file_from_another_system_is_read(tmp_path: Path) -> None:
    load(tmp_path, b"\xef\xbb\xbf" + SEASON.replace("\n", "\r\n").encode())
    assert counts() == [1, 1, 1]


def test_whoever_is_faster_wins(
    app: Flask, database: psycopg.Connection[Any], database_url: str, tmp_path: Path
) -> None:
    def load_in_a_thread() -> Loaded:
        with app.app_context():
            return load(tmp_path, SEASON)

    with ThreadPoolExecutor(1) as loader, psycopg.connect(database_url) as other:
        other.execute("INSERT INTO venue (name, address) VALUES ('Grande', '')")
        loading = loader.submit(load_in_a_thread)
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: database.execute(waiting).fetchone(), "the loader to wait")
        other.commit()
        with pytest.raises(SeasonError, match="somebody else"):
            loading.result()
    assert counts() == [1, 0, 0]


def test_the_command_tells_every_line(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "season.toml"
    file.write_text(SEASON.replace("50", "-5").replace("Grande", "", 1), encoding="utf-8")
    run = app.test_cli_runner().invoke(args=["load-season", str(file)])
    assert run.exit_code == 1
    assert "nothing was loaded" in run.stderr
    assert "line 2: name" in run.stderr
    assert "line 11: capacity" in run.stderr

    file.write_text(SEASON, encoding="utf-8")
    run = app.test_cli_runner().invoke(args=["load-season", str(file)])
    assert run.exit_code == 0
    assert run.stdout == "Loaded 1 venues, 1 shows, 1 performances.\n"


def test_the_command_warns_of_a_venue_that_is_taken_twice(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "season.toml"
    other = SHOW.replace("amleto", "otello").replace("Amleto", "Otello")
    later = PERFORMANCE.replace("amleto", "otello").replace("20:30", "22:00")
    next_day = PERFORMANCE.replace("2030-05-01", "2030-05-02")
    file.write_text(SEASON + other + later + next_day, encoding="utf-8")
    run = app.test_cli_runner().invoke(args=["load-season", str(file)])
    assert run.exit_code == 0
    assert run.stderr == (
        "warning: Grande has two performances at once:"
        " Amleto, 2030-05-01 20:30 CEST and Otello, 2030-05-01 22:00 CEST\n"
    )


def test_the_command_needs_a_file_that_is_there(app: Flask, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.toml"):
        run = app.test_cli_runner().invoke(args=["load-season", str(path)])
        assert run.exit_code == 2
        assert str(path) in run.stderr


def test_an_address_that_a_show_had_before_is_taken_and_still_names_it(tmp_path: Path) -> None:
    load(tmp_path, SEASON)
    with transaction() as session:
        session.scalars(select(Show)).one().slug = "hamlet"
    assert refused(tmp_path, SHOW) == [
        "line 2: slug: is an earlier address of 'hamlet' and still redirects to it"
    ]
    assert refused(tmp_path, PERFORMANCE) == ["line 4: starts: exists already, in the database"]
    load(tmp_path, PERFORMANCE.replace("05-01", "05-02"))
    assert {row.show.slug for row in db.session.scalars(select(Performance))} == {"hamlet"}
    # What staff changed of a row stays: a file that lists it again is refused.
    assert refused(tmp_path, SHOW.replace("amleto", "hamlet"))
