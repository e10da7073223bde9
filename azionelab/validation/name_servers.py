"""The address of a name server, as a setting or a command names it."""

from ipaddress import ip_address

_PORT = 53


def parse_name_server(typed: str) -> tuple[str, int]:
    """The IP address and the port of `9.9.9.9`, `127.0.0.1:5353` or `2001:db8::1`; ValueError for what is none."""
    address, colon, port = typed.rpartition(":")
    if colon and port.isdigit() and ":" not in address:
        return str(ip_address(address)), int(port)
    return str(ip_address(typed)), _PORT
