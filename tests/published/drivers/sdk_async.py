"""Calls every public method of backchannel_sdk's asynchronous client; prints the methods there are and what each answered."""

import asyncio
import json
from uuid import uuid4

from backchannel_sdk.client import AsyncBackchannelClient, BackchannelClient


def public(cls):
    return [name for name in vars(cls) if not name.startswith("_") and callable(getattr(cls, name))]


async def main():
    lane, answers = f"lane-{uuid4().hex[:8]}", {}
    ann = AsyncBackchannelClient(api_key=BackchannelClient.issue_key(f"ann-{lane}")["key"])
    async with AsyncBackchannelClient(api_key=BackchannelClient.issue_key(f"bob-{lane}")["key"]) as bob:
        answers["create_channel"] = await ann.create_channel(lane, description="work")
        answers["send_message"] = await ann.send_message(
            answers["create_channel"]["id"], "one", actor_label="ann", metadata={"n": 1}
        )
        answers["list_messages"] = await bob.list_messages(lane, since="0", limit=10)
        # Five workers, one task: the others are told that somebody has it.
        claims = await asyncio.gather(
            *(bob.claim_message(answers["send_message"]["id"], actor=f"w{n}-{lane}") for n in range(5)), return_exceptions=True
        )
        won = [claim for claim in claims if isinstance(claim, dict)]
        lost = [[claim.status, claim.error] for claim in claims if not isinstance(claim, dict)]
        (answers["claim_message"],) = won
        holder = answers["claim_message"]["message"]["claimed_by"]["name"]
        answers["ack_message"] = await bob.ack_message(answers["send_message"]["id"], actor=holder)
        after = await ann.list_messages(lane)
    answers["aclose"] = await ann.aclose()
    print(json.dumps({"methods": public(AsyncBackchannelClient), "answers": answers, "lost": lost, "after": after}))


asyncio.run(main())
