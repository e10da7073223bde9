"""The connection to the database is cut at each statement of whatever changes something.

Before the server has the statement; and after the server ended a transaction, but before its answer is heard. So also
in the commit, and after it. Whoever pressed is told the truth, and one more press does it once.

Many presses begin alike, for example with reading who is logged in. What a press reads before its first write is not
cut if an earlier deed of the list sent the same statements up to there.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask, request, request_started
from werkzeug.test import TestResponse

from tests.conftest import application
from tests.faults.box_office_deeds import BOX_OFFICE
from tests.faults.deeds import (
    DOORS,
    STAFF,
    VISITORS,
    Deed,
    Press,
    Stage,
    book_by_api_without_a_key,
    sync,
)  # fmt: skip
from tests.faults.list_deeds import LISTS
from tests.faults.message_deeds import MESSAGES
from tests.faults.office_deeds import OFFICE
from tests.faults.picture_deeds import PICTURES
from tests.faults.program_deeds import PROGRAMS
from tests.faults.reservation_deeds import RESERVATION_DEEDS
from tests.faults.waitlist_deeds import WAITLIST
from tests.support.cutting_proxy import Cut, CuttingProxy

pytestmark = pytest.mark.usefixtures("in_app")

_COUNTS = """
SELECT
  (SELECT count(*) FROM reservation WHERE state = 'pending') AS pending,
  (SELECT count(*) FROM reservation WHERE state = 'confirmed') AS confirmed,
  (SELECT count(*) FROM reservation WHERE state = 'waiting') AS waiting,
  (SELECT count(*) FROM reservation WHERE waiting_since IS NOT NULL) AS in_line,
  (SELECT count(*) FROM reservation WHERE near_until IS NOT NULL) AS near,
  (SELECT count(*) FROM reservation WHERE state = 'cancelled') AS cancelled,
  (SELECT coalesce(sum(seats), 0) FROM reservation) AS seats,
  (SELECT coalesce(sum(admitted), 0) FROM reservation) AS admitted,
  (SELECT coalesce(sum(released), 0) FROM reservation) AS released,
  (SELECT count(*) FROM mail) AS mails,
  (SELECT count(*) FROM hand_over WHERE ended_at IS NULL) AS offers,
  (SELECT count(*) FROM mail WHERE resent_at IS NOT NULL) AS resent,
  (SELECT count(*) FROM scan) AS scans,
  (SELECT count(*) FROM admission WHERE undone_at IS NOT NULL) AS undone,
  (SELECT coalesce(sum(outside), 0) FROM reservation) AS outside,
  (SELECT count(*) FROM performance WHERE reentry) AS reentry,
  (SELECT count(*) FROM venue) AS venues,
  (SELECT count(*) FROM picture WHERE removed_at IS NULL) AS pictures,
  (SELECT coalesce(sum(version), 0) FROM picture) AS picture_edits,
  (SELECT coalesce(sum(focal_x), 0) FROM picture) AS focal_points,
  (SELECT count(*) FROM show) AS shows,
  (SELECT count(*) FROM holiday) AS holidays,
  (SELECT count(*) FROM performance) AS performances,
  (SELECT coalesce(sum(capacity), 0) FROM performance) AS capacity,
  (SELECT count(*) FROM row_change) AS edits,
  (SELECT count(*) FROM performance WHERE cancelled_at IS NOT NULL) AS called_off,
  (SELECT count(*) FROM user_account) AS accounts,
  (SELECT count(*) FROM api_token) AS tokens,
  (SELECT count(*) FROM reservation WHERE state = 'expired') AS expired,
  (SELECT count(*) FROM reservation WHERE erased_at IS NOT NULL) AS erased,
  (SELECT count(*) FROM reservation WHERE note <> '') AS notes,
  (SELECT count(*) FROM reservation WHERE late_at IS NOT NULL) AS late,
  (SELECT count(*) FROM coming_answer) AS coming,
  (SELECT count(*) FROM unsubscribed) AS unsubscribed,
  (SELECT count(*) FROM audience_message) AS messages,
  (SELECT count(*) FROM audience_message WHERE state = 'draft') AS drafts,
  (SELECT count(*) FROM audience_message WHERE state = 'sending') AS sending,
  (SELECT count(*) FROM audience_message WHERE state = 'paused') AS paused,
  (SELECT coalesce(sum(version), 0) FROM audience_message) AS draft_edits,
  (SELECT count(*) FROM mail_template_version) AS mail_texts,
  (SELECT count(*) FROM program_token WHERE revoked_at IS NOT NULL) AS revoked_programs,
  (SELECT count(*) FROM webhook) AS webhooks,
  (SELECT count(*) FROM webhook WHERE active) AS active_webhooks,
  (SELECT count(*) FROM former_slug) AS former_addresses,
  (SELECT count(*) FROM api_token WHERE revoked_at IS NOT NULL) AS revoked
