"""One call as a page that needs nothing else: for reading, printing and sending, in any browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import _export
import _transcript
import _ui

from backend.models import Call, Claim, Speaker, Turn, TurnState

_STYLE = """
  :root { color-scheme: light }
  body { font: 15px/1.5 sans-serif; color: #14191c; background: #fff; max-width: 46rem; margin: 2.5rem auto;
    padding: 0 1.25rem }
  h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
  .outcome { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; background: #e2f0eb; color: #0b5a4c }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.25rem; margin: 1rem 0 }
  dt, .quiet, small { color: #5f6865 } dd { margin: 0; overflow-wrap: anywhere }
  ul { padding-left: 1.2rem } a { color: #0b6354 } del { color: #5f6865 }
  ol { list-style: none; padding: 0 } li { break-inside: avoid }
  ol li { padding: .45rem .75rem; border-left: 3px solid #dedad0; margin: .3rem 0 }
  ol li.agent { border-color: #2f9e7c } ol li.operator { border-color: #7458b5 } ol li:target { background: #e2f0eb }
  ol li.note { border-color: transparent; color: #5f6865; font-style: italic }
  ol small { display: block } .review { color: #8a4b0a }
  @media print { body { margin: 0; max-width: none; font-size: 11pt } a { color: inherit; text-decoration: none } }
"""


def page(call: Call, turns: Sequence[Turn], local: _export.Local) -> str:
    """The whole document. Everything that anybody typed or said is escaped."""
    outcome = call.outcome.words if call.outcome else call.status.capitalize()
    title = escape(f"Call with {call.brief.callee_name or call.brief.to}")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<header><h1>{title}</h1>",
            f'<span class="outcome">{escape(outcome)}</span></header>',
            _listed(_export.head(call, local)),
            *_came(call),
            "<h2>Figures</h2>",
            _listed(figures(call)),
            "<h2>What was said</h2>",
            *_said(call, turns, local),
            "</body></html>",
        ]
    )


def figures(call: Call) -> dict[str, str]:
    """What was measured of the call; nothing that is not known."""
    talk = call.ended - call.answered if call.ended is not None and call.answered is not None else None
    known = {
        "Talk": _ui.clock(talk) if talk is not None else "",
        "Usual answer": f"{call.delay_typical / 1000:.1f} s" if call.delay_typical is not None else "",
        "Slowest answer": f"{call.delay_worst / 1000:.1f} s" if call.delay_worst is not None else "",
        "Longest dead air": f"{call.dead_air:.1f} s" if call.dead_air is not None else "",
        "Cost": f"${call.cost:.2f}" if call.cost is not None else "",
        "Picked up": call.answerer.capitalize() if call.answerer else "",
        "Served by": ", ".join(call.parts.values()),
        "Trouble": " ".join(call.troubles),
    }
    return {name: value for name, value in known.items() if value}


def _listed(facts: dict[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()) + "</dl>"


def _came(call: Call) -> Iterator[str]:
    """What the report says, each claim leading to the turns that prove it."""
    if call.report:
        yield "<h2>What came of it</h2><ul>"
        for name, claim in _export.claims(call.report):
            yield f'<li><span class="quiet">{name}:</span> {escape(claim.text)} {_proof(claim)}</li>'
        yield "</ul>"


def _proof(claim: Claim) -> str:
    turns = ", ".join(f'<a href="#turn-{number}">{number}</a>' for number in claim.turns)
    notes = [f"turn{'s' * (len(claim.turns) > 1)} {turns}"] if turns else []
    notes += ['<span class="review">to review</span>'] if claim.doubtful else []
    return f"<small>({', '.join(notes)})</small>" if notes else ""


def _said(call: Call, turns: Sequence[Turn], local: _export.Local) -> Iterator[str]:
    if not turns:
        yield '<p class="quiet">Nothing was said in this call.</p>'
        return
    yield "<ol>"
    for turn in turns:
        margin = f"{turn.number} · {local(turn.started):%H:%M:%S}"
        if name := _export.speaker(call, turn):
            margin += f" · {escape(name)}" + " · cut off" * (turn.state is TurnState.CUT)
        yield f'<li id="turn-{turn.number}" class="{turn.speaker}"><small>{margin}</small>{_words(turn)}</li>'
    yield "</ol>"


def _words(turn: Turn) -> str:
    """What was heard, and crossed out what the callee never heard of it."""
    if turn.speaker is not Speaker.AGENT:
        return escape(turn.text)
    rest = escape(_transcript.unheard(turn))
    return " ".join(filter(None, (escape(turn.heard), rest and f"<del>{rest}</del>")))
