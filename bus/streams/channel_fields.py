"""What the settings of a channel may be, and the fields of its hash that keep them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar, cast

from .. import checks, names
from ..errors import InvalidInput
from ..models import Access, Caller, ChannelChanges, Mode, NewChannel
from ..schemas import schema_text
from ..webhook_urls import Allowed, allowed_by, checked_url
from .engine import Engine

_DAY = timedelta(days=1)
_MILLION = 1_000_000
_MOST_RELATED = 20
LEASE: Final = (timedelta(seconds=1), _DAY)
_CAN_BE_EMPTY: Final = frozenset(
    {
        "description", "pinned_message", "metadata_schema", "max_messages", "max_writes_per_minute", "webhook_url",
        "webhook_secret",
    }
)  # fmt: skip
T = TypeVar("T", bound=StrEnum)
Fields = dict[str, str | int | None]
"""Fields of the hash; None: it is not there."""


class ChannelFields:
    """Checks settings. Raises InvalidInput with the field named, ChannelNotFound for a related channel."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        allowed = allowed_by(engine.settings)
        self._checks: Mapping[str, Callable[[Any], Fields]] = {
            "access": lambda value: {"access": _one_of(Access, value, "access").value},
            "discoverable": partial(_flag, "discoverable"),
            "paused": partial(_flag, "paused"),
            "description": lambda text: {"description": checks.optional_text(text, field="description") or ""},
            "pinned_message": partial(_text, "pinned_message"),
            "ttl": partial(_duration, "ttl_ms", "ttl_seconds", timedelta(seconds=300), 30 * _DAY),
            "retention": partial(_duration, "retention_ms", "retention_days", _DAY, 365 * _DAY),
            "lease": partial(_duration, "lease_ms", "lease_seconds", *LEASE),
            "max_deliveries": partial(_whole, "max_deliveries", 1000),
            "max_messages": partial(_whole, "max_messages", _MILLION),
            "max_writes_per_minute": partial(_whole, "max_writes_per_minute", _MILLION),
            "metadata_schema": _schema,
            "webhook_url": partial(_url, allowed),
            "webhook_secret": _secret,
        }

    async def of_new(self, caller: Caller, new: NewChannel) -> Fields:
        """Everything but mode and access."""
        settings = self._engine.settings
        listed = settings.default_discoverable and new.access is Access.OPEN
        values: dict[str, Any] = {
            "discoverable": listed if new.discoverable is None else new.discoverable,
            "description": new.description,
            "ttl": settings.default_ttl if new.ttl is None else new.ttl,
            "retention": settings.default_retention if new.retention is None else new.retention,
            "lease": settings.default_lease if new.lease is None else new.lease,
            "max_deliveries": settings.default_max_deliveries if new.max_deliveries is None else new.max_deliveries,
            "pinned_message": new.pinned_message,
            "max_messages": new.max_messages,
            "max_writes_per_minute": new.max_writes_per_minute,
            "metadata_schema": new.metadata_schema,
            "webhook_url": new.webhook_url,
            "webhook_secret": new.webhook_secret,
            "related_channels": new.related_channels,
        }
        fields: Fields = {"name": new.name.strip(), "owner_key_id": caller.key_id, "owner_label": caller.label}
        for setting, value in values.items():
            fields |= await self._fields(names.channel_id(new.name, field="name"), setting, value)
        return {field: value for field, value in fields.items() if value is not None}

    async def of_changes(self, channel: str, changes: ChannelChanges) -> tuple[Mode | None, Fields]:
        """The mode to change to, and the fields that change."""
        unknown = sorted(set(changes) - ChannelChanges.__optional_keys__)
        if unknown:
            raise InvalidInput(
                f"{', '.join(unknown)} cannot be changed; what can be: {', '.join(sorted(ChannelChanges.__optional_keys__))}",
                field=unknown[0], code="invalid_fields", fields=unknown,
            )  # fmt: skip
        values = dict(cast("Mapping[str, Any]", changes))
        for setting, value in values.items():
            if value is None and setting not in _CAN_BE_EMPTY:
                told = f"{setting} cannot be empty; leave it out to keep it"
                raise InvalidInput(told, field=setting, code=f"invalid_{setting}")
        mode = _one_of(Mode, values.pop("mode"), "mode") if "mode" in values else None
        fields: Fields = {}
        for setting, value in values.items():
            fields |= await self._fields(channel, setting, value)
        return mode, fields

    async def _fields(self, channel: str, setting: str, value: Any) -> Fields:
        if setting == "related_channels":
            return {"related": await self._related(channel, value)}
        if setting == "name":
            return {"name": _spelling(channel, value)}
        return self._checks[setting](value)

    async def _related(self, channel: str, given: Sequence[Any]) -> str | None:
        field = "related_channels"
        if isinstance(given, str) or len(given) > _MOST_RELATED or not all(isinstance(each, str) for each in given):
            raise InvalidInput(
                f"{field} must be a list of up to {_MOST_RELATED} channel names", field=field, code=f"invalid_{field}"
            )
        related = list(dict.fromkeys([await self._engine.channel(each, field=field) for each in given]))
        if channel in related:
            raise InvalidInput(f"{field} must name other channels than this one", field=field, code=f"invalid_{field}")
        for each in related:
            if not await self._engine.store.command("EXISTS", self._engine.keys.channel(each)):
                raise await self._engine.channel_not_found(each)
        return json.dumps(related, ensure_ascii=False) if related else None


def _one_of(kind: type[T], value: object, field: str) -> T:
    try:
        return kind(value)
    except ValueError:
        wanted = " or ".join(f"'{each.value}'" for each in kind)
        raise InvalidInput(f"{field} must be {wanted}", field=field, code=f"invalid_{field}") from None


def _flag(field: str, value: object) -> Fields:
    if not isinstance(value, bool):
        raise InvalidInput(f"{field} must be true or false", field=field, code=f"invalid_{field}")
    return {field: int(value)}


def _text(field: str, value: object) -> Fields:
    return {field: checks.optional_text(value, field=field, max_chars=10_000)}


def _whole(field: str, most: int, value: object) -> Fields:
    return {field: None if value is None else checks.whole(value, field=field, least=1, most=most)}


def _duration(kept: str, field: str, least: timedelta, most: timedelta, value: timedelta) -> Fields:
    return {kept: checks.duration(value, field=field, least=least, most=most)}


def _schema(value: Mapping[str, Any] | None) -> Fields:
    text = schema_text(value)
    # It tells one schema from another; nobody gains by a collision.
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return {"metadata_schema": text, "schema_sha": sha} if text else {"metadata_schema": None, "schema_sha": None}


def _url(allowed: Allowed, value: object) -> Fields:
    field = "webhook_url"
    return {field: None if value is None else checked_url(value, allowed, field=field)}


def _secret(value: object) -> Fields:
    field = "webhook_secret"
    return {field: None if value is None else checks.content(value, max_bytes=512, field=field)}


def _spelling(channel: str, name: object) -> str:
    canonical = names.channel_id(name, field="name")
    if canonical != channel:
        raise InvalidInput(
            f"name can only be another spelling of '{channel}', which is what the channel is found by; an alias gives it a "
            "second name",
            field="name",
            code="invalid_name",
        )
    return str(name).strip()
