"""Moonshine: from sound with speech in it to words, in well under a tenth of the time it took to say them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from backend import audio
from backend.engines.installed import folder


def recogniser() -> Callable[[bytes], str]:
    """Load the model; the function takes mu-law with speech in it and gives the words."""
    moonshine, api = import_module("moonshine_voice.transcriber"), import_module("moonshine_voice.moonshine_api")
    home = folder("moonshine_voice")
    assert home is not None
    # Its own voice detection clips the onsets of words; Silero has already been asked.
    options = {"vad_threshold": "0.0", "return_audio_data": "false"}
    model = moonshine.Transcriber(home / "assets" / "tiny-en", api.ModelArch.TINY, options=options)

    def transcribe(mulaw: bytes) -> str:
        sound = audio.resample(audio.decode(mulaw), audio.RATE, 16000)
        lines = model.transcribe_without_streaming(sound.tolist(), 16000).lines
        return " ".join(line.text for line in lines).strip()

    transcribe(audio.SILENCE * audio.RATE)
    return transcribe
