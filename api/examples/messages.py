"""Messages, claims, results and dead letters."""

from __future__ import annotations

from typing import Any

from .moments import CLAIMED_AT, EXPIRES_AT, FINISHED_AT, LEASE_ENDS, POSTED_AT

_BOB = {"id": "bob", "name": "bob"}
WAITING: dict[str, Any] = {
    "id": "writers:1795361503332-0",
    "channel_id": "writers",
    "actor": None,
    "actor_label": "ann",
    "key_id": "bck_kHdU2jC7RKve",
    "content": "Write about leases",
    "metadata": {"words": 800},
    "created_at": POSTED_AT,
    "expires_at": EXPIRES_AT,
    "status": "unclaimed",
    "state": "waiting",
    "available_at": None,
    "delivery": 0,
    "deliveries": 0,
    "claimed_by": None,
    "claimed_by_key_id": None,
    "claimed_at": None,
    "lease_expires_at": None,
    "cancel_requested": False,
    "stale": False,
    "progress": None,
    "questions": [],
    "chain": {"id": "writers:1795361503332-0", "hops": 0},
    "ahead": None,
    "outcome": None,
    "result_withheld": False,
    "acknowledged_by": [],
    "mentions": [],
    "active": True,
    "archived": False,
}
HELD: dict[str, Any] = WAITING | {
    "status": "claimed",
    "state": "in_flight",
    "delivery": 1,
    "deliveries": 1,
    "claimed_by": _BOB,
    "claimed_by_key_id": "bck_9sLwQ0aTzX1m",
    "claimed_at": CLAIMED_AT,
    "lease_expires_at": LEASE_ENDS,
    "progress": {"note": "2 of 4 sections", "noted_at": FINISHED_AT},
}
ASKING: dict[str, Any] = HELD | {
    "state": "input_required",
    "lease_expires_at": EXPIRES_AT,
    "questions": [
        {
            "text": "Which audience is it for?",
            "actor": "bob",
            "key_id": "bck_9sLwQ0aTzX1m",
            "asked_at": FINISHED_AT,
            "answer": None,
            "answered_by": None,
            "answered_by_key_id": None,
            "answered_at": None,
        }
    ],
}
_ANSWER = {"answer": "Operators", "answered_by": "ann", "answered_by_key_id": "bck_kHdU2jC7RKve", "answered_at": FINISHED_AT}
TOLD: dict[str, Any] = HELD | {"questions": [ASKING["questions"][0] | _ANSWER]}
DONE: dict[str, Any] = HELD | {
    "status": "acknowledged",
    "state": "done",
    "lease_expires_at": None,
    "progress": None,
    "outcome": {
        "state": "done",
        "result": {"article": "Leases are …"},
        "reason": None,
        "actor": "bob",
        "key_id": "bck_9sLwQ0aTzX1m",
        "delivery": 1,
        "claimed_at": CLAIMED_AT,
        "finished_at": FINISHED_AT,
    },
    "acknowledged_by": [_BOB | {"occurred_at": FINISHED_AT}],
}
CANCELLED: dict[str, Any] = WAITING | {
    "status": "acknowledged",
    "state": "cancelled",
    "active": False,
    "outcome": DONE["outcome"]
    | {"state": "cancelled", "result": None, "reason": "no longer needed", "actor": None, "delivery": 0, "claimed_at": None},
}
NEWS: dict[str, Any] = WAITING | {
    "id": "news:1795361503332-0",
    "channel_id": "news",
    "content": "Version 2 is out",
    "metadata": {},
    "state": None,
    "chain": None,
}
_HOLD = {"actor": "bob", "claim_token": "1~bob", "lease_expires_at": LEASE_ENDS, "delivery": 1}
POSTED: dict[str, Any] = {
    "message": WAITING,
    "channel": "writers",
    "channel_created": False,
    "next_cursor": "1795361503332-0",
    "workers": {"waiting": 1, "recent": 3, "last_seen_at": POSTED_AT},
    "nearest": [],
}
BROADCAST: dict[str, Any] = POSTED | {
    "message": NEWS,
    "channel": "news",
    "next_cursor": "1795361503332-0~57",
    "workers": None,
}
PAGE: dict[str, Any] = {"data": [WAITING], "limit": 50, "next_cursor": "1795361503332-0", "missed": 0}
CLAIM: dict[str, Any] = {"status": "claimed", "message": HELD, **_HOLD}
CLAIMED_TASK: dict[str, Any] = {"claimed": HELD, "note": None, **_HOLD}
_LEASE = {"lease_token": "d3JpdGVyczoxNzk1MzYxNTAzMzMyLTAKMX5ib2I", "expires_at": LEASE_ENDS}
LEASE: dict[str, Any] = {**_LEASE, "message": HELD}
LEASE_HEARTBEAT: dict[str, Any] = _LEASE
HEARTBEAT: dict[str, Any] = {"message": HELD, **_HOLD}
ASKED: dict[str, Any] = {"message": ASKING, **_HOLD, "lease_expires_at": EXPIRES_AT}
ANSWERED_CLAIM: dict[str, Any] = {"message": TOLD, **_HOLD}
ANSWERED: dict[str, Any] = {"status": "answered", "message": TOLD}
ACKNOWLEDGED: dict[str, Any] = {"status": "acknowledged", "message": DONE}
RELEASED: dict[str, Any] = {"status": "released", "message": WAITING}
FAILED: dict[str, Any] = {"status": "failed", "message": WAITING | {"state": "delayed", "available_at": LEASE_ENDS}}
CANCEL: dict[str, Any] = {"status": "cancelled", "message": CANCELLED}
RETRACTED: dict[str, Any] = {"status": "retracted", "message": CANCELLED}
RESULT: dict[str, Any] = {
    "task_id": DONE["id"],
    "status": "done",
    "result": {"article": "Leases are …"},
    "reason": None,
    "message": DONE,
}
RESULTS: dict[str, Any] = {
    "status": "finished",
    "results": [
        RESULT,
        {
            "task_id": "writers:1795361503471-0",
            "status": "pending",
            "result": None,
            "reason": None,
            "message": WAITING
            | {"id": "writers:1795361503471-0", "chain": {"id": "writers:1795361503471-0", "hops": 0}, "ahead": 3},
        },
    ],
}
DEAD_LETTERS: dict[str, Any] = {
    "data": [
        {
            "id": "writers:1795361904410-0",
            "message": WAITING | {"status": "acknowledged", "state": "dead", "deliveries": 3, "delivery": 3, "active": False},
            "reason": "dead",
            "died_at": FINISHED_AT,
            "deliveries": [
                {
                    "number": 3,
                    "actor": "bob",
                    "key_id": "bck_9sLwQ0aTzX1m",
                    "claimed_at": CLAIMED_AT,
                    "ended": "failed",
                    "reason": "the source did not answer",
                }
            ],
        }
    ],
    "limit": 50,
    "next_cursor": None,
}
REDRIVEN: dict[str, Any] = {
    "redriven": [{"dead_letter_id": "writers:1795361904410-0", "message_id": "writers:1795362000000-0"}]
}
