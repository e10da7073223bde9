"""nginx with the container's configuration, in front of gunicorn with production's."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.nginx import HOST, Echo, Nginx, lay_out_front_end
from tests.support.processes import PYTHON, Program, free_port


@pytest.fixture(scope="session")
def site_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built front end as the image has it: compressed beside what is large."""
    return lay_out_front_end(tmp_path_factory.mktemp("front-end"))


@pytest.fixture(scope="session")
def start_site(
    database_url: str, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[str, Program]]]:
    """Start gunicorn behind a proxy, with settings given by name; its address and its program."""
    with ExitStack() as running:

        def start(**changes: str) -> tuple[str, Program]:
            address = f"127.0.0.1:{free_port()}"
            ours = {
                "SITE_BASE_URL": f"https://{HOST}",
                "ALLOWED_HOSTS": HOST,
                "TRUSTED_PROXIES": "1",
                "GUNICORN_BIND": address,
                "WEB_WORKERS": "1",
                # Long enough for whatever a test does before it looks whether a page was kept.
                "PAGE_CACHE_SECONDS": "60",
            }
            command = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
            log = tmp_path_factory.mktemp("site") / "gunicorn.log"
            program = running.enter_context(Program(command, settings | ours | changes, log))
            program.wait_until(lambda: "Booting worker" in program.output, "gunicorn's worker")
            return address, program

        yield start


@pytest.fixture(scope="session")
def site(start_site: Callable[..., tuple[str, Program]]) -> str:
    """host:port of the site that the tests share."""
    return start_site()[0]


@pytest.fixture
def start_nginx(tmp_path: Path, site_root: Path) -> Iterator[Callable[..., Nginx]]:
    """Start an nginx of the test's own, with the container's settings given by name."""
    with ExitStack() as running:

        def start(**settings: str) -> Nginx:
            return running.enter_context(Nginx(tmp_path, site_root, **settings).running())

        yield start


@pytest.fixture(scope="session")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shows' pictures."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def front(
    site: str, site_root: Path, media_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """nginx in front of the site, over plain HTTP, with limits that nobody meets."""
    generous = {f"{area}_RATE": "100000 per second" for area in ("BOOKING", "LOGIN", "API")}
    generous["MEDIA_DIR"] = str(media_root)
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), site_root, BACKEND=site, **generous)
    with nginx.running():
        yield nginx


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A backend that returns the request that it got."""
    with Echo().running() as echo:
        yield echo


@pytest.fixture(scope="session")
def make_certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, str]]:
    """Make a throw-away certificate for HOST; returns the settings that name it."""

    def make() -> dict[str, str]:
        folder = tmp_path_factory.mktemp("tls")
        certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]
        command += ["-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
        command += ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        return {"TLS_CERTIFICATE": str(certificate), "TLS_CERTIFICATE_KEY": str(key)}

    return make
