"""Runs the API under uvicorn, and ends it without leaving anybody waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from bus import Bus, Health, Settings, connect
from bus.errors import StoreUnavailable

from .app import Connect, create_app
from .heads import BoundedHeads
from .hosts import address

Started = Callable[[str, Health | None], None]
"""Called once it listens: with the base URL for this machine, and what the bus stands on (None: not reachable yet)."""
# Longer than a client keeps an idle connection (30 s in bus/remote), so that no request meets a closing one.
_KEEP_ALIVE_SECONDS = 65
# Open waits are answered at once; this is for what does not end by itself, such as a stuck upload.
_GRACE_SECONDS = 1
# A store that does not answer sooner is said to be unreachable as yet: a server that starts waits for nobody.
_PATIENCE_SECONDS = 1.0
STARTUP_FAILED = STARTUP_FAILURE
"""The exit code of a process that could not start to serve."""


def serve(settings: Settings, *, started: Started | None = None) -> None:
    """Serve until SIGTERM or SIGINT; open waits are then answered at once. Raises KeyboardInterrupt after SIGINT."""
    set_up_logging(settings)
    Server(settings, started=started).run()


def set_up_logging(settings: Settings) -> None:
    """This process's log goes to stderr."""
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))


@asynccontextmanager
async def serving(settings: Settings, *, connect: Connect = connect) -> AsyncGenerator[str]:
    """Serves inside the running loop while the context lasts, and yields the base URL. Signals are left alone."""
    listening = asyncio.Event()
    found: list[str] = []

    def note(base_url: str, _: Health | None) -> None:
        found.append(base_url)
        listening.set()

    server = Server(settings, started=note, connect=connect, signals=False)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve())
        task.add_done_callback(lambda _: listening.set())
        await listening.wait()
        try:
            if not found:
                raise RuntimeError("the server did not start; its log says why")
            yield found[0]
        finally:
            server.stop()


class Server(uvicorn.Server):
    """uvicorn that drains the bus before it waits for open requests: it never interrupts one by itself."""

    def __init__(
        self, settings: Settings, *, started: Started | None = None, connect: Connect = connect, signals: bool = True
    ) -> None:
        self._app: FastAPI = create_app(settings, connect=connect)
        self._settings = settings
        self._tell = started
        self._signals = signals
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(
            uvicorn.Config(
                self._app,
                host=settings.host,
                port=settings.port,
                http=BoundedHeads,
                lifespan="on",
                log_config=None,
                access_log=settings.log_level.casefold() == "debug",
                server_header=False,
                proxy_headers=False,  # the edge reads them, and only from proxies that the operator trusts
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    def stop(self) -> None:
        """End every wait, then the server. Safe to call from a signal handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._drain)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """SIGTERM ends the process with exit code 0; SIGINT is raised again once all is closed, as Ctrl-C should be."""
        if not self._signals:
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
        if signal.SIGINT in self._captured_signals:
            raise KeyboardInterrupt

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started and self._tell is not None:
            port = self.servers[0].sockets[0].getsockname()[1]
            self._tell(f"http://{address(self._settings.host, port)}", await self._health())

    async def _health(self) -> Health | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._bus.ping()
        except (StoreUnavailable, TimeoutError):
            return None

    @property
    def _bus(self) -> Bus:
        bus: Bus = self._app.state.bus
        return bus

    def _drain(self) -> None:
        if hasattr(self._app.state, "bus"):  # else it was told to stop before it had started
            self._bus.drain()
