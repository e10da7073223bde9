"""What the policy in every answer's headers forbids must not be in a template."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "azionelab" / "templates"
# Mail readers know no policy and no style sheets; the admin's pages have nonces of their own.
_OTHERS = ("mail", "admin")
PAGES = [
    path
    for path in sorted(TEMPLATES.rglob("*.html"))
    if path.relative_to(TEMPLATES).parts[0] not in _OTHERS
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_a_page_has_no_inline_style_script_or_handler(page: Path) -> None:
    source = page.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source)
    for attributes in re.findall(r"<script\b([^>]*)>", source):
        assert "src=" in attributes or re.search(r'type="application/(ld\+)?json"', attributes)
    assert "http://" not in source
    assert "https://" not in source


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_every_word_a_person_reads_can_be_translated(page: Path) -> None:
    class_name = r"\{% block body_class %\}.*?\{% endblock %\}"
    markup = r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>"
    words = re.sub(rf"{class_name}|{markup}", " ", page.read_text(), flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{2,}", words) == []


def test_every_form_that_changes_something_carries_its_token() -> None:
    forms = [
        form
        for page in PAGES
        for form in re.findall(r'<form method="post".*?</form>', page.read_text(), re.DOTALL)
    ]
    assert len(forms) > 5
    for form in forms:
        # One that repeats what was sent repeats its token: a fresh one would serve who sent none.
        repeats = "name, value in sent" in form
        # Mailboxes post there too, without a session (RFC 8058): the signed token in its address is all.
        from_mailboxes = "'bookings.unsubscribe'" in form
        assert "csrf_token" in form or "hidden_tag" in form or repeats or from_mailboxes
