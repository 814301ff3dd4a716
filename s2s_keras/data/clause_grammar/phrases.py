"""Phrases: words of both languages that know what they are aligned with."""

from functools import cache
from random import Random
from typing import NamedTuple

from s2s_keras.data.clause_grammar import lexicon
from s2s_keras.data.clause_grammar.entries import Noun
from s2s_keras.data.clause_grammar.vocabulary import determiners_for


class Phrase(NamedTuple):
    """Words of both languages: lists of (text, link numbers)."""

    english: list
    german: list

    def __add__(self, other):
        return Phrase(self.english + other.english, self.german + other.german)


class Referent(NamedTuple):
    """Whom or what a phrase names; `noun` is None for "we" and weather."""

    noun: Noun | None
    plural: bool

    @property
    def pronoun(self):
        if self.noun is None:
            return "we" if self.plural else ""
        if self.plural:
            return "they"
        return {"m": "he", "f": "she", "n": ""}[self.noun.gender]

    @property
    def key(self):
        return "p" if self.plural else self.noun.gender

    @property
    def is_person(self):
        return "person" in self.noun.kinds


EMPTY = Phrase([], [])
ENGLISH_COMMA = Phrase([(",", ())], [])
GERMAN_COMMA = Phrase([], [(",", ())])


class Draft:
    """A sentence in the making, choosing words with its own random numbers."""

    def __init__(self, seed):
        self.random = Random(seed).random
        self.num_links = 0

    def start(self, is_long):
        """Starts a sentence; a long one is not bare of adjectives."""
        self.used = set()  # words that should not come again
        self.richness = self.random()  # of adjectives and adverbials
        if is_long:
            self.richness = 1.3 * max(self.richness, self.random())
        self.frame = self.pick(lexicon.FRAMES)

    def pick(self, options):
        return options[int(self.random() * len(options))]

    def pick_new(self, options):
        """Picks a noun or verb that is new to the sentence, if it can."""
        for _ in range(12):
            option = self.pick(options)
            if option.english not in self.used:
                break
        self.used.add(option.english)
        return option

    def pick_unused(self, words):
        """Picks an English word among those that are new, if there are."""
        words = tuple(words)
        word = self.pick([w for w in words if w not in self.used] or words)
        self.used.add(word)
        return word

    def link(self):
        self.num_links += 1
        return (self.num_links,)

    def linked(self, english, german):
        """Makes a phrase whose words are all aligned with one another."""
        link = self.link()
        return Phrase(words(english, link), words(german, link))


def words(text, links):
    return [(word, links) for word in text.split()]


@cache
def inflect(noun, determiner, adjective, case):
    """Declines determiner, adjective (or "") and noun in both languages.

    >>> inflect(lexicon.PEOPLE[1], lexicon.THE, "old", "dat")
    (('the', 'old', 'man'), ('dem', 'alten', 'Mann'))
    """
    key = Referent(noun, determiner.plural).key
    english, german = noun.english, noun.german
    if determiner.plural:
        english, german = noun.english_plural, noun.german_plural
        german += "n" if case == "dat" and german[-1] not in "ns" else ""
    article = determiner.english
    if article == "a" and (adjective or english)[0] in "aeiou":
        article = "an"
    declined = ""
    if adjective:
        ending = lexicon.ADJECTIVE_ENDINGS[determiner.declension][case][key]
        declined = lexicon.ADJECTIVES[adjective] + ending
    german_article = _decline(determiner, case, key)
    return (article, adjective, english), (german_article, declined, german)


def _decline(determiner, case, key):
    if determiner.declension == "definite":
        return lexicon.DEFINITE[case][key]
    if determiner.declension == "bare":
        return determiner.german
    endings = lexicon.DETERMINER_ENDINGS[determiner.declension]
    return determiner.german + endings[case][key]


def noun_phrase(draft, noun, case, determiner, negation=()):
    """Composes a noun phrase; `negation` links "kein" with "not"."""
    adjective = ""
    if noun.adjectives and draft.random() < 0.15 + 0.7 * draft.richness:
        adjective = draft.pick(noun.adjectives)
    english, german = inflect(noun, determiner, adjective, case)
    article = german_article = draft.link()
    if determiner in lexicon.NEGATIVE:
        german_article = article + negation
    if determiner is lexicon.NO:
        article = negation
    others = draft.link(), draft.link()
    return Phrase(
        _present(english, (article, *others)),
        _present(german, (german_article, *others)),
    )


def _present(texts, links):
    """Pairs the texts that are not empty with their links."""
    return [pair for pair in zip(texts, links, strict=True) if pair[0]]


def choose_determiner(draft, noun, role, possessor):
    """Chooses a determiner for a role, or one of a possessor's."""
    owned = possessor and lexicon.POSSESSIVES.get(possessor.pronoun)
    has_plural = bool(noun.english_plural)
    if "kin" in noun.kinds:
        determiner = draft.pick((lexicon.MY, lexicon.OUR))
        if owned and draft.random() < 0.7:
            determiner = owned
        return _in_number(determiner, has_plural and draft.random() < 0.25)
    if "mass" in noun.kinds:
        role = "negated mass" if role == "negated" else "mass"
    if owned and role == "object" and "own" in noun.kinds:
        if draft.random() < 0.25:
            return _in_number(owned, possessor.plural)
    if role == "object" and draft.frame == "habit":
        role = "habitual"
    return draft.pick(determiners_for(role, has_plural))


@cache
def _in_number(determiner, plural):
    return determiner._replace(plural=plural)


def relative_pronoun(case, referent):
    if case == "dat" and referent.plural:
        return "denen"
    return lexicon.DEFINITE[case][referent.key]


def object_pronoun(draft, referent):
    english = "them" if referent.plural else "it"
    return draft.linked(english, lexicon.OBJECT_PRONOUNS[referent.key])


def place_phrase(draft, place, going=False):
    """Composes "in the old garden" or "to the old garden"."""
    adjective = ""
    if draft.random() < draft.richness / 2:
        adjective = draft.pick(place.noun.adjectives)
    contact = (place.direction if going else place.location).split()
    case = "acc" if going and contact != ["zum"] else "dat"
    english, german = inflect(place.noun, lexicon.THE, adjective, case)
    preposition = "to" if going else place.english
    links = [draft.link() for _ in range(4)]
    beside = links[:2] if len(contact) == 2 else [links[0] + links[1]]
    return Phrase(
        _present((preposition, *english), links),
        _present((*contact, *german[1:]), (*beside, *links[2:])),
    )


def time_phrase(draft):
    """Composes "in the evening", aligned noun with noun."""
    times = draft.pick(lexicon.TIMES[draft.frame])
    (opening, _, noun), (start, _, end) = (
        time.rpartition(" ") for time in times
    )
    return draft.linked(opening, start) + draft.linked(noun, end)
