"""The ticket: what it holds, what it must not hold, and that readers of each format read it."""

import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import vobject
import zxingcpp
from flask import Flask
from flask_babel import force_locale
from icalendar import Calendar
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import update

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import event_ics, qr_png, ticket_pdf, ticket_url
from azionelab.bookings.tickets.signing import read_ticket
from azionelab.bookings.visitor_changes.evenings import swap_evening
from azionelab.bookings.visitor_changes.seats import add_seats
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now, transaction
from azionelab.shows.models import Show, Venue
from azionelab.theme.colours import palettes
from azionelab.theme.current import refresh_theme
from azionelab.theme.models import Fonts, Logo, Theme
from azionelab.theme.rules import save_theme
from azionelab.tokens import Purpose, make_token, read_token
from tests.factories import DOOR_A, a_party, a_performance, fresh, move, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")

# base64url's, in the order of their values (RFC 4648, 5).
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
NAME, EMAIL = "Ada Zzyzx", "ada.zzyzx@example.org"


def a_ticket(**facts: object) -> Reservation:
    opens = now() - timedelta(days=1)
    return a_party(a_performance(booking_opens_at=opens, **facts), 3, name=NAME, email=EMAIL)


def decoded(picture: bytes) -> str:
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    return code.text


def sheet(reservation: Reservation, *, for_phone: bool = False) -> tuple[str, list[bytes]]:
    (page,) = PdfReader(BytesIO(ticket_pdf(reservation, for_phone=for_phone))).pages
    return page.extract_text(), [picture.data for picture in page.images]


def lowest_line(reservation: Reservation, *, for_phone: bool) -> float:
    """How far above the sheet's lower edge its last line stands, in points."""
    heights: list[float] = []
    (page,) = PdfReader(BytesIO(ticket_pdf(reservation, for_phone=for_phone))).pages
    page.extract_text(
        visitor_text=lambda text, _, tm, *rest: text.strip() and heights.append(tm[5])
    )
    return min(heights)


def method(reservation: Reservation) -> str:
    return str(Calendar.from_ical(event_ics(reservation))["METHOD"])


def event(reservation: Reservation) -> dict[str, object]:
    (component,) = Calendar.from_ical(event_ics(reservation)).walk("VEVENT")
    return dict(component)


def test_the_qr_is_an_address_of_this_site_that_opens_the_ticket_only(
    in_app: Flask, settings: dict[str, str]
) -> None:
    reservation = a_ticket()
    read = decoded(qr_png(reservation))
    assert read == ticket_url(reservation)
    # A browser reads it so: scheme and host have no case.
    address = urlsplit(read)
    assert f"{address.scheme}://{address.netloc.lower()}" == settings["SITE_BASE_URL"]
    assert read_ticket(read) == (reservation.performance_id, reservation.reference)
    assert in_app.test_client().get(address.path).status_code == 200
    for piece in address.path.split("/"):
        assert read_token(Purpose.VISITOR, piece) is None


def test_a_token_has_one_spelling() -> None:
    """Its last letter holds four bits of the six it could: others would read the same."""
    reservation = a_ticket()
    token = ticket_token(reservation)
    letters = string.ascii_letters + string.digits + "-_"
    read = [letter for letter in letters if read_token(Purpose.TICKET, token[:-1] + letter)]
    assert read == [token[-1]]


def test_a_new_token_is_signed_by_the_key_of_today(make_app: Callable[..., Flask]) -> None:
    identity = uuid4()
    with make_app(SECRET_KEY="new-" * 10, SECRET_KEY_FALLBACKS="old-" * 10).app_context():
        token = make_token(Purpose.TICKET, identity)
    with make_app(SECRET_KEY="new-" * 10).app_context():
        assert read_token(Purpose.TICKET, token) == identity
    with make_app(SECRET_KEY="old-" * 10).app_context():
        assert read_token(Purpose.TICKET, token) is None


