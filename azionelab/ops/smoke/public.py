"""What anybody can see of a site: its pages, their headers, its encryption. Nothing is changed."""

import re
import ssl
import time

from azionelab.ops.smoke.report import NotAsItMustBe, Report, expect
from azionelab.ops.smoke.visitor import Answer, Site, Visitor
from azionelab.settings.production import is_private_host

_LEAST_DAYS = 14  # a certificate of ninety days is renewed thirty before its end
_LEAST_HSTS = 180 * 24 * 3600  # seconds
_UNSAFE_SOURCE = re.compile(r"script-src[^;]*('unsafe-inline'|'unsafe-eval'|\*| https?:)")
_ASSET = re.compile(r'(?:src|href)="(/static/assets/[^"]+)"')
_REDIRECTS = (301, 302, 307, 308)


def look_around(report: Report, site: Site) -> None:
    """Try everything that takes no rights; the report says how it went."""
    visitor = Visitor(site)
    if site.shows_tls:
        report.attempt("certificate", _certificate, site)
        report.attempt("redirect from http", _redirect, site)
    elif not site.is_https and not is_private_host(site.host):
        report.attempt("encryption", _no_encryption)
    report.attempt("programme", _programme, visitor)
    report.attempt("security headers", _headers, visitor)
    report.attempt("styles and scripts", _assets, visitor)
    report.attempt("health", _health, visitor)
    report.attempt("API", _api, visitor)
    report.attempt("an address of nothing", _nothing, visitor)
    report.attempt("staff only", _staff_only, visitor)
    report.attempt("internal addresses", _internal, visitor)


def _certificate(site: Site) -> str:
    try:
        with site.encrypt(site.connect(), site.tls()) as line:
            version, certificate = line.version(), line.getpeercert()
    except ssl.SSLCertVerificationError as fault:
        raise NotAsItMustBe(fault.verify_message) from fault
    if not certificate:
        return f"{version}, not checked"
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // 86400)
    expect(days >= _LEAST_DAYS, f"ends in {days} days, and should have been renewed by now")
    return f"{version}, good for {days} days"


def _redirect(site: Site) -> None:
    answer = Visitor(site.unencrypted()).get("/?from=http")
    expect(answer.status in _REDIRECTS, f"http answers {answer.status}")
    leads_to = answer.headers.get("Location", "")
    expect(
        leads_to == f"{site.url}/?from=http",
        f"http leads to {leads_to or 'nowhere'} and not to the same page under {site.url}",
    )


def _no_encryption() -> None:
    raise NotAsItMustBe("the address is not https: names and links travel in the clear")


def _programme(visitor: Visitor) -> None:
    answer = _page(visitor, "/")
    expect("<main" in answer.text, "the page is not ours")
    expect("Set-Cookie" not in answer.headers, "it sets a cookie, and cannot be cached for all")


def _headers(visitor: Visitor) -> None:
    headers = _page(visitor, "/").headers
    wrong = []
    policies = headers.get_all("Content-Security-Policy", ())
    if len(policies) != 1 or "default-src 'self'" not in policies[0]:
        wrong.append("Content-Security-Policy")
    elif _UNSAFE_SOURCE.search(policies[0]) or "frame-ancestors" not in policies[0]:
        wrong.append("Content-Security-Policy (too open)")
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ):
        if headers.get_all(name) != [value]:
            wrong.append(name)
    if visitor.site.shows_tls:
        lasts = re.search(r"max-age=(\d+)", headers.get("Strict-Transport-Security", ""))
        if not lasts or int(lasts[1]) < _LEAST_HSTS:
            wrong.append("Strict-Transport-Security")
    expect(not wrong, f"missing, sent twice or weak: {', '.join(wrong)}")


def _assets(visitor: Visitor) -> str:
    addresses = sorted(set(_ASSET.findall(_page(visitor, "/").text)))
    expect(addresses, "the programme names none")
    for address in addresses:
        answer = visitor.get(address)
        expect(answer.status == 200 and answer.body, f"{address} answers {answer.status}")
        kept = answer.headers.get("Cache-Control", "")
        expect("immutable" in kept, f"{address} may not be kept by browsers")
    return f"{len(addresses)} files"


def _health(visitor: Visitor) -> None:
    answer = visitor.get("/api/health")
    report = answer.json() or {}
    status = report.get("status")
    expect(
        answer.status == 200 and status == "ok",
        f"{answer.status}, {status}: database {report.get('database')}, migrations"
        f" {report.get('migrations')}, worker seen {report.get('worker')}, mail {report.get('mail')}",
    )


def _api(visitor: Visitor) -> None:
    described = visitor.get("/api/openapi.json")
    expect(described.status == 200, f"its description answers {described.status}")
    expect("paths" in (described.json() or {}), "its description is none")
    answer = visitor.get("/api/v1/performances")
    expect(answer.status == 200, f"the programme answers {answer.status}")
    expect("performances" in (answer.json() or {}), "the programme is none")


def _nothing(visitor: Visitor) -> None:
    answer = visitor.get("/shows/no-such-show")
    expect(answer.status == 404, f"answers {answer.status} instead of 404")
    expect(answer.kind() == "text/html" and "<main" in answer.text, "the page is not ours")


def _staff_only(visitor: Visitor) -> None:
    for address in ("/admin/", "/checkin/"):
        status = visitor.get(address).status
        expect(status in (*_REDIRECTS, 401, 403), f"{address} answers a stranger {status}")


def _internal(visitor: Visitor) -> None:
    for address in ("/metrics", "/static/.vite/manifest.json", "/.env"):
        status = visitor.get(address).status
        expect(status in (403, 404), f"{address} answers {status}")


def _page(visitor: Visitor, address: str) -> Answer:
    answer = visitor.get(address)
    expect(answer.status == 200, f"{address} answers {answer.status}")
    expect(answer.kind() == "text/html", f"{address} is {answer.kind()}")
    return answer
