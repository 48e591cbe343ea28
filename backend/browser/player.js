// The recording of a call: both sides as a picture, and a player that can be told where to begin, in seconds (?at=12.5),
// and whose words begin there (&side=callee).

const STEP = 0.02; // seconds of one level
const SOUND = 96; // the level, of 255, from which on somebody is taken to speak: 37 dB below full scale
const PAUSE = 0.5; // seconds of quiet that end a stretch of speech
const LOOK_BACK = 20; // seconds within which such a stretch has its beginning
const LATE = 2; // seconds by which words are known after they were spoken, at most
const LEAD = 0.04; // seconds before it, so that its first sound is not cut off
const SKIP = 5; // seconds
const SPEEDS = [1, 1.5, 2, 0.75];
const BAR = 3; // pixels from one bar of the picture to the next

const UNPLAYABLE = "The browser cannot play this recording; download it instead.";

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const ticket = query.get("ticket") ?? "";
const address = (part, more = {}) => `${location.pathname}/${part}?${new URLSearchParams({ ticket, ...more })}`;
const sound = byId("sound");
const place = byId("place");

let levels = { callee: new Uint8Array(), agent: new Uint8Array() };
let length = 0; // seconds

// --- where to begin ---------------------------------------------------------------------------------------------

/** The beginning of what this side is saying at that moment: words are known a little after they were begun. */
function onset(side, seconds) {
  const loud = levels[side];
  const quiet = Math.round(PAUSE / STEP);
  const earliest = Math.max(0, Math.round((seconds - LOOK_BACK) / STEP));
  let last = Math.min(loud.length - 1, Math.round(seconds / STEP));
  while (last > earliest && loud[last] < SOUND) last -= 1;
  if (seconds - last * STEP > LATE) return seconds;
  for (let i = last; i >= earliest && last - i <= quiet; i -= 1) if (loud[i] >= SOUND) last = i;
  return Math.max(0, last * STEP - LEAD);
}

// --- what is seen -----------------------------------------------------------------------------------------------

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function draw() {
  const canvas = byId("waves");
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  drawSide(pen, levels.callee, width, 0, height / 2, colour("--blue"));
  drawSide(pen, levels.agent, width, height / 2, height / 2, colour("--green"));
  pen.fillStyle = colour("--border");
  pen.fillRect(0, height / 2, width, 1);
}

function drawSide(pen, loud, width, top, height, paint) {
  pen.fillStyle = paint;
  const bars = Math.floor(width / BAR);
  for (let bar = 0; bar < bars; bar += 1) {
    const from = Math.floor((bar * loud.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * loud.length) / bars));
    const most = loud.subarray(from, to).reduce((a, b) => Math.max(a, b), 0);
    const tall = Math.max(1, (Math.max(0, most - 60) / 195) * (height - 8));
    pen.fillRect(bar * BAR, top + (height - tall) / 2, BAR - 1, tall);
  }
}

function show() {
  const now = sound.currentTime;
  byId("needle").style.left = `${length ? (100 * now) / length : 0}%`;
  byId("clock").textContent = `${clock(now)} / ${clock(length)}`;
  place.setAttribute("aria-valuenow", now.toFixed(1));
  place.setAttribute("aria-valuetext", `${clock(now)} of ${clock(length)}`);
  byId("play").textContent = sound.paused ? "Play" : "Pause";
}

function glide() {
  show();
  if (!sound.paused) requestAnimationFrame(glide);
}

function complain(what) {
  byId("trouble").textContent = what;
  byId("trouble").hidden = !what;
}

// --- what can be done -------------------------------------------------------------------------------------------

function seek(seconds) {
  sound.currentTime = Math.min(Math.max(0, seconds), length);
  show();
}

async function play() {
  try {
    await sound.play();
  } catch (error) {
    // Browsers let a page sound only after a click in it or around it; the place is right, and Play is one click away.
    if (error.name !== "NotAllowedError" && error.name !== "AbortError") complain(UNPLAYABLE);
  }
}

function toggle() {
  if (sound.paused) play();
  else sound.pause();
}

function point(event) {
  const box = place.getBoundingClientRect();
  seek(((event.clientX - box.left) / box.width) * length);
}

place.onpointerdown = (event) => {
  place.setPointerCapture(event.pointerId);
  point(event);
};
place.onpointermove = (event) => {
  if (event.buttons) point(event);
};
byId("play").onclick = toggle;
byId("back").onclick = () => seek(sound.currentTime - SKIP);
byId("on").onclick = () => seek(sound.currentTime + SKIP);
byId("speed").onclick = () => {
  const next = SPEEDS[(SPEEDS.indexOf(sound.playbackRate) + 1) % SPEEDS.length];
  sound.playbackRate = next;
  byId("speed").textContent = `${next}×`;
};
for (const what of ["play", "pause", "seeked", "ended"]) sound.addEventListener(what, glide);
new ResizeObserver(draw).observe(place);

const KEYS = {
  " ": toggle,
  ArrowLeft: () => seek(sound.currentTime - SKIP),
  ArrowRight: () => seek(sound.currentTime + SKIP),
  Home: () => seek(0),
  End: () => seek(length),
};

window.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  const other = document.activeElement.matches("button, a") && event.key === " ";
  if (!act || other || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  act();
});

// --- the recording ----------------------------------------------------------------------------------------------

async function load() {
  const answer = await fetch(address("levels"));
  if (!answer.ok) throw new Error((await answer.json()).detail);
  const both = new Uint8Array(await answer.arrayBuffer());
  levels = { callee: both.subarray(0, both.length / 2), agent: both.subarray(both.length / 2) };
  length = levels.callee.length * STEP;
  place.setAttribute("aria-valuemax", length.toFixed(1));
  sound.src = address("sound");
  await new Promise((ready, failed) => {
    sound.onloadedmetadata = ready;
    sound.onerror = () => failed(new Error(UNPLAYABLE));
  });
  length = sound.duration;
}

async function begin() {
  byId("save").href = address("sound", { save: true });
  try {
    await load();
  } catch (error) {
    complain(error.message);
    return;
  }
  for (const id of ["play", "back", "on", "speed"]) byId(id).disabled = false;
  draw();
  const at = Number.parseFloat(query.get("at"));
  if (Number.isFinite(at)) {
    const side = query.get("side");
    seek(side in levels ? onset(side, at) : at);
    await play();
  }
  show();
}

byId("callee-label").textContent = document.documentElement.dataset.person;
begin();
