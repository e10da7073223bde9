"""The bench measures what production runs: its settings are ones that production takes."""

from azionelab.config import load_config
from bench.__main__ import site_settings


def test_production_starts_with_the_settings_of_the_bench() -> None:
    config = load_config(site_settings("postgresql://bench@127.0.0.1:1/bench", 25))
    assert not config.debug
