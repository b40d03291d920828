"""What generated requests are aimed at: a live server with something of every kind on it, and three API keys to ask with."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.app import create_app
from bench.servers import running
from bus import Settings

EXAMPLES = int(os.environ.get("BACKCHANNEL_FUZZ_EXAMPLES", "6"))
LONG = EXAMPLES >= 50
"""Whether there is time for every case that the document's schemas suggest, and for sequences of requests."""


def error_code_conformance(_: CheckContext, response: Response, case: Case) -> None:
    """The code of an error is one that the document lists under its status."""
    if response.status_code < 400 or case.method != case.operation.method.upper():
        return
    code = json.loads(response.content)["error"]
    if code != "not_found":  # the path was another one, as one with a line break in it is
        listed = case.operation.definition.raw["responses"][str(response.status_code)]["description"]
        assert f"`{code}`" in listed, f"{code} is not among {listed}"


def no_failure(ctx: CheckContext, response: Response, case: Case) -> None:
    """No 5xx, but for the one that the contract has: the channel is paused, as a request before may have asked for."""
    if response.status_code != 503 or json.loads(response.content)["error"] != "channel_paused":
        not_a_server_error(ctx, response, case)


CHECKS = [
    error_code_conformance,
    no_failure,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]
ADMIN_TOKEN = "fuzzing-the-admin-token"
SHORT_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.05, 86_400
OWNER, FOREIGN, NARROW = "owner", "foreign", "narrow"
_ASKERS = (OWNER, OWNER, FOREIGN, OWNER, NARROW)
document = schemathesis.openapi.from_dict(create_app(Settings(redis_url="memory://document")).openapi())
if not LONG:  # what a method gets that a path does not serve, another test asks of every route
    document.config.phases.coverage.unexpected_methods = {"trace"}


class Target:
    """The server, and the names of what exists there, so that a request also meets what it can act on."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.real: dict[str, list[str]] = {}
        self._keys: dict[str, str] = {}
        self._rounds = self._turns = 0
        self._operation = ""

    def furnish_for(self, operation: str) -> None:
        """Anew for each operation that may use up what is there; those that only look share it."""
        if self._operation != operation:
            if not self.real or not self._operation.startswith("GET "):
                self.furnish()
            self._operation = operation

    def furnish(self) -> None:
        """New keys with new things of the owner's: to look at, change, finish or delete."""
        self._rounds += 1
        self._post("/v1/admin/minting", enabled=True)
        issued = {who: self._post("/v1/admin/keys", agent_label=f"{who}-{self._rounds}") for who in set(_ASKERS)}
        self._keys = {who: answer["key"] for who, answer in issued.items()}
        scopes = self.session.put(
            f"{self.base_url}/v1/admin/keys/{issued[NARROW]['key_id']}/scopes", json={"scopes": []}, headers=self._as(OWNER)
        )
        assert scopes.ok, scopes.text
        tasks, news, club = (f"{name}-{self._rounds}" for name in ("tasks", "news", "club"))
        for name, mode, access in (
            (tasks, "claimable", "open"), (news, "broadcast", "open"), (club, "claimable", "restricted")
        ):  # fmt: skip
            self._post("/v1/channels", name=name, mode=mode, access=access)
        self._post(f"/v1/channels/{tasks}/aliases", alias=f"also-{tasks}")
        actor = f"actor-{self._rounds}"
        self._post("/v1/actors", name=actor)
        self._post(f"/v1/actors/{actor}/aliases", alias=f"also-{actor}")
        self._post(f"/v1/actors/{actor}/webhook", url="https://example.com/hook")
        messages = [self._post("/v1/tasks/post", channel=tasks, content="x")["message"]["id"] for _ in range(5)]
        self._post(f"/v1/messages/{messages[3]}/cancel")
        held, leased = messages[0], messages[1]
        self._post(f"/v1/messages/{held}/claim")
        token = self._post(f"/v1/messages/{leased}/claim-with-lease")["lease_token"]
        self.real = {
            "channel": [tasks, news, club, f"also-{tasks}"],
            "message_id": [*messages, self._post("/v1/tasks/broadcast", channel=news, content="x")["message"]["id"]],
            "lease_token": [token],
            "actor": [actor, f"also-{actor}", f"owner-{self._rounds}", f"foreign-{self._rounds}"],
            "key_id": [answer["key_id"] for answer in issued.values()],
            "session_id": [self._post("/v1/sessions", name="s", state={"page": 1})["id"] for _ in range(2)],
            "invitation_id": [self._post(f"/v1/channels/{club}/invitations")["id"]],
            "request_id": [self._post(f"/v1/channels/{club}/access-requests", FOREIGN)["request_id"]],
        }

    def aim(self, case: Case) -> dict[str, str]:
        """Points two of three requests at what exists, and says by whom it is sent: the headers."""
        if self._turns % 3:
            self._point(case.path_parameters)
            if isinstance(case.body, dict):
                self._point(case.body)
        for given in (case.query, case.body):
            if isinstance(given, dict) and _is_wait(given.get("wait")):
                given["wait"] = SHORT_WAIT_SECONDS  # what comes of a wait is the same however long it is
        return self.headers()

    def headers(self) -> dict[str, str]:
        """Whose turn it is."""
        self._turns += 1
        return self._as(_ASKERS[self._turns % len(_ASKERS)])

    def _point(self, named: dict[str, Any]) -> None:
        for name in named:
            if known := self.real.get(name):
                named[name] = known[self._turns % len(known)]

    def _as(self, who: str) -> dict[str, str]:
        # Each from an address of its own: some limits go by that.
        address = str(IPv4Address("10.0.0.0") + self._turns)
        headers = {"X-Admin-Token": ADMIN_TOKEN if who == OWNER else who, "X-Forwarded-For": address}
        return {**headers, "X-API-Key": self._keys[who]} if who in self._keys else headers

    def _post(self, path: str, who: str = OWNER, /, **body: Any) -> dict[str, Any]:
        answer = self.session.post(self.base_url + path, json=body, headers=self._as(who), timeout=30)
        assert answer.ok, answer.text
        return answer.json()


def _is_wait(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_WAIT_SECONDS


def checks_for(path: str) -> list[Any]:
    # An actor's name may hold a slash, so GET /v1/actors/ann/aliases asks for the actor "ann/aliases".
    return [check for check in CHECKS if check is not unsupported_method or not path.startswith("/v1/actors/")]


@contextmanager
def serving() -> Iterator[Target]:
    settings: Mapping[str, str] = {
        "LONGPOLL_MAX_WAIT_SECONDS": "1", "ADMIN_TOKEN": ADMIN_TOKEN, "TRUSTED_PROXIES": "127.0.0.1"
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="bcf-", dir="/tmp") as folder, running("api", Path(folder), **settings) as served:
        found = Target(served[0])
        with found.session:
            yield found
