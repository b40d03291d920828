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
    "status_url": "http://127.0.0.1:8080/status",
}
READY: dict[str, Any] = {"status": "ready", "store": "embedded", "server": "Valkey 9.1.2", "notifications": "keyspace"}
STATUS: dict[str, Any] = {
    "status": "operational",
    "version": "1.0.0",
    "instance_kind": "self-hosted",
    "updated_at": "2026-11-22T15:31:43.332000+00:00",
    "availability": "the store answers",
    "health_url": "http://127.0.0.1:8080/health",
    "self_host_url": None,
}
