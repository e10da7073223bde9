"""Reads a venue's address as staff type it, for schema.org."""

import re

# "Via Mazzini 5, 40137 Bologna (BO)": street, postal code, town, province.
_ADDRESS = re.compile(
    r"(?P<street>.+?)\s*[,\n]\s*(?P<code>(?:[A-Z]{1,2}-)?\d{4,5})\s+(?P<town>[^,()\d]+?)"
    r"\s*(?:\((?P<region>[A-Z]{2})\))?",
    re.DOTALL,
)


def postal_address(typed: str) -> dict[str, str]:
    """Split a venue's address, one line that staff typed, into schema.org's PostalAddress.

    An address that is not "street, postal code town" becomes the street as a whole.
    """
    address = {"@type": "PostalAddress"}
    found = _ADDRESS.fullmatch(typed.strip())
    if found is None:
        return address | ({"streetAddress": typed.strip()} if typed.strip() else {})
    parts = {
        "streetAddress": found["street"],
        "postalCode": found["code"],
        "addressLocality": found["town"],
        "addressRegion": found["region"],
    }
    return address | {name: part for name, part in parts.items() if part}
