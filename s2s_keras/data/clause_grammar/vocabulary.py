"""Which words of the lexicon go together."""

from functools import cache

from s2s_keras.data.clause_grammar import lexicon

PERSON = frozenset(["person"])
DAILY = frozenset(["fruit", "drink", "baked", "plant"])


@cache
def nouns_for(kinds, kin=True):
    """Returns the nouns of some kinds, with or without "my mother"."""
    return tuple(
        noun
        for noun in lexicon.PEOPLE + lexicon.THINGS
        if noun.kinds & kinds and (kin or "kin" not in noun.kinds)
    )


@cache
def relations_for(frame, has_relative):
    """Returns the relations that suit a frame, and relative clauses."""
    return tuple(
        relation
        for relation in lexicon.RELATIONS
        if frame in relation.frames
        and not (has_relative and relation.english == "if")
    )


@cache
def determiners_for(role, has_plural):
    """Returns determiners, each as often as its weight says."""
    return tuple(
        determiner
        for determiner, weight in lexicon.DETERMINERS[role].items()
        for _ in range(weight)
        if has_plural or not determiner.plural
    )


@cache
def verbs_for(shape, frame="past", subject=None, thing=None, heavy=False):
    """Returns the verbs that make sense in a clause.

    `subject` is a noun; so is `thing`, which a pronoun stands for. A `heavy`
    clause needs an object, to carry a relative clause.

    >>> [verb.english for verb in verbs_for("that")]
    ['know', 'say', 'hope']
    """
    return tuple(
        verb
        for verb in lexicon.VERBS
        if shape in verb.traits
        and (frame != "habit" or _suits_habit(verb, thing))
        and (subject is None or verb.subjects & subject.kinds)
        and (thing is None or _takes_object(verb, thing))
        and not (heavy and verb.pattern in ((), ("to",)))
    )


def _suits_habit(verb, thing):
    kinds = verb.objects if thing is None else thing.kinds
    return "rare" not in verb.traits or kinds & DAILY


def _takes_object(verb, noun):
    if "place" in noun.kinds:
        return noun.english in verb.places
    if verb.pattern == ("dat", "acc") and "person" in noun.kinds:
        return True
    return verb.objects & noun.kinds
