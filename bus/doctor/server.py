"""The checks of one server that holds data: version, persistence, memory, replication, notifications, clock, latency."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from ..store.notify_mode import missing_classes
from .facts import Facts
from .finding import Finding, fail, ok, warn

OLDEST_REDIS: Final = 7
OLDEST_VALKEY: Final = 8
NOEVICTION: Final = "noeviction"
SKEW_SECONDS: Final = 1.0
SLOW_MS, TOO_SLOW_MS = 50.0, 1000.0
ALMOST_FULL, FULL = 0.8, 0.95
_MB: Final = 1_048_576
_INFO_FIX: Final = "let the user of BACKCHANNEL_REDIS_URL read it: ACL SETUSER <user> +info"
_CONFIG_FIX: Final = "let the user of BACKCHANNEL_REDIS_URL read it: ACL SETUSER <user> +config|get"


def checks(facts: Facts, *, kind: str) -> Iterator[Finding]:
    """`kind`: of the store, `embedded`, `redis`, `sentinel` or `cluster`."""
    if facts.info is None:
        yield warn("info", "the server does not let us read INFO: version, memory and replication are unknown", _INFO_FIX)
    else:
        yield _version(facts)
    yield from _persistence(facts)
    yield _policy(facts)
    if facts.info is not None:
        yield _memory(facts, kind)
        yield _evicted(facts)
        yield _replication(facts, kind)
    yield _notifications(facts)
    yield _clock(facts)
    yield _latency(facts)


def _version(facts: Facts) -> Finding:
    valkey = facts.told("valkey_version")
    name, version, oldest = (
        ("Valkey", valkey, OLDEST_VALKEY) if valkey else ("Redis", facts.told("redis_version"), OLDEST_REDIS)
    )
    major = version.partition(".")[0]
    if major.isdecimal() and int(major) >= oldest:
        return ok("version", f"{name} {version}")
    told = f"{name} {version or 'of unknown version'}"
    return fail("version", f"{told}; the bus needs Redis 7.0 or Valkey 8", "upgrade the server")


def _persistence(facts: Facts) -> Iterator[Finding]:
    appending = facts.setting("appendonly") == "yes" or facts.told("aof_enabled") == "1"
    fsync = facts.setting("appendfsync")
    if facts.info is None and facts.config is None:
        yield warn("persistence", "unknown: the server lets us read neither INFO nor CONFIG", _CONFIG_FIX)
        return
    if appending:
        yield _fsync(fsync)
    elif facts.setting("save") or facts.config is None:
        yield warn(
            "persistence",
            "snapshots only: a crash loses what was posted since the last one",
            "CONFIG SET appendonly yes, and put `appendonly yes` into the server's configuration file",
        )
    else:
        yield fail(
            "persistence",
            "off: a restart of the server loses everything",
            "CONFIG SET appendonly yes, and put `appendonly yes` into the server's configuration file",
        )
    if facts.info is not None:
        yield _written(facts, appending=appending)


def _fsync(fsync: str | None) -> Finding:
    match fsync:
        case None:
            return warn("persistence", "append-only file on; the server does not tell its appendfsync", _CONFIG_FIX)
        case "always":
            return ok("persistence", "append-only file, appendfsync always: an answered post survives a power loss")
        case "everysec":
            return ok("persistence", "append-only file, appendfsync everysec: a power loss costs up to about a second")
        case _:
            return warn(
                "persistence",
                f"append-only file, appendfsync {fsync}: a power loss costs what the system had not written yet, often 30 s",
                "CONFIG SET appendfsync everysec",
            )


def _written(facts: Facts, *, appending: bool) -> Finding:
    broken = [
        what
        for what, name in (
            ("the append-only file", "aof_last_write_status"),
            ("its rewrite", "aof_last_bgrewrite_status"),
            ("the snapshot", "rdb_last_bgsave_status"),
        )
        if facts.told(name) not in ("", "ok")
    ]
    if broken:
        told = f"writing {' and '.join(broken)} failed the last time"
        return fail("last save", told, "see the server's log; most often the disk is full or not writable")
    if appending:
        size = facts.number("aof_current_size") / _MB
        return ok("last save", f"the append-only file is written without errors, {size:.1f} MB")
    ago = time.time() - facts.number("rdb_last_save_time")
    return ok("last save", f"{max(ago, 0) / 60:.0f} min ago, {facts.number('rdb_changes_since_last_save')} changes since")


def _policy(facts: Facts) -> Finding:
    policy = facts.setting("maxmemory-policy") or facts.told("maxmemory_policy")
    if not policy:
        return warn("eviction policy", "unknown: the server does not tell maxmemory-policy", _CONFIG_FIX)
    if policy == NOEVICTION:
        return ok("eviction policy", "noeviction: a full store refuses posts instead of forgetting tasks")
    return fail(
        "eviction policy",
        f"{policy}: a full store throws tasks away without a word",
        "CONFIG SET maxmemory-policy noeviction, also in the server's configuration file",
    )


def _memory(facts: Facts, kind: str) -> Finding:
    used, most = facts.number("used_memory"), facts.number("maxmemory")
    if not most:
        told = f"{used / _MB:.1f} MB used, no maxmemory"
        if kind == "embedded":
            return ok("memory", told)
        return warn("memory", told, "CONFIG SET maxmemory to what the machine can spare, so that it refuses posts in time")
    told = f"{used / _MB:.1f} of {most / _MB:.1f} MB used"
    if used < most * ALMOST_FULL:
        return ok("memory", told)
    fix = "finish or delete what is there, or raise maxmemory; docs/operations.md says what a task takes"
    return (fail if used >= most * FULL else warn)("memory", told, fix)


def _evicted(facts: Facts) -> Finding:
    evicted = facts.number("evicted_keys")
    if not evicted:
        return ok("evicted", "no key was ever evicted since the server started")
    return fail(
        "evicted",
        f"{evicted} keys were evicted since the server started: tasks, results or API keys may be gone",
        "set maxmemory-policy noeviction, restore what is missing, then CONFIG RESETSTAT",
    )


def _replication(facts: Facts, kind: str) -> Finding:
    if facts.told("role") in ("slave", "replica"):
        return _replica(facts, kind)
    if facts.number("connected_slaves"):
        return _primary(facts)
    if kind in ("embedded", "redis"):
        return ok("replication", "one server, no replicas: its disk is the only copy")
    return warn("replication", "no replica is connected: there is nothing to fail over to", "add one, or see its log")


def _replica(facts: Facts, kind: str) -> Finding:
    if kind == "redis":
        return fail("replication", "this server is a replica and takes no writes", "let BACKCHANNEL_REDIS_URL name its primary")
    if facts.told("master_link_status") != "up":
        return warn("replication", "a replica that has lost its primary", "see its log; it catches up when it is back")
    return ok("replication", "a replica, up to date")


def _primary(facts: Facts) -> Finding:
    replicas, needed = facts.number("connected_slaves"), facts.setting("min-replicas-to-write")
    told = f"{replicas} replica{'s' if replicas > 1 else ''}"
    if needed is None:
        return warn("replication", f"{told}; the server does not tell min-replicas-to-write", _CONFIG_FIX)
    if needed == "0":
        return warn(
            "replication",
            f"{told}, min-replicas-to-write 0: a primary that is cut off takes posts that its failover loses",
            "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10, or BACKCHANNEL_DURABILITY=replicated",
        )
    return ok("replication", f"{told}, min-replicas-to-write {needed}, max lag {facts.setting('min-replicas-max-lag')} s")


def _notifications(facts: Facts) -> Finding:
    flags = facts.setting("notify-keyspace-events")
    if flags is None:
        return warn(
            "notifications",
            "unknown: the server does not tell. Where it sends none, scripts publish what waiting calls need",
            "have `notify-keyspace-events K$t` set on the server, which costs it less",
        )
    if missing := missing_classes(flags):
        return warn(
            "notifications",
            f"{flags!r} lacks {missing!r}; the bus adds it when it connects, and has its scripts publish where it may not",
            "put `notify-keyspace-events K$t` (or more) into the server's configuration file",
        )
    return ok("notifications", f"keyspace, {flags!r}")


def _clock(facts: Facts) -> Finding:
    if facts.skew_seconds is None:
        return warn("clock", "the server does not tell its TIME, which scripts need", "ACL SETUSER <user> +time")
    skew = facts.skew_seconds
    if abs(skew) < SKEW_SECONDS:
        return ok("clock", f"the server's and this machine's agree within {SKEW_SECONDS:g} s")
    side = "ahead of" if skew > 0 else "behind"
    return warn(
        "clock",
        f"the server's is {abs(skew):.1f} s {side} this machine's: leases hold by the server's, but times look wrong",
        "synchronise both with NTP",
    )


def _latency(facts: Facts) -> Finding:
    p50, p99 = facts.pings_ms[len(facts.pings_ms) // 2], facts.pings_ms[-1]
    told = f"PING p50 {p50:.2f} ms, slowest {p99:.2f} ms of {len(facts.pings_ms)}"
    if p99 < SLOW_MS:
        return ok("latency", told)
    fix = "look at SLOWLOG GET and LATENCY DOCTOR on the server, and at the network between"
    return (fail if p50 >= TOO_SLOW_MS else warn)("latency", told, fix)
