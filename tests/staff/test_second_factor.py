"""The second step of a login: authenticator apps, recovery codes, and who must have one."""

import html
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.database import now
from azionelab.ops.processes.worker import run_worker
from azionelab.settings.config import ROLES
from azionelab.staff.accounts import create_account
from azionelab.staff.invitations import accept, renew_link
from azionelab.staff.models import RoleName
from azionelab.staff.second_factor.factors import (
    check_code,
    set_up_authenticator,
    use_recovery_code,
)
from azionelab.staff.second_factor.totp import (
    code_at,
    find_step,
    new_secret,
    read_secret,
    step_at,
    write_secret,
)
from azionelab.tokens import Purpose, make_token
from tests.bookings.test_pages import fields
from tests.support.people import PASSWORD, change_account, english, log_in, logged_in, press
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
EMAIL = "staff@theatre.org"


def code_now(secret: bytes, steps: int = 0) -> str:
    """The code of now, or of some steps later; within the drift that is allowed."""
    return code_at(secret, step_at(now()) + steps)


def with_app(app: Flask, role: str = "staff") -> tuple[bytes, list[str]]:
    """An account with an authenticator: its secret and recovery codes."""
    user = create_account(f"{role}@theatre.org", role, PASSWORD)
    secret = new_secret()
    codes = set_up_authenticator(user.id, secret, code_now(secret, -1))
    assert codes
    return secret, codes


def second_step(client: FlaskClient, code: str) -> TestResponse:
    return press(client, "/staff/second", "/staff/second", code=code)


def is_in(client: FlaskClient) -> bool:
    return client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    """Appendix B, whose codes have eight digits."""
    secret = b"12345678901234567890"
    at = datetime.fromtimestamp(moment, UTC)
    assert code_at(secret, step_at(at)) == code[-6:]
    assert find_step(secret, code[-6:], at, 0) == step_at(at)


def test_a_code_is_valid_a_step_early_and_late() -> None:
    secret, at = new_secret(), now()
    step = step_at(at)
    valid = [n for n in range(-3, 4) if find_step(secret, code_at(secret, step + n), at, 0)]
    assert valid == [-1, 0, 1]
    assert find_step(secret, code_at(secret, step), at, step) is None
    for odd in ("", "12345", "½23456", "1234567"):
        assert find_step(secret, odd, at, 0) is None


def test_a_secret_is_read_as_it_is_written() -> None:
    secret = new_secret()
    assert read_secret(write_secret(secret)) == secret
    for odd in ("", "x", "½", "AAAA", write_secret(secret)[:-4]):
        assert read_secret(odd) is None


def test_an_app_is_set_up_and_asked_for_from_then_on(app: Flask, database: Database) -> None:
    client = logged_in(app, "staff")
    page = client.get("/staff/authenticator")
    assert "no-store" in page.headers["Cache-Control"]
    shown = fields(page.text)
    address = re.search(r'href="(otpauth:[^"]+)"', page.text)
    assert address
    assert f"secret={shown['secret'].replace(' ', '')}" in html.unescape(address[1])
    secret = read_secret(shown["secret"])
    assert secret
    wrong = client.post("/staff/authenticator", data=shown | {"code": "000000"})
    assert "This code is wrong" in wrong.text
    assert fields(wrong.text)["secret"] == shown["secret"]
    assert log_in(english(app), EMAIL).location == "/staff/"
    done = client.post("/staff/authenticator", data=shown | {"code": code_now(secret)})
    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", done.text)
    assert len(set(codes)) == 10
    stored = database.execute(
        "SELECT a::text, encode(secret, 'hex') FROM authenticator a"
    ).fetchone()
    assert stored
    assert secret.hex() not in str(stored)
    assert is_in(client)

    phone = english(app)
    assert log_in(phone, EMAIL).location.startswith("/staff/second")
    assert not is_in(phone)
    assert "code is wrong" in second_step(phone, "000000").text
    assert not is_in(phone)
    assert second_step(phone, code_now(secret, 1)).request.path == "/admin/"
    assert is_in(phone)


def test_a_code_is_used_once(app: Flask) -> None:
    secret, _codes = with_app(app)
    code = code_now(secret)
    one, other = english(app), english(app)
    for client in (one, other):
        log_in(client, EMAIL)
    second_step(one, code)
    assert "used already" in second_step(other, code).text
    assert [is_in(one), is_in(other)] == [True, False]


def test_an_earlier_code_does_not_come_back(app: Flask) -> None:
    secret, _codes = with_app(app)
    assert check_code(1, code_now(secret, 1))
    assert not check_code(1, code_now(secret))


def test_a_code_is_used_once_in_a_race(app: Flask) -> None:
    secret, codes = with_app(app)
    code = code_now(secret)

    def both(_number: int) -> tuple[bool, bool]:
        with app.app_context():
            return check_code(1, code), use_recovery_code(1, codes[0])

    with ThreadPoolExecutor(4) as pool:
        used = list(pool.map(both, range(4)))
    assert [sum(one for one, _ in used), sum(other for _, other in used)] == [1, 1]


