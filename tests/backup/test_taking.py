"""Backups are complete and consistent, reported, verified, kept and rotated."""

import hashlib
import re
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.backup.conftest import Backups, Database, reports
from tests.factories import a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")

NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


def dumping(database: Database) -> bool:
    """Whether pg_dump has its snapshot and waits for a lock."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'
    """
    return database.execute(query).fetchone() != (0,)


def test_a_backup_is_taken_listed_verified_and_reported(
    backups: Backups, database: Database
) -> None:
    evening = a_performance()
    a_party(evening, 3)
    # Neither those released at the door nor those without a hold count among the seats held.
    released, waits = a_party(evening, 2), a_party(evening, 2, confirmed=False)
    database.execute("UPDATE reservation SET released = 1 WHERE id = %s", [released.id])
    database.execute("UPDATE reservation SET holds_seats = false WHERE id = %s", [waits.id])
    (backups.media / "poster.jpg").write_bytes(b"a poster")
    name = backups.take()
    assert NAME.fullmatch(name)
    assert backups.run("list").stdout.startswith(f"{name}  release 0.")
    assert {path.name for path in (backups.folder / name).iterdir()} == {
        "database.dump", "media.tar", "manifest.json", "SHA256SUMS",
    }  # fmt: skip
    done = backups.run("verify")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name} is good: ")
    assert reports(database) == [("backup", True), ("verify", True)]
    size = database.execute("SELECT size FROM backup_report WHERE task = 'backup'").fetchone()
    files = (backups.folder / name).iterdir()
    assert size == (sum(path.stat().st_size for path in files),)


def test_bookings_during_a_dump_are_in_neither_dump_nor_manifest(
    backups: Backups, database: Database, tmp_path: Path
) -> None:
    performance = a_performance()
    a_party(performance, 2)
    with psycopg.connect(backups.settings["DATABASE_URL"]) as holding:
        # No booking needs this table, and pg_dump, whose snapshot is older, waits for it.
        holding.execute("LOCK TABLE backup_report IN ACCESS EXCLUSIVE MODE")
        program = backups.start("now", log=tmp_path / "log")
        program.wait_until(lambda: dumping(database), "pg_dump to wait")
        a_party(performance, 3)
        holding.rollback()
    assert program.wait() == 0, program.output
    (name,) = backups.names()
    # The negative control: who counts now, and not in the dump's snapshot, counts too many.
    assert database.execute("SELECT count(*) FROM reservation").fetchone() == (2,)
    assert ", 1 reservations, " in backups.run("list").stdout
    done = backups.run("verify", name)
    assert done.returncode == 0, done.stderr


def test_a_killed_run_leaves_no_listed_backup(
    backups: Backups, database: Database, tmp_path: Path
) -> None:
    with psycopg.connect(backups.settings["DATABASE_URL"]) as holding:
        holding.execute("LOCK TABLE mail IN ACCESS EXCLUSIVE MODE")
        program = backups.start("now", log=tmp_path / "log")
        program.wait_until(lambda: dumping(database), "pg_dump to wait")
        waiting = backups.start("now", log=tmp_path / "log of another")
        waiting.wait_until(lambda: "another run is at work" in waiting.output, "it to wait")
        # The control: there is something to clear away, and whose turn comes next may do it at once.
        assert (backups.folder / f".{program.pid}.partial").exists()
        program.kill()
        assert backups.names() == []
        waiting.wait_until((backups.folder / f".{waiting.pid}.partial").exists, "its turn")
    assert waiting.wait() == 0, waiting.output
    (name,) = backups.names()
    assert [path.name for path in backups.folder.iterdir() if path.is_dir()] == [name]


