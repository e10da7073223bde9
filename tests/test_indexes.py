"""Pages, actions, exports and jobs find their rows by an index, however many years a theatre keeps.

PostgreSQL is asked how it would answer each statement. It may read no large table whole and join by nested loops
only: where it reads one all the same, no index leads to the rows. Which plan it would choose depends on how much there
is: `python -m bench.growth` measures that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import ClientCursor
from sqlalchemy import event

from azionelab.database import db
from azionelab.extensions import jobs
from azionelab.integrations.tokens import Scope, issue_program_token
from azionelab.shows.models import Performance
from bench.walk import addresses, filled_in
from tests.admin.test_access import set_the_stage
from tests.faults.deeds import DOORS, STAFF, VISITORS, Stage
from tests.faults.reservation_deeds import RESERVATION_DEEDS
from tests.faults.waitlist_deeds import WAITLIST
from tests.support.people import english, press

# What grows with each evening, to 10,000 rows, and with each booking, to a million. The others have some hundred rows
# after many years.
OF_EVENINGS = {"performance", "api_token", "row_change"}
OF_BOOKINGS = {
    "reservation", "mail", "mail_text", "scan", "admission", "passage", "audit_entry", "reservation_move",
    "webhook_delivery", "coming_answer", "hand_over", "queue_place",
}  # fmt: skip
# Partial indexes that leave out few rows.
NEARLY_ALL = {
    "ix_reservation_name_alone",
    "ix_reservation_email_alone",
    "ix_reservation_email_key",
    "ix_scan_token_id",
    "ix_scan_user_id",
}
DEEDS = (*VISITORS, *DOORS, *STAFF, *RESERVATION_DEEDS, *WAITLIST)
VISITED = (
    "/it/", "/it/?view=calendar", "/it/?q=play", "/it/shows/{show}", "/it/performances/{performance}/book",
    "/it/season.ics", "/sitemap.xml", "/api/v1/performances", "/api/health", "/metrics",
    "/checkin/", "/checkin/performances/{performance}", "/admin/reservations/?flt1_1={performance}",
    "/admin/scans/?flt1_1={performance}", "/admin/log/?performance={performance}", "/admin/log/?who=door",
)  # fmt: skip
SEARCHED = ("reservations", "people", "mails", "scans", "performances", "log")
# They are meant to read a whole list, or all years.
READ_ALL = ("/export", "/admin/season-report/years")
STAFF_API = "/api/v1/staff/"
# Periodic jobs of Procrastinate's own tables, and the one that reads all data to check it.
OTHER_JOBS = {"queue.recover", "queue.clean", "status.doctor"}
Sent = list[tuple[Any, Any]]  # statements with their values


@contextmanager
def listening() -> Iterator[Sent]:
    """All statements that the application sends, also past SQLAlchemy and while rows are streamed."""
    sent: Sent = []

    class Recorder(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            sent.append((query, params))
            return super().execute(query, params, **how)

    class StreamRecorder(psycopg.ServerCursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
            sent.append((query, params))
            return super().execute(query, params, **how)

    def record(connection: psycopg.Connection[Any], *_: object) -> None:
        connection.cursor_factory = Recorder
        connection.server_cursor_factory = StreamRecorder

    engine = db.engine
    db.session.remove()
    engine.dispose()
    event.listen(engine, "connect", record)
    try:
        yield sent
    finally:
        event.remove(engine, "connect", record)
        db.session.remove()
        engine.dispose()


# A page holds as many rows as it is said to, so the number alone is believed; but of an empty table nothing is.
GROW = """
    UPDATE pg_class SET reltuples = CASE WHEN of.relname = ANY(%(evenings)s) THEN 1e4 ELSE 1e6 END,
                        relpages = pg_relation_size(pg_class.oid) / 8192
    FROM pg_class AS of LEFT JOIN pg_index ON indrelid = of.oid AND indpred IS NULL
    WHERE of.relname = ANY(%(large)s) AND pg_relation_size(of.oid) > 0 AND pg_class.oid IN (of.oid, indexrelid)
"""
# A hundred rows of each evening, and hardly anything is undone. Without statistics PostgreSQL guesses the opposite, and
# begins with what it takes for few rows.
COLUMNS = """
    FROM pg_attribute WHERE attrelid::regclass::text = ANY(%(large)s)
    AND (attname = 'undone_at' OR attname ~ '_id$' AND atttypid = 'integer'::regtype)
"""
# That all of the three evenings are of this season, for example, is true of no theatre's tables.
FORGET = "DELETE FROM pg_statistic WHERE starelid::regclass::text = ANY(%(large)s)"
KNOW = f"""
    INSERT INTO pg_statistic
    SELECT attrelid, attnum, false, CASE attname WHEN 'undone_at' THEN 0.99 ELSE 0 END, 8, -0.01,
           {", ".join(["0"] * 15)}, {", ".join(["NULL"] * 10)} {COLUMNS}
