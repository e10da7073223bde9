"""What a list of sessions says of a browser: its name and system, and a part of its address."""

from ipaddress import IPv6Address, ip_address, ip_network

# The first that is in the User-Agent: most name Chrome and Safari, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_KEPT_BITS = {4: 24, 6: 48}


def describe_browser(user_agent: str) -> str:
    """The browser and system of a User-Agent, as in "Firefox, Windows"; "" when it names none that we know."""
    found = (_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))
    return ", ".join(name for name in found if name)


def shorten_address(address: str) -> str:
    """An IP address without the part that names one household or device; "" for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    network = ip_network(f"{parsed}/{_KEPT_BITS[parsed.version]}", strict=False)
    if parsed.version == 4:
        return str(network.network_address).removesuffix(".0") + ".x"
    return str(network.network_address).removesuffix("::") + ":x"


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
