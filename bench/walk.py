"""Every address of the back office, for the bench of its pages and for tests that try all of them."""

import re
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule


def addresses(app: Flask, method: str) -> list[str]:
    """Every address of the back office that takes `method`; its files are nobody's secret."""
    return sorted(filled_in(str(rule)) for rule in rules_of(app, method))


def filled_in(rule: str) -> str:
    """An address of a rule: of the first rows, and of the reservation number 1."""
    filled = re.sub(r"<int:\w+>", "1", rule).replace("<export_type>", "csv")
    filled = re.sub(r"<any\((\w+),[^>]*>", r"\1", filled)
    return re.sub(r"<uuid:\w+>", str(UUID(int=1)), filled)


def rules_of(app: Flask, method: str) -> list[Rule]:
    """The rules of the addresses of the back office that take `method`."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/admin/")
        and method in (rule.methods or ())
        and rule.endpoint != "admin.static"
    ]
