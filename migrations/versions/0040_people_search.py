"""Finds people among all reservations by an index, however their names are typed.

`search_keys` makes the keys of a reservation: all three letters in a row of its folded words (as pg_trgm does, which is
not in every PostgreSQL that the site runs on), each word with two spaces before it and one behind it. The folding
is that of azionelab/checkin/house/name_matching.py. An index on the expression holds no more than its row: when a name
is erased, its keys are too.

The lists of reservations, mails, scans and admissions are sorted by time, a person's bookings are found by the mailbox,
and the first page counts the failed mails.

The indexes are built beside the running site, while people book (CREATE INDEX CONCURRENTLY). That takes some 15 s for
100,000 reservations, and nobody waits for it. It cannot be in a transaction: after a failure what is there already is
made anew the next time.
"""

import sys
from unicodedata import category

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
# Letters that become one other, apostrophes that go, and signs that part words.
_FROM = "ẞÆŒØŁĐÐÞĦøłđðħıς"
_TO = "ßæœolddþholddhiσ"
_GONE = "'`´‘’‛ʹʻʼʽʾʿ′＇"
_GAPS = '‐‑‒–—-.,;:@_+/\\()[]{}<>|=~^$&"!?*#%\t\n\r'


def _marks() -> str:
    """The combining marks as a class of a PostgreSQL regular expression."""
    found = [code for code in range(sys.maxunicode + 1) if category(chr(code))[0] == "M"]
    known = set(found)
    starts = [code for code in found if code - 1 not in known]
    ends = [code for code in found if code + 1 not in known]
    spans = (f"\\U{one:08x}-\\U{other:08x}" for one, other in zip(starts, ends, strict=True))
    return f"[{''.join(spans)}]"


def _replaced(text: str, letters: dict[str, str]) -> str:
    for letter, others in letters.items():
        text = f"replace({text}, '{letter}', '{others}')"
    return text


def _quoted(text: str) -> str:
    return (
        "E'"
        + text.encode("unicode_escape").decode().replace("'", "''").replace("\\x", "\\u00")
        + "'"
    )


_BOTH_CASES = _UMLAUTS | {letter.upper(): others for letter, others in _UMLAUTS.items()}
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION public.search_keys(
    name text, email text, reference text, note text, contact text
) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    marks CONSTANT text := '<marks>';
    words text := name || ' ' || note || ' ' || contact;
BEGIN
    -- Most names have no letter beyond ASCII, and folding takes most of the time.
    IF octet_length(words) > char_length(words) THEN
        words := regexp_replace(normalize(words, NFD), marks, '', 'g') || ' '
            || regexp_replace(
                normalize({_replaced("normalize(words, NFC)", _BOTH_CASES)}, NFD), marks, '', 'g');
        words := {_replaced(f"lower(translate(words, {_quoted(_FROM)}, {_quoted(_TO)}))", _LETTERS)};
    END IF;
    words := lower(words || ' ' || email || ' ' || reference);
    words := translate(words, {_quoted(_GAPS + _GONE)}, repeat(' ', {len(_GAPS)}));
    words := '  ' || regexp_replace(btrim(words), ' +', '   ', 'g') || ' ';
    RETURN ARRAY(
        SELECT DISTINCT substr(words, place, 3)
        FROM generate_series(1, char_length(words) - 2) AS place
        WHERE substr(words, place + 1, 2) <> '  '
    );
END $$
"""


_INDEXES = {
    # What is written waits in a list until the index takes it over: a short one, since every search reads it all.
    "ix_reservation_search": (
        "reservation USING gin (public.search_keys(name, email, reference, note, contact))"
        " WITH (gin_pending_list_limit = 256)"
    ),
    "ix_reservation_email_key": "reservation (email_key) WHERE email_key IS NOT NULL",
    "ix_reservation_created_at": "reservation (created_at)",
    "ix_mail_created_at": "mail (created_at)",
    "ix_mail_failed": "mail (created_at) WHERE delivery = 'failed'",
    "ix_scan_scanned_at": "scan (scanned_at)",
    "ix_admission_admitted_at": "admission (admitted_at)",
}


def upgrade() -> None:
    # Looking at all of Unicode takes a while: not whenever the migrations are read.
    op.execute(_FUNCTION.replace("<marks>", _marks()))
    with op.get_context().autocommit_block():
        # It waits for transactions that began before, such as a backup's, and nobody waits for it meanwhile.
        (limit,) = op.get_bind().exec_driver_sql("SHOW lock_timeout").one()
        op.execute("SET lock_timeout = 0")
        for name, on in _INDEXES.items():
            # What a build that failed left, which would never be used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")
        op.execute(f"SET lock_timeout = '{limit}'")
    # The planner needs no statistics of the keys, and to gather them would take a while each time.
    op.execute("ALTER INDEX ix_reservation_search ALTER COLUMN 1 SET STATISTICS 0")


def downgrade() -> None:
    for name in reversed(_INDEXES):
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP FUNCTION public.search_keys(text, text, text, text, text)")
