// Uses the MCP server as a program on the 1.x TypeScript SDK does, with its default timeout; prints what it got.
// Arguments: the folder of the installed packages, then a URL and an API key, or a command.
"use strict";
const { createRequire } = require("node:module");
const [, , packages, first, ...rest] = process.argv;
const load = createRequire(packages);
const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = load("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = load("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { DEFAULT_REQUEST_TIMEOUT_MSEC } = load("@modelcontextprotocol/sdk/shared/protocol.js");

async function main() {
  const headers = { Authorization: `Bearer ${rest[0]}` };
  const transport = first.startsWith("http")
    ? new StreamableHTTPClientTransport(new URL(first), { requestInit: { headers } })
    : new StdioClientTransport({ command: first, args: rest, env: process.env });
  const client = new Client({ name: "typescript", version: "1" });
  await client.connect(transport);

  async function call(name, args, options) {
    const answer = await client.callTool({ name, arguments: args }, undefined, options);
    if (answer.isError) throw new Error(answer.content[0].text);
    return answer.structuredContent;
  }
  const code = (promise) => promise.then(() => "not refused", (error) => error.code);

  const tools = (await client.listTools()).tools.map((tool) => tool.name); // it checks answers by their schemas from here on
  const first_id = (await call("post_task", { channel: "writers", content: "first" })).message_id;
  await call("claim_task", { channel: "writers" });
  await call("ack_task", { message_id: first_id, result: "done" });
  // It goes away in the middle of a wait, as one whose patience is over: the task posted after that waits for the next.
  const gone = await code(client.callTool({ name: "claim_task", arguments: { channel: "writers", wait_seconds: 30 } },
    undefined, { timeout: 500 }));
  const { message_id } = await call("post_task", { channel: "writers", content: "translate" });
  const claimed = await call("claim_task", { channel: "writers" });
  const told = [];
  let begin;
  const begun = new Promise((resolve) => { begin = resolve; });
  const onprogress = (note) => { told.push([note.progress, note.total, note.message]); begin(); };
  const waiting = call("await_result", { message_id }, { onprogress });
  await begun; // the other side is waiting by now
  const acked = await call("ack_task", { message_id, result: { text: "bonjour" } });
  const awaited = await waiting;
  const error = await client.callTool({ name: "await_result", arguments: { message_id: "writers:1-0" } });
  const prompt = await client.getPrompt({ name: "work", arguments: { channel: "writers" } });
  const resource = await client.readResource({ uri: "backchannel://channels/writers" });
  console.log(JSON.stringify({
    timeout: DEFAULT_REQUEST_TIMEOUT_MSEC / 1000,
    protocol: transport.protocolVersion ?? null,
    instructions: client.getInstructions(),
    tools, gone, claimed, acked, awaited, told,
    error: [error.isError, error.content[0].text],
    prompts: (await client.listPrompts()).prompts.map((each) => each.name),
    prompt: prompt.messages[0].content.text,
    no_prompt: await code(client.getPrompt({ name: "nothing", arguments: {} })),
    resources: (await client.listResources()).resources.map((each) => each.uri),
    resource: JSON.parse(resource.contents[0].text),
    no_resource: await code(client.readResource({ uri: "backchannel://channels/nothing" })),
  }));
  await client.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
