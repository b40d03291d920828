"""A real browser on a page of another origin, and what its script found out."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

BROWSER_SECONDS = 60
PAGES_HOST = "pages.test"
"""A name that the browser takes for this machine."""
Run = Callable[[str], Awaitable[Any]]
"""Runs the body of an async function in the page, where `api` is the server's base URL and `key` an API key, and gives
what it returned."""

_PAGE = """<!doctype html><meta charset="utf-8"><title>another origin</title><pre id="found">nothing yet</pre>
<script>
const api = %s, key = %s;
(async () => {
%s
})().then((found) => ({ found }), (error) => ({ error: String(error) }))
    .then((outcome) => { document.getElementById("found").textContent = JSON.stringify(outcome); });
</script>
"""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def browser() -> str:
    """The browser's command. Without one these tests are skipped: what it would show, tests/api can only assume."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium on PATH (Debian: apt-get install chromium)")
    return found


@asynccontextmanager
async def page_server(page: Callable[[], str]) -> AsyncGenerator[int]:
    """Serves the page, as it is by then, at every path of a loopback port of its own, and yields the port."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(BROWSER_SECONDS):
            # A browser also opens connections that it then has no use for.
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await reader.readuntil(b"\r\n\r\n")
                body = page().encode()
                writer.write(answer % (len(body), body))
                await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shown(browser: str, profile: Path, url: str) -> str:
    """The page's DOM once its script has had its time, network and all."""
    process = await asyncio.create_subprocess_exec(
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={profile}", f"--host-resolver-rules=MAP {PAGES_HOST} 127.0.0.1", "--virtual-time-budget=20000",
        "--dump-dom", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(BROWSER_SECONDS):
            out, told = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, told.decode(errors="replace")[-2000:]
    return out.decode()


@pytest.fixture
async def in_page(browser: str, tmp_path: Path) -> AsyncGenerator[Run]:
    """Scripts of a page of another origin, against a server that has never heard of it."""
    async with serving(_settings("")) as base_url:
        async with httpx.AsyncClient() as client:
            key = (await client.post(f"{base_url}/v1/keys", json={"agent_label": "page"})).json()["key"]

        async def run(script: str) -> Any:
            page = _PAGE % (json.dumps(base_url), json.dumps(key), script)
            async with page_server(lambda: page) as port:
                return _outcome(await shown(browser, tmp_path, f"http://127.0.0.1:{port}/"))

        yield run


@pytest.fixture
async def in_allowed_page(browser: str, tmp_path: Path) -> Run:
    """Scripts of a page whose origin the server's operator allowed."""

    async def run(script: str) -> Any:
        page = ""
        async with page_server(lambda: page) as port, serving(_settings(f"{PAGES_HOST}:{port}")) as base_url:
            page = _PAGE % (json.dumps(base_url), "null", script)
            return _outcome(await shown(browser, tmp_path, f"http://{PAGES_HOST}:{port}/"))

    return run


def _settings(allowed_hosts: str) -> Settings:
    store = f"memory://{uuid4().hex}"
    return Settings(redis_url=store, port=0, allowed_hosts=allowed_hosts, rate_limit=0, key_mint_limit=0)


def _outcome(dom: str) -> Any:
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom
    outcome = json.loads(html.unescape(found[1]))
    assert "error" not in outcome, outcome
    return outcome["found"]
