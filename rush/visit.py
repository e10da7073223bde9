"""One visitor at the sale: joins the line, follows what its page says, and books when the turn comes."""

import asyncio
import random
import re
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from azionelab.tokens import Purpose, make_token
from bench.data import signing
from bench.flood import hidden_fields
from rush.networks import Network
from rush.people import RELOADS_EVERY, Kind, Person
from rush.proof import asked_cost, make_proof, seconds_for
from rush.stories import NO_SEATS, Story
from rush.web import NO_ANSWER, Answer, Browser, Web

# Of the page (static_frontend/src/booking/line.ts), in seconds.
_INTERVAL, _HIDDEN_INTERVAL = 5.0, 20.0
_LOADS_A_SECOND, _LONGEST_LOAD = 150, 60.0
_NOT_FOUND, _CONFLICT, _TOO_MANY = 404, 409, 429
_TRIES = 5  # of one form
_HEADINGS = {
    "lot": "You are in the draw",
    "waiting": "You are in line",
    "in": "It is your turn",
    "missed": "Your time to book has passed",
    "used": "Your turn is over",
    "over": "The line is over",
}


@dataclass(frozen=True)
class Sale:
    """Where and when visitors come. Moments are of the monotonic clock; `ends` is when whoever is left is sent home."""

    port: int
    performance: int
    database_url: str
    opens: float
    ends: float


