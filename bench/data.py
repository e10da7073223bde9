"""Rows for the scenarios, written directly into the database of the measured site."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Flask

from azionelab.bookings.tickets.signing import sign_ticket
from azionelab.staff.tokens import digest
from bench.servers import SECRET_KEY


def make_performance(database: psycopg.Connection[Any], capacity: int = 100_000) -> int:
    """Insert a performance, by default with seats for the whole measurement, and return its id."""
    row = database.execute(
        """
        WITH venue AS (INSERT INTO venue (name, address) VALUES (gen_random_uuid(), '') RETURNING id),
             show AS (INSERT INTO show (slug, title, summary, description, published)
                      VALUES (gen_random_uuid(), 'Bench', 'A measured evening', '', true)
                      RETURNING id)
        INSERT INTO performance (show_id, venue_id, starts_at, booking_opens_at,
                                 booking_closes_at, capacity, party_limit)
        SELECT show.id, venue.id, now() + interval '1 day', now() - interval '1 day',
               now() + interval '20 hours', %s, 6 FROM show, venue
        RETURNING id
        """,
        [capacity],
    ).fetchone()
    return int(row[0]) if row else 0


def make_tickets(database: psycopg.Connection[Any], evening: int, parties: int) -> list[str]:
    """Insert confirmed parties of one seat, and return the codes of their tickets."""
    rows = database.execute(
        """
        INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats,
                                 state, request_key, created_at, hold_expires_at, confirmed_at)
        SELECT gen_random_uuid(), upper(lpad(to_hex(%s::int), 4, '0') || lpad(to_hex(n), 4, '0')), %s,
               'Visitor ' || substr(md5(n::text), 1, 12), n || '@example.org',
               n || '@example.org', 'en', 1, 'confirmed', gen_random_uuid(), now(), now(), now()
        FROM generate_series(1, %s) n RETURNING reference
        """,
        [evening, evening, parties],
    ).fetchall()
    database.execute("VACUUM ANALYZE reservation")
    database.execute("VACUUM ANALYZE performance")
    with signing():
        return [sign_ticket(evening, row[0]) for row in rows]


def make_devices(database: psycopg.Connection[Any], evening: int, number: int = 1) -> list[str]:
    """Enrol so many phones at the door of a performance, and return their tokens."""
    tokens = [secrets.token_urlsafe(32) for _ in range(number)]
    with database.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO api_token (label, scope, digest, created_at, expires_at, performance_id)
            VALUES (%s, 'door', %s, now(), now() + interval '3 days', %s)
            """,
            # No two phones at a door have one name.
            [(f"Bench {token[:8]}", digest(token), evening) for token in tokens],
        )
    return tokens


@contextmanager
def signing() -> Iterator[None]:
    """An application context with the measured site's key, so that it accepts signatures made here."""
    app = Flask("bench")
    app.config.update(SECRET_KEY=SECRET_KEY, SECRET_KEY_FALLBACKS=[])
    with app.app_context():
        yield
