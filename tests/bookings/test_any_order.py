"""Any sequence of what visitors, staff, the door and time can do keeps the invariants."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from uuid import UUID, uuid4

from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from azionelab.bookings import rules
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.groups import merge_parties, split_party
from azionelab.bookings.box_office.house_seats import (
    HouseEntries,
    change_house_seats,
    keep_back,
    release_house_seats,
)
from azionelab.bookings.box_office.just_booked import undo_booking
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.errors import BookingError
from azionelab.bookings.evenings.changing import EffectsChanged, change_evenings
from azionelab.bookings.evenings.effects import preview_change
from azionelab.bookings.evenings.rebooking import rebook_parties
from azionelab.bookings.hand_over import rules as hand_over
from azionelab.bookings.hand_over.models import HandOver
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats import holds, no_show_seats
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.bookings.visitor_changes.addresses import correct_unconfirmed
from azionelab.bookings.visitor_changes.evenings import swap_evening
from azionelab.bookings.visitor_changes.seats import add_seats, give_back_wheelchair_places
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.scan_log import Claim
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_in_corrections import correct_walk_ins, move_walk_ins
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.shows.runs.changes import RunChange
from azionelab.shows.window import Window, booking_window
from azionelab.waitlist import near, offers
from azionelab.waitlist import rules as waitlist
from azionelab.waitlist.line import parties_in_line, parties_out_of_line
from tests.factories import (
    DOOR_A,
    a_performance,
    a_visitor,
    an_offer,
    change_capacity,
    fresh,
    let_lapse,
    seats_held,
    ticket_token,
    wheelchair_places_held,
)

CodeOf = Callable[[Reservation], str]
# What is typed is looked up and locked; a ticket may let its party in by one statement.
CODES: st.SearchStrategy[CodeOf] = st.sampled_from(
    [write_ticket, ticket_token, attrgetter("reference")]
)


WHEELCHAIR = st.sampled_from([0, 0, 1, 2])
GUESTS = st.sampled_from(
    [
        Guest("Nobody's address", "", "en"),
        Guest("Walk-ins", "", "en", at_desk=True),
        *(Guest(f"Guest {name}", f"{name}@example.org", "en") for name in "abc"),
    ]
)


class Evening(RuleBasedStateMachine):
    """One performance, everything that can happen to it, and another one that parties are moved to.

    A third one is cancelled; its parties are moved to both.
    """

    reservations = Bundle("reservations")
    scans = Bundle("scans")
    claims = Bundle("claims")
    offers_to_friends = Bundle("offers_to_friends")
    house = Bundle("house")

    @initialize(target=reservations, capacity=st.integers(1, 12), wheelchair=st.integers(0, 2))
    def open_booking(self, capacity: int, wheelchair: int) -> object:
        curtain = now() + timedelta(minutes=20)
        self.performance = a_performance(
            capacity,
            wheelchair_places=min(capacity, wheelchair),
            party_limit=5,
            starts_at=curtain,
            booking_closes_at=curtain,
        )
        show = self.performance.show
        self.other = a_performance(6, party_limit=5, show=show, wheelchair_places=1)
        self.cancelled = a_performance(9, party_limit=5, show=show)
        self.let_in: dict[UUID, int] = {}
        guests = ((Guest("Nobody's address", "", "en"), 3), (Guest("A", "a@example.org", "en"), 4))
        gone = [book_for(self.cancelled.id, *guest).id for guest in guests]
        cancel_performance(self.cancelled.id)
        return multiple(*gone)

    @rule(
        target=reservations,
        seats=st.integers(1, 5),
        address=st.sampled_from([f"{name}@example.org" for name in "abcdef"]),
        network=st.sampled_from([None, "192.0.2.1"]),  # without one the share does not count
        wheelchair=WHEELCHAIR,
    )
    def reserve(self, seats: int, address: str, network: str | None, wheelchair: int) -> object:
        visitor = replace(a_visitor(address), network=network)
        places = min(wheelchair, seats)
        try:
            return rules.reserve(
                self.performance.id, visitor, seats, uuid4(), wheelchair_places=places
            ).id
        except BookingError:
            return multiple()

    @rule(
        target=reservations,
        seats=st.integers(1, 5),
        address=st.sampled_from([f"{name}@example.org" for name in "abcdefgh"]),
        proves=st.booleans(),
        wheelchair=WHEELCHAIR,
    )
    def join_the_waitlist(self, seats: int, address: str, proves: bool, wheelchair: int) -> object:
        places = min(wheelchair, seats)
        try:
            waitlist.join(self.performance.id, a_visitor(address), seats, wheelchair_places=places)
            entry = db.session.scalar(
                select(Reservation.id).where(
                    Reservation.performance_id == self.performance.id,
                    Reservation.email == address,
                    Reservation.state == "waiting",
                )
            )
            if entry is None:  # the address has a booking
                return multiple()
            return waitlist.take_place(entry).id if proves else entry
        except BookingError:
            db.session.rollback()
            return multiple()

    @rule(reservation=reservations)
    def take_a_place_in_line(self, reservation: UUID) -> None:
        self._try(lambda: waitlist.take_place(reservation))

    @rule(reservation=reservations)
    def leave_the_waitlist(self, reservation: UUID) -> None:
        self._try(lambda: waitlist.leave(reservation))

    @rule(reservation=reservations, minutes=st.sampled_from([0, 5, 15]))
    def say_to_be_near(self, reservation: UUID, minutes: int) -> None:
        self._try(lambda: near.say_near(reservation, minutes))

    @rule()
    def the_worker_settles_the_waitlist(self) -> None:
        offers.settle()

    @rule(
        target=reservations,
        seats=st.integers(1, 7),
        guest=GUESTS,
        minutes=st.none() | st.integers(1, 20),
        reason=st.sampled_from(["", "a school class"]),
    )
    def book_for(self, seats: int, guest: Guest, minutes: int | None, reason: str) -> object:
        until = None if minutes is None else now() + timedelta(minutes=minutes)
        terms = Terms(held_until=until, limit_reason=reason, same_name=True)
        return self._booked(lambda: book_for(self.performance.id, guest, seats, terms))

    @rule(target=reservations, house=house, seats=st.integers(1, 5), guest=GUESTS)
    def give_house_seats(self, house: UUID, seats: int, guest: Guest) -> object:
        terms = Terms(from_house=house, same_name=True)
        return self._booked(lambda: book_for(self.performance.id, guest, seats, terms))

    @rule(reservation=reservations)
    def undo_booking(self, reservation: UUID) -> None:
        self._try(lambda: undo_booking(reservation))

    @rule(target=house, seats=st.integers(1, 5))
    def keep_back(self, seats: int) -> object:
        return self._booked(lambda: keep_back(self.performance.id, "Press", seats))

    @rule(house=house, seats=st.integers(1, 5))
    def release_house_seats(self, house: UUID, seats: int) -> None:
        seen = fresh(house).seats
        self._try(lambda: release_house_seats(house, seats, seen))

    @rule(house=house, seats=st.integers(1, 8), minutes=st.none() | st.integers(1, 20))
    def change_house_seats(self, house: UUID, seats: int, minutes: int | None) -> None:
        until = None if minutes is None else now() + timedelta(minutes=minutes)
        wanted, seen = HouseEntries("Radio", seats, until), fresh(house).changed_in
        self._try(lambda: change_house_seats(house, wanted, seen))

    @rule(house=house)
    def undo_change_of_house_seats(self, house: UUID) -> None:
        self.undo_by_staff(house)

    @rule(house=house)
    def the_time_of_house_seats_comes(self, house: UUID) -> None:
        self.time_passes(house)

    @rule(reservation=reservations)
    def confirm(self, reservation: UUID) -> None:
        self._try(lambda: rules.confirm(reservation))

    @rule(reservation=reservations)
    def cancel(self, reservation: UUID) -> None:
        self._try(lambda: rules.cancel(reservation))

    @rule(reservation=reservations, seats=st.integers(0, 5))
    def fewer_seats(self, reservation: UUID, seats: int) -> None:
        self._try(lambda: rules.reduce_seats(reservation, seats))

    @rule(reservation=reservations)
    def give_a_wheelchair_place_back(self, reservation: UUID) -> None:
        party = fresh(reservation)
        kept = max(0, party.wheelchair_places - 1)
        self._try(lambda: give_back_wheelchair_places(reservation, kept, party.changed_in))

    @rule(
        target=offers_to_friends,
        reservation=reservations,
        friend=st.sampled_from([f"{name}@example.org" for name in "abcdef"]),
    )
    def offer_to_a_friend(self, reservation: UUID, friend: str) -> object:
        try:
            return an_offer(fresh(reservation), friend).id
        except BookingError:
            db.session.rollback()
            return multiple()

    @rule(reservation=reservations)
    def take_the_offer_to_a_friend_back(self, reservation: UUID) -> None:
        self._try(lambda: hand_over.withdraw(reservation))

    @rule(offer=offers_to_friends)
    def a_friend_refuses(self, offer: UUID) -> None:
        self._try(lambda: hand_over.decline(offer))

    @rule(target=reservations, offer=offers_to_friends)
    def a_friend_accepts(self, offer: UUID) -> object:
        """Who hands over has nothing any more, who accepts has all of it, and no seat comes free in between."""
        given = fresh(db.session.get_one(HandOver, offer).reservation_id)
        held, places = seats_held(given.performance_id), given.places
        seen = fresh(given.id).changed_in
        try:
            taken = hand_over.accept(offer, "A friend", "en", Consent.BOOKING, seen).id
        except BookingError:
            db.session.rollback()
            return multiple()
        assert seats_held(given.performance_id) == held
        assert (fresh(given.id).state, fresh(taken).state) == ("cancelled", "confirmed")
        assert fresh(taken).places == places
        return taken

    @rule(
        target=reservations,
        seats=st.integers(1, 3),
        address=st.sampled_from([f"{name}@example.org" for name in "abcdef"]),
        wheelchair=WHEELCHAIR,
    )
    def book_and_hand_over(self, seats: int, address: str, wheelchair: int) -> object:
        """All of it at once: chance seldom puts these steps one after the other."""
        given = self.reserve(seats, address, None, wheelchair)
        if not isinstance(given, UUID):
            return multiple()
        self.confirm(given)
        offer = self.offer_to_a_friend(given, f"friend-of-{address}")
        return self.a_friend_accepts(offer) if isinstance(offer, UUID) else given

    @rule(reservation=reservations, address=st.sampled_from([f"{n}@example.org" for n in "abcdef"]))
    def correct_a_mistyped_address(self, reservation: UUID, address: str) -> None:
        party = fresh(reservation)
        correct_unconfirmed(party.performance_id, party.request_key, address)

    @rule(reservation=reservations, seats=st.integers(2, 6))
    def more_seats(self, reservation: UUID, seats: int) -> None:
        party = fresh(reservation)
        if seats > party.seats:
            self._try(lambda: add_seats(reservation, seats, party.changed_in))

    @rule(reservation=reservations, back=st.booleans())
    def swap_evening(self, reservation: UUID, back: bool) -> None:
        target, seen = self.performance if back else self.other, fresh(reservation).changed_in
        self._try(lambda: swap_evening(reservation, target.id, seen))

    @rule(reservation=reservations)
    def time_passes(self, reservation: UUID) -> None:
        if fresh(reservation).state == "pending":
            let_lapse(fresh(reservation))

    @rule()
    def the_worker_expires(self) -> None:
        holds.expire_lapsed_holds()

    @rule(
        target=scans,
        reservation=reservations,
        people=st.none() | st.integers(1, 5),
        seen=st.none() | st.integers(0, 3),
        code_of=CODES,
    )
    def admit(
        self, reservation: UUID, people: int | None, seen: int | None, code_of: CodeOf
    ) -> object:
        scan_id, code = uuid4(), code_of(fresh(reservation))
        verdict = admit(self.performance.id, code, scan_id, DOOR_A, people=people, seen=seen)
        again = admit(self.performance.id, code, scan_id, DOOR_A, people=people, seen=seen)
        assert (again.kind, again.people, again.replayed) == (verdict.kind, verdict.people, True)
        assert again.first == verdict.first
        self.let_in[scan_id] = verdict.people
        return scan_id if verdict.kind is VerdictKind.ADMITTED else multiple()

    @rule(target=claims, reservation=reservations, people=st.integers(0, 5), code_of=CODES)
    def a_device_lets_in_by_itself(self, reservation: UUID, people: int, code_of: CodeOf) -> UUID:
        scan_id, code = uuid4(), code_of(fresh(reservation))
        claim = Claim(now(), VerdictKind.NOT_LISTED, people)
        verdict = admit(self.performance.id, code, scan_id, DOOR_A, claim=claim)
        again = admit(self.performance.id, code, scan_id, DOOR_A, claim=claim)
        assert (again.people, again.claimed, again.replayed) == (verdict.people, people, True)
        assert verdict.people <= people
        self.let_in[scan_id] = verdict.people
        return scan_id

    @rule(reservation=reservations, people=st.integers(0, 5), code_of=CODES)
    def an_answer_does_not_arrive(self, reservation: UUID, people: int, code_of: CodeOf) -> None:
        scan_id, code = uuid4(), code_of(fresh(reservation))
        admit(self.performance.id, code, scan_id, DOOR_A)
        claim = Claim(now(), VerdictKind.NOT_CONFIRMED, people)
        followed = admit(self.performance.id, code, scan_id, DOOR_A, claim=claim)
        assert followed.people <= people, "the books follow what happened"
        self.let_in[scan_id] = followed.people

    @rule(target=claims, people=st.integers(1, 4), claimed=st.booleans())
    def walk_in(self, people: int, claimed: bool) -> object:
        scan_id = uuid4()
        claim = Claim(now(), VerdictKind.ADMITTED, people) if claimed else None
        verdict = let_in_walk_ins(self.performance.id, people, scan_id, DOOR_A, claim)
        self.let_in[scan_id] = verdict.people
        return scan_id if verdict.people else multiple()

    @rule()
    def release_no_shows(self) -> None:
        missing = no_show_seats.no_shows(self.performance.id)
        assert no_show_seats.release_no_shows(self.performance.id) == missing

    @rule()
    def take_the_release_back(self) -> None:
        no_show_seats.restore_no_shows(self.performance.id)

    @rule(reservation=reservations, people=st.none() | st.integers(1, 3), code_of=CODES)
    def admit_late(self, reservation: UUID, people: int | None, code_of: CodeOf) -> None:
        scan_id, code = uuid4(), code_of(fresh(reservation))
        verdict = admit(self.performance.id, code, scan_id, DOOR_A, people=people, late=True)
        self.let_in[scan_id] = verdict.people

    @rule(scan=consumes(scans) | consumes(claims))
    def undo(self, scan: UUID) -> None:
        undo(self.performance.id, scan, DOOR_A)
        undo(self.performance.id, scan, DOOR_A)
        del self.let_in[scan]

    @rule(reservation=reservations, back=st.booleans(), notify=st.booleans())
    def move(self, reservation: UUID, back: bool, notify: bool) -> None:
        target = self.performance if back else self.other
        seen = fresh(reservation).changed_in
        self._try(lambda: move_party(reservation, target.id, seen, notify=notify))

    @rule(
        chosen=st.lists(reservations, min_size=1, max_size=3, unique=True),
        to_other=st.booleans(),
        notify=st.booleans(),
    )
    def move_from_the_cancelled_one(self, chosen: list[UUID], to_other: bool, notify: bool) -> None:
        target = self.other.id if to_other else self.performance.id
        seen = {one: fresh(one).changed_in for one in chosen}
        gone = self.cancelled.id
        planned = rebook_parties(gone, target, seen)
        expected = frozenset(planned.moved)
        done = rebook_parties(gone, target, seen, notify=notify, expected=expected)
        assert (done.moved, done.free) == (planned.moved, planned.free)
        assert {fresh(one).performance_id for one in done.moved} <= {target}

    @rule(claim=claims, people=st.integers(1, 6))
    def correct_walk_ins(self, claim: UUID, people: int) -> None:
        party = self._party_of(claim)
        if party is not None:
            with contextlib.suppress(BookingError):
                correct_walk_ins(party.id, people, party.changed_in, DOOR_A)
                self.let_in[claim] = people
            db.session.rollback()

    @rule(claim=claims)
    def move_walk_ins(self, claim: UUID) -> None:
        party = self._party_of(claim)
        if party is not None:
            people, seen = party.admitted, party.changed_in
            with contextlib.suppress(BookingError):
                moved = move_walk_ins(party.id, self.other.id, seen, DOOR_A)
                if not moved.is_unchanged:
                    self.let_in[claim], self.let_in[uuid4()] = 0, people
            db.session.rollback()

    @staticmethod
    def _party_of(scan_id: UUID) -> Reservation | None:
        scan = db.session.get(Scan, scan_id)
        return fresh(scan.reservation_id) if scan and scan.reservation_id else None

    @rule(
        reservation=reservations,
        seats=st.integers(1, 7),
        reason=st.sampled_from(["", "a class"]),
        email=st.none() | st.sampled_from([f"{name}@example.org" for name in "abcdef"]),
    )
    def change(self, reservation: UUID, seats: int, reason: str, email: str | None) -> None:
        party = fresh(reservation)
        wanted = replace(entries_of(party), seats=seats)
        if email is not None:
            wanted = replace(wanted, email=email)
        self._try(lambda: change_party(reservation, wanted, party.changed_in, reason=reason))

    @rule(target=reservations, reservation=reservations, seats=st.integers(1, 4))
    def split(self, reservation: UUID, seats: int) -> object:
        party = fresh(reservation)
        named = {"name": party.name, "email": party.email}
        try:
            return split_party(reservation, seats, party.changed_in, **named).other_id
        except BookingError:
            db.session.rollback()
            return multiple()

    @rule(kept=reservations, other=reservations)
    def merge(self, kept: UUID, other: UUID) -> None:
        seen = fresh(kept).changed_in
        self._try(lambda: merge_parties(kept, other, seen))

    @rule(reservation=reservations, notify=st.booleans())
    def cancel_by_staff(self, reservation: UUID, notify: bool) -> None:
        seen = fresh(reservation).changed_in
        self._try(lambda: cancel_party(reservation, seen, notify=notify))

    @rule(reservation=reservations)
    def take_back(self, reservation: UUID) -> None:
        seen = fresh(reservation).changed_in
        self._try(lambda: reinstate_party(reservation, seen))

    @rule(reservation=reservations)
    def undo_by_staff(self, reservation: UUID) -> None:
        offer = find_undo(fresh(reservation))
        if offer is not None:
            identity = offer.id
            self._try(lambda: undo_change(identity))

    @rule(capacity=st.integers(0, 15))
    def edit_capacity(self, capacity: int) -> None:
        self._try(lambda: change_capacity(self.performance.id, capacity))

    @rule(capacity=st.integers(0, 15))
    def edit_capacity_of_many(self, capacity: int) -> None:
        change = RunChange(capacity=capacity)
        which = [self.performance.id]
        effects = preview_change(which, change)
        with contextlib.suppress(EffectsChanged):
            change_evenings(which, change, effects.digest, None)
            assert not effects.has_faults

    @staticmethod
    def _booked(book: Callable[[], Reservation]) -> object:
        try:
            return book().id
        except BookingError:
            db.session.rollback()
            return multiple()

    @staticmethod
    def _try(change: Callable[[], object]) -> None:
        try:
            change()
        except BookingError:
            db.session.rollback()

    @invariant()
    def the_house_is_not_oversold(self) -> None:
        if not hasattr(self, "performance"):
            return
        for evening in (self.performance, self.other, self.cancelled):
            held, live = seats_held(evening.id)
            assert held == live
            performance = db.session.get_one(Performance, evening.id, populate_existing=True)
            assert performance.wheelchair_held == wheelchair_places_held(evening.id)
            free = performance.free
            assert (free.seats >= 0, free.wheelchair >= 0) == (True, True)

    @invariant()
    def no_seat_is_free_for_others_that_fits_somebody_in_line(self) -> None:
        if not hasattr(self, "performance"):
            return
        db.session.rollback()
        evening = db.session.get_one(Performance, self.performance.id, populate_existing=True)
        free = evening.free
        waiting, window = [*parties_in_line(evening.id)], booking_window(evening, now())
        if window is Window.CLOSED:
            waiting += parties_out_of_line(evening.id)
            waiting = [party for party in waiting if party.near_minutes is not None]
        if window in (Window.OPEN, Window.CLOSED):
            assert not any(free.hold(party.places) for party in waiting)

    @invariant()
    def nobody_enters_twice(self) -> None:
        if hasattr(self, "performance"):
            rows = db.session.execute(
                text(
                    "SELECT r.seats - r.released, r.state, r.admitted, coalesce(sum(a.people), 0)"
                    " FROM reservation r LEFT JOIN admission a"
                    " ON a.reservation_id = r.id AND a.undone_at IS NULL"
                    " WHERE r.performance_id IN (:id, :other, :cancelled) GROUP BY r.id"
                ),
                {
                    "id": self.performance.id,
                    "other": self.other.id,
                    "cancelled": self.cancelled.id,
                },
            ).all()
            for seats, state, admitted, people in rows:
                assert admitted == people <= seats
                assert admitted == 0 or state == "confirmed"
            assert sum(row[2] for row in rows) == sum(self.let_in.values())

    @invariant()
    def no_booking_is_without_its_mail(self) -> None:
        orphans = text(
            "SELECT count(*) FROM reservation"
            " WHERE NOT walk_in AND email <> '' AND id NOT IN (SELECT reservation_id FROM mail)"
        )
        assert db.session.scalar(orphans) == 0
        unsent = text(
            "SELECT count(*) FROM mail WHERE id::text NOT IN"
            " (SELECT args->>'mail_id' FROM procrastinate_jobs)"
        )
        assert db.session.scalar(unsent) == 0


def test_the_invariants_hold_in_any_order(make_app: Callable[..., Flask]) -> None:
    with make_app(UNCONFIRMED_PERCENT="50", NIGHT_BEGINS="0", NIGHT_ENDS="0").app_context():
        run_state_machine_as_test(
            Evening,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
