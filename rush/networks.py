"""What visitors of one network share: for scripts one core that computes proofs, and one look at the line for all places."""

import asyncio
import contextlib
from typing import Any

from rush.people import Kind
from rush.web import Browser, Web

POLLS_EVERY = 0.5  # seconds between two looks of a network of scripts at the line


class Network:
    """An address from which one visitor comes, or many scripts."""

    def __init__(self) -> None:
        self._core = asyncio.Lock()
        self._look: asyncio.Task[Any] | None = None

    def core(self, kind: Kind) -> contextlib.AbstractAsyncContextManager[None]:
        """Where a proof is computed: scripts of a network wait for one another."""
        return self._core if kind is Kind.SCRIPT else contextlib.nullcontext()

    async def state(self, web: Web, path: str, browser: Browser) -> Any:
        """The line's next state, which one of the network's places asks for; None without an answer."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._ask(web, path, browser))
        return await asyncio.shield(self._look)

    @staticmethod
    async def _ask(web: Web, path: str, browser: Browser) -> Any:
        await asyncio.sleep(POLLS_EVERY)
        return await web.ask_state(path, browser)
