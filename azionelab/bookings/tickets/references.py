"""References: eight characters that people read aloud and type."""

import secrets

# Crockford's base 32: no I, L, O, U, which are easily misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", " ": None, "-": None})


def new_reference() -> str:
    """A random reference of 40 bits: two alike are not to be expected in a theatre's life."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read_reference(typed: str) -> str | None:
    """The reference that somebody typed in any case and spacing; None when it is not one."""
    folded = typed.strip().upper().translate(_READ_AS)
    if len(folded) != LENGTH or any(character not in ALPHABET for character in folded):
        return None
    return folded