class Visit:
    """A visitor on the way."""

    def __init__(
        self,
        person: Person,
        web: Web,
        network: Network,
        sale: Sale,
        database: "psycopg.Connection[Any]",
    ) -> None:
        self.story = Story(person)
        self._person, self._web, self._network, self._opens = person, web, network, sale.opens
        self._browser = Browser(person.address)
        self._database = database
        self._turn: Answer  # the page that said that it is this visitor's turn
        self._form_path = f"/en/performances/{sale.performance}/book"
        self._place_path = self._state_path = ""
        self._chance = random.Random(f"{person.kind}{person.number}")
        self._reload_at = 0.0

    async def run(self) -> None:
        """Come, wait and book."""
        await asyncio.sleep(max(0.0, self._opens + self._person.arrives - time.monotonic()))
        place = await self._join()
        if place is None:
            self.story.end = "did not get into the line"
        elif not await self._wait(place):
            self.story.end = "went home: sold out"
        else:
            self.story.let_in_at = time.monotonic()
            await self._book()

    async def _join(self) -> Answer | None:
        """Take a place; its page."""
        page = await self._web.follow("page", self._form_path, self._browser)
        asked_at = None
        for _ in range(_TRIES):
            if self._state_of(page):
                return page
            fields = hidden_fields(page.text)
            if "shown_at" in fields:
                await self._fill_in(page, fields)
                asked_at = asked_at or time.monotonic()
                sent = fields | {"email": self._person.mailbox}
                page = await self._web.ask("join", page.path, self._browser, sent)
                if page.status == 303:
                    self.story.asked_at, self.story.joined_at = asked_at, time.monotonic()
                    self._place_path = page.path
                    return await self._load_place()
                if page.status != NO_ANSWER and page.status < 500:
                    asked_at = (
                        None  # refused; without an answer the place may have been taken by this try
                    )
            await self._pause_after(page)
            page = await self._web.follow("page", self._form_path, self._browser)
        return None

    async def _wait(self, page: Answer) -> bool:
        """Wait as the page does; whether the turn came."""
        while True:
            state = self._state_of(page)
            if state in ("in", "over"):
                self._turn = page
                return True
            if state == "missed" or "All seats are taken" in page.text:
                return False
            self._note(page)
            await self._follow()
            page = await self._load_place()

    async def _follow(self) -> None:
        """Ask for the line's state until the page would load again, or an impatient visitor does."""
        self._reload_at = time.monotonic() + self._chance.expovariate(1 / RELOADS_EVERY)
        while True:
            interval = _HIDDEN_INTERVAL if self._person.hidden else _INTERVAL
            if self._person.kind is Kind.IMPATIENT:
                interval = min(interval, max(0.1, self._reload_at - time.monotonic()))
            state = await self._ask_state(interval)
            if self._person.kind is Kind.IMPATIENT and time.monotonic() >= self._reload_at:
                return
            if state is None:
                continue
            number = self.story.number or 0
            if state["ended"] or 0 < number <= state["let_in"]:
                return
            if (not number and state["drawn"]) or state["sold_out"]:
                within = min(_LONGEST_LOAD, state["joined"] / _LOADS_A_SECOND)
                await asyncio.sleep(self._chance.random() * within)
                return
            if number:
                self.story.said.tell(number, state)

    async def _ask_state(self, interval: float) -> Any:
        if self._person.kind is Kind.SCRIPT:
            return await self._network.state(self._web, self._state_path, self._browser)
        await asyncio.sleep(interval)
        return await self._web.ask_state(self._state_path, self._browser)

    async def _book(self) -> None:
        person, story = self._person, self.story
        if person.decides is None:
            story.end = "let in and gave up"
            return
        await asyncio.sleep(person.decides)
        seats = person.seats
        page = await self._come_in()
        if page.path.partition("?")[0].endswith("/waitlist"):
            story.end = "let in to the waitlist: sold out"
            return
        for _ in range(_TRIES):
            fields = hidden_fields(page.text)
            if page.status == NO_ANSWER or page.status >= 500:
                await self._pause_after(page)
                page = await self._web.follow("page", self._form_path, self._browser)
                continue
            if "request_key" not in fields:
                story.end = NO_SEATS
                if state := self._state_of(page):
                    story.end = f"let in, and led back ({state})"
                return
            sizes = [int(size) for size in re.findall(r'<option[^>]*value="(\d+)"', page.text)]
            seats = min(seats, max(sizes, default=1))
            await self._fill_in(page, fields)
            sent = {"name": "Ada Lovelace", "email": person.mailbox, "seats": str(seats)}
            page = await self._web.ask(
                "booking", self._form_path, self._browser, fields | sent | {"consent": "y"}
            )
            if page.status == 303:
                story.booked_at = time.monotonic()
                await self._confirm()
                return
            if page.status not in (_CONFLICT, _TOO_MANY):
                story.end = f"let in, and the booking answered {page.status}"
            await self._pause_after(page)

    async def _come_in(self) -> Answer:
        """Press the button of whoever is let in; the page that it leads to."""
        if self._state_of(self._turn) == "over":
            return await self._web.follow("page", self._form_path, self._browser)
        where, _, wanted = self._place_path.partition("?")
        button = f"{where}/enter?{wanted}"
        for _ in range(_TRIES):
            page = await self._web.follow(
                "come in", button, self._browser, hidden_fields(self._turn.text)
            )
            if page.status == 200:
                break
            await self._pause_after(page)
        return page

    async def _confirm(self) -> None:
        """Confirm by the link that the mail has."""
        story = self.story
        story.end = "booked and did not confirm"
        if self._person.reads_mail is None:
            return
        await asyncio.sleep(self._person.reads_mail)
        row = self._database.execute(
            "SELECT id FROM reservation WHERE email = %s", [self._person.mailbox]
        ).fetchone()
        assert row is not None, "a booking that was answered is not there"
        with signing():
            path = f"/en/bookings/confirm/{make_token(Purpose.VISITOR, row[0])}"
        for _ in range(_TRIES):
            page = await self._web.follow("page", path, self._browser)
            fields = hidden_fields(page.text)
            if "csrf_token" in fields:
                page = await self._web.ask("confirm", path, self._browser, fields | {"coming": "y"})
                if page.status == 303:
                    story.confirmed_at = time.monotonic()
                    story.end = "booked and confirmed"
                    return
                if page.status == _CONFLICT:
                    story.end = "booked, and no seats were left at the confirmation"
                    return
            await self._pause_after(page)

    async def _fill_in(self, page: Answer, fields: dict[str, str]) -> None:
        """Type for as long as this visitor does, and compute the proof meanwhile; a network has one core for all."""
        began = time.monotonic()
        if cost := asked_cost(page.text):
            async with self._network.core(self._person.kind):
                await asyncio.sleep(seconds_for(self._person.kind, cost))
            fields["proof"] = make_proof(cost)
        await asyncio.sleep(max(0.0, began + self._person.types - time.monotonic()))

    async def _load_place(self) -> Answer:
        page = await self._web.follow("place", self._place_path, self._browser)
        while not self._state_of(page):
            await self._pause_after(page)
            page = await self._web.follow("place", self._place_path, self._browser)
        return page

    def _note(self, page: Answer) -> None:
        """Read a place's page."""
        found = {
            name: re.search(rf'data-{mark}="?([^"<]*)', page.text)
            for name, mark in (("state", "state-at"), ("number", "number"))
        }
        if found["state"]:
            self._state_path = found["state"][1]
        if found["number"] and found["number"][1]:
            self.story.number = int(found["number"][1])
        ahead, minutes = (re.search(rf"<dd data-{each}>(\d+)", page.text) for each in ("ahead", "minutes"))  # fmt: skip
        self.story.said.reload(
            int(ahead[1]) if ahead else None, int(minutes[1]) if minutes else None
        )

    @staticmethod
    def _state_of(page: Answer) -> str | None:
        """What a place's page says; None for another page."""
        heading = re.search(r"<h1[^>]*>([^<]*)", page.text)
        words = {text: state for state, text in _HEADINGS.items()}
        return words.get(heading[1].strip()) if heading and page.status == 200 else None

    async def _pause_after(self, answer: Answer) -> None:
        """Wait before the next try, as long as the site asked for after a refusal."""
        wanted = answer.retry_after if answer.status in (_TOO_MANY, 503) else 1
        await asyncio.sleep(max(1, wanted) * self._chance.uniform(1, 1.2))