def test_a_recovery_code_lets_in_once_however_it_is_typed(app: Flask) -> None:
    _secret, codes = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    page = second_step(client, f" {codes[0].lower().replace('-', ' ')} ")
    assert "9 are left" in page.text
    assert is_in(client)
    again = english(app)
    log_in(again, EMAIL)
    assert "used already" in second_step(again, codes[0]).text
    assert not is_in(again)


def test_anothers_codes_are_of_no_use(app: Flask) -> None:
    secret, codes = with_app(app)
    with_app(app, "admin")
    client = english(app)
    log_in(client, "admin@theatre.org")
    for code in (code_now(secret), codes[0]):
        assert "code is wrong" in second_step(client, code).text
    assert not is_in(client)


def test_new_recovery_codes_replace_the_old_ones(app: Flask) -> None:
    secret, old = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    second_step(client, code_now(secret))
    page = press(client, "/staff/codes", "/staff/account")
    new = re.findall(r"<code>([A-Z2-7-]{19})</code>", page.text)
    assert len(new) == 10
    assert not use_recovery_code(1, old[0])
    assert use_recovery_code(1, new[0])


def test_without_the_password_there_is_no_second_step(app: Flask) -> None:
    with_app(app)
    answer = english(app).get("/staff/second")
    assert answer.location == "/staff/login"


def test_the_second_step_does_not_wait_for_ever(app: Flask) -> None:
    secret, _codes = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    with client.session_transaction() as session:
        session["second_step"] = session["second_step"] | {"at": int(now().timestamp()) - 601}
    assert "took too long" in second_step(client, code_now(secret)).text
    assert not is_in(client)


def test_who_is_deactivated_does_not_complete_a_login(app: Flask) -> None:
    with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    change_account(1, role="staff", active=False)
    assert client.get("/staff/second").location == "/staff/login"


def test_codes_are_not_guessed_for_long(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    secret, _codes = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    codes = [
        client.post(
            "/staff/second", data=fields(client.get("/staff/second").text) | {"code": "000000"}
        ).status_code
        for _ in range(21)
    ]
    assert codes == [200] * 20 + [429]
    assert second_step(client, code_now(secret)).status_code == 429


def test_who_knows_the_password_only_does_not_keep_the_owner_out(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app()
    secret, _codes = with_app(app)
    phone = english(app)
    log_in(phone, EMAIL)
    second_step(phone, code_now(secret))
    press(phone, "/staff/logout", "/staff/account")
    thief = english(app)
    log_in(thief, EMAIL)
    form = fields(thief.get("/staff/second").text) | {"code": "000000"}
    answers = [thief.post("/staff/second", data=form).status_code for _ in range(21)]
    assert answers[-1] == 429
    log_in(phone, EMAIL)
    second_step(phone, code_now(secret, 1))
    assert is_in(phone)


def test_the_page_asked_for_comes_after_the_second_step(app: Flask) -> None:
    secret, _codes = with_app(app)
    client = english(app)
    form = fields(client.get("/staff/login?next=/admin/shows/").text)
    answer = client.post("/staff/login", data=form | {"email": EMAIL, "password": PASSWORD})
    step = client.get(answer.location)
    action = re.search(r'action="(/staff/second[^"]*)"', step.text)
    assert action
    done = client.post(
        html.unescape(action[1]), data=fields(step.text) | {"code": code_now(secret)}
    )
    assert done.location == "/admin/shows/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/"])
def test_no_other_site_comes_after_the_second_step(app: Flask, target: str) -> None:
    secret, _codes = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    form = fields(client.get("/staff/second").text) | {"code": code_now(secret)}
    answer = client.post(f"/staff/second?next={target}", data=form)
    assert "evil" not in (answer.location or "")


def test_an_app_is_removed(app: Flask, database: Database) -> None:
    secret, _codes = with_app(app)
    client = english(app)
    log_in(client, EMAIL)
    second_step(client, code_now(secret))
    assert "has been removed" in press(client, "/staff/authenticator/remove", "/staff/account").text
    assert database.execute("SELECT count(*) FROM recovery_code").fetchone() == (0,)
    assert log_in(english(app), EMAIL).location == "/staff/"


def test_a_changed_secret_key_reads_what_the_old_one_encrypted(
    app: Flask, make_app: Callable[..., Flask], database: Database
) -> None:
    secret, codes = with_app(app)
    old, new = app.config["SECRET_KEY"], "Lc9dFa6bYyQ0p4pX1n8zKq3tVh7sWm2r"
    with make_app(SECRET_KEY=new).app_context():
        assert not check_code(1, code_now(secret))  # no fallback: the app's secret is lost
        assert use_recovery_code(1, codes[0])
    with make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old).app_context():
        assert check_code(1, code_now(secret))
    with make_app(SECRET_KEY=new).app_context():  # encrypted anew by then
        assert check_code(1, code_now(secret, 1))


def test_two_accounts_secrets_cannot_be_exchanged(app: Flask, database: Database) -> None:
    secret, _codes = with_app(app)
    with_app(app, "admin")
    database.execute(
        "UPDATE authenticator SET secret = (SELECT secret FROM authenticator WHERE user_id = 1)"
    )
    assert not check_code(2, code_now(secret))


