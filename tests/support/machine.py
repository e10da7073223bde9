"""A machine with a checkout, for docker/install and docker/azionelab, whose `docker` only notes what it is asked."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import ROOT, clean_environment, free_ports

# What was done is a file beside it: built, running, backed-up, arrived (the first administrator). `broken` says what
# fails, `letters` how the mail server answers, a line each.
DOCKER = """\
#!/bin/sh
cd "$(dirname "$0")"
printf '%s\\n' "$*" >> asked
[ ! -e broken ] || case $* in *"$(cat broken)"*) echo "$(cat broken) failed"; exit 1 ;; esac
case $* in
    "version --format"*) cat engine ;;
    "compose version"*) cat compose ;;
    *"config --hash"*) printf '%s x\\n' backend nginx worker backup entrance ;;
    *"config --services") printf '%s\\n' nginx worker ;;
    *" logs --no-color"*) cat log 2> /dev/null ;;
    "image ls"*) cat images 2> /dev/null ;;
    *" config") printf 'name: azionelab\\n' ;;
    "image inspect"*) [ -e built ] ;;
    *" build "* | "load "*) touch built ;;
    "ps "*config_files*) cat overlays 2> /dev/null ;;
    "ps "*"compose.service="*) [ ! -e running ] || echo id ;;
    inspect*) echo running healthy ;;
    *" up --detach"*) touch running ;;
    *"flask mail-doctor"*)
        if [ -s letters ]; then head -n 1 letters; sed -i 1d letters; else echo "ok    MAIL_SERVER: answered"; fi
        echo "FAIL  MX: theatre.org takes no mail"
        ;;
    *"flask create-admin --link"*)
        [ -e arrived ] || { echo "Error: Missing argument 'EMAIL'." >&2; exit 2; } ;;
    *"flask create-admin"*) [ -e arrived ] || echo https://tickets.theatre.org/staff/accept/token ;;
    *"flask check --deploy"*)
        if [ -e backed-up ]; then echo "ok    BACKUPS: made"; else echo "FAIL  BACKUPS: no backup"; fi ;;
    *"azionelab-backup verify") touch backed-up ;;
    *"--entrypoint sh azionelab-nginx"*)
        to=$(printf '%s\\n' "$@" | sed -n 's|:/to$||p')
        touch "$to/fullchain.pem" "$to/privkey.pem" ;;
esac
"""
GETENT = """\
#!/bin/sh
case $2 in nowhere*) exit 2 ;; esac
[ "$1" = ahostsv4 ] && echo "203.0.113.7 STREAM $2"
"""
SCRIPTS = ("install", "azionelab", "steps.sh", "answers.sh", "tag", "check-env", "new-secrets")
# What it asks on a machine that nobody installed anything on, with the right answers.
RIGHT = {
    "name": "tickets.theatre.org",
    "certificate": "acme",
    "admin": "anna@theatre.org",
    "time-zone": "Europe/Rome",
    "mail-server": "smtp.provider.org",
    "mail-user": "box-office",
    "mail-password": "a password",
    "mail-sender": "tickets@theatre.org",
}


class Machine:
    """A machine with a checkout, whose docker does nothing."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "site"
        self.fake, self.cron = folder / "bin", folder / "cron"
        self.fake.mkdir()
        self.cron.mkdir()
        for name, text in (("docker", DOCKER), ("getent", GETENT)):
            (self.fake / name).write_text(text)
            (self.fake / name).chmod(0o755)
        self.path = f"{self.fake}:/usr/bin:/bin:/usr/sbin:/sbin"
        self.say("engine", "26.1.5+dfsg1\n")
        self.say("compose", "2.26.1-4\n")
        for name in ("certificates", "acme"):
            (self.root / "docker" / name).mkdir(parents=True)
        for script in SCRIPTS:
            shutil.copy(ROOT / "docker" / script, self.root / "docker")
        for name in ("http", "offsite", "authority"):
            (self.root / "docker" / f"compose.{name}.yml").touch()
        (self.root / "pyproject.toml").write_text('version = "1"\n')
        shutil.copy(ROOT / ".gitignore", self.root)
        self.http_port, https_port = free_ports(2)
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        ports = f"HTTP_PORT=127.0.0.1:{self.http_port}\nHTTPS_PORT=127.0.0.1:{https_port}\n"
        (self.root / ".env.example").write_text(f"{example}{ports}", encoding="utf-8")
        for command in (
            ("init", "--quiet"),
            ("add", "."),
            (
                *("-c", "user.name=Anna", "-c", "user.email=anna@azionelab.org"),
                *("commit", "--quiet", "--message", "All"),
            ),
        ):
            subprocess.run(["git", "-C", self.root, *command], check=True)

    def say(self, name: str, text: str = "") -> None:
        """Tell the docker of this test how it is."""
        (self.fake / name).write_text(text)

    def install(self, *options: str | Path, typed: str = "", status: int = 0) -> str:
        """Run docker/install; what it printed."""
        return self.run("install", *options, typed=typed, status=status)

    def run(self, script: str, *options: str | Path, typed: str = "", status: int = 0) -> str:
        """Run a script of docker/; what it printed."""
        done = subprocess.run(
            [self.root / "docker" / script, *options],
            cwd=self.root,
            env=clean_environment({}) | {"PATH": self.path, "CRON_FOLDER": str(self.cron)},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def installed(self) -> "Machine":
        """The machine, when everything is done and the administrator has come."""
        self.install(typed=lines(RIGHT))
        self.say("arrived")
        (self.fake / "asked").unlink()
        return self

    @property
    def settings(self) -> dict[str, str]:
        """What .env says."""
        text = (self.root / ".env").read_text(encoding="utf-8")
        pairs = (line.partition("=") for line in text.splitlines() if line[:1].isupper())
        return {name: value for name, _, value in pairs}

    @property
    def asked(self) -> str:
        """What docker was asked."""
        file = self.fake / "asked"
        return file.read_text() if file.exists() else ""

    @property
    def files(self) -> dict[str, str]:
        """Everything that it may change."""
        paths = [self.root / ".env", *(self.root / "docker").rglob("*")]
        return {str(path): path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def lines(answers: Mapping[str, str]) -> str:
    """What somebody types."""
    return "".join(f"{answer}\n" for answer in answers.values())
