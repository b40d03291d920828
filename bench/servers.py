"""Servers in processes of their own: the API as it is served, an empty route under the same uvicorn, a Valkey over TCP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.serving import serve
from bus import Settings
from bus.store.binary import server_binary
from bus.streams.connecting import connect_engine

START_SECONDS = 20.0


def _say(base_url: str) -> None:
    sys.stdout.write(f"{base_url}\n")
    sys.stdout.flush()


def empty_app(settings: Settings) -> FastAPI:
    """One route that makes one store call, as FastAPI's tutorial would write it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with connect_engine(settings) as engine:
            app.state.store = engine.store
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def look() -> str | None:  # pyright: ignore[reportUnusedFunction]  # the route calls it
        return await app.state.store.command("GET", "nothing")

    return app


class _Empty(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _say(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}")


def main() -> None:
    """`python -m bench.servers api|empty`; the settings come from the environment. Prints its address, ends on SIGTERM."""
    settings = Settings(base_url=None)
    if sys.argv[1] == "api":
        serve(settings, started=lambda base_url, _: _say(base_url))
    else:
        _Empty(uvicorn.Config(empty_app(settings), port=0, access_log=False, log_level="warning", server_header=False)).run()


@contextmanager
def running(kind: str, data_dir: Path, **settings: str) -> Generator[tuple[str, int]]:
    """Base URL and process id of one, on the embedded store of a directory. `settings`: BACKCHANNEL_… by their last words."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("BACKCHANNEL_")}
    env |= {"BACKCHANNEL_DATA_DIR": str(data_dir), "BACKCHANNEL_PORT": "0", "BACKCHANNEL_LOG_LEVEL": "warning"}
    env |= {"BACKCHANNEL_RATE_LIMIT": "0", "BACKCHANNEL_KEY_MINT_LIMIT": "0"}  # what is measured is what the server can do
    env |= {f"BACKCHANNEL_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "bench.servers", kind]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            if not base_url:
                raise RuntimeError(f"the {kind} server did not start")
            yield base_url, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


@contextmanager
def valkey(folder: Path) -> Generator[int]:
    """The TCP port of a Valkey (or Redis) that keeps an append-only file, as the embedded store's does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "appendfsync": "everysec", "save": ""}
    command = [server_binary(), *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            asyncio.run(_listens(port))
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


async def _listens(port: int) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


if __name__ == "__main__":
    main()
