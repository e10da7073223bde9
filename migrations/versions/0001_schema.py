"""Creates the season, reservations, mails, the door, staff and their roles."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("scope IN ('door')", name=op.f("ck_api_token_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    role = op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.bulk_insert(
        role,
        [
            {"name": "admin", "description": "Everything, accounts included"},
            {"name": "staff", "description": "The season, the reservations and the door"},
            {"name": "door", "description": "Check-in only"},
        ],
    )
    op.create_table(
        "show",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_show_slug_form")),
        sa.CheckConstraint(
            "duration_minutes BETWEEN 1 AND 1440", name=op.f("ck_show_duration_range")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_show")),
        sa.UniqueConstraint("slug", name=op.f("uq_show_slug")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_account_fs_uniquifier")),
    )
    op.create_table(
        "venue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue")),
        sa.UniqueConstraint("name", name=op.f("uq_venue_name")),
    )
    op.create_table(
        "performance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("venue_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking_opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking_closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("party_limit", sa.Integer(), nullable=False),
        sa.Column("seats_held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "booking_opens_at < booking_closes_at", name=op.f("ck_performance_booking_window")
        ),
        sa.CheckConstraint(
            "capacity BETWEEN 0 AND 100000", name=op.f("ck_performance_capacity_range")
        ),
        sa.CheckConstraint(
            "party_limit BETWEEN 1 AND 100", name=op.f("ck_performance_party_limit_range")
        ),
        sa.CheckConstraint(
            "seats_held BETWEEN 0 AND capacity", name=op.f("ck_performance_capacity_held")
        ),
        sa.ForeignKeyConstraint(
            ["show_id"], ["show.id"], name=op.f("fk_performance_show_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["venue_id"], ["venue.id"], name=op.f("fk_performance_venue_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance")),
        sa.UniqueConstraint("show_id", "starts_at", name=op.f("uq_performance_show_id_starts_at")),
    )
    op.create_index("ix_performance_starts_at", "performance", ["starts_at"], unique=False)
    op.create_index(op.f("ix_performance_venue_id"), "performance", ["venue_id"], unique=False)
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["role.id"], name=op.f("fk_user_role_role_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_role_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_role")),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("admitted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("request_key", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state <> 'confirmed') OR confirmed_at IS NOT NULL",
            name=op.f("ck_reservation_confirmed_at"),
        ),
        sa.CheckConstraint(
            "admitted = 0 OR state = 'confirmed'", name=op.f("ck_reservation_admitted_confirmed")
        ),
        sa.CheckConstraint(
            "erased_at IS NOT NULL OR (name <> '' AND email <> '' AND email_key <> '')",
            name=op.f("ck_reservation_visitor_present"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'cancelled', 'expired')",
            name=op.f("ck_reservation_state"),
        ),
        sa.CheckConstraint(
            "admitted BETWEEN 0 AND seats", name=op.f("ck_reservation_admitted_range")
        ),
        sa.CheckConstraint("seats BETWEEN 1 AND 100", name=op.f("ck_reservation_seats_range")),
        sa.ForeignKeyConstraint(
            ["performance_id"],
            ["performance.id"],
            name=op.f("fk_reservation_performance_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint("reference", name=op.f("uq_reservation_reference")),
    )
    op.create_index(
        "ix_reservation_hold",
        "reservation",
        ["performance_id", "hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_reservation_live_email",
        "reservation",
        ["performance_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
    )
    op.create_index(
        "uq_reservation_live_request",
        "reservation",
        ["request_key"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "delivery IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_delivery")
        ),
        sa.CheckConstraint(
            "kind IN ('confirm', 'existing', 'ticket', 'changed', 'cancelled', 'performance_cancelled')",
            name=op.f("ck_mail_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_mail_reservation_id"),
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index(
        "ix_mail_queued",
        "mail",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("delivery = 'queued'"),
    )
    op.create_index("ix_mail_reservation_id", "mail", ["reservation_id"], unique=False)
    op.create_table(
        "scan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("admitted_before", sa.Integer(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("people >= 0", name=op.f("ck_scan_people")),
        sa.CheckConstraint("user_id IS NULL OR token_id IS NULL", name=op.f("ck_scan_one_actor")),
        sa.ForeignKeyConstraint(
            ["performance_id"],
            ["performance.id"],
            name=op.f("fk_scan_performance_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_scan_reservation_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_token.id"], name=op.f("fk_scan_token_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_scan_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index(
        "ix_scan_performance_id", "scan", ["performance_id", "scanned_at"], unique=False
    )
    op.create_index("ix_scan_reservation_id", "scan", ["reservation_id"], unique=False)
    op.create_table(
        "admission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("people >= 1", name=op.f("ck_admission_people")),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_admission_reservation_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scan.id"], name=op.f("fk_admission_scan_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission")),
        sa.UniqueConstraint("scan_id", name=op.f("uq_admission_scan_id")),
    )
    op.create_index("ix_admission_reservation_id", "admission", ["reservation_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_admission_reservation_id", table_name="admission")
    op.drop_table("admission")
    op.drop_index("ix_scan_reservation_id", table_name="scan")
    op.drop_index("ix_scan_performance_id", table_name="scan")
    op.drop_table("scan")
    op.drop_index("ix_mail_reservation_id", table_name="mail")
    op.drop_index(
        "ix_mail_queued", table_name="mail", postgresql_where=sa.text("delivery = 'queued'")
    )
    op.drop_table("mail")
    op.drop_index(
        "uq_reservation_live_request",
        table_name="reservation",
        postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
    )
    op.drop_index(
        "uq_reservation_live_email",
        table_name="reservation",
        postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
    )
    op.drop_index(
        "ix_reservation_hold",
        table_name="reservation",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_table("reservation")
    op.drop_table("user_role")
    op.drop_index(op.f("ix_performance_venue_id"), table_name="performance")
    op.drop_index("ix_performance_starts_at", table_name="performance")
    op.drop_table("performance")
    op.drop_table("venue")
    op.drop_table("user_account")
    op.drop_table("show")
    op.drop_table("role")
    op.drop_table("api_token")