"""


class Reader:
    """Finds the statements that read a large table whole."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._asked: dict[Any, tuple[Any, set[str]]] = {}

    def sort_out(self, name: str = "") -> None:
        """Note who has sent the newest statements; of nobody, and of who is meant to read all, they do not count."""
        if name and not any(all_of in name for all_of in READ_ALL):
            for query, values in self._sent:
                self._asked.setdefault(query, (values, set()))[1].add(name)
        self._sent.clear()

    def check(self, database: psycopg.Connection[Any]) -> None:
        """Fail with the statements that read a table whole, and with what sent them."""
        facts = {"large": sorted(OF_EVENINGS | OF_BOOKINGS), "evenings": sorted(OF_EVENINGS)}
        texts = []
        with database.transaction(force_rollback=True):
            for kind in ("seqscan", "mergejoin", "hashjoin", "material"):
                database.execute(f"SET LOCAL enable_{kind} = off")
            database.execute("ANALYZE")  # as autovacuum may have done or not
            for statement in (GROW, FORGET, KNOW):
                database.execute(statement, facts)
            plans = Plans(database)
            for query, (values, names) in self._asked.items():
                text = query if isinstance(query, str) else query.as_string(database)
                if text.lstrip().startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
                    with ClientCursor(database) as cursor:
                        cursor.execute(f"EXPLAIN (FORMAT JSON) {text}", values)
                        plan = (cursor.fetchone() or ())[0][0]["Plan"]
                    if tables := set(plans.read_whole(plan)):
                        texts.append(f"{tables} by {sorted(names)}:\n{text}")
        if texts:
            pytest.fail("These read a large table whole:\n\n" + "\n\n".join(texts), pytrace=False)


class Plans:
    """Reads plans, which name indexes."""

    def __init__(self, database: psycopg.Connection[Any]) -> None:
        self._leading, self._small = {}, set()
        for name, column, is_partial in database.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true), indpred IS NOT NULL"
            " FROM pg_index"
        ):
            self._leading[name] = column
            if is_partial and name not in NEARLY_ALL:
                self._small.add(name)

    def read_whole(self, plan: dict[str, Any], *, limited: bool = False) -> Iterator[str]:
        """The large tables that a plan reads whole: by themselves, or by an index from end to end.

        An index of some rows only is small, and so is what a limit ends.
        """
        node, index, table = plan["Node Type"], plan.get("Index Name"), plan.get("Relation Name")
        from_end_to_end = (
            index
            and index not in self._small
            and self._leading[index] not in plan.get("Index Cond", "")
            and not limited
        )
        if table in OF_EVENINGS | OF_BOOKINGS and (node == "Seq Scan" or from_end_to_end):
            yield table
        for part in plan.get("Plans", ()):
            # What is sorted or counted first is read to its end.
            ends = node not in ("Sort", "Aggregate", "WindowAgg")
            yield from self.read_whole(part, limited=node == "Limit" or (limited and ends))


@pytest.fixture
def reader(app: Flask) -> Iterator[Reader]:
    with app.app_context(), listening() as sent:
        yield Reader(sent)


def test_nothing_reads_a_large_table_whole(
    app: Flask, reader: Reader, database: psycopg.Connection[Any]
) -> None:
    identities = set_the_stage()
    stage = Stage.of(app)
    for deed in DEEDS:
        act = deed(stage)
        reader.sort_out()
        assert act().status_code < 400, deed.__name__
        reader.sort_out(deed.__name__)

    for address in addresses(app, "GET"):
        for identity in identities:
            if stage.admin.get(f"{address}?id={identity}").status_code == 200:
                break
        reader.sort_out(address)
    performance = db.session.get_one(Performance, 1)
    for address in VISITED:
        known = {"performance": performance.id, "show": performance.show.slug}
        assert stage.admin.get(address.format(**known)).status_code == 200, address
        reader.sort_out(address)
    for name in SEARCHED:
        listed = f"/admin/{name}/"
        assert press(stage.admin, f"{listed}find/", listed, search="rossi").status_code == 200
        reader.sort_out(f"{listed} (rossi)")
    _token, text = issue_program_token("A sheet", tuple(Scope), 1, None)
    program = english(app)
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    for address in (
        filled_in(str(rule)) for rule in app.url_map.iter_rules() if str(rule).startswith(STAFF_API)
    ):
        program.get(address)
        reader.sort_out(address)

    for periodic in jobs.periodic_registry.periodic_tasks.values():
        if periodic.task.name not in OTHER_JOBS:
            reader.sort_out()
            periodic.task.func(timestamp=0)
            reader.sort_out(periodic.task.name)
    reader.check(database)
