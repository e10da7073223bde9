"""The two places of the version agree."""

import tomllib

from azionelab import __version__
from tests.support.processes import ROOT


def test_the_package_and_the_project_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert __version__ == project["version"]
