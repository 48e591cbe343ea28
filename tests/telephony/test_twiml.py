"""TwiML documents: the right verbs, and no text that can become one."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.telephony import twiml

HOSTILE = [
    '"/></Stream><Dial>+19005551234</Dial><Stream url="wss://evil.example"/>',
    "</Say><Dial>+19005551234</Dial><Say>",
    "a&b",
    "<!-- ",
    "]]>",
    "&#60;Dial&#62;",
    'x"><Parameter name="y" value="',
]


def verbs(document: str) -> list[str]:
    return [element.tag for element in Xml.fromstring(document.encode()).iter()]


def test_connect_opens_the_stream_with_its_token_and_says_goodbye_and_hangs_up_after_it() -> None:
    document = twiml.connect("wss://desk.example/media", "t0ken", "https://desk.example/events?call=1&x=2")
    root = Xml.fromstring(document.encode())
    stream = root.find("Connect/Stream")
    assert stream is not None
    assert stream.attrib == {
        "url": "wss://desk.example/media",
        "statusCallback": "https://desk.example/events?call=1&x=2",
        "statusCallbackMethod": "POST",
    }
    assert [parameter.attrib for parameter in stream] == [{"name": "token", "value": "t0ken"}]
    assert [verb.tag for verb in root] == ["Connect", "Pause", "Say", "Hangup"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_an_attribute_stays_text(text: str) -> None:
    document = twiml.connect(text, text, text)
    assert verbs(document) == ["Response", "Connect", "Stream", "Parameter", "Pause", "Say", "Hangup"]
    parameter = Xml.fromstring(document.encode()).find("Connect/Stream/Parameter")
    assert parameter is not None
    assert parameter.get("value") == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_only_said(text: str) -> None:
    for document in (twiml.farewell(text), twiml.refuse(text)):
        assert verbs(document) == ["Response", "Say", "Hangup"]
        assert Xml.fromstring(document.encode()).findtext("Say") == text


def test_a_call_is_handed_over_to_one_number_showing_ours() -> None:
    root = Xml.fromstring(twiml.transfer("+12025550100", "+12025550199", "https://desk.example/then").encode())
    (dial,) = root
    assert (dial.tag, dial.get("callerId"), dial.get("action")) == ("Dial", "+12025550199", "https://desk.example/then")
    assert [(part.tag, part.text) for part in dial] == [("Number", "+12025550100")]


def test_nothing_is_said_where_there_are_no_words() -> None:
    assert verbs(twiml.farewell(" ")) == ["Response", "Hangup"]
    assert verbs(twiml.refuse("")) == ["Response", "Hangup"]


def test_what_xml_cannot_hold_is_left_out() -> None:
    document = twiml.farewell("Good\x00bye\x0b, \ud800see you\uffff.")
    assert Xml.fromstring(document.encode()).findtext("Say") == "Goodbye, see you."


@given(st.text(st.characters(exclude_categories=())))
def test_any_words_give_a_document_that_parses(words: str) -> None:
    assert set(verbs(twiml.farewell(words))) <= {"Response", "Say", "Hangup"}
    assert verbs(twiml.connect("wss://desk.example/media", words, words))[-1] == "Hangup"
