"""docker/stack.yml: the example names settings that there are, and leaves none out that must be given."""

import re

from tests.support.processes import ROOT
from tests.test_config import PRODUCTION
from tests.test_env_example import VALUES

STACK = (ROOT / "docker" / "stack.yml").read_text(encoding="utf-8")
APPLICATION = STACK.partition("environment: &settings\n")[2].partition("  secrets:")[0]


def test_it_names_settings_that_there_are() -> None:
    named = {
        name.removesuffix("_FILE") for name in re.findall(r"^ {4}([A-Z_]+):", APPLICATION, re.M)
    }
    assert named <= VALUES.keys()
    assert PRODUCTION.keys() <= named


def test_who_leaves_out_what_must_be_given_is_told_before_anything_starts() -> None:
    for name in PRODUCTION.keys() - {"SECRET_KEY"}:
        assert f"${{{name}:?" in APPLICATION, name
