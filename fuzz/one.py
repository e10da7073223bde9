"""Fuzz one target in this process until its time is over or it fails: python -m fuzz.one NAME FOLDER SECONDS.

Its settings are in the environment, as the application's are. The folder keeps inputs that reached new code, for the next
time, and those that failed.
"""

import os
import sys
from pathlib import Path

import atheris

# What counts as new code: what reads, and the libraries beneath that do.
_READ = (
    "azionelab.tokens", "azionelab.bookings.tickets", "azionelab.checkin", "azionelab.shows", "azionelab.validation",
    "azionelab.media.encoding", "icalendar", "dateutil.rrule", "csv", "json.decoder", "email_validator", "tomllib",
)  # fmt: skip
_LONGEST = 4096  # bytes of an input
_SLOWEST = 10  # seconds that one may take, on a busy machine too
_MEMORY = 1024  # MB


def main() -> None:
    """Run libFuzzer, which ends this process: with a status other than 0 when an input failed."""
    name, folder, seconds = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    with atheris.instrument_imports(include=list(_READ), enable_loader_override=False):
        from azionelab.app import create_app  # noqa: PLC0415
        from azionelab.settings.loading import load_config  # noqa: PLC0415
        from fuzz.targets import DEVICE, TARGETS, forgeries  # noqa: PLC0415
    app = create_app(load_config(dict(os.environ)))
    app.config[DEVICE] = os.environ[DEVICE].split()
    target = TARGETS[name]
    kept, failed = folder / "kept", folder / "failed"
    for each in (kept, failed):
        each.mkdir(parents=True, exist_ok=True)
    seeds = [*target.seeds, *(forgeries(app) if name == "token" else ())]
    for number, seed in enumerate(seeds):
        (kept / f"seed-{number}").write_bytes(seed)

    def read(data: bytes) -> None:
        with app.app_context():
            target.read(app, data)

    options = [
        *(f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}"),
        *(
            f"-rss_limit_mb={_MEMORY}",
            f"-artifact_prefix={failed}/",
            "-print_final_stats=1",
            "-verbosity=0",
        ),
    ]
    atheris.Setup([sys.argv[0], *options, str(kept)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
