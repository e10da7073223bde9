"""Imports run one way, and what belongs to one place is in that place only (docs/architecture.md).

Views, API, admin, commands and jobs call rules; rules use models; models stand on the foundation.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter

import pytest

from tests.support.processes import ROOT

PACKAGE = "azionelab"

# What each part of the theatre may know of the others.
KNOWS = {
    "shows": {"media", "theme"},
    "media": set(),
    "theme": {"media"},
    "bookings": {"shows", "mail", "theme"},
    "mail": {"theme"},
    "waitlist": {"shows", "bookings", "mail"},
    "queue": {"shows", "bookings"},
    "checkin": {"shows", "bookings", "staff", "waitlist", "theme"},
    "staff": {"mail", "theme"},
    "exports": {"staff"},
    "demo": {"shows", "media", "bookings", "checkin", "mail", "staff"},
    "ops": {
        "shows",
        "media",
        "bookings",
        "checkin",
        "mail",
        "staff",
        "demo",
        "waitlist",
        "integrations",
        "queue",
    },
    "integrations": {"shows", "bookings", "checkin", "staff"},
    "reports": {"shows", "bookings", "checkin"},
    "admin": {
        "shows",
        "media",
        "bookings",
        "checkin",
        "mail",
        "staff",
        "integrations",
        "reports",
        "ops",
        "exports",
        "waitlist",
        "theme",
        "queue",
    },
}
# Where a page leads on to one of a part that its own knows nothing of: by the address's name alone.
LEADS_ON = {
    ("shows", "bookings"),  # an evening to its form
    ("bookings", "waitlist"),  # a mail to the place in line
    ("queue", "waitlist"),  # a turn to its form, when all seats are taken
    ("bookings", "checkin"),  # a ticket to its door
    ("staff", "admin"),  # whoever logs in to their work
    ("staff", "checkin"),
}
# The foundation, independent of the theatre's parts: each package may import those named.
FOUNDATION: dict[str, set[str]] = {
    "validation": set(),
    "logs": set(),
    "languages": set(),
    "tokens": set(),
    "database": {"validation"},
    "extensions": {"validation"},
    "settings": {"database", "languages", "logs", "validation"},
    "api": {"database", "extensions", "settings", "validation"},
    "web": {"api", "database", "languages", "logs", "settings", "validation"},
}
# Entry points: they import rules, and only other entry points import them.
ENTRANCES = {"views", "api", "forms", "jobs", "commands", "health", "worker"}
# The few that may look at the request that is being answered.
REQUEST_READERS = {
    "views", "api", "api_v1", "forms", "languages", "web.busy_pages", "web.resubmit_pages", "web.error_pages",
    "web.form_checks", "api.problems", "web.rate_limits", "api.rest", "staff.sessions", "staff.login_limits",
    "web.actors", "web.languages.links", "web.languages.pages", "web.security_headers",
}  # fmt: skip
MAX_LOOSE_MODULES = 6
MAX_MODULES_PER_FOLDER = 12  # beside __init__
MAX_LINES = 300
SOURCES = [
    path
    for folder, files in (
        (PACKAGE, "*.py"),
        ("bare_machine", "*.py"),
        ("static_frontend/src", "*.ts"),
    )
    for path in sorted((ROOT / folder).rglob(files))
]
# Numbers and facts alone, which models may import.
PURE = ("shows.limits", "shows.facts.seating", "bookings.party")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its name without the package's: `bookings.rules`; "" has the version alone."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def part(name: str) -> str:
    """The folder of a module, or its own name when it is in none."""
    return name.partition(".")[0]


def is_entrance(name: str) -> bool:
    is_wired = name in ("app", "api_v1") or part(name) == "admin"
    return is_wired or is_page(name) or name.rpartition(".")[2] in ENTRANCES


def is_page(name: str) -> bool:
    return "pages" in name.split(".")


def imports(name: str) -> set[str]:
    """Our modules that a module imports, those too that one of its functions imports."""
    found = set()
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            # `from azionelab.bookings import rules` imports azionelab.bookings.rules.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            found.add(str(node.module))
    ours = {full.removeprefix(f"{PACKAGE}.") for full in found if full.startswith(f"{PACKAGE}.")}
    return {name for name in ours & modules().keys() if not _is_room(name)}


def _is_room(name: str) -> bool:
    """A package that says what it is and no more: importing from it imports one of its modules."""
    return all(isinstance(node, ast.Expr) for node in modules()[name].body)


def names_taken_from(name: str, library: str) -> set[str]:
    return {
        alias.name
        for node in ast.walk(modules()[name])
        if isinstance(node, ast.ImportFrom) and node.module == library
        for alias in node.names
    }


def test_every_module_belongs_to_a_known_part() -> None:
    parts = {part(name) for name in modules()}
    assert parts == {"", "app", "api_v1", *KNOWS, *FOUNDATION}


def test_the_top_shows_rooms() -> None:
    loose = {path.stem for path in (ROOT / PACKAGE).glob("*.py")} - {"__init__"}
    assert len(loose) <= MAX_LOOSE_MODULES, sorted(loose)


def test_no_module_is_long() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_no_folder_is_crowded() -> None:
    count = Counter(
        str(path.parent.relative_to(ROOT)) for path in SOURCES if path.stem != "__init__"
    )
    assert {folder: n for folder, n in count.items() if n > MAX_MODULES_PER_FOLDER} == {}


@pytest.mark.parametrize("name", modules())
def test_parts_import_only_allowed_parts(name: str) -> None:
    if part(name) in KNOWS:
        allowed = KNOWS[part(name)] | FOUNDATION.keys() | {part(name)}
    elif part(name) in FOUNDATION:
        allowed = FOUNDATION[part(name)] | {part(name)}
    else:
        return  # create_app and the API's wiring bind all parts
    assert {part(imported) for imported in imports(name)} <= allowed


def parts_named(name: str) -> set[str]:
    """The parts that a module names in texts, as in `url_for("shows.programme")`."""
    texts = {node.value for node in ast.walk(modules()[name]) if isinstance(node, ast.Constant)}
    found = {re.fullmatch(r"(\w+)\.\w+", text) for text in texts if isinstance(text, str)}
    return {match[1] for match in found if match} & KNOWS.keys()


def test_endpoint_names_refer_only_to_allowed_parts() -> None:
    bound = {name for name in modules() if part(name) in KNOWS.keys() | FOUNDATION.keys()}
    named = {(part(name), other) for name in bound for other in parts_named(name)}
    known = {(one, other) for one, others in KNOWS.items() for other in {one, *others}}
    assert named - known == LEADS_ON


@pytest.mark.parametrize("name", modules())
def test_only_entry_points_import_entry_points(name: str) -> None:
    if not is_entrance(name):
        assert {imported for imported in imports(name) if is_entrance(imported)} == set()


@pytest.mark.parametrize("name", [name for name in modules() if name.endswith("models")])
def test_models_import_only_models_and_the_foundation(name: str) -> None:
    assert {
        imported
        for imported in imports(name)
        if part(imported) not in FOUNDATION
        and not imported.endswith(".models")
        and imported not in PURE
    } == set()


@pytest.mark.parametrize("name", PURE)
def test_what_models_may_know_beside_knows_nothing_else(name: str) -> None:
    assert imports(name) - {*PURE} == set()


def test_there_are_no_import_cycles() -> None:
    """Not even one inside a function: such an import hides a circle."""
    graph = {name: imports(name) for name in modules()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_the_front_end_has_no_circle_either() -> None:
    """Types included: they tie modules together for the reader."""
    graph = {
        path: {
            (path.parent / name).resolve()
            for name in re.findall(r'from "(\.[^"]+\.ts)"', path.read_text(encoding="utf-8"))
        }
        for path in SOURCES
        if path.suffix == ".ts"
    }
    assert len(graph) > 50
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", modules())
def test_only_entry_points_read_the_request(name: str) -> None:
    taken = names_taken_from(name, "flask") & {"request", "session", "g"}
    named = {name, name.rpartition(".")[2]} & REQUEST_READERS
    if part(name) != "admin" and not is_page(name) and not named:
        assert taken == set()


@pytest.mark.parametrize("name", modules())
def test_only_transaction_commits(name: str) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(modules()[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    if name != "database.transactions":
        assert calls & {"commit", "begin", "begin_nested"} == set()


@pytest.mark.parametrize(
    # The admin's base writes what has no rules: a venue, a show.
    "name",
    [name for name in modules() if is_entrance(name) and name != "admin.rows.base"],
)
def test_entry_points_call_rules_instead_of_writing(name: str) -> None:
    assert "transaction" not in names_taken_from(name, "azionelab.database")


def test_a_state_is_written_in_one_place() -> None:
    """undone_at of an Admission and of a Passage change where their rules are."""
    writers = {
        (node.attr, name)
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node.attr == "undone_at"
    }
    assert writers == {
        ("undone_at", "checkin.scanning.undoing"),
        ("undone_at", "checkin.scanning.passages"),
    }


# What bookings.transitions alone writes of a Reservation.
CHANGES = {
    "state", "ended_at", "ended_by", "seats", "released", "holds_seats", "confirmed_at",
    "reduced_from", "reduced_at", "reduced_by",
}  # fmt: skip
# Attributes of others that have these names; the smoke test's own rows.
NO_CHANGES = {
    ("bookings.audience.rules", "state"),
    ("bookings.errors", "seats"),
    ("bookings.hand_over.rules", "ended_at"),
    ("bookings.box_office.errors", "seats"),
    ("ops.monitoring.backups", "ended_at"),
    ("queue.lines", "ended_at"),
    ("staff.sessions", "ended_at"),
    ("ops.smoke.hidden_performance", "delete"),
    ("shows.exchange.imports", "state"),
}


@pytest.mark.parametrize("name", modules())
def test_only_transitions_change_a_reservation(name: str) -> None:
    # demo.dates moves what the transitions have written to the past: moments alone.
    if not name.startswith("bookings.transitions.") and name != "demo.dates":
        found = {(name, written) for written in writes_of_reservation(modules()[name])}
        assert found <= NO_CHANGES


def writes_of_reservation(tree: ast.Module) -> set[str]:
    """What a module might write of a reservation: attributes, columns by SQL, whole rows."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= {node.attr} & CHANGES
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"(UPDATE|INTO|DELETE FROM)\s+(public\.)?reservation\b", node.value):
                found.add(node.value)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called == "values":
                found |= {keyword.arg or "**" for keyword in node.keywords} & CHANGES
            elif called in ("insert", "delete") and ast.unparse(node.args[0]) == "Reservation":
                found.add(called)
    return found


def declares_jobs(name: str) -> bool:
    """Whether a module has functions that the worker runs: `@jobs.task(...)`."""
    return any(
        isinstance(node, ast.FunctionDef)
        and any(ast.unparse(mark).startswith("jobs.task(") for mark in node.decorator_list)
        for node in ast.walk(modules()[name])
    )


def test_the_worker_loads_every_job() -> None:
    """A job whose module nobody imports is never run, and nothing else fails."""
    declared = {f"{PACKAGE}.{name}" for name in modules() if declares_jobs(name)}
    loading = "import sys, azionelab.app, azionelab.ops.processes.worker; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", loading], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(declared) >= 5
    assert declared - set(loaded) == set()