"""
DEEDS = [
    *VISITORS,
    *DOORS,
    *STAFF,
    *OFFICE,
    *RESERVATION_DEEDS,
    *MESSAGES,
    *BOX_OFFICE,
    *LISTS,
    *PROGRAMS,
    *PICTURES,
    *WAITLIST,
]
_MOST = 60  # statements that no press comes near


@pytest.fixture(scope="module")
def cutter(database_url: str) -> Iterator[CuttingProxy]:
    with CuttingProxy(database_url) as cutter:
        yield cutter


@pytest.fixture(scope="module")
def app_beyond(settings: dict[str, str], cutter: CuttingProxy) -> Iterator[Flask]:
    with application(settings | {"DATABASE_URL": cutter.url}) as app:
        yield app


@pytest.fixture
def stage(app_beyond: Flask, cutter: CuttingProxy) -> Iterator[Stage]:
    yield Stage.of(app_beyond)
    cutter.spare()


@dataclass(frozen=True)
class Rehearsal:
    """What one press of each deed, with nothing cut, tells."""

    alike: dict[Deed, int]  # how many statements a deed begins with as an earlier one does
    endpoints: set[str]  # that were asked to change something


@pytest.fixture(scope="module")
def rehearsal(
    app: Flask, app_beyond: Flask, cutter: CuttingProxy, forget: Callable[[], None]
) -> Rehearsal:
    """Each deed, pressed once."""
    rehearsal = Rehearsal({}, set())
    known: set[tuple[str, ...]] = set()

    def note(_app: Flask, **_facts: Any) -> None:
        if request.method not in ("GET", "HEAD"):
            rehearsal.endpoints.add(str(request.endpoint))

    with app.app_context(), request_started.connected_to(note, app_beyond):
        stage = Stage.of(app_beyond)
        DEEDS[0](stage)()  # opens the connection
        for deed in DEEDS:
            press = deed(stage)
            with cutter.listening() as statements:
                press()
            read = list(itertools.takewhile(only_reads, statements))
            starts = [tuple(read[:number]) for number in range(1, len(read) + 1)]
            rehearsal.alike[deed] = sum(start in known for start in starts)
            known.update(starts)
    forget()
    return rehearsal


def only_reads(statement: str) -> bool:
    """Whether a statement writes nothing; writing a job is a SELECT, too."""
    begins = ("BEGIN", "SAVEPOINT", "SELECT", "COMMIT", "ROLLBACK")
    return statement.lstrip().startswith(begins) and "procrastinate" not in statement


def changes(database: psycopg.Connection[Any], press: Press) -> tuple[TestResponse, dict[str, int]]:
    """The answer to a press, and what changed by it."""

    def counts() -> dict[str, int]:
        row = database.execute(_COUNTS).fetchone()
        assert row is not None
        return dict(row._asdict())

    before = counts()
    answer = press()
    after = counts()
    return answer, {name: n - before[name] for name, n in after.items() if n != before[name]}


def says_unknown(answer: TestResponse) -> bool:
    """Whether a 503 leaves open what became of it; it says how to go on in either case."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    if answer.mimetype == "application/problem+json":
        return bool(answer.json["type"] == "/api/problems/outcome-unknown")
    assert "again" in answer.text
    return "We do not know" in answer.text


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_what_is_cut_off_can_be_done_again(
    database: psycopg.Connection[Any],
    rehearsal: Rehearsal,
    stage: Stage,
    cutter: CuttingProxy,
    deed: Deed,
) -> None:
    done, wanted = changes(database, deed(stage))
    assert done.status_code < 400, done.text
    assert wanted, f"it changes nothing: {done.text}"
    for how in Cut:
        first = rehearsal.alike[deed] + 1 if how is Cut.STATEMENT else 1
        for number in range(first, _MOST):
            press = deed(stage)
            cutter.cut(number, how)
            answer, changed = changes(database, press)
            cutter.spare()
            where = f"{how.value} {number}: {answer.status}, {changed}"
            if answer.status_code == done.status_code:
                assert changed == wanted, where
            else:
                # A device's news are several transactions: some may hold and others not.
                assert deed is sync or changed in ({}, wanted), where
                assert says_unknown(answer) or not changed, where
            again, more = changes(database, press)
            assert again.status_code < 400, f"{where}\n{again.text}"
            if deed is book_by_api_without_a_key and changed:
                # Nothing tells it from somebody who books again: their address is written to about that.
                assert more.pop("mails", 0) <= 1
            assert {
                name: changed.get(name, 0) + more.get(name, 0) for name in changed | more
            } == wanted, where
            if not cutter.was_cut.is_set():
                break
        else:
            raise AssertionError("it never came to an end")


