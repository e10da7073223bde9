"""What a million bookings and as many mails leave in tables and indexes: dead rows, and more pages than the rows need.

    python -m bench.bloat [--write] [--most 100000] [--with reservation:fillfactor=85]

Each booking is written, mailed and confirmed, and its party let in, in transactions of their own, as the site does it:
84 of 100 are confirmed, 6 of these cancelled later, 16 expire. Then a tenth as many holds all expire. Ten evenings are
on sale at once, with a hundred bookings each. The statements run inside PostgreSQL, by two connections, so years pass
within minutes, and autovacuum looks each second instead of each minute. At the end each table is written anew
(VACUUM FULL), which is what its size is compared with. `--with` tries a setting of a table.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from bench.figures import write
from bench.servers import ROOT, flask, postgres, site_settings

COMMAND = "python -m bench.bloat"
PAGE = ROOT / "docs" / "performance.md"
_MOST = 1_000_000
_STEP = 5_000  # bookings that are written in one call
_AN_EVENING, _AT_ONCE = 100, 10  # bookings; evenings on sale
_CONNECTIONS = 2
_TABLES = (
    "reservation", "performance", "mail", "mail_text", "scan", "admission", "audit_entry", "procrastinate_jobs",
    "procrastinate_events",
)  # fmt: skip


def main() -> None:
    """Measure, print the table, and with --write put it into docs/performance.md."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    parser.add_argument("--most", type=int, default=_MOST, help="how many bookings")
    parser.add_argument(
        "--with", dest="settings", action="append", default=[], help="TABLE:SETTING=VALUE"
    )
    options = parser.parse_args()
    with postgres() as (url, _folder):
        flask(site_settings(url, 25), "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
            database.execute("SELECT pg_reload_conf()")
            for setting in options.settings:
                table, _, value = setting.partition(":")
                database.execute(f"ALTER TABLE {table} SET ({value})")
            table = _measure(database, url, options.most)
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)


