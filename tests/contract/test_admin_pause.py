"""What an administrator paused stays so, whatever the channel's owner does."""

from __future__ import annotations

import pytest

from bus import Bus, Caller, errors

from .verbs import made

pytestmark = pytest.mark.anyio


async def test_an_administrators_pause_is_the_administrators_to_end(bus: Bus, ann: Caller, channel: str) -> None:
    """Its owner can change the channel, not resume it, nor make it anew; also when the owner had paused it before."""
    await made(bus, ann, channel)
    await bus.channels.update(ann, channel, {"paused": True})
    await bus.admin.pause_channel(channel)
    for change in (bus.channels.update(ann, channel, {"paused": False, "description": "x"}), bus.channels.delete(ann, channel)):
        with pytest.raises(errors.Forbidden, match="an administrator paused"):
            await change
    changed = await bus.channels.update(ann, channel, {"paused": True, "description": "y"})
    assert (changed.paused, changed.description) == (True, "y")
    with pytest.raises(errors.Forbidden):
        await bus.channels.update(ann, channel, {"paused": False})
    await bus.admin.resume_channel(channel)
    await bus.channels.update(ann, channel, {"paused": True})
    assert not (await bus.channels.update(ann, channel, {"paused": False})).paused
    await bus.channels.delete(ann, channel)
