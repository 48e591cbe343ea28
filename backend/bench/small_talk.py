"""Words for invented calls: enough different ones that a search among them is a real one."""

from __future__ import annotations

from random import Random

from backend.models import Brief, Outcome

AGENTS = ("Alex", "Sam", "Robin", "Jamie", "Casey", "Morgan")
AREAS = (202, 212, 303, 312, 404, 415, 503, 512, 617, 702, 713, 808)
ORGANIZATIONS = tuple(
    "Brightside Dental|Harbor Clinic|Maple Garage|Northgate Library|Elm Street Vets|Sunrise Plumbing|Citywide Movers|"
    "Green Valley Optics|Lakeside Physio|Oak Hill School|Corner Bakery|Riverside Insurance".split("|")
)
_FIRST = """James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph
Jessica Thomas Karen Carlos Sarah Daniel Lisa Matteo Nancy Ahmed Betty Mark Sandra Donald Ashley Steven Emily Paul Kim
Andrew Donna Joshua Michelle Kenji Carol Kevin Amanda Brian Melissa George Deborah Tim Stephanie Ron Rebecca Jason
Sharon Edward Laura Jeff Cynthia Ryan Kathleen Jacob Amy Gary Angela Nicolas Shirley Eric Anna Jon Brenda Stefan Pamela
Larry Emma Justin Nicole Scott Helen Brandon Samantha Ben Katja Samuel Christine Gregor Debra Frank Rachel Olga Carolyn
José Janet Łukasz Maria Zoë Heather Patrick Diane Jack Julie Denise Joyce Tyler Victoria Aaron Kelly""".split()
_LAST = """Smith Johnson Williams Brown Jones García Miller Davis Rodriguez Martinez Hernández Lopez Gonzalez Wilson
Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker
Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter
Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers
Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Cox Ward Richardson Watson Brooks Chavez Wood
James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster O'Neil""".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday".split()
_HOURS = "8 a.m.|8:30 a.m.|9 a.m.|9:45 a.m.|10 a.m.|11:15 a.m.|noon|1 p.m.|2:30 p.m.|3 p.m.|4:15 p.m.|5 p.m.".split("|")
_THINGS = """appointment cleaning delivery booking inspection repair order prescription invoice reservation lesson
estimate viewing vaccination fitting payment signature warranty shipment interview""".split()
_PLACES = """kitchen garage office upstairs hallway station bridge market library harbour school corner entrance garden
basement platform reception parking courtyard elevator""".split()
_BITS = """actually probably honestly maybe certainly definitely really usually sometimes already still again soon later
tomorrow tonight yesterday meanwhile instead anyway""".split()
_VERBS = """bring move change cancel check confirm collect deliver explain finish forget keep leave measure open order
park pay pick prepare remember repeat replace send sign start stop take visit wait wash write""".split()
_SYLLABLES = "ba be bi bo da de di do fa fe ga go ka ke ki ko la le li lo ma me mi mo na ne ni no ra re ri ro".split()


def name(chance: Random) -> str:
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


def when(chance: Random) -> str:
    return f"{chance.choice(_DAYS)} at {chance.choice(_HOURS)}"


def action(chance: Random) -> str:
    verb = chance.choice(("Confirm", "Move", "Remind them of", "Ask about"))
    return f"{verb} the {chance.choice(_THINGS)} on {when(chance)}"


def context(chance: Random) -> str:
    minutes, price = chance.randrange(10, 120, 5), chance.randrange(20, 400, 5)
    return f"It takes {minutes} minutes and costs ${price}. The entrance is by the {chance.choice(_PLACES)}."


def result(outcome: Outcome, chance: Random) -> str:
    return f"{outcome.capitalize()}: {when(chance)}, for the {chance.choice(_THINGS)}."


def question(chance: Random) -> str:
    return f"Can I {chance.choice(_VERBS)} the {chance.choice(_THINGS)} by the {chance.choice(_PLACES)}?"


def said(chance: Random, brief: Brief, number: int) -> str:
    """One of the agent's turns."""
    if number == 1:
        return f"Hello {brief.first_name}, this is {brief.agent_name} from {brief.organization}. Do you have a minute?"
    return f"{chance.choice(('Sure.', 'I see.', 'Of course.', 'All right.'))} {_sentence(chance)}"


def answered(chance: Random) -> str:
    """One of the callee's turns; in some there is a word that hardly any other call has."""
    rare = f" It is for {_made_up(chance)}." if chance.random() < 0.05 else ""
    other = f"{chance.choice(AREAS)} 555 {chance.randrange(10_000):04}"
    number = f" My other number is {other}." if chance.random() < 0.01 else ""
    return f"{chance.choice(('Yes.', 'No.', 'Well,', 'Okay,', 'Hm,'))} {_sentence(chance)}{rare}{number}"


def _sentence(chance: Random) -> str:
    bit, verb, thing, place = map(chance.choice, (_BITS, _VERBS, _THINGS, _PLACES))
    return f"On {when(chance)} I {bit} wanted to {verb} the {thing} at the {place}."


def _made_up(chance: Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randrange(2, 5))).capitalize()
