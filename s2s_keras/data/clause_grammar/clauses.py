"""Clauses: their parts, and the order of the parts in each language.

German word order, by kind of clause:

    main      front | finite verb | middle field | verb end
    question          finite verb | middle field | verb end
    final     conjunction         | middle field | verb end + finite verb

and in the middle field: subject, object pronoun, time, dative, accusative,
"nicht", manner, prepositional object, place.
"""

from typing import NamedTuple

from s2s_keras.data.clause_grammar.entries import Place
from s2s_keras.data.clause_grammar.phrases import Phrase
from s2s_keras.data.clause_grammar.phrases import Referent

# Of two slots for one part of speech, a clause fills the one that it needs.
ENGLISH_ORDER = (
    *("front", "inverted auxiliary", "subject", "auxiliary", "frequency"),
    *("verb", "early particle", "pronoun", "dative", "accusative"),
    *("particle", "late dative", "oblique", "manner", "place", "time"),
    "predicate",
)
_MIDDLE = ("pronoun", "time", "dative", "frequency", "accusative")
_PLAIN_END = ("late frequency", "negation", "manner", "place", "predicate")
_OBLIQUE_END = ("place", "manner", "late frequency", "negation", "oblique")


class Gap(NamedTuple):
    """The role that a relative pronoun takes over from its head noun."""

    role: str  # "subject", "object" or "place"
    referent: Referent


class Outline(NamedTuple):
    """What a clause should be like before its words are chosen."""

    shape: str = "event"
    tense: str = "plain"  # "plain", "pluperfect", "main" or "infinitive"
    subject: Referent | None = None  # given: becomes a pronoun
    subject_clauses: int = 0  # clauses in a relative clause of the subject
    object_clauses: int = 0
    gap: Gap | None = None
    antecedent: Referent | None = None  # "it" or "them"
    question: bool = False
    place: Place | None = None  # where one goes for this purpose

    def missing(self, *roles):
        """Returns the referent that a relative pronoun takes out, or None."""
        return (
            self.gap.referent if self.gap and self.gap.role in roles else None
        )


class Clause:
    """The parts of one clause: words by slot, in each language."""

    def __init__(self, outline, verb=None):
        self.outline = outline
        self.verb = verb
        self.referent = outline.subject  # of the subject
        self.antecedent = None  # of an "it" in the next clause
        self.determiner = None  # of the accusative
        self.negation = ()  # link of "not"
        self.particle_first = False
        self.destination = None  # a `Place`
        self.english = {}
        self.german = {}

    def put(self, slot, phrase):
        self.english[slot], self.german[slot] = phrase

    def extend(self, slot, phrase):
        old = Phrase(self.english[slot], self.german[slot])
        self.put(slot, old + phrase)

    def main(self):
        """Orders the words of a main clause or question."""
        start = ("subject", "finite")
        if self.outline.question or "front" in self.german:
            start = ("front", "finite", "subject")
        return self._order((*start, *self._middle_field(), "end"))

    def final(self):
        """Orders the words of a verb-final clause."""
        return self._order(("subject", *self._middle_field(), "final"))

    def _middle_field(self):
        return _MIDDLE + (
            _OBLIQUE_END if "oblique" in self.german else _PLAIN_END
        )

    def _order(self, german_order):
        english, german = self.english.get, self.german.get
        return Phrase(
            [word for slot in ENGLISH_ORDER for word in english(slot, ())],
            [word for slot in german_order for word in german(slot, ())],
        )