# Who must have one


def test_the_settings_roles_are_those_of_accounts() -> None:
    assert set(ROLES) == set(RoleName)


def test_who_must_have_a_second_step_is_led_to_it(make_app: Callable[..., Flask]) -> None:
    app = make_app(SECOND_FACTOR_REQUIRED="admin,staff")
    client = logged_in(app, "staff")
    for closed in ("/admin/", "/admin/shows/new/", "/checkin/"):
        assert client.get(closed).location == "/staff/account"
    page = client.get("/staff/", follow_redirects=True)
    assert "Your role needs a second step" in page.text
    assert client.get("/").status_code == 200
    shown = fields(client.get("/staff/authenticator").text)
    secret = read_secret(shown["secret"])
    assert secret
    client.post("/staff/authenticator", data=shown | {"code": code_now(secret)})
    assert is_in(client)
    kept = press(client, "/staff/authenticator/remove", "/staff/account")
    assert "Your role needs a second step" in kept.text
    assert log_in(english(app), EMAIL).location.startswith("/staff/second")


def test_who_gets_such_a_role_logs_in_anew(make_app: Callable[..., Flask]) -> None:
    app = make_app(SECOND_FACTOR_REQUIRED="staff")
    with app.app_context():
        anna = logged_in(app, "box_office")
        assert is_in(anna)
        change_account(1, role="staff", active=True)
        assert "/staff/login" in anna.get("/admin/").location
        log_in(anna, "box_office@theatre.org")
        assert anna.get("/admin/").location == "/staff/account"


def test_others_go_on_without(make_app: Callable[..., Flask]) -> None:
    app = make_app(SECOND_FACTOR_REQUIRED="admin")
    assert is_in(logged_in(app, "staff"))
    door = logged_in(app, "door")
    assert door.get("/checkin/").status_code == 200


def test_a_doors_phone_is_not_stopped_by_the_setting(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    """The setting is turned on during the evening: who is in stays in, and the app needs no login."""
    door = logged_in(app, "door")
    strict = make_app(SECOND_FACTOR_REQUIRED="door")
    phone = english(strict)
    cookie = door.get_cookie("session")
    assert cookie
    phone.set_cookie("session", cookie.value)
    assert phone.get("/checkin/").status_code == 200
    new = english(strict)
    log_in(new, "door@theatre.org")
    assert new.get("/checkin/").location == "/staff/account"
    assert new.get("/checkin/app").status_code == 200


def test_an_administrator_resets_a_second_step(app: Flask, database: Database) -> None:
    secret, codes = with_app(app)
    staff = english(app)
    log_in(staff, EMAIL)
    second_step(staff, code_now(secret))
    admin = logged_in(app, "admin")
    page = press(admin, "/admin/accounts/reset-second-factor/", id=1)
    assert "logs in with the password alone" in page.text
    assert not is_in(staff)
    assert not use_recovery_code(1, codes[0])
    assert log_in(english(app), EMAIL).location == "/staff/"


def test_the_owner_is_told_of_a_reset_and_of_a_new_password(
    make_app: Callable[..., Flask], smtp_server: SmtpServer
) -> None:
    app = make_app(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(smtp_server.port))
    with app.app_context():
        with_app(app)
        admin = logged_in(app, "admin")
        press(admin, "/admin/accounts/reset-second-factor/", id=1)
        run_worker(app, once=True)
        (told,) = smtp_server.messages
        assert told.recipients == [EMAIL]
        assert told.message["Subject"] == "Il secondo passaggio del tuo accesso è stato azzerato"
        assert "sei stato disconnesso ovunque" in told.text()
        link = renew_link(1)
        accept(make_token(Purpose.STAFF_LINK, link.id), "another battery staple")
        run_worker(app, once=True)
        subjects = [each.message["Subject"] for each in smtp_server.messages[1:]]
        assert subjects == ["La tua password è cambiata"]


def test_an_operator_resets_a_second_step(app: Flask) -> None:
    with_app(app, "admin")
    runner = app.test_cli_runner()
    assert runner.invoke(args=["reset-second-factor", "nobody@theatre.org"]).exit_code == 1
    done = runner.invoke(args=["reset-second-factor", "Admin@theatre.org"])
    assert done.exit_code == 0, done.output
    assert log_in(english(app), "admin@theatre.org").location == "/staff/"


def test_the_log_tells_who_set_up_and_reset_a_second_step(app: Flask, database: Database) -> None:
    staff, admin = logged_in(app, "staff"), logged_in(app, "admin")
    shown = fields(staff.get("/staff/authenticator").text)
    secret = read_secret(shown["secret"])
    assert secret
    staff.post("/staff/authenticator", data=shown | {"code": code_now(secret)})
    press(admin, "/admin/accounts/reset-second-factor/", id=1)
    page = admin.get("/admin/accounts/edit/?id=1").text
    assert "Staff set up a second step for the login." in page
    assert "Admin removed a second step of the login." in page
    logged = database.execute("SELECT e::text FROM audit_entry e").fetchall()
    assert secret.hex() not in str(logged)
