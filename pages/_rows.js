// The running calls as links. Nodes are kept between two looks, so that focus and scrolling stay where they are.
// It also calls somebody when a call asks, and tells whether anybody can see the page.

const PARTS = ["name", "clock", "state", "delay", "words", "asks"]

function row(id) {
  const item = document.createElement("li")
  const link = item.appendChild(document.createElement("a"))
  link.href = `?call=${encodeURIComponent(id)}`
  for (const part of PARTS) link.appendChild(document.createElement("span")).className = part
  return item
}

function fill(item, known, open) {
  const link = item.firstChild
  PARTS.forEach((part, place) => {
    const span = link.children[place]
    const text = known[part] ?? ""
    if (span.textContent !== text) span.textContent = text
    span.hidden = !text
    span.className = [part, part === "name" ? "" : "small", part === "delay" ? known.tone : ""].join(" ").trim()
  })
  link.classList.toggle("needs", Boolean(known.asks))
  link.setAttribute("aria-current", String(known.id === open))
}

// A click can get lost while the page is being drawn anew: it is told again with the next looks, until it had its effect.
const TRIES = 5

function tell(list, open, setTriggerValue) {
  const { wanted, tries } = list.dataset
  if (!wanted) return
  if (wanted === open || Number(tries) >= TRIES) {
    delete list.dataset.wanted
    return
  }
  list.dataset.tries = Number(tries) + 1
  setTriggerValue("opened", wanted)
}

// --- calling somebody ---------------------------------------------------------------------------------------------

const MARK = "● "
const NOTES = [784, 988] // Hz, one after the other
const SWITCH = "phone-agent-chime"

/** The name of who asks stands in the tab's title, for as long as they do. */
function entitle(asking) {
  const own = document.title.startsWith(MARK) ? entitle.before : document.title
  entitle.before = own
  const [first] = asking
  const title = first ? `${MARK}Asks you – ${first.name}` : own
  if (document.title !== title) document.title = title
}

/** Two soft notes; nothing where nobody has clicked in the page yet, since browsers let it sound only then. */
function chime() {
  if (localStorage.getItem(SWITCH) === "off" || !navigator.userActivation?.hasBeenActive) return
  const context = new AudioContext()
  const notes = NOTES.map((pitch, place) => note(context, pitch, context.currentTime + 0.05 + place * 0.22))
  notes.at(-1).onended = () => context.close()
}

function note(context, pitch, at) {
  const tone = new OscillatorNode(context, { frequency: pitch })
  const loudness = new GainNode(context, { gain: 0 })
  loudness.gain.setValueAtTime(0, at)
  loudness.gain.linearRampToValueAtTime(0.12, at + 0.02)
  loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.9)
  tone.connect(loudness).connect(context.destination)
  tone.start(at)
  tone.stop(at + 0.9)
  return tone
}

/** Calls for somebody as soon as a call asks anew. */
function summon(list, rows) {
  const asking = rows.filter((known) => known.asks)
  // Kept by the window, and for good: while the page is drawn the list may be there twice, once as it was before.
  const told = (window.phoneAgentTold ??= new Set())
  const anew = asking.map((known) => `${known.id} ${known.asks}`).filter((one) => !told.has(one))
  anew.forEach((one) => told.add(one))
  entitle(asking)
  if (!anew.length) return
  chime()
  // They stand first. Where the page was only just opened, the open call is what is looked for.
  if (list.dataset.revealed) list.scrollTop = 0
}

function wireSwitch(parent) {
  const box = parent.querySelector("input")
  box.checked = localStorage.getItem(SWITCH) !== "off"
  box.onchange = () => {
    localStorage.setItem(SWITCH, box.checked ? "on" : "off")
    if (box.checked) chime()
  }
}

/** Tells when the page goes out of sight and comes back: agents ask only where somebody can see it. */
function tellSight(list, known, setStateValue) {
  list.tellSight = () => {
    if (document.hidden !== known) setStateValue("hidden", document.hidden)
  }
  if (!list.wired) {
    list.wired = () => list.tellSight()
    document.addEventListener("visibilitychange", list.wired)
  }
  list.tellSight()
}

function leave(list) {
  document.removeEventListener("visibilitychange", list.wired)
  delete list.wired
  entitle([])
}

// --- the list -----------------------------------------------------------------------------------------------------

/** Brings the open call's row into the visible part, once for each that is opened; the page itself stays where it is. */
function reveal(list, open) {
  if (list.dataset.revealed === open) return
  const row = [...list.children].find((item) => item.dataset.call === open)
  if (!row) return
  list.dataset.revealed = open
  const above = row.offsetTop < list.scrollTop
  const below = row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight
  if (above || below) list.scrollTop = row.offsetTop
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const list = parentElement.querySelector("ul")
  const kept = new Map([...list.children].map((item) => [item.dataset.call, item]))
  const focused = parentElement.activeElement
  data.rows.forEach((known, place) => {
    const item = kept.get(known.id) ?? row(known.id)
    kept.delete(known.id)
    item.dataset.call = known.id
    fill(item, known, data.open)
    item.firstChild.onclick = (click) => {
      if (click.metaKey || click.ctrlKey || click.shiftKey) return
      click.preventDefault()
      Object.assign(list.dataset, { wanted: known.id, tries: 0 })
      tell(list, data.open, setTriggerValue)
    }
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null)
  })
  for (const gone of kept.values()) gone.remove()
  tell(list, data.open, setTriggerValue)
  if (focused && parentElement.activeElement !== focused && focused.isConnected) focused.focus({ preventScroll: true })
  wireSwitch(parentElement)
  summon(list, data.rows)
  reveal(list, data.open)
  tellSight(list, data.hidden, setStateValue)
  return () => leave(list)
}
