"""Uses the framework integrations of backchannel_sdk that need no framework; prints what they answered."""

import importlib
import json
import pkgutil
from uuid import uuid4

from backchannel_sdk import BackchannelClient, integrations

lane, found, lacking = f"lane-{uuid4().hex[:8]}", {}, {}
for module in pkgutil.iter_modules(integrations.__path__):
    try:
        found[module.name] = importlib.import_module(f"{integrations.__name__}.{module.name}")
    except ImportError as why:
        lacking[module.name] = str(why)

client = BackchannelClient(api_key=BackchannelClient.issue_key(f"ann-{lane}")["key"])
client.create_channel(lane)
tools = {tool["name"]: tool["callable"] for tool in found["autogen"].make_backchannel_functions(client)}
answers = {"backchannel_send_message": tools["backchannel_send_message"](lane, "one")}
answers["backchannel_list_messages"] = tools["backchannel_list_messages"](lane)
task = answers["backchannel_list_messages"]["data"][0]["id"]
answers["backchannel_claim_message"] = tools["backchannel_claim_message"](task, f"w-{lane}")
answers["backchannel_ack_message"] = tools["backchannel_ack_message"](task, f"w-{lane}")
print(json.dumps({"found": list(found), "lacking": lacking, "tools": list(tools), "answers": answers}))
