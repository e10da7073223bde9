"""Lets the box office book for people without e-mail, and keep seats back for the house.

`reservation.kind`: how it was made. `visitor` by the visitor; `box_office` by staff for somebody; `desk` for walk-ins
at the desk, before the door is open; `house` are seats kept back, whose name is the staff's note ("Press"). House
seats are pending until the moment at which they are released, so all that counts and expires holds, also in the
previous release, counts and expires them. If the previous release confirms them, they become an ordinary booking.

Pending bookings of staff and house seats do not count in the share of unconfirmed seats (0020).

`contact` is who speaks for a group, `limit_reason` why a party is larger than others may be; both are erased with the
name. `taken_from` are the house seats that it was given, so that an undo can give them back.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

PRESENT = "ck_reservation_visitor_present"
ERASED = """
CREATE FUNCTION public.reservation_contact_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.contact := '';
    NEW.limit_reason := '';
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_contact_erased
    BEFORE INSERT OR UPDATE ON public.reservation
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND (NEW.contact <> '' OR NEW.limit_reason <> ''))
    EXECUTE FUNCTION public.reservation_contact_erased();
"""
# In the functions that other migrations may have changed meanwhile: what stood there, what stands there now.
SHARE = (
    "reservation_holds_seats",
    (
        ("IF NEW.holds_seats AND (", "IF NEW.holds_seats AND NEW.kind = 'visitor' AND ("),
        (
            "state = 'pending' AND holds_seats AND hold_expires_at",
            "state = 'pending' AND holds_seats AND kind = 'visitor' AND hold_expires_at",
        ),
    ),
)
# What is confirmed is somebody's booking.
CONFIRMED = (
    "reservation_changed",
    (
        (
            "NEW.holds_seats := true;",
            "NEW.holds_seats := true;\n        NEW.kind := replace(NEW.kind, 'house', 'box_office');",
        ),
    ),
)


def upgrade() -> None:
    op.add_column(
        "reservation", sa.Column("kind", sa.String(), server_default="visitor", nullable=False)
    )
    for name in ("contact", "limit_reason"):
        op.add_column(
            "reservation", sa.Column(name, sa.String(), server_default="", nullable=False)
        )
        op.create_check_constraint(
            op.f(f"ck_reservation_{name}_length"), "reservation", f"char_length({name}) <= 200"
        )
    op.add_column("reservation", sa.Column("taken_from", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reservation_taken_from_reservation"),
        "reservation",
        "reservation",
        ["taken_from"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(
        "ix_reservation_taken_from",
        "reservation",
        ["taken_from"],
        postgresql_where=sa.text("taken_from IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_reservation_kind"),
        "reservation",
        "kind IN ('visitor', 'box_office', 'desk', 'house')",
    )
    op.drop_constraint(op.f(PRESENT), "reservation", type_="check")
    op.create_check_constraint(
        op.f(PRESENT),
        "reservation",
        "walk_in OR erased_at IS NOT NULL"
        " OR (name <> '' AND (email = '' AND email_key IS NULL OR email <> '' AND email_key <> ''))",
    )
    op.execute(ERASED)
    for function, changes in (SHARE, CONFIRMED):
        _replace(function, changes)


def downgrade() -> None:
    """Ends house seats, and erases the names of people without e-mail, whom the constraint does not allow."""
    for function, changes in (SHARE, CONFIRMED):
        _replace(function, [(new, old) for old, new in changes])
    op.execute("DROP TRIGGER reservation_contact_erased ON public.reservation")
    op.execute("DROP FUNCTION public.reservation_contact_erased()")
    op.execute(
        "UPDATE public.reservation SET state = 'cancelled', ended_at = now()"
        " WHERE kind = 'house' AND state = 'pending'"
    )
    op.execute(
        "UPDATE public.reservation SET name = '', erased_at = now()"
        " WHERE email = '' AND erased_at IS NULL AND NOT walk_in"
    )
    op.drop_constraint(op.f(PRESENT), "reservation", type_="check")
    op.create_check_constraint(
        op.f(PRESENT),
        "reservation",
        "walk_in OR erased_at IS NOT NULL OR (name <> '' AND email <> '' AND email_key <> '')",
    )
    op.drop_constraint(op.f("ck_reservation_kind"), "reservation", type_="check")
    op.drop_index("ix_reservation_taken_from", table_name="reservation")
    op.drop_column("reservation", "taken_from")
    for name in ("limit_reason", "contact"):
        op.drop_constraint(op.f(f"ck_reservation_{name}_length"), "reservation", type_="check")
        op.drop_column("reservation", name)
    op.drop_column("reservation", "kind")


def _replace(function: str, changes: Sequence[tuple[str, str]]) -> None:
    """Change parts of a trigger's function and leave the rest as it is."""
    bind = op.get_bind().execution_options(no_parameters=True)
    asked = f"SELECT pg_get_functiondef('public.{function}()'::regprocedure)"
    definition: str = bind.exec_driver_sql(asked).scalar_one()
    for old, new in changes:
        if definition.count(old) != 1:
            raise ValueError(f"{function} does not have once: {old}")
        definition = definition.replace(old, new)
    bind.exec_driver_sql(definition)