def test_two_backups_in_one_second_get_different_names(backups: Backups) -> None:
    first = backups.folder / backups.take()
    # Whenever in the next seconds it comes to its name, there is one of that second.
    began = datetime.now(UTC)
    for seconds in range(8):
        other = first.with_name(f"{began + timedelta(seconds=seconds):%Y-%m-%dT%H%M%SZ}")
        if other != first:
            shutil.copytree(first, other, dirs_exist_ok=True)
    before = backups.names()
    assert backups.take() > before[-1]
    assert len(backups.names()) == len(before) + 1


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [(1, "pg_dump failed: File size limit exceeded"), (1000, "File too large")],
    ids=["the database", "the media"],
)
def test_a_full_volume(backups: Backups, database: Database, blocks: int, reason: str) -> None:
    name = backups.take()
    (backups.media / "film.mp4").write_bytes(b"x" * 1_000_000)
    reported = backups.refusal("now", before=f"ulimit -f {blocks}")
    assert reason in reported
    assert backups.names() == [name]
    assert [path.name for path in backups.folder.iterdir() if path.is_dir()] == [name]
    assert reports(database)[1:] == [("backup", False)]
    remark = database.execute("SELECT remark FROM backup_report WHERE NOT well").fetchone()
    assert remark == (reported,)
    assert backups.run("verify").returncode == 0


def test_a_database_without_tables(
    make_backups: Callable[[str], Backups], empty_database: str
) -> None:
    backups = make_backups(empty_database)
    reported = backups.refusal("now")
    assert reported == "the database has no tables yet: run `flask db upgrade` first"
    assert backups.names() == []


