"""Read-only checks of the public site: certificate, pages, headers, assets, health, API."""

import re
import ssl
import time
from urllib.parse import urlsplit

from azionelab.languages import SOURCE, address_language
from azionelab.ops.smoke.report import CheckFailed, Report, expect
from azionelab.ops.smoke.visitor import Response, Site, Visitor
from azionelab.settings.production import is_private_host

_MIN_DAYS = 14  # a certificate of ninety days is renewed thirty days before it expires
_MIN_HSTS = 180 * 24 * 3600  # seconds
_UNSAFE_SOURCE = re.compile(r"script-src[^;]*('unsafe-inline'|'unsafe-eval'|\*| https?:)")
_ASSET = re.compile(r'(?:src|href)="(/static/assets/[^"]+)"')
_REDIRECTS = (301, 302, 307, 308)


def check_public_site(report: Report, site: Site) -> None:
    """Run all checks that need no account, and add each to the report."""
    visitor = Visitor(site)
    if site.terminates_tls:
        report.attempt("certificate", _certificate, site)
        report.attempt("redirect from http", _redirect, site)
    elif not site.is_https and not is_private_host(site.host):
        report.attempt("encryption", _no_encryption)
    report.attempt("programme", _programme, visitor)
    report.attempt("security headers", _headers, visitor)
    report.attempt("styles and scripts", _assets, visitor)
    report.attempt("health", _health, visitor)
    report.attempt("API", _api, visitor)
    report.attempt("unknown address", _not_found, visitor)
    report.attempt("staff only", _staff_only, visitor)
    report.attempt("internal addresses", _internal_pages, visitor)


def _certificate(site: Site) -> str:
    try:
        with site.encrypt(site.connect(), site.tls()) as sock:
            version, certificate = sock.version(), sock.getpeercert()
    except ssl.SSLCertVerificationError as fault:
        raise CheckFailed(fault.verify_message) from fault
    if not certificate:
        return f"{version}, not checked"
    days = int((ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) // 86400)
    expect(days >= _MIN_DAYS, f"expires in {days} days, and should have been renewed by now")
    return f"{version}, good for {days} days"


def _redirect(site: Site) -> None:
    response = Visitor(site.unencrypted()).get("/?from=http")
    expect(response.status in _REDIRECTS, f"http answers {response.status}")
    leads_to = response.headers.get("Location", "")
    expect(
        leads_to == f"{site.url}/?from=http",
        f"http redirects to {leads_to or 'nowhere'} instead of the same page under {site.url}",
    )


def _no_encryption() -> None:
    raise CheckFailed("the address is not https: names and links are sent unencrypted")


def _programme(visitor: Visitor) -> None:
    entry = visitor.get("/")
    leads_to = entry.headers.get("Location", "")
    expect(
        entry.status == 302 and address_language(urlsplit(leads_to).path),
        f"/ answers {entry.status}, {leads_to or 'nowhere'}, instead of leading to a language",
    )
    response = _page(visitor, f"/{SOURCE}/")
    expect("<main" in response.text, "the page is not the site's")
    expect("Set-Cookie" not in response.headers, "it sets a cookie, so it cannot be cached")


def _headers(visitor: Visitor) -> None:
    headers = _page(visitor, f"/{SOURCE}/").headers
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
    if visitor.site.terminates_tls:
        lasts = re.search(r"max-age=(\d+)", headers.get("Strict-Transport-Security", ""))
        if not lasts or int(lasts[1]) < _MIN_HSTS:
            wrong.append("Strict-Transport-Security")
    expect(not wrong, f"missing, sent twice or weak: {', '.join(wrong)}")


def _assets(visitor: Visitor) -> str:
    addresses = sorted(set(_ASSET.findall(_page(visitor, f"/{SOURCE}/").text)))
    expect(addresses, "the programme refers to none")
    for address in addresses:
        response = visitor.get(address)
        expect(response.status == 200 and response.body, f"{address} answers {response.status}")
        kept = response.headers.get("Cache-Control", "")
        expect("immutable" in kept, f"{address} may not be cached by browsers")
    return f"{len(addresses)} files"


def _health(visitor: Visitor) -> None:
    response = visitor.get("/api/health")
    report = response.json() or {}
    status = report.get("status")
    expect(
        response.status == 200 and status == "ok",
        f"{response.status}, {status}: database {report.get('database')}, migrations"
        f" {report.get('migrations')}, worker seen {report.get('worker')}, mail {report.get('mail')}",
    )


def _api(visitor: Visitor) -> None:
    described = visitor.get("/api/openapi.json")
    expect(described.status == 200, f"openapi.json answers {described.status}")
    expect("paths" in (described.json() or {}), "openapi.json has no paths")
    response = visitor.get("/api/v1/performances")
    expect(response.status == 200, f"the programme answers {response.status}")
    expect("performances" in (response.json() or {}), "the programme has no list of performances")


def _not_found(visitor: Visitor) -> None:
    response = visitor.get(f"/{SOURCE}/shows/no-such-show")
    expect(response.status == 404, f"answers {response.status} instead of 404")
    expect(
        response.kind() == "text/html" and "<main" in response.text, "the page is not the site's"
    )


def _staff_only(visitor: Visitor) -> None:
    for address in ("/admin/", "/checkin/"):
        status = visitor.get(address).status
        expect(status in (*_REDIRECTS, 401, 403), f"{address} answers {status} without a login")


def _internal_pages(visitor: Visitor) -> None:
    for address in ("/metrics", "/static/.vite/manifest.json", "/.env"):
        status = visitor.get(address).status
        expect(status in (403, 404), f"{address} answers {status}")


def _page(visitor: Visitor, address: str) -> Response:
    response = visitor.get(address)
    expect(response.status == 200, f"{address} answers {response.status}")
    expect(response.kind() == "text/html", f"{address} is {response.kind()}")
    return response
