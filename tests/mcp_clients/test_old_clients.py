"""Programs on the SDKs of the protocol's first era, Python 1.x and TypeScript 1.x: most clients there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp_types import INVALID_PARAMS, REQUEST_TIMEOUT

from mcp_server.server import INSTRUCTIONS, TOOLS
from tests.mcp_server.conftest import inside
from tests.mcp_server.processes import environment
from tools import mcp_clients, published_clients

from .conftest import Api, bus_command, ran

pytestmark = pytest.mark.anyio
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])
_DRIVERS = Path(__file__).parent / "drivers"


async def driven(command: list[str | Path], api: Api, home: Path, transport: str) -> dict[str, Any]:
    """What the driver got from the server, which it starts or finds over that transport."""
    server = bus_command() if transport == "stdio" else [f"{api.url}/mcp", api.api_key]
    ended = await ran([*command, *server], environment(home), home)
    assert ended.code == 0, ended
    return json.loads(ended.out)


def check_hand_over(said: dict[str, Any]) -> None:
    """Everything that a client of that era has a verb for."""
    assert said["protocol"] in ("2025-11-25", None), "the SDK over stdio does not tell"
    assert said["instructions"] == INSTRUCTIONS
    assert set(said["tools"]) == {tool.name for tool in TOOLS}
    claimed = said["claimed"]
    assert (claimed["status"], inside(claimed, claimed["task"]["content"])) == ("claimed", "translate")
    assert said["acked"]["state"] == "done"
    assert (said["awaited"]["status"], said["awaited"]["result"]) == ("done", {"text": "bonjour"})
    assert "next" in said["awaited"]
    done, total, message = said["told"][0]
    assert (done, total) == (0, 50)
    assert "claimed by" in message
    is_error, text = said["error"]
    assert is_error
    assert text.startswith("message_not_found: ")
    assert said["prompts"] == ["work", "delegate"]
    assert "writers" in said["prompt"]
    assert said["no_prompt"] == INVALID_PARAMS
    assert said["resources"] == ["backchannel://channels"]
    assert said["resource"]["channel"] == "writers"
    assert isinstance(said["no_resource"], int)


@TRANSPORTS
async def test_a_client_on_the_1x_python_sdk_hands_work_over(api: Api, home: Path, transport: str) -> None:
    """It lives in the published clients' environment, which has the SDK that they need."""
    python = published_clients.program("python")
    if not python.is_file():
        pytest.fail("`python -m tools.published_clients` installs the 1.x SDK", pytrace=False)
    said = await driven([python, "-W", "ignore", _DRIVERS / "python_1x.py"], api, home, transport)
    check_hand_over(said)
    assert said["claimed"]["task"]["delivery"] == 1


@TRANSPORTS
@pytest.mark.usefixtures("from_npm")
async def test_a_client_on_the_1x_typescript_sdk_hands_work_over(api: Api, home: Path, transport: str) -> None:
    """Its patience is 60 s for every call, and the server's waits end before that; a call that it cuts loses no task."""
    packages = mcp_clients.folder() / "package.json"
    said = await driven([mcp_clients.node(), _DRIVERS / "typescript_1x.cjs", packages], api, home, transport)
    check_hand_over(said)
    assert said["gone"] == REQUEST_TIMEOUT
    # It does not wait until its cancelling has arrived: the call that it cut may have had the task for a moment.
    assert said["claimed"]["task"]["delivery"] in (1, 2)
    assert said["told"][0][1] < said["timeout"] == 60
