"""Door metrics: scans, counted by verdict."""

from prometheus_client import Counter

from azionelab.checkin.verdicts import VerdictKind

VERDICTS_GIVEN = Counter("azionelab_door_scans", "Scans at the door, by verdict.", ["verdict"])
for _kind in VerdictKind:
    # A series that begins with its first event shows no increase for it: all begin at 0.
    VERDICTS_GIVEN.labels(_kind)
