"""`python -m bare_machine.command_server`: runs several `flask` commands in one process.

Standard input is a socket: each line that arrives is a command, a JSON list of its arguments, and each line of the
answer its exit status.
"""

import json
import socket
import sys

from flask.cli import FlaskGroup

from wsgi import app


def main() -> None:
    """Run commands until the other side closes the socket."""
    flask = FlaskGroup(create_app=lambda: app, load_dotenv=False)
    with socket.socket(fileno=sys.stdin.fileno()).makefile("rw") as line:
        for command in line:
            try:
                flask.main(json.loads(command), prog_name="flask")
            except SystemExit as end:
                print(end.code or 0, file=line, flush=True)


if __name__ == "__main__":
    main()
