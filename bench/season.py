"""A theatre's season for the bench: reservations, by default 100,000 of 600 performances, and all that follows from them.

Performance 1 is tonight's, with 600 parties. Reservation 1 (`UUID(int=1)`) is one of them, with a long history. The
rows are written past the triggers, so that they are there within a minute, and are the same each time.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

RESERVATIONS = 100_000
PERFORMANCES = 600
SYLLABLES = (
    "ros si bian chi fer ra ri de lu ca mo ret ti gal lo con te man ci ni ven tu ba gre co sal vi"
)
GIVEN = [
    "Anna",
    "Marco",
    "Giulia",
    "Luca",
    "Chiara",
    "Paolo",
    "Nicolò",
    "Francesca",
    "Davide",
    "Elena",
    "Sara",
    "Matteo",
    "Zoë",
]
FREQUENT = ["Rossi", "Sgrò", "De Luca", "D'Amico", "Müller"]


@dataclass(frozen=True)
class Layout:
    """When the performances are: in so many days before and after today, and so many of them after.

    `tonight` are the parties of performance 1; the other performances share the other reservations.
    """

    name: str
    days_before: int
    days_after: int
    coming: int
    performances: int = PERFORMANCES
    reservations: int = RESERVATIONS
    tonight: int = 600


ONE_SEASON = Layout("one season", 150, 150, PERFORMANCES // 2)
MOSTLY_PAST = Layout("mostly past", 5 * 365, 30, 20)


def fill(database: psycopg.Connection[Any], layout: Layout = ONE_SEASON) -> None:
    """Write all rows; the connection is a superuser's, to a migrated database."""
    draw = random.Random(14)  # noqa: S311 (the same rows each time)
    curtains = _curtains(layout)
    with database.transaction(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(_SEASON)
        for number, curtain in enumerate(curtains, 1):
            cursor.execute(_PERFORMANCE, {"id": number, "show": number % 40 + 1, "at": curtain})
        # Made anew in the end: that is faster than row by row.
        cursor.execute("SELECT pg_get_indexdef('ix_reservation_search'::regclass)")
        search_index = str((cursor.fetchone() or ("",))[0])
        cursor.execute("DROP INDEX ix_reservation_search")
        with cursor.copy(f"COPY reservation ({_COLUMNS}) FROM STDIN") as copy:
            for row in _reservations(draw, layout, curtains):
                copy.write_row(row)
        for statement in _FOLLOWING:
            cursor.execute(statement)
        cursor.execute(search_index)
        for table in ("venue", "show", "performance", "api_token", "program_token", "webhook"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
            )
    database.execute("VACUUM ANALYZE")


def _curtains(layout: Layout) -> list[datetime]:
    """The beginning of each performance: the first is tonight's."""
    tonight = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    past = layout.performances - 1 - layout.coming
    before = [layout.days_before * (number + 1) / past for number in range(past)]
    after = [layout.days_after * (number + 1) / layout.coming for number in range(layout.coming)]
    return [
        tonight,
        *(tonight - timedelta(days=one) for one in before),
        *(tonight + timedelta(days=one) for one in after),
    ]


_COLUMNS = "id, reference, performance_id, name, email, email_key, locale, seats, state"
_COLUMNS += ", request_key, created_at, hold_expires_at, confirmed_at, ended_at, ended_by, note"
_COLUMNS += ", contact, kind, admitted, walk_in, changed_in"


def _reservations(
    draw: random.Random, layout: Layout, curtains: list[datetime]
) -> Iterator[tuple[Any, ...]]:
    family = [
        "".join(draw.choices(SYLLABLES.split(), k=draw.choice((2, 3, 3, 4)))) for _ in range(6_000)
    ]
    now = datetime.now(UTC)
    for number in range(1, layout.reservations + 1):
        evening = 1 if number <= layout.tonight else 2 + number % (layout.performances - 1)
        curtain = curtains[evening - 1]
        name = f"{draw.choice(GIVEN)} {draw.choice(FREQUENT) if draw.random() < 0.1 else draw.choice(family).title()}"
        address = name.lower().replace(" ", ".").replace("'", "")
        address += f"{number % 40_000}@example.{draw.choice(('it', 'com'))}"
        booked = min(curtain, now) - timedelta(days=draw.expovariate(0.1), minutes=5)
        state = draw.choices(("confirmed", "cancelled", "expired", "pending"), (84, 8, 4, 4))[0]
        if state == "pending" and curtain < now:
            state = "expired"
        kind = draw.choices(("visitor", "box_office", "desk", "house"), (88, 9, 2, 1))[0]
        if kind != "visitor" or number == 1:
            state = "confirmed" if state == "pending" or number == 1 else state
        walk_in, seats = kind == "desk", draw.choice((1, 2, 2, 2, 3, 4))
        is_in = (
            state == "confirmed"
            and kind != "house"
            and (draw.random() < 0.92 if curtain < now else evening == 1 and draw.random() < 0.5)
        )
        yield (
            UUID(int=1) if number == 1 else UUID(int=draw.getrandbits(128), version=4),
            f"{number:08}", evening,
            "" if walk_in else "Sponsors" if kind == "house" else name,
            "" if kind in ("desk", "house") else address,
            None if kind in ("desk", "house") else address,
            draw.choice(("it", "it", "it", "en")), seats, state,
            UUID(int=draw.getrandbits(128), version=4), booked,
            max(booked, now) + timedelta(hours=2) if state == "pending" or kind == "house" else booked + timedelta(hours=2),
            booked + timedelta(minutes=9) if state == "confirmed" else None,
            booked + timedelta(hours=2) if state in ("cancelled", "expired") else None,
            "visitor" if state == "cancelled" else None,
            "sedia a rotelle" if number % 50 == 0 and not walk_in else "",
            "Scuola media, 06 1234567" if number % 200 == 1 and not walk_in else "",
            kind, seats if is_in else 0, walk_in, number,
        )  # fmt: skip


_SEASON = """
    INSERT INTO venue (id, name, address) SELECT n, 'Sala ' || n, 'Via Roma ' || n FROM generate_series(1, 3) n;
    INSERT INTO show (id, slug, title, summary, description, duration_minutes, published)
        SELECT n, 'show-' || n, 'A play, number ' || n, 'In two acts', repeat('What happens in it. ', 40), 90, true
        FROM generate_series(1, 40) n;
    INSERT INTO holiday (name, first_day, last_day) SELECT 'Ferie', current_date + n * 90, current_date + n * 90 + 7
        FROM generate_series(-3, 3) n;
    INSERT INTO user_account (id, email, name, password, active, fs_uniquifier)
        SELECT n, 'staff' || n || '@example.org', 'Staff ' || n, 'none', true, 'bench-' || n
        FROM generate_series(1, 12) n;
    INSERT INTO user_role (user_id, role_id) SELECT n, (SELECT id FROM role WHERE name = 'box_office')
        FROM generate_series(1, 12) n;
    SELECT setval(pg_get_serial_sequence('user_account', 'id'), 12);
    INSERT INTO program_token (id, label, scopes, digest, created_at, expires_at)
        SELECT n, 'Program ' || n, ARRAY['reservations:read'], sha256(n::text::bytea), now(), now() + interval '1 year'
        FROM generate_series(1, 3) n;
    INSERT INTO webhook (id, url, events, key, created_at)
        SELECT n, 'https://example.org/hook/' || n, ARRAY['reservation.confirmed'], gen_random_uuid(), now()
        FROM generate_series(1, 2) n;
"""

_PERFORMANCE = """
    INSERT INTO performance (id, show_id, venue_id, starts_at, booking_opens_at, booking_closes_at, capacity,
                             party_limit)
    VALUES (%(id)s, %(show)s, %(id)s %% 3 + 1, %(at)s, %(at)s - interval '60 days', %(at)s - interval '1 hour',
            2000, 6)
"""

_FOLLOWING = (
    """UPDATE performance SET seats_held = held FROM (
        SELECT performance_id, sum(seats) AS held FROM reservation WHERE state IN ('confirmed', 'pending') GROUP BY 1
    ) AS counted WHERE performance.id = counted.performance_id""",
    # Four phones at each door so far.
    """INSERT INTO api_token (label, scope, digest, created_at, expires_at, performance_id, last_seen_at)
        SELECT 'Door ' || n, 'door', sha256((p.id * 10 + n)::text::bytea), starts_at - interval '1 day',
               starts_at + interval '1 day', p.id, starts_at
        FROM performance p, generate_series(1, 4) n WHERE starts_at < now() + interval '1 day'""",
    # A scan of each party that is in, some wrong ones, and of reservation 1 again and again.
    """INSERT INTO scan (id, performance_id, reservation_id, verdict, people, walk_in, admitted_before, scanned_at,
                         received_at, door, token_id)
        SELECT gen_random_uuid(), r.performance_id, r.id, 'admitted', r.seats, r.walk_in, 0,
               least(starts_at - interval '20 minutes' + n % 1200 * interval '1 second', now()), null,
               'Door ' || n % 4 + 1, t.id
        FROM (SELECT *, row_number() OVER () AS n FROM reservation WHERE admitted > 0) r
        JOIN performance p ON p.id = r.performance_id
        JOIN api_token t ON t.performance_id = p.id AND t.label = 'Door ' || n % 4 + 1""",
    """INSERT INTO admission (scan_id, reservation_id, people, admitted_at)
        SELECT id, reservation_id, people, scanned_at FROM scan""",
    """INSERT INTO scan (id, performance_id, reservation_id, verdict, people, admitted_before, scanned_at, door,
                         token_id, claimed)
        SELECT gen_random_uuid(), performance_id, reservation_id, 'already_in', 0, people,
               scanned_at + interval '1 minute', door, token_id, CASE WHEN people = 4 THEN 1 END
        FROM scan WHERE abs(hashtext(id::text)) % 20 = 0""",
    """INSERT INTO scan (id, performance_id, reservation_id, verdict, people, admitted_before, scanned_at, door)
        SELECT CASE n WHEN 1 THEN '00000000-0000-0000-0000-000000000001' ELSE gen_random_uuid() END, 1,
               '00000000-0000-0000-0000-000000000001', 'already_in', 0, 1, now() - n * interval '1 minute', 'Door 1'
        FROM generate_series(1, 15) n""",
    """INSERT INTO mail (id, reservation_id, kind, delivery, attempts, created_at, sent_at, tried_at)
        SELECT gen_random_uuid(), r.id, mail.kind, 'sent', 1, r.created_at, r.created_at + interval '5 seconds',
               r.created_at + interval '5 seconds'
        FROM reservation r, LATERAL unnest(CASE state
            WHEN 'confirmed' THEN ARRAY['confirm', 'ticket'] WHEN 'cancelled' THEN ARRAY['confirm', 'ticket', 'cancelled']
            ELSE ARRAY['confirm'] END) AS mail (kind)
        WHERE email <> ''""",
    """INSERT INTO mail (id, reservation_id, kind, delivery, attempts, created_at, sent_at, tried_at)
        SELECT CASE n WHEN 1 THEN '00000000-0000-0000-0000-000000000001' ELSE gen_random_uuid() END,
               '00000000-0000-0000-0000-000000000001', 'changed', 'sent', 1, now() - n * interval '1 hour',
               now() - n * interval '1 hour', now() - n * interval '1 hour'
        FROM generate_series(1, 15) n""",
    """UPDATE mail SET delivery = 'failed', sent_at = null, refusal = 'recipient',
            last_error = '550 5.1.1 no such user' WHERE abs(hashtext(id::text)) % 700 = 0""",
    """UPDATE mail SET delivery = 'queued', sent_at = null, tried_at = null, attempts = 0
        WHERE id IN (SELECT id FROM mail ORDER BY created_at DESC LIMIT 40)""",
    # Messages to the audience of one performance each.
    """INSERT INTO audience_message (id, texts, whom, performance_ids, state, created_at, created_by, recipients,
                                     starts_at, written_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, '{"it": {"subject": "Domani", "body": "A domani."}}', 'booked', ARRAY[n],
               CASE n WHEN 1 THEN 'draft' ELSE 'sending' END, now() - n * interval '3 days', 1, 170,
               CASE WHEN n > 1 THEN now() - n * interval '3 days' END,
               CASE WHEN n > 1 THEN now() - n * interval '3 days' END
        FROM generate_series(1, (SELECT least(60, count(*)) FROM performance)) n""",
    """INSERT INTO mail (id, reservation_id, kind, delivery, attempts, created_at, sent_at, tried_at, message_id)
        SELECT gen_random_uuid(), r.id, 'message', 'sent', 1, m.created_at, m.created_at, m.created_at, m.id
        FROM audience_message m JOIN reservation r ON r.performance_id = m.performance_ids[1]
        WHERE r.email <> '' AND m.state <> 'draft'""",
    """INSERT INTO mail_text (mail_id, subject, text)
        SELECT id, 'La tua prenotazione', repeat('Un testo come tanti altri. ', 20) FROM mail WHERE sent_at IS NOT NULL""",
    # The log: what visitors, the box office and staff changed.
    """INSERT INTO audit_entry (at, actor, account_id, source, address, object_type, object_id, label, performance_id,
                                action, changes)
        SELECT * FROM (
            SELECT created_at + interval '9 minutes' AS at, CASE kind WHEN 'visitor' THEN 'visitor' ELSE 'staff' END,
                   CASE WHEN kind <> 'visitor' THEN abs(hashtext(reference)) % 12 + 1 END, '',
                   CASE WHEN kind <> 'visitor' THEN '192.0.2.7' ELSE '' END, 'reservation', id::text, reference,
                   performance_id, 'changed', jsonb_build_object('state', jsonb_build_array('pending', state),
                                                                 'confirmed_at', jsonb_build_array(null, confirmed_at))
            FROM reservation WHERE NOT walk_in
            UNION ALL
            SELECT created_at + interval '3 hours', 'staff', abs(hashtext(reference)) % 12 + 1, '', '192.0.2.7',
                   'reservation', id::text, reference, performance_id, 'changed',
                   jsonb_build_object('name', jsonb_build_array('Anna Rosi', name),
                                      'seats', jsonb_build_array(seats + 1, seats))
            FROM reservation WHERE NOT walk_in AND changed_in % 7 = 1
            UNION ALL
            SELECT starts_at - interval '80 days' + n * interval '1 day', 'staff', n % 12 + 1, '', '192.0.2.7', 'performance',
                   p.id::text, title, p.id, CASE n WHEN 1 THEN 'created' ELSE 'changed' END,
                   jsonb_build_object('capacity', jsonb_build_array(100 * n, 100 * n + 100))
            FROM performance p JOIN show ON show.id = show_id, generate_series(1, 5) n
            UNION ALL
            SELECT created_at + interval '1 day', 'staff', 1, '', '192.0.2.7', 'mail', id::text, '', null, 'changed',
                   jsonb_build_object('resent_at', jsonb_build_array(null, created_at))
            FROM mail WHERE abs(hashtext(id::text)) % 50 = 0
            UNION ALL
            SELECT now() - n * interval '1 minute', 'staff', 1, '', '192.0.2.7', 'reservation',
                   '00000000-0000-0000-0000-000000000001', '00000001', 1, 'changed',
                   jsonb_build_object('seats', jsonb_build_array(n % 5 + 1, n % 4 + 1))
            FROM generate_series(1, 60) n
        ) AS all_of_them ORDER BY at""",
    """INSERT INTO webhook_delivery (webhook_id, message_id, event, payload, created_at, attempts, delivered_at)
        SELECT 1, gen_random_uuid(), 'reservation.confirmed',
               jsonb_build_object('type', 'reservation.confirmed', 'data', jsonb_build_object('id', id, 'seats', seats)),
               confirmed_at, 1, confirmed_at + interval '1 second'
        FROM reservation WHERE confirmed_at IS NOT NULL""",
    """INSERT INTO reservation_move (reservation_id, performance_id, moved_at)
        SELECT id, performance_id % (SELECT count(*) FROM performance) + 1, created_at + interval '1 day' FROM reservation
        WHERE changed_in % 100 = 1 AND NOT walk_in""",
    """INSERT INTO row_change (table_name, row_id, version, changed_at, account_id, changes)
        SELECT 'performance', p.id, n, now() - n * interval '1 day', 1, '{"capacity": [100, 200]}'
        FROM performance p, generate_series(2, 4) n""",
)
