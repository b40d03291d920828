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

    def outbox(self, channel: str) -> str:
        """What webhooks are to be told of, written with the message and handed on to the senders."""
        return self._of(channel, ":outbox")

    def failures(self, channel: str) -> str:
        """What was never delivered to webhooks."""
        return self._of(channel, ":failures")

    def told(self, channel: str, actor: str) -> str:
        """The delivery that an actor was last told of a mention with; expires after the minute that it is left in peace."""
        return self._of(channel, f":told:{actor}")

    def receipts(self, channel: str) -> str:
        return self._of(channel, ":receipts")

    def result(self, channel: str, stream_id: str) -> str:
        return self._of(channel, f":result:{stream_id}")

    def once(self, channel: str, key_id: str, verb: str, idempotency_key: str) -> str:
        return self._of(channel, f":once:{key_id}:{verb}:{idempotency_key}")

    def gone(self, channel: str) -> str:
        """Written when a channel is deleted, closed, of another mode, or a member is shut out, so that whoever waits on it
        looks again at once."""
        return self._of(channel, ":gone")

    def put_aside(self, channel: str, deletion: str) -> str:
        """Prefix of the streams of a deleted channel, until the results they name are cleared away."""
        return self._of(channel, f":deleted:{deletion}")

    def progress(self, channel: str, stream_id: str) -> str:
        """What a task's holder said last about how far it is; written too when it asks or is answered, to wake who waits."""
        return self._of(channel, f":progress:{stream_id}")

    def claimers(self, channel: str) -> str:
        """The consumers that wait for a task, scored by until when that is announced (ms)."""
        return self._of(channel, ":claimers")

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
                ":outbox",
                ":invitations",
                ":progress:",
                ":workers",
                ":claimers",
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
    def aliases(self) -> str:
        """Alias of a channel -> the channel's name."""
        return f"{self.prefix}channels:aliases"

    @property
    def deletions(self) -> str:
        """Deletions of channels that are not done with, scored by when they began (ms); 0: nothing uses it any more."""
        return f"{self.prefix}channels:deletions"

    @property
    def audit(self) -> str:
        """Stream of acts on API keys and on the bus as a whole, newest 10,000."""
        return f"{self.prefix}audit"

    @property
    def config(self) -> str:
        """Settings of the instance and the version of this key schema."""
        return f"{self.prefix}config"

    @property
    def sweeper(self) -> str:
        """The replica that sweeps now; expires by itself."""
        return f"{self.prefix}sweeper"

    def owned(self, key_id: str) -> str:
        """The channels that an API key owns, scored by their creation time (ms)."""
        return f"{self.prefix}key:{{{key_id}}}:channels"

    def invitation(self, digest: str) -> str:
        """The channel that an invitation leads to, by the SHA-256 of its id; expires."""
        return f"{self.prefix}invitation:{digest}"

    def sessions(self, key_id: str) -> str:
        """The sessions of an API key: id -> JSON."""
        return f"{self.prefix}key:{{{key_id}}}:sessions"

    def rate(self, key_id: str) -> str:
        """How far ahead of an even pace the requests of an API key are."""
        return f"{self.prefix}key:{{{key_id}}}:rate"

    def chain_rate(self, chain_id: str) -> str:
        """How far ahead of an even pace the tasks of a chain are."""
        return f"{self.prefix}rate:chain:{chain_id}"

    def mentions(self, actor: str) -> str:
        """Stream of where an actor was mentioned, the newest 100 of the last 7 days."""
        return f"{self.prefix}mentions:{actor}"

    def address_rate(self, what: str, address: str) -> str:
        """The same of a source address, for what needs no API key."""
        return f"{self.prefix}rate:{what}:{address}"

    def remembered(self, key_id: str, idempotency_key: str) -> str:
        """The answer that is remembered under an idempotency key, for verbs other than posting."""
        return f"{self.prefix}key:{{{key_id}}}:once:{idempotency_key}"

    def webhook(self, actor: str) -> str:
        """An actor's webhook, as JSON."""
        return f"{self.prefix}webhook:{actor}"

    def api_key(self, key_id: str) -> str:
        return f"{self.prefix}key:{{{key_id}}}"

    def revoked(self, key_id: str) -> str:
        """Written when an API key is revoked, so that its blocked calls end at once."""
        return f"{self.prefix}key:{{{key_id}}}:revoked"
