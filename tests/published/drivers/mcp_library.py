"""Calls every public method of backchannel_mcp's client once; prints the methods there are and what each answered."""

import asyncio
import json
from uuid import uuid4

from backchannel_mcp.client import BackchannelClient, BackchannelError


def public(cls):
    return [name for name in vars(cls) if not name.startswith("_") and callable(getattr(cls, name))]


async def refused(call):
    try:
        await call
    except BackchannelError as error:
        return {"status": error.status, "payload": error.payload, "text": str(error)}
    raise SystemExit("not refused")


async def main():
    lane, answers = f"lane-{uuid4().hex[:8]}", {}
    async with BackchannelClient() as nobody:
        keys = [await nobody.issue_key(f"{name}-{uuid4().hex[:8]}") for name in ("ann", "bob")]
        answers["issue_key"] = vars(keys[0])
        without_key = await refused(nobody.keys_me())
    async with BackchannelClient(api_key=keys[0].key) as ann, BackchannelClient(api_key=keys[1].key) as bob:
        answers["keys_me"] = await ann.keys_me()
        answers["create_channel"] = await ann.create_channel(lane, "claimable", description="work", ttl_seconds=600)
        first = (await ann.post_message(lane, "one", actor_label="ann", metadata={"n": 1}))["message"]["id"]
        second = (await ann.post_message(lane, "two"))["message"]["id"]
        answers["post_message"] = await ann.post_message(answers["create_channel"]["id"], "three")
        answers["ensure_actor"] = await bob.ensure_actor("worker-" + lane)
        answers["claim_message"] = await bob.claim_message(first, "worker-" + lane)
        answers["ack_message"] = await bob.ack_message(first, "worker-" + lane)
        answers["claim_and_ack"] = await bob.claim_and_ack(second, "worker-" + lane)
        repeated = {
            "claim": await bob.claim_message(second, "worker-" + lane),
            "ack": await bob.ack_message(second, "worker-" + lane),
            "create": await bob.create_channel(lane),
        }
        answers["list_messages"] = await ann.list_messages(lane, limit=10)
        pages = [await ann.list_messages(lane, since="0", limit=2)]
        pages.append(await ann.list_messages(lane, since=pages[0]["next_cursor"], limit=2))
        pages.append(await ann.list_messages(lane, since=pages[1]["next_cursor"], limit=2))
        await ann.create_channel(f"{lane}-news", "broadcast", discoverable=True)
        answers["broadcast"] = await ann.broadcast(f"{lane}-news", "hello", actor_label="ann")
        answers["discover_channels"] = await bob.discover_channels(limit=2)
        rest = await bob.discover_channels(limit=100, cursor=answers["discover_channels"]["next_cursor"])
        await ann.create_channel(f"{lane}-lobby", access="restricted", discoverable=True)
        answers["request_access"] = await bob.request_access(f"{lane}-lobby", reason="I review")
        third = answers["post_message"]["message"]["id"]
        await bob.claim_message(third, "worker-" + lane)
        held = await refused(ann.claim_message(third, "ann-" + lane))
        taken = await refused(ann.ensure_actor("worker-" + lane))
    print(
        json.dumps(
            {
                "methods": public(BackchannelClient), "answers": answers, "repeated": repeated, "pages": pages, "rest": rest,
                "without_key": without_key, "held": held, "taken": taken, "worker": "worker-" + lane, "lane": lane,
            }
        )
    )  # fmt: skip


asyncio.run(main())
