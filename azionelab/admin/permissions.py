"""`flask permissions`: writes docs/permissions.md from the code."""

from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from werkzeug.routing import Rule

from azionelab.admin.guard import Guarded
from azionelab.staff.rights import MEANINGS, ROLES, Right

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
# Flask-Admin's own files, which everybody may load.
_OPEN = "static"


@click.command("permissions")
@click.option("--write", is_flag=True, help="Write docs/permissions.md.")
@with_appcontext
def permissions_command(*, write: bool) -> None:
    """Print what each role may do, read from the code."""
    page = permissions_page(current_app)
    if write:
        PAGE.write_text(page, encoding="utf-8")
    else:
        click.echo(page, nl=False)


def needed_rights(app: Flask) -> dict[tuple[str, str], frozenset[Right]]:
    """The rights that each address of the back office needs, by address and method (GET or POST)."""
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views if view.endpoint}
    return {
        (str(rule), method): rights
        for rule in app.url_map.iter_rules()
        for method, rights in _rights_of(rule, views)
    }


def _rights_of(rule: Rule, views: dict[str, Guarded]) -> Iterator[tuple[str, frozenset[Right]]]:
    endpoint, _dot, name = rule.endpoint.rpartition(".")
    if endpoint not in views or name == _OPEN:
        return
    for method in ("GET", "POST"):
        if method in (rule.methods or ()):
            yield method, views[endpoint].rights_for(name, method)


def permissions_page(app: Flask) -> str:
    """docs/permissions.md."""
    lines = [
        "# Permissions",
        "",
        "What each role may do. `flask permissions --write` writes this page from `azionelab/staff/rights.py` and the",
        "views of the back office; a test walks every address as every role.",
        "",
        f"| right | {' | '.join(name.name.lower().replace('_', ' ') for name in ROLES)} | may |",
        f"|---|{':-:|' * len(ROLES)}---|",
    ]
    for right, meaning in MEANINGS.items():
        held = " | ".join("yes" if right in rights else "" for rights in ROLES.values())
        lines.append(f"| {right} | {held} | {meaning} |")
    lines += [
        "",
        "The manager's role is named `staff` in the database and in `flask create-admin --role`. Pages of the door",
        "(`/checkin/`) need `admit`; the back office shows nobody a button that they may not press.",
        "",
        "## Addresses of the back office",
        "",
        "| address | to see | to send |",
        "|---|---|---|",
    ]
    needed = needed_rights(app)
    for address in sorted({address for address, _method in needed}):
        see, send = (_describe(needed.get((address, method))) for method in ("GET", "POST"))
        lines.append(f"| `{address}` | {see} | {send} |")
    return "\n".join(lines) + "\n"


def _describe(rights: frozenset[Right] | None) -> str:
    # Whoever may see nothing may do nothing, so that right goes without saying.
    return ", ".join(sorted(rights - {Right.VIEW} or rights)) if rights else ""
