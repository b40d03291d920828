"""The name of every Redis key of the bus. docs/redis-keys.md explains each with the command to read it.

All keys of a channel share the hash tag `{channel}`, so that one script works on one cluster slot.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names under one prefix: two prefixes on one Redis are two buses that do not see each other."""

    prefix: str = "bc:"

    def _of(self, channel: str, part: str = "") -> str:
        return f"{self.prefix}{{{channel}}}{part}"

    def channel(self, channel: str) -> str:
        return self._of(channel)

    def stream(self, channel: str) -> str:
        return self._of(channel, ":stream")

    def bell(self, channel: str) -> str:
        return self._of(channel, ":bell")

    def dead(self, channel: str) -> str:
        return self._of(channel, ":dead")

    def history(self, channel: str) -> str:
        return self._of(channel, ":history")

    def members(self, channel: str) -> str:
        return self._of(channel, ":members")

    def requests(self, channel: str) -> str:
        return self._of(channel, ":requests")

    def cursors(self, channel: str) -> str:
        return self._of(channel, ":cursors")

    def events(self, channel: str) -> str:
        return self._of(channel, ":events")

    def receipts(self, channel: str) -> str:
        return self._of(channel, ":receipts")

    def result(self, channel: str, stream_id: str) -> str:
        return self._of(channel, f":result:{stream_id}")

    def once(self, channel: str, key_id: str, verb: str, idempotency_key: str) -> str:
        return self._of(channel, f":once:{key_id}:{verb}:{idempotency_key}")

    def of_channel(self, channel: str) -> tuple[str, ...]:
        """The keys every channel script gets, in the order of scripts/lib/keys.lua.

        `result:` and `progress:` stand as prefixes: the message's id is often only known inside the script.
        """
        return tuple(
            self._of(channel, part)
            for part in (
                "",
                ":stream",
                ":due",
                ":ahead",
                ":done",
                ":history",
                ":dead",
                ":deliveries",
                ":members",
                ":bell",
                ":result:",
                ":writes",
                ":receipts",
                ":cursors",
                ":requests",
                ":events",
                ":parked",
            )
        )

    @property
    def channels(self) -> str:
        """Every channel, scored by its creation time (ms)."""
        return f"{self.prefix}channels"

    @property
    def discoverable(self) -> str:
        """The channels that listing shows, scored by creation time (ms)."""
        return f"{self.prefix}channels:discoverable"

    @property
    def api_keys(self) -> str:
        """Every API key id, scored by its minting time (ms)."""
        return f"{self.prefix}keys"

    @property
    def labels(self) -> str:
        """Label of an active API key -> its key id."""
        return f"{self.prefix}keys:labels"

    @property
    def actors(self) -> str:
        """Actor name -> JSON of the actor and the API key it belongs to."""
        return f"{self.prefix}actors"

    @property
    def config(self) -> str:
        """Settings of the instance and the version of this key schema."""
        return f"{self.prefix}config"

    @property
    def sweeper(self) -> str:
        """The replica that sweeps now; expires by itself."""
        return f"{self.prefix}sweeper"

    def api_key(self, key_id: str) -> str:
        return f"{self.prefix}key:{{{key_id}}}"

    def revoked(self, key_id: str) -> str:
        """Written when an API key is revoked, so that its blocked calls end at once."""
        return f"{self.prefix}key:{{{key_id}}}:revoked"
