"""Unusable keys of wallet passes are refused by `flask check`, with the setting's name and nothing secret."""

from collections.abc import Callable

import pytest

from azionelab.ops.checks.deployment import check
from azionelab.settings.loading import load_config
from tests.support.wallet_keys import GOOGLE_ISSUER, a_key, apple, google_setting, pem
from tests.test_config import PRODUCTION

APPLE = apple()


def told(**settings: str) -> list[str]:
    """What is said of the wallets' settings, with the verdict."""
    findings = check(load_config(PRODUCTION | settings), deploy=True, serving=True)
    return [str(one) for one in findings if "APPLE" in one.text or "GOOGLE" in one.text]


def test_good_keys_are_taken_in_any_order() -> None:
    google = {"GOOGLE_WALLET_KEY": google_setting(), "GOOGLE_WALLET_ISSUER": GOOGLE_ISSUER}
    # As `openssl pkcs12` writes it.
    remarks = (
        f"Bag Attributes\n{APPLE.intermediate}Key Attributes: none\n{APPLE.key}{APPLE.certificate}"
    )
    for apple_pass in (APPLE.setting, remarks):
        assert {line[:4] for line in told(APPLE_PASS=apple_pass, **google)} == {"ok  "}


UNUSABLE: dict[str, Callable[[], tuple[str, str]]] = {
    "holds no certificate": lambda: ("APPLE_PASS", APPLE.key),
    "holds no private key": lambda: ("APPLE_PASS", APPLE.certificate + APPLE.intermediate),
    "cannot be read": lambda: ("APPLE_PASS", APPLE.setting.replace(APPLE.key[40:80], "A" * 40)),
    "none of its certificates belongs": lambda: (
        "APPLE_PASS",
        APPLE.certificate + pem(a_key("other")) + APPLE.intermediate,
    ),
    "locked with a password": lambda: (
        "APPLE_PASS",
        APPLE.certificate + pem(a_key("pass"), b"secret") + APPLE.intermediate,
    ),
    "not one for a pass type": lambda: ("APPLE_PASS", apple(pass_type="it.teatro.app").setting),
    "lacks Apple's certificate": lambda: ("APPLE_PASS", APPLE.certificate + APPLE.key),
    "is not the JSON key file": lambda: ("GOOGLE_WALLET_KEY", '{"client_email": "a@b.it"}'),
    "is missing, and belongs to": lambda: ("GOOGLE_WALLET_KEY", google_setting()),
}


@pytest.mark.parametrize("why", UNUSABLE)
def test_unusable_keys_are_refused_with_the_reason(why: str) -> None:
    name, value = UNUSABLE[why]()
    refused = [line for line in told(**{name: value}) if line.startswith("FAIL")]
    (refusal,) = [line for line in refused if why in line]
    assert refusal.startswith(f"FAIL  {name.partition('_')[0]}_")
    assert not any(line in refusal for line in value.splitlines() if len(line) > 30)


@pytest.mark.parametrize(("days", "verb"), [(20, "ends"), (-1, "ended")])
def test_a_certificate_near_its_end_is_told(days: int, verb: str) -> None:
    (line,) = [one for one in told(APPLE_PASS=apple(days).setting) if "APPLE" in one]
    assert line.startswith(f"look  APPLE_PASS: its certificate {verb} on ")
