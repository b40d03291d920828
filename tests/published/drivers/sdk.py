"""Calls every public method of backchannel_sdk's synchronous client; prints the methods there are and what each answered."""

import json
import os
from uuid import uuid4

from backchannel_sdk import BackchannelClient, BackchannelError


def public(cls):
    return [name for name in vars(cls) if not name.startswith("_") and callable(getattr(cls, name))]


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except BackchannelError as error:
        return {"status": error.status, "error": error.error, "message": error.message, "details": error.details}
    raise SystemExit("not refused")


def quickstart(client, channel_id):
    """The loop of the SDK's README."""
    done = []
    result = client.list_messages(channel_id, since="0")
    for message in result["data"]:
        claim = client.claim_message(message["id"], actor=f"consumer-{channel_id}")
        if claim["status"] == "claimed":
            client.ack_message(message["id"], actor=f"consumer-{channel_id}")
            done.append(message["content"])
            break
    return done


lane, token, answers, more = f"lane-{uuid4().hex[:8]}", os.environ["ADMIN_TOKEN"], {}, {}
answers["issue_key"] = BackchannelClient.issue_key(f"ann-{lane}")
answers["admin_issue_key"] = BackchannelClient.admin_issue_key(f"bob-{lane}", admin_token=token)
answers["set_public_minting"] = BackchannelClient.set_public_minting(False, admin_token=token)
more["closed"] = refused(BackchannelClient.issue_key, f"eve-{lane}")
more["while_closed"] = BackchannelClient.admin_issue_key(f"carl-{lane}", admin_token=token)["agent_label"]
more["opened"] = BackchannelClient.set_public_minting(True, admin_token=token)
more["wrong_token"] = refused(BackchannelClient.set_public_minting, True, admin_token="guess")
more["same_label"] = refused(BackchannelClient.issue_key, f"ann-{lane}")

ann = BackchannelClient(api_key=answers["issue_key"]["key"])
with BackchannelClient(api_key=answers["admin_issue_key"]["key"]) as bob:
    hook = "http://127.0.0.1:9/hook"
    answers["create_channel"] = ann.create_channel(
        lane, description="work", webhook_url=hook, webhook_secret="s3cret", idempotency_key=f"make-{lane}"
    )
    more["created_again"] = [ann.create_channel(lane, idempotency_key=f"again-{lane}"), bob.create_channel(lane.upper())]
    answers["get_channel"] = bob.get_channel(lane)
    answers["discover_channels"] = bob.discover_channels(limit=1)
    answers["discover_channels"] |= {"rest": bob.discover_channels(cursor=answers["discover_channels"]["next_cursor"])}
    answers["send_message"] = ann.send_message(lane, "one", actor_label="ann", metadata={"n": 1}, idempotency_key=f"one-{lane}")
    more["sent_again"] = ann.send_message(lane, "one", actor_label="ann", metadata={"n": 1}, idempotency_key=f"one-{lane}")
    more["other_body"] = refused(ann.send_message, lane, "two", idempotency_key=f"one-{lane}")
    more["as_actor"] = ann.send_message(lane, "two", actor=f"ann-{lane}", mentions=[f"bob-{lane}", "nobody-of-this-name"])
    answers["list_messages"] = bob.list_messages(lane, since="0", limit=10, wait=5)
    one = answers["send_message"]["id"]
    answers["claim_message"] = bob.claim_message(one, actor=f"w-{lane}", metadata={"pid": 1}, idempotency_key=f"claim-{lane}")
    more["claimed_again"] = bob.claim_message(one, actor=f"w-{lane}")
    more["held"] = refused(ann.claim_message, one, actor=f"ann-{lane}")
    more["not_mine"] = refused(ann.ack_message, one, actor=f"ann-{lane}")
    answers["ack_message"] = bob.ack_message(one, actor=f"w-{lane}", metadata={"took": 3})
    more["acked_again"] = bob.ack_message(one, actor=f"w-{lane}")
    more["claimed_when_done"] = bob.claim_message(one, actor=f"w-{lane}")
    more["bad"] = refused(bob.send_message, lane, "x", metadata=[1])

    work = ann.create_channel(f"{lane}-quick")["id"]
    for number in range(2):
        ann.send_message(work, f"invoice {number}", actor_label="producer")
    more["quickstart"] = [quickstart(bob, work) for _ in range(3)]

    answers["poll_until_message"] = bob.poll_until_message(lane, max_polls=1)
    news = ann.create_channel(f"{lane}-news", mode="broadcast")["id"]
    more["polled_empty"] = bob.poll_until_message(news, max_polls=2, poll_interval=0.01)
    ann.send_message(news, "hello")
    more["polled_news"] = bob.poll_until_message(news, max_polls=2, poll_interval=0.01)["content"]

    ann.create_channel(f"{lane}-lobby", access="restricted")
    answers["request_access"] = bob.request_access(f"{lane}-lobby", reason="I review")
    more["kept_out"] = refused(bob.list_messages, f"{lane}-lobby")

    answers["set_actor_webhook"] = bob.set_actor_webhook(f"bob-{lane}", hook, secret="hush")
    more["not_my_actor"] = refused(ann.set_actor_webhook, f"bob-{lane}", hook)
    more["not_allowed"] = refused(bob.set_actor_webhook, f"bob-{lane}", "http://169.254.169.254/")

    answers["create_session"] = bob.create_session("memory", {"step": 1, "keep": True})
    session = answers["create_session"]["id"]
    answers["patch_session"] = bob.patch_session(session, {"step": 2})
    answers["get_session"] = bob.get_session(session)
    more["foreign_session"] = refused(ann.get_session, session)
    answers["delete_session"] = bob.delete_session(session)
    more["deleted_session"] = refused(bob.get_session, session)
answers["close"] = ann.close()
print(json.dumps({"methods": public(BackchannelClient), "answers": answers, "more": more, "lane": lane}))
