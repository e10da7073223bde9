"""Links, file names and figures of the docs are right, and their commands work."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from azionelab.settings.environment import SettingsReader
from tests.support.processes import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Files and folders of this repository, as they are written in text and tables.
NAMED = re.compile(
    r"(?<![\w/.-])((?:azionelab|docker|docs|migrations|seasons|tests)/[\w./*-]*[\w*])"
)
# Made by an operator, or by Compose's defaults; and, in a commit's example, not there yet.
THEIRS = re.compile(r"docker/(secrets|certificates|acme)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    missing = {name for name in named if not list(ROOT.glob(name)) and not THEIRS.match(name)}
    assert missing == set()


# What looks like a measurement: a size, a duration, a share, so many of something in a time.
FIGURE = re.compile(
    r"\b\d[\d.,]*\s?(?:[kKMG]B|ms|µs|s|%)(?![\w%])"
    r"|\b\d[\d.,]*(?:\s+[a-z]+){0,2}\s+(?:a\s+second|a\s+minute|an\s+hour)\b"
)
# Those that were decided and stand so in code, by page. (CHANGELOG.md tells what was, once.)
DECIDED = {
    ".env.example": set(),
    "0003-door.md": {
        "1.5 s",
        "13 short requests a second",
    },  # twenty phones, each every 1.5 seconds
    "deployment.md": {"200 MB"},  # the aim
    "door.md": {"30 s", "120 in a minute", "60 times a minute"},
    "locking.md": {"5 s", "15 s"},
    "media.md": {"26 MB", "25 s", "20 s"},
    "monitoring.md": {"256 KB"},
    "nginx.md": {"3 MB", "26 MB", "64 MB", "32 MB", "64 KB", "256 KB", "60 s", "30 s"},
    "performance.md": {"200 ms", "250 kB"},  # the aims of the back office
    "runbook.md": {"32 MB"},
    "smoke.md": {"60 s", "10 s"},
}
BENCH = re.compile(
    r"<!-- (?:make (?:bench|ha-test|rush|simulate)|python -m bench\.(?:ablation|bloat|camera|flood|growth|paint|qr|runtimes)) writes from here -->.*?<!-- to here -->",
    re.S,
)
EXAMPLES = re.compile(r"^```.*?^```", re.M | re.S)


@pytest.mark.parametrize(
    "page",
    [page for page in [*PAGES, ROOT / ".env.example"] if page.name != "CHANGELOG.md"],
    ids=lambda page: page.name,
)
def test_measured_figures_stand_only_where_the_bench_writes_them(page: Path) -> None:
    text = EXAMPLES.sub("", BENCH.sub("", page.read_text(encoding="utf-8")))
    found = {" ".join(figure.split()) for figure in FIGURE.findall(text)}
    # One that is decided no more goes from the list above, too.
    assert found == DECIDED.get(page.name, set())


def test_a_figure_that_is_copied_by_hand_is_found() -> None:
    copied = (
        "| programme page | 2509 | 0.4 ms |",
        "63 visitors a\nsecond",
        "134 MB",
        "25 times a second",
    )
    for figure in copied:
        assert FIGURE.search(figure), figure


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_compose_commands_are_whole(page: Path) -> None:
    # Without the settings' file Compose refuses every one of them.
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    commands = [line for block in blocks for line in block.splitlines() if "docker compose" in line]
    begin = "docker compose --env-file .env -f docker/compose.yml "
    assert [command for command in commands if begin not in command] == []


def test_leaked_secrets_are_replaced_and_none_is_lost(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    output = page.partition("## Leaked secret\n")[2].partition("After those evenings")
    blocks = re.findall(r"^```\n(.*?)^```", output[0], re.M | re.S)
    blocks += re.findall(
        r"^\*\*`(?:database|database_owner|postgres)_password`.*?^```\n(.*?)^```",
        output[2],
        re.M | re.S,
    )
    folder = tmp_path / "docker" / "secrets"
    subprocess.run([ROOT / "docker" / "new-secrets", folder], check=True, capture_output=True)
    before = {file.name: file.read_text() for file in folder.iterdir()}
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text('#!/bin/sh\ncase "$*" in *psql*) cat >> statements ;; esac\n')
    engine.chmod(0o755)

    for _ in range(2):
        aside = (folder / "secret_key").read_text()
        for block in blocks:
            subprocess.run(
                ["sh", "-eu", "-c", block],
                cwd=tmp_path,
                env={"PATH": f"{engine.parent}:{os.environ['PATH']}"},
                check=True,
            )
    after = {file.name: file.read_text() for file in folder.iterdir()}
    for name in (
        *("secret_key", "database_password", "database_owner_password"),
        "postgres_password",
    ):
        assert len(after[name]) == len(before[name])
        assert after[name] != before[name]
    earlier = {"SECRET_KEY_FALLBACKS_FILE": str(folder / "secret_key_fallbacks")}
    assert SettingsReader(earlier).comma_separated("SECRET_KEY_FALLBACKS") == [
        before["secret_key"],
        aside,
    ]
    assert (tmp_path / "statements").read_text().splitlines()[-3:] == [
        f"ALTER ROLE azionelab PASSWORD '{after['database_password']}'",
        f"ALTER ROLE azionelab_owner PASSWORD '{after['database_owner_password']}'",
        f"ALTER ROLE postgres PASSWORD '{after['postgres_password']}'",
    ]


def test_every_requirement_of_the_deployment_names_a_test() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    table = page.partition("| asked for | met by | shown by |\n")[2].splitlines()[1:]
    assert len(table) >= 30
    for row in table:
        shown_by = row.split("|")[3]
        assert re.fullmatch(r" tests/[\w/]+\.py(, tests/[\w/]+\.py)* ", shown_by), row


def test_the_tree_is_whole() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = page.partition("## The tree")[2].split("```")[1]
    named = set(re.findall(r"(?<![\w/])\w+(?:/|\.py)", tree))
    package, tests = (
        {path.parent.name + "/" for path in (ROOT / folder).glob("*/*.*") if path.suffix != ".pyc"}
        for folder in ("azionelab", "tests")
    )
    package |= {path.name for path in (ROOT / "azionelab").glob("*.py")}
    assert (package | {"translations/"} | tests) - named == set()


def test_the_contributors_page_names_existing_files() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+)`", page))
    assert len(named) > 30
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize(
    "folder", ["azionelab", "bare_machine", "static_frontend/src", "migrations"]
)
def test_modules_named_in_comments_exist(folder: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = ["/" + path for path in listed.stdout.splitlines()]
    sources = [
        path for path in paths if path.startswith(f"/{folder}/") and path.endswith((".py", ".ts"))
    ]
    assert sources
    named = {
        (path, name)
        for path in sources
        for line in (ROOT / path[1:]).read_text(encoding="utf-8").splitlines()
        if not line.startswith(("import", "} from"))
        for name in re.findall(r"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.(?:py|ts)\b", line)
    }
    assert {
        (path, name) for path, name in named if not any(p.endswith(f"/{name}") for p in paths)
    } == set()


def test_there_are_no_merge_markers() -> None:
    tracked = subprocess.run(
        ["git", "grep", "--line-number", "--extended-regexp", "-I", "^(<{7}|>{7}) "],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tracked.returncode, tracked.stdout) == (1, "")