def test_a_database_that_is_away(backups: Backups) -> None:
    done = backups.run("now", DATABASE_URL="postgresql://azionelab@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "refused" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("harm", ["a row is missing", "seats are wrong", "people are wrong"])
def test_a_failed_verification_is_reported(backups: Backups, database: Database, harm: str) -> None:
    a_party(a_performance(), 3)
    if harm == "a row is missing":
        name = backups.take()
        manifest = backups.folder / name / "manifest.json"
        text = manifest.read_text(encoding="utf-8").replace('"reservation": 1', '"reservation": 2')
        manifest.write_text(text, encoding="utf-8")
        sums = backups.folder / name / "SHA256SUMS"
        lines = [line for line in sums.read_text("ascii").splitlines() if "manifest" not in line]
        lines.append(f"{hashlib.sha256(manifest.read_bytes()).hexdigest()}  manifest.json")
        sums.write_text("\n".join(lines), encoding="ascii")
        expected = "reservation has 1 rows instead of 2"
    else:
        with database.transaction():
            database.execute("SET LOCAL session_replication_role = replica")
            wrong = {
                "seats are wrong": "UPDATE performance SET seats_held = 2",
                "people are wrong": "UPDATE reservation SET admitted = 1",
            }
            database.execute(wrong[harm])
        name = backups.take()
        expected = "1 times it does not hold that " + harm.partition(" ")[0]
    reported = backups.refusal("verify")
    assert reported.startswith(f"{name} is wrong: {expected}")
    assert reports(database)[-1] == ("verify", False)


def test_only_the_newest_verification_is_reported(backups: Backups, database: Database) -> None:
    old = backups.take()
    assert backups.refusal("verify", "nonsense").startswith("there is no backup nonsense")
    newest = backups.take()
    assert reports(database) == [("backup", True)] * 2
    dump = backups.folder / old / "database.dump"
    content = dump.read_bytes()
    dump.write_bytes(b"")
    assert backups.refusal("verify", old).startswith(f"{old} is corrupt: ")
    assert backups.run("verify", newest).returncode == 0
    assert reports(database)[2:] == [("verify", True)]

    # Nor does an old one that is good take a true alarm back.
    dump.write_bytes(content)
    (backups.folder / newest / "database.dump").write_bytes(b"")
    backups.refusal("verify")
    assert backups.run("verify", old).returncode == 0
    assert reports(database)[3:] == [("verify", False)]


def copies(backups: Backups, taken: list[datetime]) -> list[str]:
    """Backups of other moments, made of one of now."""
    name = backups.take()
    names = [f"{moment:%Y-%m-%dT%H%M%SZ}" for moment in taken]
    for other in names:
        shutil.copytree(backups.folder / name, backups.folder / other)
    shutil.rmtree(backups.folder / name)
    return names


KEEP = {"BACKUP_KEEP_DAYS": "2", "BACKUP_KEEP_WEEKS": "2", "BACKUP_KEEP_MONTHS": "0"}


def test_expired_backups_are_removed(backups: Backups) -> None:
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
    names = copies(backups, [noon - timedelta(days=days) for days in range(8, -1, -1)])
    done = backups.run("rotate", **KEEP)
    assert done.returncode == 0, done.stderr
    assert backups.names() == ["2026-11-22T120000Z", *names[-2:]]


def test_a_backup_from_before_an_upgrade_stays(
    backups: Backups, request: pytest.FixtureRequest
) -> None:
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    before = copies(backups, [noon - timedelta(hours=hours) for hours in (3, 2)])
    request.getfixturevalue("newer_schema")
    after = copies(backups, [noon - timedelta(hours=1), noon])
    assert backups.run("rotate", **KEEP).returncode == 0
    assert backups.names() == [before[1], after[1]]


def test_the_last_good_one_stays(backups: Backups) -> None:
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    names = copies(backups, [noon - timedelta(hours=hours) for hours in (3, 2, 1, 0)])
    for name in names[2:]:
        (backups.folder / name / "database.dump").write_bytes(b"")
    assert backups.run("rotate", **KEEP).returncode == 0
    assert backups.names() == [names[1], names[3]]
    (backups.folder / names[1] / "database.dump").write_bytes(b"")
    assert backups.run("rotate", **KEEP).returncode == 0
    assert backups.names() == [names[1], names[3]]


@pytest.mark.parametrize("day", ["daily", "another day", "never"])
def test_the_schedule_verifies_the_first_one_and_those_of_its_day(
    backups: Backups, database: Database, tmp_path: Path, day: str
) -> None:
    tomorrow = datetime.now(ZoneInfo("Europe/Rome")) + timedelta(days=1)
    backups.settings["VERIFY_DAY"] = f"{tomorrow:%A}".lower() if day == "another day" else day

    def verifies(what: str) -> bool:
        with backups.start("schedule", log=tmp_path / what) as program:
            program.wait_until(lambda: " is taken: " in program.output, what)
            # It ends what it has begun.
            assert program.stop() == 0, program.output
            return " is good: " in program.output

    first = verifies("the first backup")
    taken = backups.folder / backups.names()[-1]
    taken.rename(taken.with_name(f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H%M%SZ}"))
    assert (first, verifies("the next backup")) == (day != "never", day == "daily")


def test_the_schedule_takes_due_backups_and_ends_on_a_signal(
    backups: Backups, database: Database, tmp_path: Path
) -> None:
    with backups.start("schedule", log=tmp_path / "log") as program:
        program.wait_until(lambda: " is good: " in program.output, "the first backup")
        program.send(signal.SIGTERM)
        assert program.wait() == 0, program.output
    assert len(backups.names()) == 1
    assert reports(database) == [("backup", True), ("verify", True)]
    free = "SELECT part, (facts ->> 'free')::bigint > 0 FROM status_report"
    assert [tuple(row) for row in database.execute(free)] == [("disk-backups", True)]
    # Started again, it finds that nothing is due.
    with backups.start("schedule", log=tmp_path / "log2") as program:
        program.wait_until(lambda: "taking a backup each day" in program.output, "its first line")
        assert program.stop() == 0, program.output
    assert len(backups.names()) == 1


def test_a_backup_that_is_late_is_unhealthy(backups: Backups) -> None:
    assert backups.run("healthy").returncode == 0  # the first one is still to come
    copies(backups, [datetime.now(UTC) - timedelta(hours=27)])
    assert backups.refusal("healthy").startswith("there is no backup since ")
    backups.take()
    assert backups.run("healthy").returncode == 0


def test_all_invalid_settings_are_named(backups: Backups, tmp_path: Path) -> None:
    reported = backups.refusal(
        "now",
        DATABASE_URL="mysql://root@host/name",
        BACKUP_AT="4",
        VERIFY_DAY="sometimes",
        BACKUP_KEEP_DAYS="0",
        TIME_ZONE="Mars/Base",
        RESTIC_REPOSITORY=str(tmp_path / "elsewhere"),
        RESTIC_PASSWORD_FILE=str(tmp_path / "missing"),
    )
    assert reported.startswith("wrong settings: ")
    for name in (
        "DATABASE_URL", "BACKUP_AT", "VERIFY_DAY", "BACKUP_KEEP_DAYS", "TIME_ZONE",
        "RESTIC_PASSWORD_FILE",
    ):  # fmt: skip
        assert f"{name}: " in reported
