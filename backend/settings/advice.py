"""What is wrong with a setting and what to write instead, as a line that a person can act on."""

from __future__ import annotations

from typing import Any

_ADVICE = {
    "twilio_account_sid": "write the Account SID from Twilio's console: AC and 32 hexadecimal digits",
    "twilio_phone_number": "write your Twilio number with country code and no spaces, such as +12025550143",
    "elevenlabs_voice_id": "write the voice's ID, letters and digits only, from ElevenLabs' voice page",
    "transfer_number": "write the number of the phone that calls are handed over to, such as +12025550143",
    "callback_number": "write the number at which you can be called back, such as +12025550143",
    "calling_hours": "write two hours of the day, such as 8-21, or none for any time",
    "max_calls_per_number": "write how often a number may be called in an hour, or 0 for no limit",
    "max_cost_per_day": "write an amount of US dollars, or 0 for no limit",
    "result_secret": "write at least 16 characters, which the program at RESULT_URL knows too",
    "ai_disclosure": "write True or False",
    "operator_wait": "write a number of seconds from 0 to 60",
    "record_calls": "write True or False",
    "recording_notice": "write a sentence of at most 200 characters, or none for no announcement",
    "recording_days": "write a number of days, up to 3650",
    "call_days": "write a number of days, up to 3650, or 0 to keep calls",
    "speculation": "write True or False",
    "hedging": "write True or False",
    "greeting_wait": "write a number of seconds from 0.3 to 10",
    "one_moment_after": "write a number of seconds from 0.5 to 2.2, so that nobody hears more than 2.5 of silence",
    "dashboard_password_hash": "not a password's hash; write the line that `phone-agent password` prints",
    "api_token": "write at least 16 characters, or remove it to have one made",
}


def plain(problem: Any) -> str:
    """`problem` is one of those that pydantic found."""
    key = str(problem["loc"][0]) if problem["loc"] else "settings"
    said = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key.upper()}: {_ADVICE.get(key, said[:1].lower() + said[1:])}"