def test_a_token_has_one_spelling_whichever_letter_is_last() -> None:
    """Of some last letters the other spellings come before it in the alphabet, of some behind it."""
    for number in range(64):
        token = make_token(Purpose.TICKET, UUID(int=number))
        value = _LETTERS.index(token[-1])
        others = [_LETTERS[value - value % 4 + idle] for idle in range(4) if idle != value % 4]
        assert not any(read_token(Purpose.TICKET, token[:-1] + other) for other in others)
        assert not read_token(Purpose.TICKET, token + "!")


def test_the_qr_address_does_not_follow_the_host_header(
    in_app: Flask, settings: dict[str, str]
) -> None:
    reservation = a_ticket()
    with in_app.test_request_context("/", base_url="https://evil.example"):
        assert ticket_url(reservation).startswith(settings["SITE_BASE_URL"].upper() + "/T/")


def test_nothing_that_is_shared_names_the_visitor() -> None:
    reservation = a_ticket()
    texts = [decoded(qr_png(reservation)), sheet(reservation)[0], event_ics(reservation).decode()]
    raw = ticket_pdf(reservation).decode("latin-1")
    for text in [*texts, raw]:
        for personal in ("Ada", "Zzyzx", "zzyzx", "example.org"):
            assert personal not in text


def test_the_sheet_says_what_when_where_and_for_how_many() -> None:
    venue = Venue(name="Teatro Sociale", address="Piazza Roma 3")
    show = Show(slug="zio-vanja", title="Zio Vanja", published=True)
    curtain = datetime(2031, 7, 5, 18, 30, tzinfo=UTC)
    reservation = a_ticket(show=show, venue=venue, starts_at=curtain)
    with force_locale("en"):
        text, pictures = sheet(reservation)
    for part in ("Zio Vanja", "5 July 2031, 20:30", "Teatro Sociale", "Piazza Roma 3", "3 seats"):
        assert part in text
    assert reservation.reference in text
    assert [decoded(picture) for picture in pictures] == [ticket_url(reservation)]


@pytest.mark.parametrize(
    ("title", "readable"),
    [
        ("Čajka — Чайка", "Чайка"),
        ("Οιδίπους τύραννος", "τύραννος"),
        ("Ça ira «fin»", "«fin»"),
        ("word " * 60, "word word"),
        ("A" * 200, "AAAA"),
        ("桜の園 🌸 Sakura", "Sakura"),
    ],
)
def test_any_title_can_be_printed(title: str, readable: str) -> None:
    show = Show(slug="any-title", title=title, published=True)
    reservation = a_ticket(show=show)
    for for_phone in (False, True):
        text, pictures = sheet(reservation, for_phone=for_phone)
        assert readable in text
        assert [decoded(picture) for picture in pictures] == [ticket_url(reservation)]
        below = lowest_line(reservation, for_phone=for_phone)
        assert below > 0, "the text runs off the sheet"


def test_the_sheet_is_in_the_theatres_look() -> None:
    reservation = a_ticket(show=Show(slug="long", title="word " * 40, published=True))
    logo = BytesIO()
    Image.new("RGB", (640, 160), (255, 250, 240)).save(logo, "WEBP")
    look = Theme(name="Teatro Nuovo", accent="#14532d", logo=Logo("1", 640, 160))
    save_theme(look, seen=0, by=None, logo=logo.getvalue())
    refresh_theme()
    for for_phone in (False, True):
        text, pictures = sheet(reservation, for_phone=for_phone)
        assert "Teatro Nuovo" in text
        assert len(pictures) == 2
        assert lowest_line(reservation, for_phone=for_phone) > 0, "the text runs off the sheet"
        (page,) = PdfReader(BytesIO(ticket_pdf(reservation, for_phone=for_phone))).pages
        colour = palettes("#14532d")[0].curtain
        drawn = " ".join(f"{int(colour[i : i + 2], 16) / 255:.4f}".rstrip("0") for i in (1, 3, 5))
        assert f"{drawn} rg" in page.get_contents().get_data().decode("latin-1")


