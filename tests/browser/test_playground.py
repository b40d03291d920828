"""The pages for people, used in a real browser: what is clicked happens on the bus, and no policy is broken on the way."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets

from api.serving import serving
from bus import Settings

pytestmark = pytest.mark.anyio

SOON = 60.0
MARKUP = "<img src=x onerror=\"document.title='taken over'\">"


class Page:
    """One tab, told what to do by Chrome's own protocol. `complaints` are what the browser's console said."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(await self._connection.recv())
            if said.get("id") == number:
                return said["result"]
            if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(said["params"]))

    async def run(self, expression: str) -> Any:
        answer = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Until the expression is true of the page."""
        async with asyncio.timeout(SOON):
            while not (found := await self.run(expression)):  # noqa: ASYNC110  # another process tells no event
                await asyncio.sleep(0.02)
        return found

    async def open(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def fill(self, field: str, text: str) -> None:
        await self.run(f"document.getElementById({json.dumps(field)}).value = {json.dumps(text)}")

    async def click(self, button: str) -> None:
        """A click on the button, once it can be clicked."""
        await self.until(f"document.querySelector({json.dumps(button)})?.disabled === false")
        await self.run(f"document.querySelector({json.dumps(button)}).click()")

    async def text(self, selector: str) -> str:
        return await self.run(f"document.querySelector({json.dumps(selector)}).textContent")


@pytest.fixture
async def page(browser: str, tmp_path: Path) -> AsyncGenerator[Page]:
    process = await asyncio.create_subprocess_exec(
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", "--window-size=400,900", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(SOON):
            while not (found := re.search(rb"ws://([\w.:]+)/", await process.stderr.readline())):
                assert process.returncode is None
        async with httpx.AsyncClient(trust_env=False) as http:
            (tab,) = [each for each in (await http.get(f"http://{found[1].decode()}/json")).json() if each["type"] == "page"]
        async with websockets.connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as connection:
            opened = Page(connection)
            for domain in ("Page", "Runtime", "Log"):
                await opened.ask(f"{domain}.enable")
            yield opened
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
async def base_url() -> AsyncGenerator[str]:
    async with serving(Settings(redis_url=f"memory://{uuid4().hex}", port=0)) as url:
        yield url


async def test_the_playground_takes_a_task_from_post_to_result(page: Page, base_url: str) -> None:
    """Get a key, post, claim, ack, await: with the defaults of a server, and shown request by request."""
    await page.open(f"{base_url}/docs/playground")
    assert await page.run("[...document.querySelectorAll('#post-form button')].every((button) => button.disabled)")
    await page.fill("label", "visitor")
    await page.click("#key-form button[type=submit]")
    await page.until("document.getElementById('who').textContent.startsWith('You are visitor')")
    await page.fill("content", MARKUP)
    await page.click("#post-form button")
    await page.click("#claim-form button")
    await page.fill("result", "Bonjour")
    await page.click("#ack-form button")
    await page.click("#await-form button")
    await page.until("document.querySelectorAll('#log > li').length === 6")
    last = await page.text("#log > li:first-child")
    assert '"status": "done"' in last
    assert '"result": "Bonjour"' in last
    # What was posted is text, and the key is nowhere to be read.
    assert MARKUP.replace('"', '\\"') in await page.text("#log")
    assert await page.run("document.title") != "taken over"
    assert await page.run("document.querySelectorAll('img').length") == 0
    assert not re.search(r"bck_[\w-]+\.[\w-]+", await page.run("document.documentElement.outerHTML + location.href"))
    assert await page.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    assert page.complaints == []


async def test_a_refusal_is_shown_and_changes_nothing(page: Page, base_url: str) -> None:
    """A wrong key is not used, and its field does not keep it."""
    await page.open(f"{base_url}/docs/playground")
    await page.fill("given", "bck_wrong.key-that-is-none")
    await page.click("#use")
    await page.until("document.querySelectorAll('#log > li').length === 1")
    assert '"error": "unauthorized"' in await page.text("#log")
    assert await page.text("#who") == "No key yet."
    assert await page.run("document.getElementById('given').value") == ""
    await page.until("!document.querySelector('#use').disabled")
    assert await page.run("document.querySelector('#claim-form button').disabled")


async def test_the_other_pages_do_what_they_say(page: Page, base_url: str) -> None:
    """The status is asked, and a key for a script is shown once."""
    await page.open(f"{base_url}/status.html")
    await page.until("document.getElementById('summary').textContent === 'Everything works.'")
    assert "memory" in await page.text("#facts")
    await page.open(f"{base_url}/humans")
    await page.fill("label", "script")
    await page.click("#mint button")
    await page.until("!document.getElementById('key').hidden")
    key = await page.text("#key")
    async with httpx.AsyncClient(base_url=base_url) as http:
        assert (await http.get("/v1/keys/me", headers={"X-API-Key": key})).json()["owner_id"] == "script"
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/", "/humans", "/docs/playground", "/status.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_page_fits_a_telephone(page: Page, base_url: str, path: str, scheme: str) -> None:
    """At 400 pixels nothing is cut off to the side, in either scheme, and the browser complains of nothing."""
    await page.ask("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=True)
    await page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await page.open(f"{base_url}{path}")
    assert await page.run("document.documentElement.scrollWidth") <= 400
    colours = await page.run("((style) => [style.color, style.backgroundColor])(getComputedStyle(document.body))")
    assert colours == (
        ["rgb(27, 31, 36)", "rgb(253, 253, 252)"] if scheme == "light" else ["rgb(230, 232, 234)", "rgb(22, 25, 29)"]
    )
    assert page.complaints == []
