"""What became of a simulated evening, or of several."""

from collections import Counter
from dataclasses import dataclass, field

from azionelab.reports.no_show_model import Record


@dataclass
class Outcome:
    """People and seats, and mails by kind.

    Turned away were people who confirmed and came, or said that they come late (`kept`); others who came after the seats
    of no-shows were released (`late`); and those who waited at the door without a booking (`waiting`). Who did not answer
    when asked to confirm again, but would have come, lost the seats by silence.
    """

    evenings: int = 0
    evenings_all_waiting_seated: int = 0
    seats: int = 0
    booked: int = 0
    absent: int = 0
    filled: int = 0
    near: int = 0  # people who said so
    near_seated: int = 0
    waited: int = 0
    kept_turned_away: int = 0
    late_turned_away: int = 0
    waiting_turned_away: int = 0
    lost_by_silence: int = 0
    lost_turned_away: int = 0  # of these, who read nothing and came
    unbooked: int = 0  # seats that nobody held when those of no-shows were released
    released: int = 0  # seats of no-shows
    kept_empty: int = 0  # seats that a party which did not come held to the end
    mails: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(**{name: mine + getattr(other, name) for name, mine in vars(self).items()})

    @property
    def record(self) -> Record:
        """What the model of no-shows learns of one evening."""
        return Record(self.booked, self.absent)
