"""Lets a mail's refusal be "domain": the DNS said that the address's domain takes no mail.

The previous release counts such a mail as one that its provider may have refused, and may send it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_BEFORE = "'', 'recipient', 'provider', 'unclear'"


def upgrade() -> None:
    _refusals(f"{_BEFORE}, 'domain'")


def downgrade() -> None:
    op.execute(sa.text("UPDATE public.mail SET refusal = 'recipient' WHERE refusal = 'domain'"))
    _refusals(_BEFORE)


def _refusals(values: str) -> None:
    op.drop_constraint(op.f("ck_mail_refusal"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_refusal"), "mail", f"refusal IN ({values})")
