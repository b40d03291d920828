// Shows what /health says, in words.
"use strict";

const summary = document.getElementById("summary");
const facts = document.getElementById("facts");

function show(text, good) {
  summary.textContent = text;
  summary.className = good ? "good" : "bad";
}

function row(name, value) {
  const term = document.createElement("dt");
  const said = document.createElement("dd");
  term.textContent = name;
  said.textContent = value;
  facts.append(term, said);
}

async function ask() {
  facts.replaceChildren();
  try {
    const health = await (await fetch(`${document.documentElement.dataset.path}/health`, { cache: "no-store" })).json();
    const up = health.db_latency_ms !== null;
    show(up ? "Everything works." : "The server runs, but its store does not answer.", up);
    row("Store", up ? `${health.store}, answered in ${health.db_latency_ms} ms` : "no answer");
    row("Version", `${health.version} (API ${health.api_version})`);
    row("Kind of instance", health.instance_kind);
    if (health.public_minting_enabled !== null) row("Keys for whoever asks", health.public_minting_enabled ? "yes" : "no");
  } catch (why) {
    show(`The server did not answer (${why.message}).`, false);
  }
  document.getElementById("asked").textContent = `Asked at ${new Date().toLocaleTimeString()}.`;
}

document.getElementById("again").addEventListener("click", ask);
ask();
