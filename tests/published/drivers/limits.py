"""Calls until the SDK is told to slow down, then once more when it may; prints what it was told."""

import json
import time
from uuid import uuid4

from backchannel_sdk import BackchannelClient, BackchannelError


def wait(seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)


client, headers, passed = BackchannelClient(api_key=BackchannelClient.issue_key(f"ann-{uuid4().hex[:8]}")["key"]), [], 0
client._client.event_hooks = {"response": [lambda response: headers.append(dict(response.headers))]}
try:
    while passed < 1000:
        client.discover_channels()
        passed += 1
except BackchannelError as error:
    told = {"status": error.status, "error": error.error, "message": error.message}
    wait(float(headers[-1]["retry-after"]))
client.discover_channels()
print(json.dumps({"passed": passed, "told": told, "first": headers[0], "last": headers[passed], "after": headers[-1]}))