# What changes something and is not cut here, and why.
ELSEWHERE = {
    # Decided in docs/locking.md; those that are pressed anew are cut in test_lost_logins.py.
    "security.login", "security.logout", "staff_logout_everywhere", "security.change_password",
    "security.forgot_password", "security.reset_password",
    "door_enrolment.enrol",
    # A code is used once, and a second factor that was removed stays so; what is shown once is made anew.
    "staff_second_step", "staff_authenticator", "staff_remove_authenticator", "staff_recovery_codes",
    "staff_passkey", "staff_remove_passkey", "staff_passkey_login",
    "admin_accounts.reset_second_factor_view",
    # What has ended stays ended; a link that was made is replaced, one that was used says so.
    "staff_end_session", "staff_end_other_sessions", "admin_accounts.end_sessions_view", "staff_accept",
    "admin_accounts.link_view", "admin_accounts.withdraw_view",
    # It writes a job, which does nothing twice for one press (tests/admin/test_failed_mails.py).
    "admin_failed_mails.resend",
    # It writes a job only; a list that arrives twice says the same (tests/bookings/test_my_bookings.py).
    "bookings.my_bookings", "bookings.my_data",
    # What was asked for is not asked for again (tests/bookings/test_my_data.py).
    "bookings.erase_my_data",
    # They end an offer; one that has ended stays so (tests/bookings/test_hand_over.py).
    "bookings.withdraw", "bookings.decline",
    # A test, or a message that its receiver knows by its id, which may arrive twice.
    "admin_messages.test", "admin_mail_texts.test", "admin_webhooks.test", "admin_webhooks.again",
    "admin_status.test",
    # Each press makes one more, which the list shows: the first is revoked or deleted.
    "admin_programs.create_view", "admin_webhooks.create", "admin_shows.add_picture_view",
    # What was replaced is gone, and a second press says so.
    "admin_shows.replace_picture_view",
    # Addresses and curtains are unique: the second says that it exists.
    "staff_api.add_show", "staff_api.add_performance",
    # Each names the version that it was made from, which a second press finds older (tests/theme/test_look.py).
    "admin_theme.index", "admin_theme.logo", "admin_theme.restore",
    # They set a state, which a second press finds set (tests/admin/test_long_files.py).
    "admin_season.save_long_import", "admin_season.stop_long_import",
    # One statement each, that says the same if it is done twice.
    "admin_evening.put_away", "admin_evening.bring_back", "admin_files.cancel",
    # A mailbox has one place, and leaving, coming back and going to the end set a state (tests/queue/test_line.py).
    "queue.join", "queue.enter", "queue.leave_line", "queue.return_to_line", "queue.join_again",
    "admin_queue.open", "admin_queue.change", "admin_queue.end", "admin_queue.resume",
    # They only read.
    "door_enrolment.read_invitation", "door_enrolment.read_pass", "door_api.search", "checkin.find", "checkin.open_app",
    "admin_evening.customers", "admin_evening.find", "admin_people.find", "admin_mail_texts.preview",
    "admin_theme.preview",
}  # fmt: skip
# Of Flask-Admin's own, which stand in each view: searching, and what no view of ours allows.
NOT_OURS = ("find_view", "action_view", "ajax_update")
# It writes a file and its job, once for one form (tests/admin/test_export_files.py).
MADE_ONCE = ("make_file",)


def can_write(app: Flask, endpoint: str) -> bool:
    """Whether a view of the back office allows what Flask-Admin offers in all."""
    view, _, what = endpoint.partition(".")
    found = next((one for one in app.extensions["admin"][0]._views if one.endpoint == view), None)
    allowed = {"create_view": "can_create", "edit_view": "can_edit", "delete_view": "can_delete"}
    if found is None or what not in allowed:
        return what not in (*NOT_OURS, *MADE_ONCE)
    return bool(getattr(found, allowed[what]))


def test_whatever_changes_something_is_cut_off(in_app: Flask, rehearsal: Rehearsal) -> None:
    writing = {
        rule.endpoint
        for rule in in_app.url_map.iter_rules()
        if {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())
    }
    missing = {one for one in writing - rehearsal.endpoints - ELSEWHERE if can_write(in_app, one)}
    assert not missing, sorted(missing)
    assert writing >= ELSEWHERE
