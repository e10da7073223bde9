"""The parts of the loop that fills the house, which a simulation has or has not."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Loop:
    """Which parts there are."""

    waitlist: bool = False
    reminders: bool = False
    again: bool = False  # who never answers is asked to confirm again, and else loses the seats
    release: bool = False  # of the seats of no-shows, near the curtain
    near: bool = False  # these are offered first to those in line who said that they are near
    standby: bool = False  # as many people wait at the door as the record supports

    def without(self, part: str) -> "Loop":
        """All parts but one of these."""
        return Loop(**{each: getattr(self, each) and each != part for each in PARTS})


PARTS = {
    "waitlist": "waitlist",
    "reminders": "reminders",
    "again": "“confirm again”",
    "release": "release at the door",
    "near": "who waits near",
    "standby": "standby places",
}
ALL = Loop(**dict.fromkeys(PARTS, True))


def steps() -> list[tuple[str, Loop]]:
    """From nothing to all parts, each step with one more."""
    found = [("no loop", Loop())]
    for number, name in enumerate(PARTS.values(), 1):
        parts = [each.name for each in fields(Loop)][:number]
        found.append((f"+ {name}", Loop(**dict.fromkeys(parts, True))))
    return found
