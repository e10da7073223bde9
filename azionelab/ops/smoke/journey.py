"""A visitor's whole journey over HTTP on the hidden performance: book, confirm, check in, cancel.

Reads the database only for what the visitor would learn from their mailbox.
"""

import time
from uuid import uuid4

from flask import current_app

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.tickets.files import ticket_url
from azionelab.bookings.visitor_links import make_link_token
from azionelab.languages import SOURCE
from azionelab.mail.delivery import NOBODYS_DOMAIN
from azionelab.mail.models import Delivery
from azionelab.ops.smoke.hidden_performance import SEATS, HiddenPerformance, find_booking, find_mail
from azionelab.ops.smoke.report import CheckFailed, Report, expect
from azionelab.ops.smoke.visitor import Response, Site, Visitor

_NAME = "Smoke Check"
_NOBODY = f"smoke-check@smoke{NOBODYS_DOMAIN}"  # no mail is sent to it
_POLL_SECONDS = 0.2  # between reads of a mail's state
_TICKET = {"qr.png": "image/png", "ticket.pdf": "application/pdf", "event.ics": "text/calendar"}


class Journey:
    """One booking of the hidden performance, with `mail_to` or an address that gets no mail."""

    def __init__(
        self, site: Site, performance: HiddenPerformance, mail_to: str | None, mail_wait: float
    ) -> None:
        self._visitor = Visitor(site)
        self._performance = performance
        self._mail_to = mail_to
        self._mail_wait = mail_wait
        self._door = f"/api/v1/checkin/performances/{performance.performance_id}"
        self._token = ""

    def run(self, report: Report) -> None:
        """Run the steps until one fails: each needs the one before."""
        steps = [
            ("hidden from the programme", self._is_hidden),
            ("booking by form", self._book),
            *([("mail", self._await_mail)] if self._mail_to else []),
            ("opening the mail's link changes nothing", self._open_link),
            ("confirmation", self._confirm),
            ("ticket", self._fetch_ticket),
            ("check-in", self._check_in),
            ("a second scan lets nobody in", self._scan_again),
            ("check-in undone", self._undo),
            ("cancellation", self._cancel),
        ]
        for name, step in steps:
            if not report.attempt(name, step):
                return

    def _is_hidden(self) -> None:
        listed = self._visitor.get("/api/v1/performances").json() or {}
        numbers = [performance["id"] for performance in listed.get("performances", ())]
        expect(self._performance.performance_id not in numbers, "the API lists it")
        expect(
            self._performance.slug not in self._visitor.get(f"/{SOURCE}/").text,
            "the programme shows it",
        )
        status = self._visitor.get(f"/{SOURCE}/shows/{self._performance.slug}").status
        expect(status == 200, f"its own page answers {status}: does the site use this database?")

    def _book(self) -> None:
        address = f"/{SOURCE}/performances/{self._performance.performance_id}/book"
        form = self._fields(self._visitor.get(address))
        # A form that comes back at once is taken for a script's, and holds no seats.
        time.sleep(current_app.config["AZIONELAB"].form_min_seconds)
        typed = {"name": _NAME, "email": self._mail_to or _NOBODY, "seats": str(SEATS)}
        response = self._visitor.post(address, form | typed | {"consent": "y"})
        expect(response.status == 303, f"the form answers {response.status}")
        booking = self._booking()
        expect(
            (booking.state, booking.seats) == (State.PENDING, SEATS),
            f"the booking is {booking.state} for {booking.seats} seats",
        )
        self._token = make_link_token(booking)

    def _await_mail(self) -> str:
        deadline = time.monotonic() + self._mail_wait
        while True:
            mail = find_mail(self._booking())
            if mail is None:
                raise CheckFailed("no mail was created")
            if mail.delivery != Delivery.QUEUED or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_SECONDS)
        remark = f" ({mail.last_error})" if mail.last_error else ""
        expect(mail.delivery == Delivery.SENT, f"is {mail.delivery} after waiting{remark}")
        return f"accepted by the mail server at attempt {mail.attempts}; look into the mailbox"

    def _open_link(self) -> None:
        self._fields(self._visitor.get(f"/{SOURCE}/bookings/confirm/{self._token}"))
        expect(self._booking().state == State.PENDING, "opening it confirmed the booking")

    def _confirm(self) -> None:
        address = f"/{SOURCE}/bookings/confirm/{self._token}"
        form = self._fields(self._visitor.get(address))
        response = self._visitor.post(address, form | {"coming": "y"})
        expect(response.status == 303, f"the button answers {response.status}")
        state = self._booking().state
        expect(state == State.CONFIRMED, f"the booking is {state}")

    def _fetch_ticket(self) -> None:
        page = self._visitor.get(f"/{SOURCE}/bookings/{self._token}")
        expect(page.status == 200, f"the visitor's page answers {page.status}")
        for name, kind in _TICKET.items():
            folder = "" if name == "qr.png" else f"/{SOURCE}"
            response = self._visitor.get(f"{folder}/bookings/{self._token}/{name}")
            expect(response.status == 200, f"{name} answers {response.status}")
            expect(response.kind() == kind and response.body, f"{name} is {response.kind()}")
            kept = response.headers.get("Cache-Control", "")
            expect("no-store" in kept, f"{name} may be cached by others")

    def _check_in(self) -> None:
        ticket = ticket_url(self._booking())
        self._scan = {"scan_id": str(uuid4()), "code": ticket, "door": _NAME}
        verdict = self._call_door("POST", "scans", self._scan)
        seen = verdict["verdict"], verdict["people"]
        expect(seen == ("admitted", SEATS), f"the door says {seen[0]} for {seen[1]}")

    def _scan_again(self) -> None:
        other = self._scan | {"scan_id": str(uuid4())}
        verdict = self._call_door("POST", "scans", other)
        expect(verdict["verdict"] == "already_in", f"the door says {verdict['verdict']}")
        inside = self._call_door("GET", "", None)["inside"]
        expect(inside == SEATS, f"{inside} are in")

    def _undo(self) -> None:
        undone = self._call_door("DELETE", f"scans/{self._scan['scan_id']}", None)
        expect(undone["undone"], "the door did not undo the scan")
        expect(self._booking().admitted == 0, "somebody is still in")

    def _cancel(self) -> None:
        address = f"/{SOURCE}/bookings/{self._token}/cancel"
        form = self._fields(self._visitor.get(address))
        response = self._visitor.post(address, form | {"sure": "y"})
        expect(response.status == 303, f"the button answers {response.status}")
        state = self._booking().state
        expect(state == State.CANCELLED, f"the booking is {state}")

    def _booking(self) -> Reservation:
        booking = find_booking(self._performance)
        if booking is None:
            raise CheckFailed("there is no booking: does the site use this database?")
        return booking

    def _fields(self, page: Response) -> dict[str, str]:
        expect(page.status == 200, f"the page answers {page.status}")
        fields = page.hidden_fields()
        expect("csrf_token" in fields, "the page has no form")
        return fields

    def _call_door(self, method: str, path: str, body: dict[str, str] | None) -> dict[str, object]:
        address = f"{self._door}/{path}".rstrip("/")
        response = self._visitor.call(method, address, self._performance.door_token, body)
        expect(response.status == 200, f"the door answers {response.status}")
        decoded: dict[str, object] = response.json()
        return decoded
