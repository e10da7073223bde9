"""`flask mail-doctor`: finds what keeps mails from arriving.

It logs in at the mail server, and asks the DNS what other mail servers will ask: whether the theatre's domain
lets this provider send for it (SPF, RFC 7208), signs (DKIM, RFC 6376), and what to do with mails that do not
(DMARC, RFC 7489). docs/mail.md explains them.
"""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from uuid import uuid4

from flask_babel import gettext
from markupsafe import escape

from azionelab.mail.domains import NameServers, NoAnswer
from azionelab.mail.message import Message, message_id
from azionelab.mail.smtp import Refused, Unreachable, log_in, send
from azionelab.ops.checks.deployment import Finding
from azionelab.settings.config import Config
from azionelab.validation.email_addresses import ascii_address
from azionelab.web.site_urls import site_url

_MAX_LOOKUPS = 10  # RFC 7208, 4.6.4: a record that needs more counts as broken
_LOOKUPS = ("include", "a", "mx", "ptr", "exists", "redirect")
# Names under which providers publish their keys.
_USUAL_SELECTORS = (
    "azionelab", "default", "dkim", "mail", "google", "selector1", "selector2", "k1", "k2", "s1", "s2", "mx", "smtp",
)  # fmt: skip


class _TooManyLookups(Exception):
    """An SPF record needs more questions than mail servers ask."""


def check_mail(
    config: Config, dns: NameServers, *, selectors: Sequence[str], recipient: str | None
) -> Iterator[Finding]:
    """Check the mail server, the sender's domain, and send a test mail to `recipient`, if any.

    `selectors` are the names under which the provider publishes its DKIM keys; none tries the usual ones.
    """
    if config.mail_server is None:
        yield Finding(
            "FAIL", "MAIL_SERVER: is empty: no mail leaves, it is only shown in the back office"
        )
        return
    problem = _find_server_problem(config)
    where = f"{config.mail_server}:{config.mail_port}"
    if problem:
        yield Finding("FAIL", f"{problem[0]}: {where} {problem[1]}")
    else:
        how = "over TLS" if config.mail_use_tls or config.mail_use_ssl else "without encryption"
        user = f", and accepted {config.mail_username}" if config.mail_username else ""
        yield Finding("ok", f"MAIL_SERVER: {where} answered {how}{user}")
    domain = ascii_address(parseaddr(config.mail_default_sender)[1]).rpartition("@")[2]
    try:
        yield from _domain_findings(dns, domain, selectors)
    except NoAnswer:
        yield Finding(
            "look",
            f"DNS: no name server answered, so {domain} was not checked; try `--dns 9.9.9.9`, or look its records"
            " up elsewhere (docs/mail.md)",
        )
    if recipient and not problem:
        yield _send_test(config, recipient)


def _find_server_problem(config: Config) -> tuple[str, str] | None:
    """What is wrong with the mail server: the setting to look at, and what happened."""
    try:
        log_in()
    except (smtplib.SMTPException, OSError) as error:
        return _explain(error, config)
    return None


def _explain(error: Exception, config: Config) -> tuple[str, str]:  # noqa: PLR0911 (one each)
    match error:
        case smtplib.SMTPAuthenticationError():
            return "MAIL_PASSWORD", f"refused the user name or the password ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError() if config.mail_use_tls:
            return "MAIL_USE_TLS", "does not offer STARTTLS; port 587 does, 465 wants MAIL_USE_SSL"
        case smtplib.SMTPNotSupportedError():
            return "MAIL_USERNAME", "offers no login; it may do so only with MAIL_USE_TLS"
        case ssl.SSLCertVerificationError():
            return (
                "MAIL_SERVER",
                f"has a certificate that is not accepted: {error.verify_message}",
            )
        case ssl.SSLError():
            return (
                "MAIL_USE_SSL",
                "does not speak TLS at once; port 465 does, 587 wants MAIL_USE_TLS",
            )
        case smtplib.SMTPServerDisconnected():
            return "MAIL_PORT", "closed the connection; does this port want MAIL_USE_SSL?"
        case TimeoutError():
            return (
                "MAIL_PORT",
                f"did not answer within {config.mail_timeout_seconds} s; many networks block port 25, use 587",
            )
        case ConnectionRefusedError():
            return "MAIL_PORT", "refuses connections: nothing listens at this port"
        case smtplib.SMTPResponseException():
            return "MAIL_SERVER", f"refuses us ({error.smtp_code})"
        case _:
            return "MAIL_SERVER", f"cannot be reached ({type(error).__name__})"


def _domain_findings(dns: NameServers, domain: str, selectors: Sequence[str]) -> Iterator[Finding]:
    if dns.find_mail_hosts(domain):
        yield Finding("ok", f"MX: {domain} takes mail, so replies and reports of failure arrive")
    else:
        yield Finding(
            "FAIL",
            f"MX: {domain} takes no mail: replies get lost, and many servers refuse its mails",
        )
    yield _spf_finding(dns, domain)
    yield _dkim_finding(dns, domain, selectors)
    yield _dmarc_finding(dns, domain)