@pytest.mark.parametrize("directions", ["Bus 14, **Gelsi** stop.", "Bus 14, Gelsi stop. " * 400])
def test_the_sheet_tells_when_the_doors_open_and_the_way(directions: str) -> None:
    show = Show(slug="any-title", title="Lear", doors_minutes=30, published=True)
    venue = Venue(name="Sala", address="Via Roma 1", directions={"it": directions})
    reservation = a_ticket(show=show, venue=venue)
    with force_locale("en"):
        text, _ = sheet(reservation)
        assert "Doors open\n30 minutes before the beginning" in text
        assert "How to get there\nBus 14, Gelsi stop." in text
        assert lowest_line(reservation, for_phone=False) > 0, "the text runs off the sheet"
        rules.cancel(reservation.id)
        assert "Bus 14" not in sheet(fresh(reservation.id))[0]


@pytest.mark.parametrize(("fonts", "face"), [(Fonts.BODONI, "Bodoni"), (Fonts.DEVICE, "Figtree")])
def test_titles_are_set_in_the_face_of_the_pages(fonts: Fonts, face: str) -> None:
    save_theme(Theme(fonts=fonts), seen=0, by=None)
    refresh_theme()
    raw = PdfReader(BytesIO(ticket_pdf(a_ticket()))).pages[0]["/Resources"]["/Font"].values()
    embedded = {str(font["/BaseFont"]) for font in raw}
    assert any(face in name for name in embedded)
    assert any("Bodoni" in name for name in embedded) == (face == "Bodoni")


def test_the_sheet_is_titled_and_its_code_is_named() -> None:
    show = Show(slug="any-title", title="Lear", published=True)
    reservation = a_ticket(show=show)
    with force_locale("en"):
        read = PdfReader(BytesIO(ticket_pdf(reservation)))
    assert read.metadata is not None
    assert read.metadata.title == "Your ticket: Lear"
    assert read.root_object["/Lang"] == "en"
    assert read.root_object["/MarkInfo"]["/Marked"]
    (figure,) = read.root_object["/StructTreeRoot"]["/K"][0]["/K"]
    assert figure.get_object()["/Alt"] == "QR code of your ticket"


@pytest.mark.parametrize(
    ("curtain", "in_utc"),
    [
        # 20:30 in Rome on the last evening of winter time, and on the first of summer time.
        (datetime.fromisoformat("2031-03-29T20:30:00+01:00"), "20310329T193000Z"),
        (datetime.fromisoformat("2031-03-30T20:30:00+02:00"), "20310330T183000Z"),
    ],
)
def test_the_calendar_entry_is_right_across_a_clock_change(curtain: datetime, in_utc: str) -> None:
    show = Show(slug="night", title="Night, long; and short", duration_minutes=95, published=True)
    venue = Venue(name="Sala; Uno", address="Via Roma 1, Milano")
    reservation = a_ticket(show=show, venue=venue, starts_at=curtain)
    assert f"DTSTART:{in_utc}\r\n" in event_ics(reservation).decode()
    entry = event(reservation)
    assert entry["DTSTART"].dt == curtain
    assert entry["DTEND"].dt == curtain + timedelta(minutes=95)
    assert entry["SUMMARY"] == "Night, long; and short"
    assert entry["LOCATION"] == "Sala; Uno, Via Roma 1, Milano"
    assert entry["STATUS"] == "CONFIRMED"


def test_a_show_of_unknown_length_takes_two_hours() -> None:
    entry = event(a_ticket())
    assert entry["DTEND"].dt - entry["DTSTART"].dt == timedelta(hours=2)


def test_the_calendar_entry_has_what_the_door_asks_for() -> None:
    reservation = a_ticket()
    with force_locale("en"):
        entry = event(reservation)
    assert entry["DESCRIPTION"] == f"3 seats\nReference: {reservation.reference}"
    assert entry["ORGANIZER"] == "mailto:box-office@theatre.example"
    assert method(reservation) == "PUBLISH"


