// The operator's headset: hear both sides of one call, and talk in it.

import { level, Microphone, NoMicrophone, Speaker } from "/browser/sound.js";

const AGAIN_AFTER = 1500; // milliseconds until a lost connection is tried again
const TRIES = 5;
const HELD = 350; // milliseconds from which on a button was held down, and not clicked
const TOLD_EVERY = 500; // milliseconds between two values of a meter for screen readers

const byId = (id) => document.getElementById(id);
const main = document.querySelector("main");
const speaker = new Speaker();
let microphone = newMicrophone();

let socket;
let tries = 0;
let call = { state: "connecting", hands: "agent", yours: false };
let listens = false;
let silent = false; // the operator wants to see the meters, and hear nothing
let opening = false; // the microphone is being asked for

// --- the connection ---------------------------------------------------------------------------------------------

function connect() {
  socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/headset/sound${location.search}`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => (typeof data === "string" ? told(JSON.parse(data)) : heard(new Uint8Array(data)));
  socket.onclose = lost;
}

function told(news) {
  tries = 0;
  if (news.trouble) {
    complain(news.trouble);
    if (!call.yours) microphone.close();
    opening = false;
    show();
    return;
  }
  const mine = call.yours;
  if (call.state === "connecting" && listens) order("listen"); // it was lost meanwhile
  call = { hands: "agent", yours: false, ...news };
  if (call.yours && !mine) begun();
  if (mine && !call.yours) ended();
  if (call.state === "over") over();
  show();
}

function lost() {
  if (call.state === "over") return;
  opening = false;
  microphone.close();
  if (call.yours) {
    ended();
    complain("The connection was lost, so the agent has the call back.");
  }
  call = { state: "connecting", hands: "agent", yours: false };
  tries += 1;
  if (tries <= TRIES) setTimeout(connect, AGAIN_AFTER);
  else complain("There is no connection to this call. Load the page again.");
  show();
}

function order(words) {
  if (socket.readyState === WebSocket.OPEN) socket.send(words);
}

function over() {
  listens = false;
  microphone.close();
  speaker.close();
  for (const side of ["callee", "agent"]) meter(side, 0);
}

// --- hearing ----------------------------------------------------------------------------------------------------

function heard(sound) {
  const callee = sound.subarray(0, sound.length / 2);
  const agent = sound.subarray(sound.length / 2);
  meter("callee", level(callee));
  meter("agent", level(agent));
  if (silent) return;
  // Nobody can talk who hears their own voice a moment later.
  if (call.yours) speaker.play(callee);
  else speaker.play(callee, agent);
}

const valued = {};

function meter(side, value) {
  byId(side).style.setProperty("--level", value.toFixed(2));
  if (performance.now() - (valued[side] ?? -Infinity) < TOLD_EVERY) return;
  valued[side] = performance.now();
  byId(side).setAttribute("aria-valuenow", Math.round(value * 100));
}

async function listen() {
  if (!listens) {
    try {
      if (!speaker.context) await speaker.open();
      await speaker.wake();
    } catch (error) {
      complain(`This browser cannot play the sound (${error.message}).`);
      return;
    }
  }
  listens = !listens;
  silent = false;
  order(listens ? "listen" : "stop");
  if (!listens) for (const side of ["callee", "agent"]) meter(side, 0);
  show();
}

// --- talking ----------------------------------------------------------------------------------------------------

/** One for each time that it is asked for: what came of an older asking must not touch a newer one. */
function newMicrophone() {
  return new Microphone(talk, lostMicrophone);
}

async function takeOver() {
  if (opening || call.yours) return;
  complain("");
  opening = true;
  const mine = newMicrophone();
  microphone = mine;
  const stale = () => microphone !== mine || !opening;
  show();
  try {
    // Asked for first: where it is refused, nothing changes in the call.
    await mine.open();
    if (!stale() && !listens) await listen();
    if (stale()) await mine.close();
    else order("take-over");
  } catch (error) {
    if (stale()) return;
    opening = false;
    const why = error instanceof NoMicrophone ? error.message : `The microphone could not be used (${error.message}).`;
    complain(`${why} The agent goes on with the call.`);
    show();
  }
}

function begun() {
  opening = false;
  microphone.muted = false;
  byId("cough").focus();
}

function ended() {
  microphone.close();
  if (document.activeElement === document.body || document.activeElement.hidden) byId("take-over").focus();
}

function lostMicrophone() {
  handBack();
  complain("The microphone was disconnected, so the agent has the call back.");
}

function talk(frame) {
  // What nobody can send any more would only be late.
  if (call.yours && socket.bufferedAmount < 8000) socket.send(frame);
}

function handBack() {
  order("hand-back");
}

// Clicked, it mutes until it is clicked again; held down, only meanwhile.
let pressed = 0;
let wasMuted = false;

function press() {
  if (pressed || !call.yours) return;
  pressed = performance.now();
  wasMuted = microphone.muted;
  microphone.muted = true;
  show();
}

function release() {
  if (!pressed) return;
  const held = performance.now() - pressed > HELD;
  pressed = 0;
  microphone.muted = !held && !wasMuted;
  show();
}

// --- what is seen -----------------------------------------------------------------------------------------------

const STATES = {
  connecting: "Connecting…",
  ringing: "It rings. You will hear the call as soon as somebody picks up.",
  over: "The call is over.",
};
const HANDS = { agent: "", paused: "The agent is paused.", operator: "An operator is talking to them." };

function status() {
  if (call.state !== "talking") return STATES[call.state];
  if (opening) return "Waiting for the microphone…";
  if (call.yours) return "";
  return HANDS[call.hands] || (listens ? "You hear both sides; nobody hears you." : "");
}

function show() {
  const { state, yours, hands } = call;
  const on = state === "talking" || state === "ringing";
  main.dataset.state = state;
  main.dataset.yours = yours;
  byId("live").hidden = !yours;
  byId("live").dataset.muted = microphone.muted;
  byId("live-text").textContent = microphone.muted ? "You are on the line, muted" : "You are on the line";
  byId("agent-label").textContent = yours ? "You" : hands === "operator" ? "Operator" : "Agent";
  const button = byId("listen");
  button.textContent = listens ? "Stop listening" : "Listen";
  button.classList.toggle("primary", !listens);
  button.disabled = !on;
  button.hidden = yours;
  byId("mute").hidden = !listens || yours;
  byId("mute").setAttribute("aria-pressed", silent);
  byId("take-over").hidden = yours;
  byId("take-over").disabled = state !== "talking" || opening;
  byId("cough").hidden = byId("hand-back").hidden = !yours;
  byId("cough").setAttribute("aria-pressed", microphone.muted);
  byId("status").textContent = status();
}

function complain(what) {
  byId("trouble").textContent = what;
  byId("trouble").hidden = !what;
}

// --- buttons and keys -------------------------------------------------------------------------------------------

byId("listen").onclick = listen;
byId("mute").onclick = () => {
  silent = !silent;
  show();
};
byId("take-over").onclick = takeOver;
byId("hand-back").onclick = handBack;
byId("cough").onpointerdown = press;
window.addEventListener("pointerup", release);
window.addEventListener("blur", release);

const KEYS = { l: "listen", t: "take-over", b: "hand-back" };

window.addEventListener("keydown", (event) => {
  // With them they mean something else, in the page around this one or in the browser.
  if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const onButton = document.activeElement === byId("cough") && (key === " " || key === "enter");
  if (onButton || key === "m") {
    event.preventDefault();
    press();
  } else if (KEYS[key]) {
    const button = byId(KEYS[key]);
    if (!button.hidden && !button.disabled) button.click();
  }
});
window.addEventListener("keyup", release);

byId("callee-label").textContent = document.documentElement.dataset.person;
connect();
show();