def _spf_finding(dns: NameServers, domain: str) -> Finding:
    records = _spf_records(dns, domain)
    if not records:
        return Finding(
            "FAIL",
            f"SPF: {domain} has no record; add a TXT record `v=spf1 include:... -all` with the part that your"
            " mail provider names",
        )
    if len(records) > 1:
        return Finding(
            "FAIL", f"SPF: {domain} has {len(records)} records, which counts as none; merge them"
        )
    terms = records[0].lower().split()[1:]
    if {"+all", "all"} & set(terms):
        return Finding(
            "FAIL", f"SPF: the record of {domain} allows everybody (+all); end it with -all"
        )
    try:
        _count_lookups(dns, domain, 0)
    except _TooManyLookups:
        return Finding(
            "FAIL",
            f"SPF: the record of {domain} needs more than {_MAX_LOOKUPS} questions, which counts as broken;"
            " remove providers that you do not use",
        )
    return Finding("look", f"SPF: {domain} says `{records[0]}`; does it name your mail provider?")


def _spf_records(dns: NameServers, domain: str) -> list[str]:
    texts = dns.find_texts(domain)
    return [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]


def _count_lookups(dns: NameServers, domain: str, asked: int) -> int:
    """How many questions the record of a domain takes, and those that it includes."""
    for record in _spf_records(dns, domain)[:1]:
        for term in record.lower().split()[1:]:
            name, _, rest = term.lstrip("+-~?").replace("=", ":", 1).partition(":")
            if name.partition("/")[0] not in _LOOKUPS:
                continue
            asked += 1
            if asked > _MAX_LOOKUPS:
                raise _TooManyLookups
            if name in {"include", "redirect"} and "%" not in rest:
                asked = _count_lookups(dns, rest, asked)
    return asked


def _dkim_finding(dns: NameServers, domain: str, selectors: Sequence[str]) -> Finding:
    found = []
    for selector in selectors or _USUAL_SELECTORS:
        keys = [text for text in dns.find_texts(f"{selector}._domainkey.{domain}") if "p=" in text]
        if keys and not any(_tags(text).get("p") for text in keys):
            return Finding("FAIL", f"DKIM: the key {selector} of {domain} was withdrawn (empty p=)")
        if keys:
            found.append(selector)
        elif selectors:
            return Finding(
                "FAIL",
                f"DKIM: there is no key at {selector}._domainkey.{domain}; add the record that your provider names",
            )
    if found:
        return Finding("ok", f"DKIM: {domain} publishes the key {', '.join(found)}")
    return Finding(
        "look",
        f"DKIM: no key of {domain} under the usual names; run this with `--selector NAME`, with the name from your"
        " mail provider",
    )


def _tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record."""
    pairs = (tag.partition("=") for tag in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _dmarc_finding(dns: NameServers, domain: str) -> Finding:
    # A domain without a record falls under that of the domain above it.
    labels = domain.split(".")
    for above in (".".join(labels[n:]) for n in range(max(1, len(labels) - 1))):
        texts = dns.find_texts(f"_dmarc.{above}")
        records = [text for text in texts if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if len(records) > 1:
            return Finding(
                "FAIL", f"DMARC: _dmarc.{above} has {len(records)} records, which counts as none"
            )
        if records:
            return _policy_finding(above, records[0], inherited=above != domain)
    return Finding(
        "FAIL",
        f"DMARC: {domain} has no record, and large providers ask for one; add a TXT record"
        f" `v=DMARC1; p=none; rua=mailto:...` at _dmarc.{domain}",
    )


def _policy_finding(domain: str, record: str, *, inherited: bool) -> Finding:
    tags = _tags(record)
    policy = tags.get("p", "").lower()
    if inherited:
        policy = tags.get("sp", policy).lower()
    if policy in {"quarantine", "reject"}:
        return Finding("ok", f"DMARC: {domain} protects its name (p={policy})")
    if policy == "none":
        return Finding(
            "look",
            f"DMARC: {domain} only watches (p=none); when its reports show no fault, set p=quarantine",
        )
    return Finding("FAIL", f"DMARC: the record of {domain} names no policy (p=)")


def _send_test(config: Config, recipient: str) -> Finding:
    subject = gettext("A test of the mail settings")
    told = gettext(
        "This is a test mail of %(site)s. It has arrived, so tickets will too. Look at its source for"
        " Authentication-Results: spf, dkim and dmarc should say pass.",
        site=config.site_name,
    )
    message = Message(
        recipient=recipient,
        subject=subject,
        text=f"{told}\n",
        html=f"<p>{escape(told)}</p>",
        link=site_url("shows.programme"),
    )
    try:
        send(message, message_id(f"doctor.{uuid4()}"))
    except (Refused, Unreachable) as error:
        return Finding("FAIL", f"TEST: the mail server did not take the test mail ({error})")
    return Finding(
        "look",
        "TEST: the mail server took the test mail; is it in the inbox, and does its source say spf=pass, dkim=pass and"
        " dmarc=pass?",
    )
