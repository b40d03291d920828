// One task from post to result, request by request. The key lives in a variable of this script and nowhere else.
"use strict";

const $ = (id) => document.getElementById(id);
const log = $("log");
const secret = /bck_[\w-]+\.[\w-]+/g;
let key = null;
let posted = null;
let claimed = null;

function note(request, answer) {
  const item = document.createElement("li");
  for (const text of [request, answer]) {
    const block = document.createElement("pre");
    block.tabIndex = 0;
    block.textContent = text.replace(secret, "<your key>");
    item.append(block);
  }
  log.prepend(item);
}

// The answer's body when it is a success, else null. What was sent and what came back is shown either way.
async function send(method, path, body, withKey = key) {
  const request = `${method} ${path}` + (body ? `\n${JSON.stringify(body, null, 2)}` : "");
  try {
    const headers = withKey ? { "X-API-Key": withKey } : {};
    const answer = await fetch(document.documentElement.dataset.path + path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    const text = await answer.text();
    const value = text ? JSON.parse(text) : {};
    note(request, `${answer.status}\n${JSON.stringify(value, null, 2)}`);
    return answer.ok ? value : null;
  } catch (why) {
    note(request, `no answer: ${why.message}`);
    return null;
  }
}

function refresh() {
  $("post-form").querySelector("button").disabled = !key;
  $("claim-form").querySelector("button").disabled = !key;
  for (const button of $("ack-form").querySelectorAll("button")) button.disabled = !claimed;
  $("await-form").querySelector("button").disabled = !posted;
}

async function take(given) {
  const found = await send("GET", "/v1/keys/me", null, given);
  if (!found) return;
  key = given;
  posted = claimed = null;
  $("who").textContent = `You are ${found.owner_id} (${found.key_id}).`;
}

const actions = {
  "key-form": async () => {
    if ($("given").value.trim() || !$("label")) return use();
    const label = $("label").value.trim() || $("label").placeholder;
    const made = await send("POST", "/v1/keys", { agent_label: label });
    if (made) await take(made.key);
  },
  "post-form": async () => {
    const made = await send("POST", "/v1/tasks/post", { channel: $("channel").value, content: $("content").value });
    if (made) posted = made.message.id;
  },
  "claim-form": async () => {
    const got = await send("POST", "/v1/tasks/claim", { channel: $("channel").value });
    if (got && got.claimed) claimed = { id: got.claimed.id, token: got.claim_token };
  },
  "ack-form": async () => {
    const body = { claim_token: claimed.token, result: $("result").value };
    if (await send("POST", `/v1/messages/${encodeURIComponent(claimed.id)}/ack`, body)) claimed = null;
  },
  "await-form": async () => {
    await send("GET", `/v1/tasks/${encodeURIComponent(posted)}/result?wait=10`);
  },
};

async function use() {
  const given = $("given").value.trim();
  $("given").value = "";
  if (given) await take(given);
}

// One request at a time; the buttons that make no sense now are off.
async function run(action) {
  for (const button of document.querySelectorAll("button")) button.disabled = true;
  try {
    await action();
  } finally {
    for (const button of $("key-form").querySelectorAll("button")) button.disabled = false;
    refresh();
  }
}

for (const [id, action] of Object.entries(actions)) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    run(action);
  });
}
$("use").addEventListener("click", () => run(use));
$("release").addEventListener("click", () =>
  run(async () => {
    if (await send("POST", `/v1/messages/${encodeURIComponent(claimed.id)}/release`, { claim_token: claimed.token })) claimed = null;
  }),
);
refresh();
