"""The Lua scripts and the Python that calls them say the same."""

from __future__ import annotations

import re

import pytest

from bus import errors
from bus.keys import Keys
from bus.streams.engine import ACCEPTED
from bus.streams.refusals import REFUSALS
from bus.streams.scripts import names, script

STATUS = re.compile(r"(?:return|nil,|and|or|=) ?\{'([a-z][a-z_]+)'[,}]")
NOT_A_STATUS = {"mode", "taken", "kept"}
"""First words of lists that are no replies: what create_channel writes. And begin_once's own, which is no channel's script."""
RAISED_WITH_A_LOOKUP = {errors.ChannelNotFound.code}


def statuses(name: str) -> set[str]:
    source = re.sub(r"--.*", "", script(name).source)
    return {word for word in STATUS.findall(source) if word not in NOT_A_STATUS}


@pytest.mark.parametrize("name", names())
def test_every_reply_of_a_script_means_something(name: str) -> None:
    """A status that Lua replies is either an answer or one error; there is no third kind."""
    assert statuses(name) - ACCEPTED - set(REFUSALS) - RAISED_WITH_A_LOOKUP == set()


def test_every_refusal_is_replied_by_some_script() -> None:
    """An error that no script can reply is dead code."""
    replied = set[str]().union(*(statuses(name) for name in names()))
    computed = {"channel_not_claimable", "channel_not_broadcast", "message_expired"}  # chosen by an `and … or …`
    assert set(REFUSALS) - replied - computed == set()


def test_scripts_name_as_many_keys_as_they_are_given() -> None:
    """Keys.of_channel and lib/keys.lua are one list, written in two languages."""
    unpacked = re.findall(r"local ([A-Z, ]+) = unpack\(KEYS", script("counts").source)
    named = [name.strip() for line in unpacked for name in line.split(",")]
    suffixes = [key.rpartition("}")[2].strip(":").upper() or "CHANNEL" for key in Keys().of_channel("x")]
    assert named == suffixes


def test_a_publishing_script_is_another_script() -> None:
    """Where notifications are forbidden the scripts publish: the two kinds must not share a cached SHA."""
    plain, publishing = script("post"), script("post", "__keyspace@0__:")
    assert plain.sha != publishing.sha
    assert "local PUBLISH = false" in plain.source
    assert "local PUBLISH = '__keyspace@0__:'" in publishing.source


def test_an_included_part_stands_once() -> None:
    """Two includes of one part would declare its locals twice; Lua allows 200 of them."""
    source = script("claim").source
    assert source.count("local CHANNEL, STREAM") == 1
    assert "--@include" not in source
