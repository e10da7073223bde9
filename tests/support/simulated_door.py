"""A door of the simulation: operates a phone, and records its verdicts in the log."""

import re
from contextlib import suppress

from playwright.sync_api import Page, Route, expect

from tests.support.door import Phone
from tests.support.door_log import Log, Report

_API = "**/api/v1/checkin/**"
_WENT = re.compile(r"Let (\d+) in|(\d+) (?:goes out|go out|in again)")
_ANSWERED = '#verdict [data-verdict]:not([data-verdict="checking"])'
# The way that a verdict means, and the button's text for when fewer people went.
_WAYS = {"admitted": "in", "let_out": "out", "in_again": "again"}
_FEWER = {"in": "Only some came", "out": "Only some go out", "again": "Only some came back"}


class SimulatedDoor:
    """A phone at a door, with its network and its windows."""

    def __init__(self, phone: Phone, name: str, log: Log) -> None:
        self.phone = phone
        self.name = name
        self.log = log
        self.others: list[Phone] = []  # other open windows
        self._fault = "online"
        self._way = "in"  # of the last attempt
        self._was_alone = False
        self._last: dict[Phone, Report] = {}  # each window's last report with people

    def set_network(self, fault: str) -> None:
        """Set the network: "online", "away" (none), "deaf" (responses get lost), "busy" (always 503)."""
        self._fault = fault
        self.phone.context.set_offline(fault == "away")
        for window in self.windows:
            page = window.page
            page.unroute(_API)
            if fault == "deaf":
                page.route(_API, _lose)
            elif fault == "busy":
                page.route(_API, lambda route: route.fulfill(status=503, body="busy"))

    @property
    def windows(self) -> list[Phone]:
        """All windows of this phone."""
        return [self.phone, *self.others]

    @property
    def is_alone(self) -> bool:
        """Whether it may have unsent reports, or not know others'."""
        return self.phone.state.text_content() != "Online"

    def kill_page(self) -> None:
        """Close the page at once, whatever it is doing, and open the app again."""
        page = self.phone.context.new_page()
        self.phone.page.close()
        self._open(page)

    def open_another_window(self) -> None:
        """Go on in a new window; the old one stays open."""
        self._dismiss_verdict()
        self.others.append(self.phone)
        self._open(self.phone.context.new_page())

    def switch_back(self) -> None:
        """Go on in the other open window, if there is one."""
        self._dismiss_verdict()
        if self.others:
            self.others, self.phone = [self.phone], self.others[0]

    def close_other_windows(self) -> None:
        """Close all windows but the current one."""
        for window in self.others:
            window.page.close()
        self.others = []

    def _open(self, page: Page) -> None:
        self.phone = Phone(page, self.phone.site)
        self.set_network(self._fault)
        self.phone.open()
        expect(self.phone.count("inside")).to_be_visible()

    def choose_way(self, way: str) -> None:
        """Become an "Entrance" or an "Exit", if the phone knows of an interval."""
        self._dismiss_verdict()
        button = self.phone.page.get_by_role("button", name=way, exact=True)
        if button.is_visible() and button.get_attribute("aria-pressed") == "false":
            button.click()
            expect(button).to_have_attribute("aria-pressed", "true")

    def scan(self, code: str) -> None:
        """Scan a code, without waiting for the verdict."""
        self._dismiss_verdict()
        is_exit = self.phone.page.locator("main").get_attribute("data-way") == "out"
        self._begin_attempt("out" if is_exit else "in")
        self.phone.scan(code)

    def admit_walk_ins(self, people: int) -> None:
        """Let in people without a booking, as far as seats are free."""
        self._dismiss_verdict()
        self._begin_attempt("in")
        if people == 1:
            self.phone.press("Walk-in +1")
        else:
            self.phone.press("More")
            self.phone.press(f"Walk-in {people}")
        self.read_verdict("", 0, 0)

    def let_through(self, people: int, way: str, fewer: int) -> None:
        """Let people without a ticket out, or in again, if the phone knows of an interval."""
        self._dismiss_verdict()
        self.phone.press("More")
        name = f"{'Let out' if way == 'out' else 'In again'} {people}"
        button = self.phone.page.get_by_role("button", name=name, exact=True)
        if button.is_visible() and button.is_enabled():
            self._begin_attempt(way)
            button.click()
            self.read_verdict("", 0, fewer)
        else:
            self.phone.press("Close")

    def release_seats(self) -> None:
        """Release the seats of no-shows."""
        self._press_release("Release seats", "Release seats")

    def undo_release(self) -> None:
        """Undo the release, as far as seats are left."""
        self._press_release("Undo release")

    def expect_revoked(self) -> None:
        """Go online, sync, and show that the phone was revoked."""
        self.set_network("online")
        expect(self.phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        self.phone.expect_empty_databases()
        self._last = {}

    def read_verdict(self, reference: str, all_the_same: int, fewer: int) -> Report:
        """Wait for the verdict and record it.

        `all_the_same` people are let in, if the door offers it, with a ticket that is not on the list, from a party
        whose seats were released, or back from a party with people out. If `fewer` is set and the whole party went
        through, the number is corrected to it.
        """
        kind, people = self._read_card()
        if kind == "not_listed":
            if all_the_same:
                self.phone.press(f"Let in anyway {all_the_same}")
            else:
                self.phone.press("Turn away")
            expect(self.phone.verdict.locator("h2")).to_have_text(
                f"Let {all_the_same} in" if all_the_same else "Turned away"
            )
            people = all_the_same
        assert kind not in {"refused", "no_answer"}, self.phone.verdict.inner_text()
        report = self._record(reference, people, kind)
        if kind == "released":
            return self._press_offer(report, f"Let in, late {all_the_same}", "in")
        if kind == "some_out":
            return self._press_offer(report, f"In again {all_the_same}", "again")
        if kind in _WAYS and 0 < fewer < people:
            self.phone.press(f"{_FEWER[_WAYS[kind]]}: {fewer}")
            expect(self.phone.verdict.locator("h2")).to_have_text(re.compile(rf"\b{fewer}\b"))
            report.undone, report.alone = True, report.alone or self.is_alone
            again, counted = self._read_card()
            assert (again, counted) == (kind, fewer), self.phone.verdict.inner_text()
            report = self._record(reference, fewer, kind)
        return report

    def undo(self, report: Report) -> None:
        """Undo the report, if its card offers that."""
        if not report.people or not self.phone.verdict.get_by_role("button", name="Undo").count():
            return
        self._press_undo(report)

    def undo_last(self) -> None:
        """Undo the window's last report, whatever happened at other doors since."""
        self._dismiss_verdict()
        report = self._last.get(self.phone)
        if report is not None:
            report.undone_later = True
            self._press_undo(report)

    def _press_undo(self, report: Report) -> None:
        report.alone = report.alone or self.is_alone
        self.phone.press("Undo")
        expect(self.phone.verdict.locator('[data-verdict="undone"]')).to_be_visible()
        report.alone = report.alone or self.is_alone
        report.undone = True
        self._last.pop(self.phone, None)

    def _press_offer(self, report: Report, name: str, way: str) -> Report:
        """Press the card's button, if it has one; this is another attempt."""
        button = self.phone.verdict.get_by_role("button", name=name, exact=True)
        if not button.count():
            return report
        self._begin_attempt(way)
        button.click()
        kind, counted = self._read_card()
        return self._record(report.reference, counted, kind)

    def _begin_attempt(self, way: str) -> None:
        self._way, self._was_alone = way, self.is_alone

    def _press_release(self, *buttons: str) -> None:
        """Press the buttons if they are enabled, which needs a network and seats to move."""
        self.set_network("online")
        self.phone.wait_until_synced()
        self._dismiss_verdict()
        self.phone.press("More")
        if self.phone.page.get_by_role("button", name=buttons[0], exact=True).is_enabled():
            for button in buttons:
                self.phone.press(button)
            expect(self.phone.page.locator("[data-release-done]")).not_to_be_empty()
        self.phone.press("Close")

    def _record(self, reference: str, people: int, kind: str) -> Report:
        way = _WAYS.get(kind, self._way)
        alone = self._was_alone or self.is_alone
        report = Report(self.name, reference, people, way, kind, alone)
        self.log.reports.append(report)
        if people:
            self._last[self.phone] = report
        return report

    def _read_card(self) -> tuple[str, int]:
        answered = self.phone.page.locator(_ANSWERED)
        expect(answered).to_be_visible()
        found = _WENT.match(answered.locator("h2").inner_text())
        return answered.get_attribute("data-verdict") or "", int(
            found[1] or found[2]
        ) if found else 0

    def _dismiss_verdict(self) -> None:
        if self.phone.page.locator("#verdict .verdict").count():
            self.phone.press("Next")


def _lose(route: Route) -> None:
    # The page may be closed during its request.
    with suppress(Exception):
        route.fetch()
        route.abort()
