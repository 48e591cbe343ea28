// The running calls as links. Nodes are kept between two looks, so that focus and scrolling stay where they are.

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

export default function ({ data, parentElement, setTriggerValue }) {
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
}
