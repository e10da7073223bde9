"""The invented programme: venues, shows, and the evenings around a day."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKS = 6  # before and after the present one
OPENS_BEFORE = timedelta(days=28)
CLOSES_BEFORE = timedelta(hours=1)


@dataclass(frozen=True)
class DemoVenue:
    """A venue and its seats."""

    name: str
    address: str
    capacity: int  # all places
    wheelchair_places: int


@dataclass(frozen=True)
class DemoShow:
    """A show. `appeal` is the share of the seats that people ask for on an ordinary evening."""

    slug: str
    title: str
    summary: str
    minutes: int
    appeal: float
    published: bool = True


@dataclass(frozen=True)
class Evening:
    """A performance of the programme. A cancelled one is cancelled once people have booked."""

    show: DemoShow
    venue: DemoVenue
    starts_at: datetime
    appeal: float
    cancelled: bool = False
    wheelchair_parties: int = 1  # parties of which one needs a wheelchair place, if so many come


MAIN = DemoVenue("Teatro dei Gelsi", "Via dei Gelsi 14, Bologna", 84, 2)
STUDIO = DemoVenue("Sala del Pozzo", "Via dei Gelsi 14, Bologna (cortile interno)", 36, 2)

CAT = DemoShow(
    "il-gatto-che-contava-le-stelle",
    "Il gatto che contava le stelle",
    "Teatro d'ombre per famiglie, dai quattro anni. Una notte sui tetti, senza una parola di troppo.",
    50,
    0.75,
)
LIGHTHOUSE = DemoShow(
    "lettere-da-un-faro",
    "Lettere da un faro",
    "Monologo per un'attrice e una lampada. Dieci anni di lettere mai spedite.",
    70,
    0.6,
)
LAST_REHEARSAL = DemoShow(
    "l-ultima-prova",
    "L'ultima prova",
    "Commedia per sei attori che non si parlano più. Debutto in preparazione.",
    95,
    0.0,
    published=False,
)
# Two weeks each, the main stage's shows from WEEKS before to WEEKS after the present week.
_RUNS = (
    DemoShow(
        "novantanove-gradini",
        "Novantanove gradini",
        "Un condominio, un ascensore guasto, nove inquilini che non si erano mai guardati.",
        105,
        0.62,
    ),
    DemoShow(
        "la-sarta-e-il-generale",
        "La sarta e il generale",
        "Commedia in due atti. Una divisa da stringere in vita, una guerra da perdere con garbo.",
        120,
        0.88,
    ),
    DemoShow(
        "quel-treno-per-ferrara",
        "Quel treno per Ferrara",
        "Tre sconosciuti, uno scompartimento, la nebbia. Dal racconto di Irma Valdesi.",
        90,
        0.7,
    ),
    DemoShow(
        "il-cortile-delle-zagare",
        "Il cortile delle zagare",
        "Palermo, un'estate. Quattro sorelle aprono la casa che avevano promesso di non riaprire.",
        115,
        0.95,
    ),
    DemoShow(
        "concerto-per-voce-e-pioggia",
        "Concerto per voce e pioggia",
        "Canzoni e temporali, con la piccola orchestra del teatro.",
        80,
        0.8,
    ),
    DemoShow(
        "bianca-come-la-nebbia",
        "Bianca come la nebbia",
        "Un giallo della Bassa in cui nessuno ha visto niente e tutti hanno sentito qualcosa.",
        100,
        0.74,
    ),
    DemoShow(
        "il-maestro-di-ombrelli",
        "Il maestro di ombrelli",
        "Favola per adulti su un mestiere che non serve più, e sulla pioggia che torna.",
        85,
        0.66,
    ),
)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_SOLD_OUT = (
    6  # what the appeal of the Saturday to come is multiplied by: more than the house, days before
)
# Weekday, time, and how it changes a show's appeal.
_MAIN_TIMES = ((_FRIDAY, time(20, 30), 0.9), (_SATURDAY, time(20, 30), 1.2), (_SUNDAY, time(16), 1))


def evenings(today: date, zone: ZoneInfo) -> list[Evening]:
    """The programme around a day, in order of time; there is always an evening on that day itself."""
    found = {each.starts_at: each for each in _evenings(today, zone)}
    tonight = datetime.combine(today, time(20, 30), zone)
    if tonight not in found:
        found[tonight] = Evening(_show_of(0), MAIN, tonight, 1.1)
    programme = sorted(found.values(), key=lambda each: each.starts_at)
    # In the studio only wheelchair places are left.
    following = next(
        n for n, each in enumerate(programme) if each.venue is STUDIO and each.starts_at > tonight
    )
    programme[following] = replace(programme[following], appeal=2 * _SOLD_OUT, wheelchair_parties=0)
    return programme


def shows() -> list[DemoShow]:
    """All shows, the unpublished one included."""
    return [*_RUNS, CAT, LIGHTHOUSE, LAST_REHEARSAL]


def _show_of(week: int) -> DemoShow:
    return _RUNS[(week + WEEKS) // 2]


def _evenings(today: date, zone: ZoneInfo) -> Iterator[Evening]:
    monday = today - timedelta(days=today.weekday())
    for week in range(-WEEKS, WEEKS + 1):
        begins = monday + timedelta(weeks=week)

        def at(weekday: int, hour: time, begins: date = begins) -> datetime:
            return datetime.combine(begins + timedelta(days=weekday), hour, zone)

        for weekday, hour, factor in _MAIN_TIMES:
            is_next = weekday == _SATURDAY and 0 <= (at(weekday, hour).date() - today).days < 7
            cancelled = (week, weekday) in ((-3, _SUNDAY), (2, _FRIDAY))
            appeal = _SOLD_OUT if is_next else factor
            needing = MAIN.wheelchair_places if is_next else 1
            yield Evening(_show_of(week), MAIN, at(weekday, hour), appeal, cancelled, needing)
        if week % 2 == 0:
            yield Evening(CAT, STUDIO, at(_SUNDAY, time(11)), 1.1)
        else:
            yield Evening(LIGHTHOUSE, STUDIO, at(3, time(21)), 0.9)
        if week == WEEKS:
            yield Evening(LAST_REHEARSAL, MAIN, at(3, time(20, 30)), 0)
