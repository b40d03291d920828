// Gets an API key for a script, and shows it once.
"use strict";

const form = document.getElementById("mint");
const told = document.getElementById("minted");
const shown = document.getElementById("key");

async function mint(event) {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  shown.hidden = true;
  shown.textContent = "";
  try {
    const label = document.getElementById("label").value;
    const answer = await fetch(`${document.documentElement.dataset.path}/v1/keys`, { method: "POST", body: JSON.stringify({ agent_label: label }) });
    const body = await answer.json();
    if (answer.ok) {
      told.textContent = `This is the key of “${body.agent_label}”. Copy it now: it is not shown again.`;
      shown.textContent = body.key;
      shown.hidden = false;
    } else {
      told.textContent = `${body.error}: ${body.message}`;
    }
  } catch (why) {
    told.textContent = `The server did not answer (${why.message}).`;
  } finally {
    button.disabled = false;
  }
}

if (form) form.addEventListener("submit", mint);