def _measure(database: psycopg.Connection[Any], url: str, bookings: int) -> str:
    holds = bookings // 10
    database.execute(_SEASON, {"evenings": (bookings + holds) // _AN_EVENING + 2 * _AT_ONCE})
    begin = time.monotonic()
    _run(url, 0, bookings, 84)
    _run(url, bookings, bookings + holds, 0)
    took = time.monotonic() - begin
    rows = list(_rows(database))
    print(f"written in {took:.0f} s; tables are written anew", file=sys.stderr, flush=True)
    lines = [
        f"{bookings:,} bookings and {holds:,} holds that expired.",
        "",
        "| table | rows | dead | updates | in place (HOT) | MB | written anew | indexes, MB | written anew |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, live, dead, updates, hot, size, indexes in rows:
        database.execute(f"VACUUM (FULL) {name}")
        sizes = database.execute(_SIZES, {"table": name}).fetchone() or (0, 0)
        lines.append(
            f"| `{name}` | {live:,} | {dead / max(1, live + dead):.0%} | {updates:,} |"
            f" {hot / max(1, updates):.0%} | {size / 1e6:.1f} | {sizes[0] / 1e6:.1f} |"
            f" {indexes / 1e6:.1f} | {sizes[1] / 1e6:.1f} |"
        )
    return "\n".join(lines)


def _run(url: str, first: int, last: int, confirmed: int) -> None:
    """Write the bookings from `first` on before `last`, of which so many in a hundred are confirmed."""

    def part(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for begin in range(first, last, _STEP):
                end = min(begin + _STEP, last)
                connection.execute(
                    _LIVE.format(
                        number=number, connections=_CONNECTIONS, begin=begin, end=end, last=last,
                        first=first, confirmed=confirmed, evening=_AN_EVENING, at_once=_AT_ONCE,
                    )
                )  # fmt: skip
                if number == 0 and (end - first) % (10 * _STEP) == 0:
                    print(f"{end:,} of {last:,} bookings", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(part, range(_CONNECTIONS)))


def _rows(database: psycopg.Connection[Any]) -> Iterator[tuple[Any, ...]]:
    # What the sessions counted is there once they have ended.
    for name in _TABLES:
        found = database.execute(_STATISTICS, {"table": name}).fetchone()
        assert found
        yield (name, *found)


_SIZES = "SELECT pg_relation_size(%(table)s::regclass), pg_indexes_size(%(table)s::regclass)"
_STATISTICS = """
    SELECT n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, pg_relation_size(relid), pg_indexes_size(relid)
    FROM pg_stat_user_tables WHERE relid = %(table)s::regclass
"""
_SEASON = """
    WITH venue AS (INSERT INTO venue (name, address) VALUES ('Sala', 'Via Roma 1') RETURNING id),
    show AS (INSERT INTO show (slug, title, summary, description, duration_minutes, published)
             VALUES ('amleto', 'Amleto', '', '', 90, true) RETURNING id)
    INSERT INTO performance (id, show_id, venue_id, starts_at, booking_opens_at, booking_closes_at, capacity, party_limit)
    OVERRIDING SYSTEM VALUE
    SELECT n, show.id, venue.id, now() + n * interval '1 hour', now(), now() + n * interval '1 hour', 2000, 6
    FROM venue, show, generate_series(1, %(evenings)s) n
"""
# A booking is confirmed 300 bookings later, cancelled or let in 3,000 later; jobs are deleted 6,000 later.
_LIVE = """
DO $$
DECLARE
    booking uuid;
    ended uuid;
    written uuid;
    job bigint;
    outcome integer;
BEGIN
    FOR n IN {begin}..{end} - 1 LOOP
        CONTINUE WHEN n % {connections} <> {number};
        booking := md5('booking' || n)::uuid;
        INSERT INTO mail (id, reservation_id, kind, delivery, attempts, created_at)
        VALUES (md5('confirm' || n)::uuid, booking, 'confirm', 'queued', 0, now());
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status)
        VALUES ('mails', 'mail.send', 0, '{{}}', 'todo') RETURNING id INTO job;
        INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats, state, request_key,
                                 created_at, hold_expires_at, kind)
        VALUES (booking, lpad(n::text, 8, '0'), 1 + n / ({evening} * {at_once}) * {at_once} + n % {at_once},
                'Anna Rossi ' || n % 9973, 'anna' || n || '@example.org', 'anna' || n || '@example.org', 'it', 1 + n % 4,
                'pending', md5('press' || n)::uuid, now(), now() + interval '30 minutes', 'visitor');
        COMMIT;
        UPDATE procrastinate_jobs SET status = 'doing' WHERE id = job;
        COMMIT;
        UPDATE mail SET delivery = 'sent', attempts = 1, sent_at = now(), tried_at = now()
        WHERE id = md5('confirm' || n)::uuid;
        INSERT INTO mail_text (mail_id, subject, text)
        VALUES (md5('confirm' || n)::uuid, 'La tua prenotazione', repeat('Un testo come tanti altri. ', 20));
        UPDATE procrastinate_jobs SET status = 'succeeded', attempts = 1 WHERE id = job;
        COMMIT;
        IF n - 300 >= {first} THEN
            ended := md5('booking' || n - 300)::uuid;
            IF (n - 300) / {connections} % 100 < {confirmed} THEN
                UPDATE reservation SET state = 'confirmed', confirmed_at = now() WHERE id = ended;
                written := md5('ticket' || n - 300)::uuid;
                INSERT INTO mail (id, reservation_id, kind, delivery, attempts, created_at)
                VALUES (written, ended, 'ticket', 'queued', 0, now());
                COMMIT;
                UPDATE mail SET delivery = 'sent', attempts = 1, sent_at = now(), tried_at = now() WHERE id = written;
            ELSE
                UPDATE reservation SET state = 'expired', ended_at = now() WHERE id = ended;
            END IF;
            COMMIT;
        END IF;
        IF n - 3000 >= {first} THEN
            ended := md5('booking' || n - 3000)::uuid;
            outcome := (n - 3000) / {connections} % 100;
            IF outcome < {confirmed} - 6 THEN
                INSERT INTO scan (id, performance_id, reservation_id, verdict, people, admitted_before, scanned_at, door)
                SELECT id, performance_id, id, 'admitted', seats, 0, now(), 'Door 1' FROM reservation WHERE id = ended;
                INSERT INTO admission (scan_id, reservation_id, people, admitted_at)
                SELECT id, id, seats, now() FROM reservation WHERE id = ended;
            ELSIF outcome < {confirmed} THEN
                UPDATE reservation SET state = 'cancelled', ended_at = now(), ended_by = 'visitor' WHERE id = ended;
            END IF;
            COMMIT;
        END IF;
        IF n % 1000 < {connections} THEN
            DELETE FROM procrastinate_jobs WHERE status = 'succeeded' AND id < job - 6000;
            COMMIT;
        END IF;
    END LOOP;
END $$
"""


if __name__ == "__main__":
    main()
