"""Who may be dialled."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backend.answers import Number
from backend.models import Refused
from backend.telephony.gate import described, dialable

VALID = [
    ("+12025550143", "+12025550143"),
    ("(202) 555-0143", "+12025550143"),
    ("202.555.0143", "+12025550143"),
    ("1 202 555 0143", "+12025550143"),
    ("  +1 202-555-0143  ", "+12025550143"),
    ("\u202a+1\u00a0202\u00a0555\u00a00143\u202c", "+12025550143"),
    ("＋１２０２５５５０１４３", "+12025550143"),
    ("011 44 20 7946 0958", "+442079460958"),
    ("+1 416 555 0123", "+14165550123"),
    ("+1 787 555 0123", "+17875550123"),
    ("+1 800 555 0199", "+18005550199"),
    ("+44 20 7946 0958", "+442079460958"),
    ("+44 (0)20 7946 0958", "+442079460958"),
    ("+44 7400 123456", "+447400123456"),
    ("+44 300 123 4567", "+443001234567"),
    ("+353 85 012 3456", "+353850123456"),
    ("+49 30 12345678", "+493012345678"),
    ("+49 1512 3456789", "+4915123456789"),
    ("+33 1 23 45 67 89", "+33123456789"),
    ("+33 6 12 34 56 78", "+33612345678"),
    ("+39 06 1234 5678", "+390612345678"),
    ("+34 612 34 56 78", "+34612345678"),
    ("+31 6 12345678", "+31612345678"),
    ("+41 78 123 45 67", "+41781234567"),
    ("+46 70 123 45 67", "+46701234567"),
    ("+48 512 345 678", "+48512345678"),
    ("+61 412 345 678", "+61412345678"),
    ("+64 21 123 4567", "+64211234567"),
    ("+81 90 1234 5678", "+819012345678"),
    ("+82 10 1234 5678", "+821012345678"),
    ("+86 131 2345 6789", "+8613123456789"),
    ("+91 81234 56789", "+918123456789"),
    ("+55 11 96123-4567", "+5511961234567"),
    ("+52 222 123 4567", "+522221234567"),
    ("+27 71 123 4567", "+27711234567"),
    ("+234 802 123 4567", "+2348021234567"),
    ("+971 50 123 4567", "+971501234567"),
    ("+972 50 234 5678", "+972502345678"),
]

EMERGENCY = ["911", "112", "999", "000", "110", "119", "9-1-1", "+1911", "+44999", "+44 112", "+61 000", "+81 119"]
NO_NUMBERS = [
    "1",
    "+",
    "+1",
    "+1 123 456 7890",
    "+1 555 555 5555",
    "+999 123 456 789",
    "+44 20 7946 095",
    "1" * 300,
    "(;--",
    "☎",
]
TOO_SHORT = ["12345", "54321", "20255", "202 555", "+1 202", "+1 202 555 014", "+44 20 7946"]
TOO_LONG = ["+1 202 555 01434", "442079460958", "1" * 17]
SHORT = ["411", "211", "611", "811", "311", "511", "711", "988"]
LETTERS = [
    "call me",
    "+1 202 555 O143",
    "1-800-FLOWERS",
    "sip:x@example.com",
    "+12025550143 x5",
    "911; drop",
    "０１２ａ",
]
COSTLY = [
    ("+1 900 555 1234", "premium-rate"),
    ("1-900-976-1234", "premium-rate"),
    ("+1 212 976 1234", "976"),
    ("+44 909 879 0000", "high-cost"),
    ("+44 9012 345678", "high-cost"),
    ("+44 70 1234 5678", "personal"),
    ("+44 843 123 4567", "premium-rate"),
    ("+49 180 1 234567", "shared-cost"),
    ("+44 871 123 4567", "premium-rate"),
    ("+44 7640 123456", "pager"),
    ("+1 500 222 2345", "personal"),
    ("+33 8 91 12 34 56", "premium-rate"),
    ("+49 900 1234567", "premium-rate"),
    ("+61 1900 123 456", "premium-rate"),
    ("+870 773 111 632", "satellite"),
    ("+881 612 345 678", "satellite"),
    ("+882 16 1234 5678", "satellite"),
    ("+883 5100 1234 5678", "satellite"),
    ("+979 123 456 789", "satellite"),
    ("+800 1234 5678", "satellite"),
]
CARIBBEAN = "242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876".split()


def refusal(number: str) -> str:
    with pytest.raises(Refused) as refused:
        dialable(number)
    return str(refused.value)


@pytest.mark.parametrize(("typed", "e164"), VALID)
def test_an_ordinary_number_may_be_dialled(typed: str, e164: str) -> None:
    assert dialable(typed) == e164


@pytest.mark.parametrize("typed", EMERGENCY)
def test_emergency_numbers_are_never_dialled(typed: str) -> None:
    assert "an emergency number" in refusal(typed)


@pytest.mark.parametrize(("typed", "region"), [("110", "DE"), ("17", "FR"), ("190", "BR"), ("100", "IN"), ("15", "FR")])
def test_a_countrys_own_emergency_numbers_are_known(typed: str, region: str) -> None:
    with pytest.raises(Refused, match="an emergency number"):
        dialable(typed, region)


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_what_is_no_number_is_refused_with_an_example(typed: str) -> None:
    assert refusal(typed) == (
        f"“{typed[:40]}” is not a phone number: write it with country code, such as +1 202 555 0143"
    )


@pytest.mark.parametrize("typed", TOO_SHORT)
def test_a_number_half_typed_lacks_digits(typed: str) -> None:
    assert refusal(typed) == f"“{typed}” is too short for a phone number: digits are missing"


@pytest.mark.parametrize("typed", TOO_LONG)
def test_a_number_with_too_many_digits_is_told_from_other_mistakes(typed: str) -> None:
    assert refusal(typed).startswith(f"“{typed}” is too long for a phone number: check its digits")


@pytest.mark.parametrize("typed", SHORT)
def test_short_codes_are_never_dialled(typed: str) -> None:
    assert "a service number" in refusal(typed)


@pytest.mark.parametrize("typed", LETTERS)
def test_letters_are_asked_back_about_and_never_dropped(typed: str) -> None:
    assert "has letters in it: write the number with digits only" in refusal(typed)


@pytest.mark.parametrize("typed", ["", "   ", "\n"])
def test_an_empty_number_is_asked_for(typed: str) -> None:
    assert refusal(typed).startswith("No phone number was given")


@pytest.mark.parametrize("typed", ["+1 202 555 0143 #5", "+12025550143;5"])
def test_an_extension_is_not_quietly_dropped(typed: str) -> None:
    assert "has an extension" in refusal(typed)


@pytest.mark.parametrize(("typed", "what"), COSTLY)
def test_numbers_that_cost_more_are_never_dialled(typed: str, what: str) -> None:
    assert what in refusal(typed)
    assert "never dialled" in refusal(typed)


@pytest.mark.parametrize("area", CARIBBEAN)
def test_caribbean_numbers_that_look_domestic_are_never_dialled(area: str) -> None:
    for typed in (f"+1 {area} 322 1234", f"({area}) 322-1234"):
        assert "high-cost range that is known for fraud" in refusal(typed)


def test_a_number_without_country_code_is_read_in_the_given_region() -> None:
    assert dialable("020 7946 0958", "GB") == "+442079460958"
    assert dialable("030 12345678", "DE") == "+493012345678"
    assert dialable("+12025550143", "GB") == "+12025550143"


def test_a_number_is_described_as_its_country_writes_it() -> None:
    assert described("2025550143") == Number(
        "+12025550143", "(202) 555-0143", "US", "United States", ("America/New_York",)
    )
    berlin = described("+493012345678")
    assert (berlin.national, berlin.region, berlin.country) == ("030 12345678", "DE", "Germany")
    assert berlin.time_zones == ("Europe/Berlin",)


def test_a_toll_free_number_may_ring_in_many_time_zones() -> None:
    zones = set(described("+18005550199").time_zones)
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= zones
    assert not {"America/Jamaica", "America/Toronto"} & zones, "those are other countries"


TWO_NUMBERS = [
    ("01 234567 / 345678", "AT"),
    ("01 234567\n345678", "AT"),
    ("01 234567 ; 345678", "AT"),
    ("01 234567, 345678", "AT"),
    ("01 234567 |345678", "AT"),
    ("+1 202 555 0143 / +1 202 555 0144", "US"),
    ("+1 202 555 0143, +1 202 555 0144", "US"),
]


@pytest.mark.parametrize(("typed", "region"), TWO_NUMBERS)
def test_two_numbers_are_not_glued_into_a_third(typed: str, region: str) -> None:
    with pytest.raises(Refused) as refused:
        dialable(typed, region)
    assert str(refused.value) == f"“{' '.join(typed.split())}” has two numbers in it: write one"


@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        ("030/1234567", "DE", "+49301234567"),
        ("030 /1234567", "DE", "+49301234567"),
        ("01/234567", "AT", "+431234567"),
        ("+1 202 555 0143\n", "US", "+12025550143"),
        ("\n(202) 555-0143", "US", "+12025550143"),
    ],
)
def test_a_slash_within_a_number_and_a_line_around_it_are_no_second_one(typed: str, region: str, e164: str) -> None:
    assert dialable(typed, region) == e164


def test_the_gate_does_not_load_the_geocoder() -> None:
    """Its tables would cost every process 100 MB."""
    code = (
        "import sys; from backend.telephony.gate import described; described('+12025550143');"
        "sys.exit('phonenumbers.geodata' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
