"""Adverbials: places, manners, frequencies and times."""

from s2s_keras.data.clause_grammar import lexicon
from s2s_keras.data.clause_grammar.phrases import ENGLISH_COMMA
from s2s_keras.data.clause_grammar.phrases import place_phrase
from s2s_keras.data.clause_grammar.phrases import time_phrase

FREQUENCY_CHANCES = {"habit": 0.35, "past": 0.1}


def add_circumstance(draft, clause):
    """Adds a place, a manner, or neither."""
    verb, outline = clause.verb, clause.outline
    chance = draft.random()
    placed = outline.missing("place") or outline.place
    if verb.places and chance < 0.2 + draft.richness / 2 and not placed:
        if not draft.used.issuperset(verb.places):
            add_place(draft, clause)
    elif verb.manners and chance > 0.85 and not clause.negation:
        manner = draft.pick(verb.manners)
        clause.put("manner", draft.linked(manner, lexicon.MANNERS[manner]))


def add_place(draft, clause):
    """Adds where it happens, as in "in the garden", and returns the place."""
    place = lexicon.PLACES[draft.pick_unused(clause.verb.places)]
    clause.put("place", place_phrase(draft, place))
    return place


def add_direction(draft, clause):
    """Adds where one goes: "to the garden", "in den Garten"."""
    name = draft.pick_unused(clause.verb.places or lexicon.PLACES)
    clause.destination = lexicon.PLACES[name]
    clause.put("place", place_phrase(draft, clause.destination, going=True))


def add_frequency(draft, clause):
    outline, traits, past = (
        clause.outline,
        clause.verb.traits,
        draft.frame == "past",
    )
    repeated = outline.tense in ("main", "plain") and not clause.negation
    eventful = outline.shape in ("event", "resting") and "state" not in traits
    if not (repeated and eventful) or past and "lasting" not in traits:
        return
    if draft.random() < FREQUENCY_CHANCES[draft.frame]:
        options = [w for w in lexicon.FREQUENCIES if not past or w != "always"]
        word = draft.pick(options)
        phrase = draft.linked(word, lexicon.FREQUENCIES[word])
        late = word == "never" and clause.determiner not in lexicon.INDEFINITE
        clause.english["frequency"] = phrase.english
        clause.german["late frequency" if late else "frequency"] = phrase.german


def add_time(draft, clause):
    """Adds a time, or does not, in front or later."""
    last = clause.outline.object_clauses > 0
    question = clause.outline.question
    free = "frequency" not in clause.english
    if not free or "state" in clause.verb.traits or last and question:
        return
    if draft.random() < 0.45:
        return
    time = time_phrase(draft)
    if question or not last and draft.random() < 0.5:
        clause.put("time", time)
    else:
        clause.put("front", time + ENGLISH_COMMA)
