"""A visitor's whole way over HTTP, on the hidden performance: booked, confirmed, let in, cancelled.

The database is looked into only to learn what the visitor's mailbox would say.
"""

import time
from uuid import uuid4

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.files import ticket_url
from azionelab.mail.delivery import NOBODYS_DOMAIN
from azionelab.mail.models import Delivery
from azionelab.ops.smoke.report import NotAsItMustBe, Report, expect
from azionelab.ops.smoke.stage import SEATS, Stage, find_booking, find_mail
from azionelab.ops.smoke.visitor import Answer, Site, Visitor
from azionelab.tokens import Purpose, make_token

_NAME = "Smoke Check"
_NOBODY = f"smoke-check@smoke{NOBODYS_DOMAIN}"  # so that nothing is sent
_LOOK_AGAIN = 0.2  # seconds between two looks at a mail's state
_TICKET = {"qr.png": "image/png", "ticket.pdf": "application/pdf", "event.ics": "text/calendar"}


class Journey:
    """One booking of a stage, made with `mail_to` (nobody's without) and followed to its end."""

    def __init__(self, site: Site, stage: Stage, mail_to: str | None, mail_wait: float) -> None:
        self._visitor = Visitor(site)
        self._stage = stage
        self._mail_to = mail_to
        self._mail_wait = mail_wait
        self._door = f"/api/v1/checkin/performances/{stage.performance_id}"
        self._token = ""

    def make(self, report: Report) -> None:
        """Go the whole way, or as far as it leads: each step needs the one before."""
        steps = [
            ("hidden from the programme", self._is_hidden),
            ("booking by form", self._book),
            *([("mail", self._await_mail)] if self._mail_to else []),
            ("the mail's link changes nothing by itself", self._open_link),
            ("confirmation", self._confirm),
            ("ticket", self._fetch_ticket),
            ("check-in", self._check_in),
            ("a second scan lets nobody in", self._scan_again),
            ("check-in taken back", self._take_back),
            ("cancellation", self._cancel),
        ]
        for what, step in steps:
            if not report.attempt(what, step):
                return

    def _is_hidden(self) -> None:
        listed = self._visitor.get("/api/v1/performances").json() or {}
        numbers = [performance["id"] for performance in listed.get("performances", ())]
        expect(self._stage.performance_id not in numbers, "the API lists it")
        expect(self._stage.slug not in self._visitor.get("/").text, "the programme shows it")
        status = self._visitor.get(f"/shows/{self._stage.slug}").status
        expect(status == 200, f"its own page answers {status}: does the site use this database?")

    def _book(self) -> None:
        address = f"/performances/{self._stage.performance_id}/book"
        form = self._fields(self._visitor.get(address))
        typed = {"name": _NAME, "email": self._mail_to or _NOBODY, "seats": str(SEATS)}
        answer = self._visitor.post(address, form | typed | {"consent": "y"})
        expect(answer.status == 303, f"the form answers {answer.status}")
        booking = self._booking()
        expect(
            (booking.state, booking.seats) == (State.PENDING, SEATS),
            f"the booking is {booking.state} for {booking.seats} seats",
        )
        self._token = make_token(Purpose.VISITOR, booking.id)

    def _await_mail(self) -> str:
        until = time.monotonic() + self._mail_wait
        while True:
            mail = find_mail(self._booking())
            if mail is None:
                raise NotAsItMustBe("was not written")
            if mail.delivery != Delivery.QUEUED or time.monotonic() >= until:
                break
            time.sleep(_LOOK_AGAIN)
        remark = f" ({mail.last_error})" if mail.last_error else ""
        expect(mail.delivery == Delivery.SENT, f"is {mail.delivery} after waiting{remark}")
        return f"taken by the mail server at the {mail.attempts}. attempt; look into the mailbox"

    def _open_link(self) -> None:
        self._fields(self._visitor.get(f"/bookings/confirm/{self._token}"))
        expect(self._booking().state == State.PENDING, "opening it confirmed the booking")

    def _confirm(self) -> None:
        address = f"/bookings/confirm/{self._token}"
        form = self._fields(self._visitor.get(address))
        answer = self._visitor.post(address, form | {"coming": "y"})
        expect(answer.status == 303, f"the button answers {answer.status}")
        state = self._booking().state
        expect(state == State.CONFIRMED, f"the booking is {state}")

    def _fetch_ticket(self) -> None:
        page = self._visitor.get(f"/bookings/{self._token}")
        expect(page.status == 200, f"the visitor's page answers {page.status}")
        for name, kind in _TICKET.items():
            answer = self._visitor.get(f"/bookings/{self._token}/{name}")
            expect(answer.status == 200, f"{name} answers {answer.status}")
            expect(answer.kind() == kind and answer.body, f"{name} is {answer.kind()}")
            kept = answer.headers.get("Cache-Control", "")
            expect("no-store" in kept, f"{name} may be kept by others")

    def _check_in(self) -> None:
        ticket = ticket_url(self._booking())
        self._scan = {"scan_id": str(uuid4()), "code": ticket, "door": _NAME}
        told = self._ask_door("POST", "scans", self._scan)
        seen = told["verdict"], told["people"]
        expect(seen == ("admitted", SEATS), f"the door says {seen[0]} for {seen[1]}")

    def _scan_again(self) -> None:
        other = self._scan | {"scan_id": str(uuid4())}
        told = self._ask_door("POST", "scans", other)
        expect(told["verdict"] == "already_in", f"the door says {told['verdict']}")
        inside = self._ask_door("GET", "", None)["inside"]
        expect(inside == SEATS, f"{inside} are in")

    def _take_back(self) -> None:
        told = self._ask_door("DELETE", f"scans/{self._scan['scan_id']}", None)
        expect(told["undone"], "the door did not")
        expect(self._booking().admitted == 0, "somebody is still in")

    def _cancel(self) -> None:
        address = f"/bookings/{self._token}/cancel"
        form = self._fields(self._visitor.get(address))
        answer = self._visitor.post(address, form | {"sure": "y"})
        expect(answer.status == 303, f"the button answers {answer.status}")
        state = self._booking().state
        expect(state == State.CANCELLED, f"the booking is {state}")

    def _booking(self) -> Reservation:
        booking = find_booking(self._stage)
        if booking is None:
            raise NotAsItMustBe("there is no booking: does the site use this database?")
        return booking

    def _fields(self, page: Answer) -> dict[str, str]:
        expect(page.status == 200, f"the page answers {page.status}")
        fields = page.hidden_fields()
        expect("csrf_token" in fields, "the page has no form")
        return fields

    def _ask_door(self, method: str, what: str, asked: dict[str, str] | None) -> dict[str, object]:
        address = f"{self._door}/{what}".rstrip("/")
        answer = self._visitor.call(method, address, self._stage.door_token, asked)
        expect(answer.status == 200, f"the door answers {answer.status}")
        told: dict[str, object] = answer.json()
        return told
