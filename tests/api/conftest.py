"""The API as its clients meet it: a real server on a loopback port, over a real store."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Settings

SOON = 10.0
UNLIMITED: dict[str, Any] = {"rate_limit": 0, "key_mint_limit": 0}
"""One address makes all the requests of a test run, and mints all its keys."""
Agent = httpx.AsyncClient
"""A client whose every request carries an API key of its own."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def data_dir() -> Generator[Path]:
    """Short, because a socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="bca-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, host="127.0.0.1", port=0, longpoll_max_wait_seconds=20, **UNLIMITED)


@pytest.fixture(scope="session")
async def base_url(settings: Settings) -> AsyncGenerator[str]:
    async with serving(settings) as url:
        yield url


@pytest.fixture
async def http(base_url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client without a key."""
    async with httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        yield client


@pytest.fixture
async def agents(http: httpx.AsyncClient) -> AsyncGenerator[Callable[[str], Awaitable[Agent]]]:
    """Makes an agent with a key of its own; its label is made unique."""
    made: list[Agent] = []

    async def make(name: str) -> Agent:
        issued = await http.post("/v1/keys", json={"agent_label": f"{name}-{uuid4().hex[:8]}"})
        assert issued.status_code == 201, issued.text
        agent = httpx.AsyncClient(base_url=http.base_url, timeout=30, headers={"X-API-Key": issued.json()["key"]})
        made.append(agent)
        return agent

    yield make
    for agent in made:
        await agent.aclose()


@pytest.fixture
async def ann(agents: Callable[[str], Awaitable[Agent]]) -> Agent:
    return await agents("ann")


@pytest.fixture
async def bob(agents: Callable[[str], Awaitable[Agent]]) -> Agent:
    return await agents("bob")


@pytest.fixture
def channel() -> str:
    return f"work-{uuid4().hex[:10]}"


async def posted(agent: Agent, channel: str, content: str = "do it", **fields: Any) -> dict[str, Any]:
    """A new task."""
    answer = await agent.post("/v1/tasks/post", json={"channel": channel, "content": content, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["message"]


async def claimed(agent: Agent, channel: str, **fields: Any) -> dict[str, Any]:
    """The next task of the channel, held by the agent."""
    answer = await agent.post("/v1/tasks/claim", json={"channel": channel, **fields})
    assert answer.status_code == 200, answer.text
    assert answer.json()["claimed"] is not None, answer.text
    return answer.json()


async def until_status(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """Polls until the answer has that status."""
    async with asyncio.timeout(SOON):
        while (answer := await client.get(path)).status_code != status:  # noqa: ASYNC110  # another process tells no event
            await asyncio.sleep(0.01)
    return answer


async def begun(agent: Agent, actor: str) -> None:
    """A claim registers its actor first; so one that has registered it is on its way to wait."""
    await until_status(agent, f"/v1/actors/{actor}", 200)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error body, once it is the expected one in the contract's shape."""
    assert (answer.status_code, answer.json().get("error")) == (status, code), answer.text
    body = answer.json()
    assert body["message"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["documentation_url"].endswith(f"/docs/errors.md#{code.replace('_', '-')}")
    return body
