"""The sign-in page: one form, no script, nothing from elsewhere. Pure."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

# The dashboard's own colours, from .streamlit/config.toml.
_STYLE = """
:root { color-scheme: light dark; --page: #fbfaf7; --card: #fff; --text: #14191c; --soft: #5c6360; --line: #dedad0;
  --main: #0d6b5b; --mark: #1c8370; --bad: #a83226; --note: #8a4f12; }
@media (prefers-color-scheme: dark) { :root { --page: #14191b; --card: #1d2426; --text: #e6e9e6; --soft: #a3aca8;
  --line: #343d3f; --main: #20816e; --mark: #2f9c86; --bad: #f0826f; --note: #e6a35a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--page);
  color: var(--text); font: 15px/1.5 "Source Sans", system-ui, sans-serif; }
main { width: 100%; max-width: 23rem; }
svg { display: block; margin: 0 auto 1.5rem; } .name { fill: var(--mark); }
form { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.75rem; }
h1 { margin: 0 0 1.25rem; font-size: 1.3rem; font-weight: 620; }
label { display: block; margin-bottom: 1rem; font-size: .9rem; }
input { display: block; width: 100%; margin-top: .3rem; padding: .6rem .7rem; font: inherit; font-size: 1rem;
  color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 10px; }
button { width: 100%; margin-top: .25rem; padding: .65rem; font: inherit; font-weight: 600; color: #fff;
  background: var(--main); border: 0; border-radius: 10px; cursor: pointer; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--main); outline-offset: 2px; }
p { margin: 0 0 1rem; } p.bad { color: var(--bad); } p.note { color: var(--note); font-size: .9rem; }
p.soft { margin: 1rem 0 0; color: var(--soft); font-size: .9rem; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Phone Agent</title>
<style>{style}</style>
</head>
<body>
<main>
<svg width="142" height="24" viewBox="0 0 142 24" role="img" aria-label="Phone Agent">
  <rect width="24" height="24" rx="7" fill="#1c8370"/>
  <path stroke="#fff" stroke-width="2.2" stroke-linecap="round" d="M6.5 10.5v3M10.2 7.5v9M13.8 5.5v13M17.5 9.5v5"/>
  <text x="32" y="17.5" font-family="sans-serif" font-size="16" font-weight="600" class="name">Phone Agent</text>
</svg>
<form method="post">
<h1>Sign in</h1>
{said}
<label>Your name
<input name="name" value="{name}" autocomplete="username" maxlength="60" required{on_name}></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" maxlength="1000" required{on_password}></label>
<button type="submit">Sign in</button>
<p class="soft">Your name is noted beside what you do in a call.</p>
</form>
</main>
</body>
</html>
"""

HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
"""With which the page is sent: it may load nothing, lead nowhere else, and be shown in no other page."""


def page(name: str = "", problem: str = "", encrypted: bool = True) -> str:
    """
    Args:
        name: what was typed before.
        problem: why that did not do, as a sentence.
        encrypted: whether nobody on the way can read what is typed.
    """
    said = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
    if not encrypted:
        said += '<p class="note">This connection is not encrypted: others on the network could read the password.</p>'
    focus = " autofocus"
    return _PAGE.format(
        style=_STYLE, said=said, name=escape(name), on_name="" if name else focus, on_password=focus if name else ""
    )
