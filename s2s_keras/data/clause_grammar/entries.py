"""Entries of the lexicon, and how they read from the lines of a table.

Bars part the columns of a line, and "-" stands for an empty one.
"""

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun in both languages; an empty plural means "singular only"."""

    english: str
    english_plural: str
    german: str
    german_plural: str
    gender: str  # "m", "f" or "n"
    kinds: frozenset  # what it is, with the noun itself
    adjectives: tuple


class Verb(NamedTuple):
    """A verb in both languages, with what it asks of its companions."""

    english: str
    third: str
    past: str
    participle: str
    particle: str  # "up", or a preposition such as "for"
    german_third: str
    infinitive: str
    german_participle: str
    preterite: str  # empty: the perfect tells the past
    prefix: str  # separable
    pattern: tuple  # (), ("acc",), ("dat", "acc"), ("auf", "acc"), ...
    subjects: frozenset  # kinds of nouns
    objects: frozenset  # kinds of nouns
    places: tuple
    manners: tuple
    traits: frozenset  # with the shapes of clauses that it suits

    @property
    def name(self):
        return f"{self.english} {self.particle}".strip()

    @property
    def is_oblique(self):
        """Whether its preposition stays one in German: "warten auf"."""
        return len(self.pattern) == 2 and self.pattern[0] != "dat"


class Place(NamedTuple):
    """A place, with the words for being there and going there."""

    noun: Noun
    english: str  # preposition of being there
    german: str
    location: str  # German preposition and article of being there
    direction: str  # German preposition and article of going there
    purposes: tuple  # names of verbs: what one goes there for


class Determiner(NamedTuple):
    """A determiner; `declension` names the row of endings it takes."""

    english: str
    german: str
    declension: str
    plural: bool = False


class Modal(NamedTuple):
    """A modal verb; `english` holds singular, plural and the base form."""

    english: tuple
    german: tuple  # singular, plural
    negated: tuple  # German forms under negation

    @property
    def has_support(self):
        """Whether it negates and asks with "do"."""
        return " to" in self.english[0]


class Relation(NamedTuple):
    """A subordinating conjunction and the clauses that suit it."""

    english: str
    german: str
    tense: str  # as in an outline of a clause
    contents: tuple
    frames: tuple

    @property
    def is_temporal(self):
        return "state" not in self.contents


def _columns(line, count):
    """Splits a line of a table, filling up with empty columns."""
    columns = [column.strip() for column in line.split("|")]
    columns += [""] * (count - len(columns))
    return ["" if column == "-" else column for column in columns]


def lines(table):
    """Splits a table; an indented line continues the one before."""
    return table.strip().replace("\n    ", " | ").splitlines()


def read_pairs(text):
    """Reads "old alt, young jung" as a dictionary."""
    return dict(pair.split() for pair in text.split(","))


def read_noun(line):
    english, german, kinds, adjectives = _columns(line, 4)
    singular, plural = [*english.split(), ""][:2]
    *german_forms, gender = german.split()
    return Noun(
        singular,
        plural,
        *[*german_forms, ""][:2],
        gender,
        frozenset([singular, *kinds.split()]),
        tuple(adjectives.split()),
    )


def read_verb(line):
    forms, german, *rest = _columns(line, 8)
    forms, _, particle = forms.partition(", ")
    german, _, prefix = german.partition(", ")
    pattern, objects, places, manners, traits, subjects = rest
    pattern = tuple(pattern.split())
    return Verb(
        *forms.split(),
        particle,
        *[*german.split(), ""][:4],
        prefix,
        pattern,
        frozenset((subjects or "person").split()),
        frozenset(objects.split()),
        tuple(places.split()),
        tuple(manners.split()),
        _traits(pattern, places, frozenset(traits.split())),
    )


def _traits(pattern, places, traits):
    """Adds the shapes of the clauses that a verb suits to its traits."""
    if pattern == ("that",):
        return traits | {"that"}
    shapes = {"event"}
    if pattern == ("to",):
        shapes.add("motion")
    if pattern == () and places:
        shapes.add("resting")
    if "state" not in traits:
        shapes.add("happening")
    return traits | shapes


def read_place(line):
    *noun, english, german, location, direction, purposes = line.split(" | ")
    return Place(
        read_noun(" | ".join(noun)),
        *(english, german, location, direction),
        tuple(purposes.split(", ")),
    )


def read_modal(english, german, negated=""):
    """Reads forms parted by commas; a lone English form never changes."""
    forms = english.split(", ")
    return Modal(
        tuple(forms * (3 // len(forms))),
        tuple(german.split()),
        tuple((negated or german).split()),
    )


def read_relation(line):
    *words, contents, frames = _columns(line, 5)
    return Relation(*words, tuple(contents.split()), tuple(frames.split()))
