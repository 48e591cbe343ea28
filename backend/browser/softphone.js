// The callee's phone in the browser: it rings, is answered or declined, and is talked into.

import { level, Microphone, NoMicrophone, Speaker } from "./sound.js";

const AGAIN = 1500; // milliseconds until a lost connection is tried again
const ELSEWHERE = 4001; // the server's code: another page has this phone
const RING_EVERY = 3; // seconds
const RINGS = [659, 523]; // Hz, one after the other
const KEYS = "123456789*0#";

const element = (id) => document.getElementById(id);
const speaker = new Speaker();
let microphone;
let socket;
let state = "waiting";
let names = { caller: "", callee: "" };
let answering = false;
let began = 0;
let loudest = { agent: 0, you: 0 };

// --- the connection ---------------------------------------------------------------------------------------------

function connect() {
  const address = new URL(`/softphone/stream${location.search}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => (typeof data === "string" ? enter(JSON.parse(data)) : hear(new Uint8Array(data)));
  socket.onclose = ({ code }) => lost(code);
}

function lost(code) {
  if (state === "over") return;
  answering = false;
  microphone?.close();
  if (state === "talking") {
    // To the server, a phone whose page is gone was put down.
    enter({ state: "over" });
    tell("The connection was lost, and with it the call.");
    return;
  }
  show("waiting", code === ELSEWHERE ? "This phone is open in another tab." : "Connecting…");
  setTimeout(connect, AGAIN);
}

function send(message) {
  if (socket.readyState === WebSocket.OPEN) socket.send(message);
}

// --- what is shown ----------------------------------------------------------------------------------------------

function enter(news) {
  names = { ...names, ...news };
  const before = state;
  const as = names.callee ? ` You are ${names.callee}.` : "";
  if (news.state === "waiting") show("waiting", `It is about to ring.${as}`);
  if (news.state === "ringing") show("ringing", `is calling.${as}`);
  if (news.state === "talking") talk();
  if (news.state === "over") over(before);
}

function show(next, status) {
  state = next;
  document.querySelector("main").dataset.state = next;
  element("caller").textContent = names.caller || "Your phone";
  element("status").textContent = status;
  element("ringing").hidden = next !== "ringing";
  element("talking").hidden = element("sides").hidden = next !== "talking";
  element("keys").hidden ||= next !== "talking";
  if (next === "ringing") {
    element("answer").focus();
    ring();
  }
}

function tell(reason, deaf = false) {
  element("trouble").hidden = !reason;
  element("reason").textContent = reason;
  element("without").hidden = !deaf;
}

function talk() {
  began = performance.now();
  show("talking", "0:00");
  element("hang-up").focus();
}

async function over(before) {
  const said = { talking: "The call is over.", ringing: "It has stopped ringing." };
  show("over", said[before] ?? "This call is over.");
  tell("");
  await Promise.all([microphone?.close(), speaker.close()]);
}

// Five times a second: enough for a clock and two meters, and little work for the page.
setInterval(() => {
  if (state !== "talking") return;
  const seconds = Math.floor((performance.now() - began) / 1000);
  element("status").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  for (const [side, height] of Object.entries(loudest)) meter(element(side), height);
  loudest = { agent: 0, you: 0 };
  // For whoever looks into why it sounds bad.
  const { dropouts, silent, buffered } = speaker;
  Object.assign(document.querySelector("main").dataset, { dropouts, silent, buffered });
}, 200);

function meter(bar, height) {
  bar.style.setProperty("--level", height.toFixed(3));
  bar.setAttribute("aria-valuenow", Math.round(height * 100));
}

// --- sound ------------------------------------------------------------------------------------------------------

function hear(frame) {
  loudest.agent = Math.max(loudest.agent, level(frame));
  speaker.play(frame);
}

function speak(frame) {
  loudest.you = Math.max(loudest.you, level(frame));
  if (state === "talking") send(frame);
}

/** Two soft notes, again and again; in silence where the browser wants a click before it sounds. */
function ring() {
  if (state !== "ringing" || answering) return;
  const { context } = speaker;
  if (speaker.awake) RINGS.forEach((pitch, i) => chime(context, pitch, context.currentTime + i * 0.28));
  clearTimeout(ring.again);
  ring.again = setTimeout(ring, RING_EVERY * 1000);
}

function chime(context, pitch, at) {
  const tone = new OscillatorNode(context, { frequency: pitch });
  const loudness = new GainNode(context, { gain: 0 });
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.08, at + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.001, at + 1.2);
  tone.connect(loudness).connect(context.destination);
  tone.start(at);
  tone.stop(at + 1.2);
}

// --- what can be done -------------------------------------------------------------------------------------------

async function answer() {
  if (state !== "ringing" || answering) return;
  answering = true;
  const mine = new Microphone(speak, gone);
  microphone = mine;
  // It may have stopped ringing while the browser asked, or the connection may have been lost.
  const stale = () => state !== "ringing" || microphone !== mine || !answering;
  tell("");
  element("status").textContent = "Waiting for the microphone: allow it beside the address.";
  try {
    await speaker.wake();
    await mine.open();
    if (stale()) await mine.close();
    else send("answer");
  } catch (error) {
    if (stale()) return;
    answering = false;
    show("ringing", "is still calling.");
    tell(error instanceof NoMicrophone ? error.message : `The microphone could not be used (${error.message}).`, true);
  }
}

async function answerWithout() {
  if (state !== "ringing") return;
  tell("Without a microphone you hear the agent, and can press keys.");
  await speaker.wake();
  element("mute").hidden = true;
  send("answer");
}

function gone() {
  tell("The microphone is gone: the agent does not hear you any more.");
}

function mute() {
  microphone.muted = !microphone.muted;
  element("mute").setAttribute("aria-pressed", microphone.muted);
  element("mute").textContent = microphone.muted ? "Muted" : "Mute";
}

function togglePad() {
  element("keys").hidden = !element("keys").hidden;
  element("pad").setAttribute("aria-expanded", !element("keys").hidden);
}

for (const key of KEYS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.onclick = () => send(`press ${key}`);
  element("keys").append(button);
}
element("answer").onclick = answer;
element("without").onclick = answerWithout;
element("decline").onclick = () => send("decline");
element("mute").onclick = mute;
element("pad").onclick = togglePad;
element("hang-up").onclick = () => send("hang-up");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const onButton = event.target instanceof HTMLButtonElement;
  if (state === "ringing" && event.key === "Enter" && !onButton) answer();
  else if (state === "ringing" && event.key === "Escape") send("decline");
  else if (state === "talking" && KEYS.includes(event.key)) send(`press ${event.key}`);
});

try {
  await speaker.open();
  connect();
} catch (error) {
  tell(`This browser cannot play the call's sound (${error.name}).`);
}
