"""The server itself."""

from __future__ import annotations

from typing import Any

HEALTH: dict[str, Any] = {
    "status": "ok",
    "api_version": "1.0",
    "version": "1.0.0",
    "instance_kind": "self-hosted",
    "db_latency_ms": 0.21,
    "store": "embedded",
    "notifications": "keyspace",
    "public_minting_enabled": True,
    "status_url": "/ready",
}
READY: dict[str, Any] = {"status": "ready", "store": "embedded", "server": "Valkey 9.1.2", "notifications": "keyspace"}