def test_the_calendar_entrys_organizer_is_written_as_mail_servers_know_them(
    make_app: Callable[..., Flask],
) -> None:
    reservation = a_ticket()
    with make_app(CONTACT_EMAIL="info@città.it").app_context():
        content = event_ics(fresh(reservation.id)).replace(b"\r\n ", b"")
    assert b"mailto:info@xn--citt-3na.it\r\n" in content


def test_two_libraries_read_each_change_of_one_calendar_entry() -> None:
    """The same UID, a SEQUENCE that rises, and what is true now."""
    show = Show(slug="gabbiano", title="Il gabbiano, di Čechov; atto unico", published=True)
    curtain = datetime(2031, 7, 5, 18, 30, tzinfo=UTC)
    reservation = a_ticket(show=show, starts_at=curtain, booking_closes_at=curtain)
    other = a_performance(
        show=show, starts_at=curtain + timedelta(days=1), booking_opens_at=now() - timedelta(days=1)
    )
    seen: list[int] = []
    uids = set()

    def read(starts_at: datetime, seats: int, status: str) -> None:
        party = fresh(reservation.id)
        with force_locale("en"):
            content = event_ics(party)
            ours = event(party)
        theirs = vobject.readOne(content.decode()).vevent
        assert theirs.dtstart.value == ours["DTSTART"].dt == starts_at
        assert theirs.summary.value == ours["SUMMARY"] == show.title
        assert theirs.location.value == ours["LOCATION"]
        assert theirs.status.value == ours["STATUS"] == status
        assert f"{seats} seats" in theirs.description.value
        assert theirs.description.value == ours["DESCRIPTION"]
        assert theirs.organizer.value == ours["ORGANIZER"]
        assert int(theirs.sequence.value) >= ours["SEQUENCE"] - 10
        seen.append(ours["SEQUENCE"])
        uids.update((theirs.uid.value, ours["UID"]))
        with transaction() as session:  # some seconds pass
            earlier = Reservation.created_at - timedelta(seconds=3)
            session.execute(
                update(Reservation).where(Reservation.id == party.id).values(created_at=earlier)
            )

    read(curtain, 3, "CONFIRMED")
    add_seats(reservation.id, 5, fresh(reservation.id).changed_in)
    read(curtain, 5, "CONFIRMED")
    rules.reduce_seats(reservation.id, 2)
    read(curtain, 2, "CONFIRMED")
    swap_evening(reservation.id, other.id, fresh(reservation.id).changed_in)
    read(other.starts_at, 2, "CONFIRMED")
    move(other.id, curtain + timedelta(days=8))
    read(curtain + timedelta(days=8), 2, "CONFIRMED")
    rules.cancel(reservation.id)
    read(curtain + timedelta(days=8), 2, "CANCELLED")
    assert seen == sorted(set(seen))
    assert len(uids) == 1


def by_the_visitor(reservation: Reservation) -> None:
    rules.cancel(reservation.id)


def by_the_theatre(reservation: Reservation) -> None:
    performance_changes.cancel_performance(reservation.performance_id)


def by_the_theatre_with_people_in(reservation: Reservation) -> None:
    admit(reservation.performance_id, reservation.reference, uuid4(), DOOR_A, people=1)
    performance_changes.cancel_performance(reservation.performance_id)


@pytest.mark.parametrize(
    ("cancelled", "why"),
    [
        (by_the_visitor, "This booking was cancelled."),
        (by_the_theatre, "This performance is cancelled."),
        (by_the_theatre_with_people_in, "This performance is cancelled."),
    ],
)
def test_a_ticket_that_is_good_no_more_says_so_everywhere(
    cancelled: Callable[[Reservation], None], why: str
) -> None:
    reservation = a_ticket()
    before = event(reservation)
    cancelled(reservation)
    reservation = fresh(reservation.id)
    with force_locale("en"):
        after = event(reservation)
        text, pictures = sheet(reservation)
        on_phone, none = sheet(reservation, for_phone=True)
    assert method(reservation) == "CANCEL"
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["STATUS"] == "CANCELLED"
    assert why in after["DESCRIPTION"]
    for words in (text, on_phone):
        assert why in " ".join(words.split())
    assert pictures == none == []
