"""The baseline: Flask's minimum for a request."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Return a constant."""
    return "Hello, world!"
