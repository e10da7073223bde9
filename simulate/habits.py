"""How people behave, and how the theatre works: every assumption of the simulation, each with its source."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

from azionelab.reports.standby import CHANCE

_TRIAL = (
    "of missed appointments, reminders prevented a third in a randomised trial"
    " ([Youssef 2014](http://www.emro.who.int/emhj-vol-20-2014/volume-20-5/use-of-short-message-service-reminders-to-improve-"
    "attendance-at-an-internal-medicine-outpatient-clinic-in-saudi-arabia-a-randomized-controlled-trial.html)),"
    " as the three here do together; how it divides is assumed"
)
ASSUMED = "assumed"


def _habit(default: Any, meaning: str, source: str = ASSUMED) -> Any:
    return field(default=default, metadata={"meaning": meaning, "source": source})


@dataclass(frozen=True)
class Habits:
    """How visitors behave: shares from 0 to 1, minutes and days."""

    party_sizes: tuple[float, ...] = _habit(
        (0.25, 0.5, 0.12, 0.13), "share of the parties that are one, two, three, four people"
    )
    books_before: float = _habit(
        6.0, "days before the curtain that somebody wants seats, on average"
    )
    confirms: float = _habit(0.95, "share that confirms its booking, or its place in line")
    withdraws: float = _habit(0.06, "share that cancels by itself, reminded or not")
    comes_after_all: float = _habit(
        0.1, "of those who would stay away: come, since a mail reminded them", _TRIAL
    )
    gives_back_first: float = _habit(
        0.17, "of those who would stay away: cancel by a reminder a day or more before", "as above"
    )
    gives_back_second: float = _habit(
        0.1, "of the others who would stay away: cancel by a reminder on the day", "as above"
    )
    says_coming: float = _habit(
        0.5, "of those who would come: answer a reminder by “we are coming”"
    )
    confirms_again: float = _habit(
        0.85, "the same, of reminder or question, when the seats are lost without an answer"
    )
    says_so_and_stays_away: float = _habit(
        0.15, "of those who would stay away: confirm again nevertheless"
    )
    gives_back_asked: float = _habit(
        0.2, "of those who would stay away: cancel when they are asked to confirm again"
    )
    reads_loss: float = _habit(
        0.5,
        "of those who would come and lost their seats by silence: read so, and look for seats; the others come to the door",
    )
    joins_line: float = _habit(0.6, "of those who find a full house: join the waitlist")
    looks_again: float = _habit(
        0.25, "of those without seats who are not in line: look at the site again on the last day"
    )
    takes_offer: float = _habit(0.7, "take an offer that comes a day or more before the curtain")
    takes_late_offer: float = _habit(0.45, "take an offer that comes on the last day")
    refuses_offer: float = _habit(0.5, "of the others: say no, instead of letting it lapse")
    stays_away_less: float = _habit(
        0.5, "no-show rate of those who took an offer, times the others'"
    )
    confirms_after: float = _habit(5.0, "minutes until a booking is confirmed, on average")
    answers_after: float = _habit(90.0, "minutes until a mail is answered, on average")
    answers_after_late: float = _habit(30.0, "the same on the last day")
    arrives_before: float = _habit(20.0, "minutes before the curtain that people come, on average")
    arrives_spread: float = _habit(8.0, "standard deviation of these minutes")
    says_late: float = _habit(
        0.5, "of those who come after the release: say so on their ticket's page"
    )
    waits_at_door: float = _habit(
        0.15, "of those without seats: would wait at the door if the theatre lets them"
    )
    says_near: float = _habit(
        0.3,
        "of those in line before the curtain, asked by a mail: say that they are near; who would wait at the door is among"
        " them",
    )
    says_near_lapsed: float = _habit(0.15, "the same, of those who let an offer lapse")
    joins_near: float = _habit(
        0.15,
        "of the others without seats: join the waitlist in the last hour, since they are near; who would wait at the door is"
        " among them",
    )
    says_near_before: float = _habit(60.0, "minutes before the curtain that they say so, at most")
    near_minutes: tuple[float, ...] = _habit(
        (0.0, 0.3, 0.25, 0.25, 0.1, 0.1),
        "share of them that are 2, 5, 10, 15, 20, 30 minutes away; who would wait at the door is 2 away",
    )
    comes_close: float = _habit(
        0.5,
        "of these, if they are more than 5 minutes away: come close and say so, since page and mail say when seats come free",
    )
    takes_offer_near: float = _habit(0.85, "take an offer that comes when they are near")
    answers_when_near: float = _habit(2.0, "minutes until they answer it, on average")
    near_stays_away: float = _habit(0.03, "of those who took it: do not come")
    walks_in: float = _habit(0.03, "people who come by chance, as a share of the house")


@dataclass(frozen=True)
class Theatre:
    """The theatre and its evenings."""

    capacity: int = 40  # seats
    evenings: int = 6  # of a season
    opens_days: int = 21  # before the curtain booking opens
    wishes: float = 2.0  # seats that are wished for, for each seat of the house
    sureness: float = CHANCE  # that all get a seat who may wait at the door
    release_minutes: int = 6  # before the curtain the seats of no-shows are released
    confirm_again_hours: int = 12  # before the curtain, if it is asked


def assumptions(habits: Habits) -> list[tuple[str, str, str, str]]:
    """Name, value, meaning and source of every habit."""
    return [
        (each.name, _words(getattr(habits, each.name)), *_described(each))
        for each in fields(habits)
    ]


def _described(habit: "Field[Any]") -> tuple[str, str]:
    return habit.metadata["meaning"], habit.metadata["source"]


def _words(value: object) -> str:
    return ", ".join(f"{each:g}" for each in value) if isinstance(value, tuple) else f"{value:g}"
