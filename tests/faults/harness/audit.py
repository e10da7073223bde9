"""Compares the clients' logs with the database and the mailbox: what was acknowledged must be there, once."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.faults.harness.log import Deed, Entry, Outcome, read
from tests.faults.harness.site import Site

_LIVE = ("pending", "confirmed")
_RESERVATIONS = """
    SELECT id, email, performance_id, seats, state FROM reservation WHERE performance_id = ANY(%s)
"""
_HELD = """
    SELECT p.id, p.capacity, p.seats_held, coalesce(sum(r.seats) FILTER (
        WHERE r.state = 'confirmed' OR r.state = 'pending' AND r.holds_seats), 0) AS seats
    FROM performance AS p LEFT JOIN reservation AS r ON r.performance_id = p.id
    WHERE p.id = ANY(%s) GROUP BY p.id
"""
_ADMISSIONS = """
    SELECT a.reservation_id, a.scan_id, a.people FROM admission AS a
    JOIN reservation AS r ON r.id = a.reservation_id
    WHERE r.performance_id = ANY(%s) AND a.undone_at IS NULL
"""
_MAILS = """
    SELECT m.id, m.kind, m.delivery, m.last_error, r.email FROM mail AS m
    JOIN reservation AS r ON r.id = m.reservation_id WHERE r.performance_id = ANY(%s)
"""
_MAIL_OF = {Deed.BOOK: "confirm", Deed.CONFIRM: "ticket", Deed.CANCEL: "cancelled"}


@dataclass
class Findings:
    """What was found. `over` names performances, the others parties, in words."""

    acknowledged: Counter[Deed] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    mails: int = 0
    twice: int = 0
    doctor: str = ""  # what it says when it finds something

    @property
    def is_clean(self) -> bool:
        """Whether everything that was promised holds."""
        return not (self.lost or self.double or self.over or self.unsent or self.doctor)

    def __str__(self) -> str:
        return "\n".join(
            f"{name}: {found}"
            for name in ("lost", "double", "over", "unsent", "doctor")
            if (found := getattr(self, name))
        )


def audit(stack: Site, logs: Path, performances: list[int]) -> Findings:
    """Judge a storm that is over and whose mails have left."""
    entries = list(read(logs))
    found = Findings(Counter(e.deed for e in entries if e.outcome is Outcome.ACKNOWLEDGED))
    with stack.database() as database:
        rows = database.execute(_RESERVATIONS, [performances]).fetchall()
        admissions = database.execute(_ADMISSIONS, [performances]).fetchall()
        mails = database.execute(_MAILS, [performances]).fetchall()
        held = database.execute(_HELD, [performances]).fetchall()
    found.over = [
        f"{each.id}: {each.seats} of {each.capacity} (counted {each.seats_held})"
        for each in held
        if each.seats > each.capacity or each.seats_held != each.seats
    ]
    _judge_parties(found, entries, rows, admissions)
    _judge_mails(found, entries, mails, stack.mailbox.copies())
    found.doctor = ask_doctor(stack)
    return found


def ask_doctor(stack: Site) -> str:
    """What `flask doctor` says that is wrong; "" when nothing is."""
    doctor = stack.flask("doctor")
    wrong = [line for line in doctor.stdout.splitlines() if line.startswith("FAIL")]
    return "\n".join(wrong) or doctor.stderr if doctor.returncode else ""


def _judge_parties(
    found: Findings, entries: list[Entry], rows: list[Any], admissions: list[Any]
) -> None:
    of_email, in_by = defaultdict(list), defaultdict(list)
    for row in rows:
        of_email[row.email].append(row)
    for admission in admissions:
        in_by[admission.reservation_id].append(admission)
    sent = {(entry.email, entry.deed) for entry in entries}
    for email, parties in of_email.items():
        if (email, Deed.BOOK) not in sent:
            found.double.append(f"{email}: nobody booked it")
        if len(parties) > 1:
            found.double.append(f"{email}: {len(parties)} bookings")
        found.double += [
            f"{email}: let in {people} times"
            for party in parties
            if (people := sum(each.people for each in in_by[party.id])) > party.seats
        ]
    for entry in entries:
        if entry.outcome is Outcome.REFUSED and entry.deed is not Deed.BOOK:
            found.lost.append(f"{entry.email}: {entry.deed} was refused")
        elif entry.outcome is Outcome.ACKNOWLEDGED:
            parties = of_email[entry.email]
            if not any(_holds(entry, party, in_by[party.id], sent) for party in parties):
                found.lost.append(f"{entry.email}: {entry.deed}, {[p.state for p in parties]}")


def _holds(entry: Entry, party: Any, admissions: list[Any], sent: set[tuple[str, Deed]]) -> bool:
    """Whether a party is as an acknowledged answer said; what was pressed after it may have happened too."""
    may_be_cancelled = (entry.email, Deed.CANCEL) in sent
    states = {
        Deed.BOOK: set(_LIVE),
        Deed.CONFIRM: {"confirmed"},
        Deed.CANCEL: set(),
        Deed.ADMIT: {"confirmed"},
    }[entry.deed]
    states |= {"cancelled"} if may_be_cancelled else set()
    is_in = entry.deed is not Deed.ADMIT or [str(a.scan_id) for a in admissions] == [entry.key]
    return party.performance_id == entry.performance and party.state in states and is_in


def _judge_mails(
    found: Findings, entries: list[Entry], mails: list[Any], copies: Counter[UUID]
) -> None:
    kinds = {(mail.email, mail.kind) for mail in mails}
    for mail in mails:
        arrived = copies[mail.id]
        found.mails += bool(arrived)
        found.twice += max(0, arrived - 1)
        # One that is not sent because a newer mail says the same is as it should be.
        if mail.delivery != "not_sent" and not (mail.delivery == "sent" and arrived):
            found.unsent.append(
                f"{mail.kind} {mail.id}: {mail.delivery}, arrived {arrived} times ({mail.last_error})"
            )
    found.unsent += [
        f"{entry.email}: no mail about {entry.deed}"
        for entry in entries
        if entry.outcome is Outcome.ACKNOWLEDGED and entry.deed in _MAIL_OF
        if (entry.email, _MAIL_OF[entry.deed]) not in kinds
    ]
