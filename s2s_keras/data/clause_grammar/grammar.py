"""A synchronous grammar: synthetic English sentences, German beside them.

Both sides of a sentence grow from one choice of clauses, nouns and verbs.
Each word carries link numbers, and words that share one are aligned. Every
choice shows on the English side, so the German is a function of the English.

German word order, by kind of clause:

    main      front | finite verb | middle field | verb end
    question          finite verb | middle field | verb end
    final     conjunction         | middle field | verb end + finite verb

and in the middle field: subject, object pronoun, time, dative, accusative,
"nicht", manner, prepositional object, place.
"""

import re
from functools import cache
from itertools import chain
from random import Random
from typing import NamedTuple

from s2s_keras.data.clause_grammar import lexicon


class SentencePair(NamedTuple):
    """A source and a target sentence with their gold word alignment."""

    source: str
    target: str
    alignment: tuple  # of (source index, target index)


class Phrase(NamedTuple):
    """Words of both languages: lists of (text, link numbers)."""

    english: list
    german: list

    def __add__(self, other):
        return Phrase(self.english + other.english, self.german + other.german)


class Referent(NamedTuple):
    """Whom or what a phrase names; `noun` is None for "we" and weather."""

    noun: lexicon.Noun | None
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


class Gap(NamedTuple):
    """The role that a relative pronoun takes over from its head noun."""

    role: str  # "subject", "object" or "place"
    referent: Referent


class Outline(NamedTuple):
    """What a clause should be like before its words are chosen."""

    shape: str = "event"
    tense: str = "plain"  # "plain", "pluperfect", "main" or "infinitive"
    subject: Referent | None = None  # given: becomes a pronoun
    gap: Gap | None = None
    antecedent: Referent | None = None  # "it" or "them"
    subject_clauses: int = 0  # clauses in a relative clause of the subject
    object_clauses: int = 0
    question: bool = False
    place: lexicon.Place | None = None  # where one goes for this purpose


class Clause:
    """The parts of one clause, in no order."""

    def __init__(self, outline, verb=None):
        self.outline = outline
        self.verb = verb
        self.referent = outline.subject  # of the subject
        self.antecedent = None  # of an "it" in the next clause
        self.relativizer = self.front = self.subject = self.pronoun = EMPTY
        self.time = self.frequency = self.dative = self.accusative = EMPTY
        self.negation = self.manner = self.oblique = self.place = EMPTY
        self.predicate = EMPTY
        self.late_frequency = False
        self.to_dative = []  # English "to", where the dative comes last
        self.auxiliary = []  # the English word that a question begins with
        self.main_verb = []
        self.particle = []
        self.particle_first = False
        self.finite = []
        self.verb_end = []  # German words that close a main clause
        self.verb_final = []  # German words that close any other clause
        self.destination = None  # a `lexicon.Place`

    def is_negative(self):
        """Tells whether "not", rather than "no", negates the clause."""
        return any(word in ("not", "cannot") for word, _ in self.auxiliary)


EMPTY = Phrase([], [])
WE = Referent(None, True)
WEATHER = Referent(None, False)
MOVABLE_PARTICLES = frozenset(["up", "away", "back", "along", "off"])
SPLITS = {
    "train": {"num_pairs": 100_000, "clauses": (1, 3), "seed": 1},
    "validation": {"num_pairs": 1_000, "clauses": (1, 3), "seed": 2},
    "test": {"num_pairs": 1_000, "clauses": (1, 3), "seed": 3},
    "test_long": {"num_pairs": 1_000, "clauses": (4, 8), "seed": 4},
}


def word_tokens(text):
    """Splits text into the words and punctuation marks that links count.

    Args:
        text: A sentence.

    Returns:
        A list of strings.

    Example:

    >>> word_tokens("Yesterday, the baker slept.")
    ['Yesterday', ',', 'the', 'baker', 'slept', '.']
    """
    return re.findall(r"\w+|[^\w\s]", text)


def generate(num_pairs, clauses=(1, 3), seed=0, exclude=()):
    """Yields distinct synthetic English-German sentence pairs.

    The clause counts take turns, so each is equally frequent. A relative
    clause and a purpose clause ("to buy bread") count as one clause each.

    Args:
        num_pairs: How many pairs to yield.
        clauses: Fewest and most clauses in a sentence.
        seed: Integer; the same seed yields the same pairs.
        exclude: Sentences, of either language, that should not come up.

    Returns:
        An iterator of `SentencePair`. No two share a source or a target.

    Example:

    >>> pair = next(generate(1, clauses=(2, 2)))
    >>> pair.source
    """
    low, high = _check_clauses(clauses)
    composer = Composer(seed)
    taken = set(exclude)
    for index in range(num_pairs):
        num_clauses = low + index % (high - low + 1)
        pair = composer.sentence(num_clauses)
        while pair.source in taken or pair.target in taken:
            pair = composer.sentence(num_clauses)
        taken.add(pair.source)
        taken.add(pair.target)
        yield pair


def generate_split(name):
    """Yields the sentence pairs of one split of the synthetic data set.

    Args:
        name: One of `"train"`, `"validation"`, `"test"` and `"test_long"`.

    Returns:
        An iterator of `SentencePair`. No sentence is in two splits.

    Example:

    >>> for pair in generate_split("validation"):
    ...     print(pair.source, "->", pair.target)
    """
    if name not in SPLITS:
        raise ValueError(
            f"`name` should be one of {sorted(SPLITS)}. Received: name={name}"
        )
    held_out = list(SPLITS)[1:]
    if name in held_out:
        held_out = held_out[: held_out.index(name)]
    others = chain.from_iterable(generate_split(other) for other in held_out)
    exclude = {text for pair in others for text in (pair.source, pair.target)}
    return generate(exclude=exclude, **SPLITS[name])


def _check_clauses(clauses):
    low, high = clauses
    if not 1 <= low <= high <= 8:
        raise ValueError(
            "`clauses` should be two integers with 1 <= low <= high <= 8. "
            f"Received: clauses={clauses}"
        )
    return low, high


@cache
def inflect(noun, determiner, adjective, case):
    """Declines a noun phrase in both languages.

    Args:
        noun: A `lexicon.Noun`.
        determiner: A `lexicon.Determiner`.
        adjective: An English adjective of the lexicon, or `""`.
        case: `"nom"`, `"acc"` or `"dat"`.

    Returns:
        Two tuples: English and German determiner, adjective and noun, each
        `""` where there is none.

    Example:

    >>> noun = lexicon.PEOPLE[1]
    >>> inflect(noun, lexicon.THE, "old", "dat")[1]
    ('dem', 'alten', 'Mann')
    """
    plural = determiner.plural
    key = "p" if plural else noun.gender
    english = noun.english_plural if plural else noun.english
    german = noun.german_plural if plural else noun.german
    if plural and case == "dat" and german[-1] not in "ns":
        german += "n"
    article = determiner.english
    if article == "a" and (adjective or english)[0] in "aeiou":
        article = "an"
    german_adjective = lexicon.ADJECTIVES.get(adjective, "")
    if adjective:
        german_adjective += _adjective_ending(determiner, case, key)
    german_article = _decline(determiner, case, key)
    return (article, adjective, english), (
        german_article,
        german_adjective,
        german,
    )


def _decline(determiner, case, key):
    if determiner.declension == "definite":
        return lexicon.DEFINITE[case][key]
    if determiner.declension == "bare":
        return determiner.german
    row = "mixed" if determiner.declension == "mixed" else "strong"
    return determiner.german + lexicon.DETERMINER_ENDINGS[row][case][key]


def _adjective_ending(determiner, case, key):
    row = {"definite": "weak", "bare": "strong"}.get(
        determiner.declension, determiner.declension
    )
    return lexicon.ADJECTIVE_ENDINGS[row][case][key]


def _accepts(kinds, noun):
    return not kinds.isdisjoint(noun.kinds)


def _takes_object(verb, noun):
    if "place" in noun.kinds:
        return noun.english in verb.places
    if verb.pattern == ("dat", "acc") and "person" in noun.kinds:
        return True
    return _accepts(verb.objects, noun)


def _fits_shape(verb, shape):
    if shape == "that":
        return verb.pattern == ("that",)
    if shape == "motion":
        return verb.pattern == ("to",)
    if "that" in verb.pattern:
        return False
    if shape == "resting":
        return verb.pattern == () and bool(verb.places)
    if shape == "happening":
        return "state" not in verb.traits
    return shape == "event" or shape in verb.traits


def _fits_frame(verb, frame, thing):
    if frame != "habit" or "rare" not in verb.traits:
        return True
    if thing is None:
        return not DAILY.isdisjoint(verb.objects)
    return _accepts(DAILY, thing)


@cache
def verbs_for(shape, frame="past", subject=None, thing=None):
    """Returns the verbs that make sense in a clause.

    Args:
        shape: What the clause needs: `"event"`, `"object"`, `"motion"`, ...
        frame: The time of the sentence: `"habit"`, `"past"` or `"future"`.
        subject: The `lexicon.Noun` of the subject, or None for any.
        thing: The noun of a relative pronoun or of "it", or None for any.

    Returns:
        A tuple of `lexicon.Verb`.

    Example:

    >>> [verb.base for verb in verbs_for("that")]
    ['know', 'say', 'hope']
    """
    return tuple(
        verb
        for verb in lexicon.VERBS
        if _fits_shape(verb, shape)
        and _fits_frame(verb, frame, thing)
        and (subject is None or _accepts(verb.subjects, subject))
        and (thing is None or _takes_object(verb, thing))
    )


@cache
def _relations(frame, rich):
    """Returns the relations that suit a frame, and relative clauses."""
    return tuple(
        relation
        for relation in lexicon.RELATIONS
        if frame in relation.frames and not (rich and relation.english == "if")
    )


@cache
def nouns_for(kinds):
    """Returns the nouns of some kinds, as a verb's `objects` lists them."""
    nouns = lexicon.PEOPLE + lexicon.THINGS
    return tuple(noun for noun in nouns if _accepts(kinds, noun))


def _determiners(*weighted):
    """Repeats each determiner by its weight, split by number."""
    every = [item for item, weight in weighted for _ in range(weight)]
    return {
        False: tuple(item for item in every if not item.plural),
        True: tuple(every),
    }


PERSON = frozenset(["person"])
DAILY = frozenset(["fruit", "drink", "baked", "plant"])
_PLURALS = (
    (lexicon.MANY, 1),
    (lexicon.SOME, 1),
    *[(number, 1) for number in lexicon.NUMBERS],
)
DETERMINERS = {
    "subject": _determiners(
        (lexicon.THE, 16),
        (lexicon.THE_PLURAL, 8),
        (lexicon.A, 5),
        (lexicon.THIS, 2),
        *_PLURALS,
    ),
    "object": _determiners(
        (lexicon.THE, 12),
        (lexicon.THE_PLURAL, 5),
        (lexicon.A, 14),
        (lexicon.THIS, 2),
        (lexicon.THESE, 1),
        *_PLURALS,
    ),
    "habitual": _determiners(
        (lexicon.THE, 4), (lexicon.THE_PLURAL, 2), (lexicon.A, 3)
    ),
    "definite": _determiners(
        (lexicon.THE, 5), (lexicon.THE_PLURAL, 2), (lexicon.THIS, 1)
    ),
    "negated": _determiners(
        (lexicon.THE, 3),
        (lexicon.THE_PLURAL, 1),
        (lexicon.THIS, 1),
        (lexicon.NOT_A, 4),
        (lexicon.NO, 2),
    ),
    "mass": _determiners((lexicon.BARE, 3), (lexicon.THE, 2)),
    "negated mass": _determiners((lexicon.NOT_ANY, 2), (lexicon.THE, 1)),
}
BARE = frozenset([lexicon.BARE, lexicon.NOT_ANY])
NEGATIVE = frozenset([lexicon.NOT_A, lexicon.NOT_ANY, lexicon.NO])
INDEFINITE = NEGATIVE | {
    lexicon.A,
    lexicon.BARE,
    lexicon.MANY,
    lexicon.SOME,
    *lexicon.NUMBERS,
}
FRAMES = ("past",) * 4 + ("habit",) * 2 + ("future",) * 3
COORDINATORS = (("and", "und"), ("and", "und"), ("but", "aber"))
# By whether the tail is short enough for a purpose clause.
TAIL_SHAPES = {
    False: ("event", "event", "event", "that"),
    True: ("event", "event", "event", "event", "that", "motion"),
}
TEMPORAL = frozenset(
    relation
    for relation in lexicon.RELATIONS
    if relation.english in ("while", "before", "after", "when")
)
COMMA = (",", ())
HAVE = {
    "haben": {"past": ("hat", "haben"), "pluperfect": ("hatte", "hatten")},
    "sein": {"past": ("ist", "sind"), "pluperfect": ("war", "waren")},
}


class Composer:
    """Writes sentences, choosing words with its own random numbers.

    Args:
        seed: Integer.

    Example:

    >>> Composer(seed=0).sentence(num_clauses=2).target
    """

    def __init__(self, seed):
        self.random = Random(seed).random

    # Choosing.

    def pick(self, options):
        return options[int(self.random() * len(options))]

    def pick_new(self, options):
        """Picks what the sentence does not have yet, if it can."""
        for _ in range(12):
            option = self.pick(options)
            name = getattr(option, "english", None) or option.base
            if name not in self.used:
                break
        self.used.add(name)
        return option

    def link(self):
        self.num_links += 1
        return (self.num_links,)

    def linked(self, english, german):
        """Makes a phrase whose words are all aligned with one another."""
        link = self.link()
        return Phrase(_words(english, link), _words(german, link))

    # Sentences.

    def sentence(self, num_clauses):
        """Composes a sentence.

        Args:
            num_clauses: How many clauses it has, from 1 to 8.

        Returns:
            A `SentencePair`.
        """
        self.num_links = 0
        self.used = set()
        self.time_is_free = True
        self.richness = self.random()  # of adjectives and adverbials
        if num_clauses > 3:
            self.richness = 1.3 * max(self.richness, self.random())
        self.frame = self.pick(FRAMES)
        groups = self.share_groups(num_clauses)
        question = len(groups) == 1 and self.random() < 0.08
        phrase, clause = self.main_clause(groups[0], question=question)
        self.time_is_free = False
        for extras in groups[1:]:
            joined, clause = self.coordinate(extras, clause)
            phrase = phrase + joined
        mark = "?" if question else "."
        return _finish(phrase, self.linked(mark, mark))

    def share_groups(self, num_clauses):
        """Deals clauses to coordinated main clauses: extras of each."""
        fewest = 1 + num_clauses // 4
        most = (num_clauses + 2) // 2
        num_groups = fewest + int(self.random() * (most - fewest + 1))
        groups = [0] * num_groups
        for _ in range(num_clauses - num_groups):
            groups[int(self.random() * num_groups)] += 1
        return groups

    def share_extras(self, extras, slots):
        """Deals `extras` clauses to the named slots, up to their sizes."""
        shares = dict.fromkeys(slots, 0)
        while extras:
            name = self.pick(tuple(slots))
            if shares[name] < slots[name]:
                shares[name] += 1
                extras -= 1
        return shares

    def coordinate(self, extras, previous):
        """Composes ", and" or ", but" with one more main clause."""
        comma = self.linked(",", ",")
        referent = previous.referent
        gain = previous.antecedent and "gain" in previous.verb.traits
        sequel = gain and extras == 0 and referent.pronoun
        if sequel and self.random() < 0.7:
            outline = Outline(
                "then",
                "main" if self.frame == "future" else "plain",
                referent,
                antecedent=previous.antecedent,
            )
            if self.verb_options(outline):
                clause = self.compose(outline)
                clause.front = self.linked("then", "dann")
                words = Phrase(english_order(clause), german_main(clause))
                return comma + self.linked("and", "und") + words, clause
        options = COORDINATORS[: 2 if "but" in self.used else 3]
        conjunction = self.linked(*self.pick(options))
        self.used.add(conjunction.english[0][0])
        phrase, clause = self.main_clause(extras, referent)
        return comma + conjunction + phrase, clause

    def main_clause(self, extras, topic=None, question=False):
        """Composes a main clause with all that depends on it."""
        slots = {"tail": 3, "subject": 2, "object": 1, "front": 3}
        if question:
            del slots["front"]
        shares = self.share_extras(extras, slots)
        shape = self.main_shape(shares, topic)
        before, after = self.pick_relations(shares, shape)
        front = EMPTY
        if before:
            front, topic = self.subordinate(before, shares["front"] - 1, topic)
            front = front + self.linked(",", ",")
        if before and before.english == "while":
            topic = None
        if shape == "event" and not TEMPORAL.isdisjoint((before, after)):
            shape = "happening"
        clause = self.compose(self.main_outline(shape, shares, topic, question))
        clause.front = front
        if front is EMPTY:
            self.add_time(clause)
        phrase = Phrase(english_order(clause), german_main(clause))
        if shares["tail"]:
            phrase = phrase + self.tail(clause, shares["tail"] - 1, after)
            clause.antecedent = None
        return phrase, clause

    def time_phrase(self):
        english, german = self.pick(lexicon.TIMES[self.frame])
        opening, _, noun = english.rpartition(" ")
        german_opening, _, german_noun = german.rpartition(" ")
        phrase = self.linked(opening, german_opening)
        return phrase + self.linked(noun, german_noun)

    def main_shape(self, shares, topic):
        if shares["object"] and self.random() < 0.15:
            return "resting"
        if shares["tail"] and not shares["object"]:
            return self.pick(TAIL_SHAPES[shares["tail"] < 3])
        if topic and self.random() < 0.7:
            return "happening"
        return "event"

    def pick_relations(self, shares, shape):
        """Picks the relations of the clauses in front and after, or None."""
        before = after = None
        if shares.get("front"):
            before = self.pick(_relations(self.frame, shares["front"] > 1))
        if shares["tail"] and shape not in ("that", "motion"):
            options = _relations(self.frame, shares["tail"] > 1)
            after = self.pick(options)
            while before and after.english == before.english:
                after = self.pick(options)
        return before, after

    def main_outline(self, shape, shares, topic, question):
        subject = None
        if topic and not shares["subject"] and self.random() < 0.6:
            subject = self.pronominal(topic)
        elif not topic and not shares["subject"] and self.random() < 0.04:
            subject = WE
        return Outline(
            shape,
            "main",
            subject,
            subject_clauses=shares["subject"],
            object_clauses=shares["object"],
            question=question,
        )

    def pronominal(self, referent):
        """Returns the referent if a pronoun can stand for it."""
        return referent if referent and referent.pronoun else None

    def add_time(self, clause):
        """Gives a sentence its one time adverbial, in front or later."""
        last = clause.outline.object_clauses > 0
        question = clause.outline.question
        free = clause.frequency is EMPTY and "state" not in clause.verb.traits
        if not self.time_is_free or not free or last and question:
            return
        if self.random() < 0.45:
            return
        self.time_is_free = False
        time = self.time_phrase()
        if question or not last and self.random() < 0.5:
            clause.time = time
        else:
            clause.front = Phrase([*time.english, COMMA], time.german)

    def tail(self, clause, extras, relation):
        """Composes the clause that follows a main clause."""
        if clause.outline.shape == "that":
            return self.complement(clause, extras)
        if clause.outline.shape == "motion":
            return self.purpose(clause, extras)
        phrase, _ = self.subordinate(
            relation, extras, clause.referent, clause.antecedent
        )
        return Phrase(phrase.english, [COMMA, *phrase.german])

    def complement(self, clause, extras):
        shares = self.share_extras(extras, {"subject": 1, "object": 1})
        subject = None
        if not shares["subject"] and self.random() < 0.4:
            subject = self.pronominal(clause.referent)
        outline = Outline(
            "event",
            "main",
            subject,
            subject_clauses=shares["subject"],
            object_clauses=shares["object"],
        )
        state = extras == 0 and self.random() < 0.3
        inner = (self.state if state else self.compose)(outline)
        that = self.linked("that", "dass")
        return Phrase(
            that.english + english_order(inner),
            [COMMA, *that.german, *german_final(inner)],
        )

    def purpose(self, clause, extras):
        """Composes what one goes somewhere for: "to" with an infinitive."""
        outline = Outline(
            "purpose",
            "infinitive",
            clause.referent,
            object_clauses=extras,
            place=clause.destination,
        )
        inner = self.compose(outline)
        link = inner.main_verb[0][1]
        return Phrase(
            english_order(inner),
            [COMMA, ("um", link), *german_final(inner)],
        )

    def subordinate(self, relation, extras, topic=None, antecedent=None):
        """Composes a conjunction with its clause, and tells its subject."""
        conjunction = self.linked(relation.english, relation.german)
        clause = self.subordinate_clause(relation, extras, topic, antecedent)
        phrase = Phrase(
            conjunction.english + english_order(clause),
            conjunction.german + german_final(clause),
        )
        return phrase, clause.referent

    def subordinate_clause(self, relation, extras, topic, antecedent):
        content = self.pick(relation.contents)
        subject = self.pronominal(topic) if self.random() < 0.6 else None
        if content == "reason" and not (subject and antecedent):
            content = "state"
        if content == "reason" and not self.verb_options(
            Outline(content, antecedent=antecedent)
        ):
            content = "state"
        if extras and content in ("reason", "state", "rain"):
            content = "event"
        if content == "rain":
            return self.weather()
        if content == "state":
            return self.state(Outline(subject=subject))
        if content == "reason":
            outline = Outline(content, "plain", subject, antecedent=antecedent)
            return self.compose(outline)
        return self.event(relation.english, content, extras, subject)

    def event(self, conjunction, content, extras, subject):
        """Composes a subordinate clause in which something happens."""
        shares = self.share_extras(extras, {"subject": 1, "object": 1})
        if shares["subject"] or content == "lasting":
            subject = None
        tense = {"after": "pluperfect", "because": "main", "although": "main"}
        if conjunction in ("before", "after"):
            content = "happening"
        outline = Outline(
            content,
            tense.get(conjunction, "plain"),
            subject,
            subject_clauses=shares["subject"],
            object_clauses=shares["object"],
        )
        return self.compose(outline)

    def relative(self, referent, clauses, place=False):
        """Composes a relative clause about a referent."""
        role = "object"
        if place:
            role = "place"
        elif "person" in referent.noun.kinds:
            role = self.pick(("subject", "subject", "object"))
        if clauses > 1:
            role = "subject"
        tense = "plain"
        if self.frame == "past" and self.random() < 0.4:
            tense = "pluperfect"
        outline = Outline(
            "event", tense, gap=Gap(role, referent), object_clauses=clauses - 1
        )
        if role == "subject" and clauses == 1 and self.random() < 0.15:
            clause = self.state(outline)
        else:
            clause = self.compose(outline)
        pronoun = clause.relativizer
        return Phrase(
            pronoun.english + english_order(clause),
            [COMMA, *pronoun.german, *german_final(clause), COMMA],
        )

    # Clauses.

    def compose(self, outline):
        """Chooses all words of a clause.

        Args:
            outline: An `Outline`.

        Returns:
            A `Clause`.
        """
        verb = self.pick_new(self.verb_options(outline))
        clause = Clause(outline, verb)
        self.add_subject(clause, verb.subjects)
        tense, modal = self.choose_tense(clause)
        negation = self.choose_negation(clause)
        negation = self.add_objects(clause, negation)
        self.add_adverbials(clause, modal, negation)
        self.add_verb(clause, tense, modal, negation)
        if outline.gap:
            clause.relativizer = self.relativizer(clause)
        return clause

    def verb_options(self, outline):
        subject, thing = outline.subject, outline.antecedent
        if outline.gap and outline.gap.role == "subject":
            subject = outline.gap.referent
        elif outline.gap:
            thing = outline.gap.referent
        shape = outline.shape
        if outline.place:
            shape = "event"
        options = verbs_for(
            shape,
            self.frame,
            subject and subject.noun,
            thing and thing.noun,
        )
        if outline.object_clauses and shape != "resting":
            options = _with_object(options)
        if outline.place:
            options = _for_purpose(options, outline.place)
        return options

    def add_subject(self, clause, kinds):
        outline = clause.outline
        gap = outline.gap
        if gap and gap.role == "subject":
            clause.referent = gap.referent
        elif outline.tense == "infinitive":
            pass
        elif outline.subject:
            pronoun = outline.subject.pronoun
            clause.subject = self.linked(
                pronoun, lexicon.SUBJECT_PRONOUNS[pronoun]
            )
        else:
            self.add_subject_phrase(clause, kinds)

    def add_subject_phrase(self, clause, kinds):
        clauses = clause.outline.subject_clauses
        nouns = nouns_for(kinds)
        if clauses:
            nouns = _without_kin(nouns)
        phrase, referent, _ = self.noun_phrase(
            self.pick_new(nouns), "nom", "subject", None, clauses
        )
        if not clauses and self.is_doubled():
            phrase = phrase + self.linked("and", "und")
            second, _, _ = self.noun_phrase(
                self.pick_new(nouns), "nom", "subject", None
            )
            phrase = phrase + second
            referent = Referent(referent.noun, True)
        clause.subject, clause.referent = phrase, referent

    def is_doubled(self):
        """Tells whether "and" should join a second noun to the first."""
        return self.random() < 0.35 * self.richness

    def noun_phrase(self, noun, case, role, possessor, clauses=0, negation=()):
        """Composes a noun phrase; also tells its referent and determiner."""
        if clauses:
            possessor = None
        determiner = self.choose_determiner(noun, role, possessor)
        if clauses and determiner in BARE:
            determiner = lexicon.THE
        adjective = ""
        if noun.adjectives and self.random() < 0.15 + 0.7 * self.richness:
            adjective = self.pick(noun.adjectives)
        english, german = inflect(noun, determiner, adjective, case)
        first, second, third = self.link(), self.link(), self.link()
        before, beside = _determiner_links(determiner, first, negation)
        phrase = Phrase(
            _present(english, (before, second, third)),
            _present(german, (beside, second, third)),
        )
        referent = Referent(noun, determiner.plural)
        if clauses:
            phrase = phrase + self.relative(referent, clauses)
        return phrase, referent, determiner

    def choose_determiner(self, noun, role, possessor):
        if "kin" in noun.kinds:
            return self.choose_possessive(noun, possessor)
        if "mass" in noun.kinds:
            role = "negated mass" if role == "negated" else "mass"
        possessive = possessor and possessor.pronoun
        if role == "object" and "own" in noun.kinds and possessive:
            if self.random() < 0.25:
                return _in_number(
                    lexicon.POSSESSIVES[possessive], possessor.plural
                )
        if role == "object" and self.frame == "habit":
            role = "habitual"
        return self.pick(DETERMINERS[role][bool(noun.english_plural)])

    def choose_possessive(self, noun, possessor):
        determiner = self.pick((lexicon.MY, lexicon.OUR))
        if possessor and possessor.pronoun and self.random() < 0.7:
            determiner = lexicon.POSSESSIVES[possessor.pronoun]
        plural = bool(noun.english_plural) and self.random() < 0.25
        return _in_number(determiner, plural)

    def choose_tense(self, clause):
        """Returns the tense and the modal (or None) of a clause."""
        tense, traits = clause.outline.tense, clause.verb.traits
        if tense == "infinitive":
            return tense, None
        plain = "past" if self.frame == "past" else "present"
        fixed = "state" in traits or clause.verb.pattern == ("that",)
        if tense == "pluperfect" and not fixed:
            return tense, None
        chance = {"past": 0.25, "habit": 0.2, "future": 1}[self.frame]
        modal = tense == "main" and not fixed and self.random() < chance
        # "The women read" would be present or past.
        same = clause.verb.base == clause.verb.past
        if same and plain == "past" and clause.referent.plural:
            modal = True
        if modal and "chance" in traits:
            return plain, lexicon.WILL if self.frame == "future" else None
        if modal:
            return plain, self.pick(lexicon.MODALS[self.frame])
        return plain, None

    def choose_negation(self, clause):
        """Returns the link of a negation, or nothing."""
        outline, pattern = clause.outline, clause.verb.pattern
        event = outline.shape in ("event", "resting")
        fit = event and outline.tense in ("main", "plain")
        if outline.gap and "state" not in clause.verb.traits:
            return ()
        if not fit or outline.question or pattern == ("that",):
            return ()
        return self.link() if self.random() < 0.13 else ()

    # Objects.

    def add_objects(self, clause, negation):
        """Adds what the verb governs and, with it, the German negation."""
        pattern = clause.verb.pattern
        add = {
            ("acc",): self.add_accusative,
            ("dat",): self.add_dative,
            ("dat", "acc"): self.add_both,
            (): self.add_nothing,
            ("to",): self.add_nothing,
            ("that",): self.add_nothing,
        }.get(pattern, self.add_oblique)
        return add(clause, negation)

    def add_nothing(self, clause, negation):
        return self.negate(clause, negation)

    def negate(self, clause, negation, determiner=None):
        """Adds "nicht" unless "kein" negates; returns the link of "not"."""
        if negation and determiner not in NEGATIVE:
            clause.negation = Phrase([], [("nicht", negation)])
        clause.late_frequency = determiner not in INDEFINITE
        return () if determiner == lexicon.NO else negation

    def object_gap(self, clause):
        """Returns the referent that a relative pronoun puts as object."""
        gap = clause.outline.gap
        return gap.referent if gap and gap.role == "object" else None

    def add_accusative(self, clause, negation):
        if self.object_gap(clause):
            return self.negate(clause, negation)
        if clause.outline.antecedent:
            clause.pronoun = self.object_pronoun(clause.outline.antecedent)
            return self.negate(clause, negation)
        noun = self.object_noun(clause)
        role = "negated" if negation else "object"
        if role == "object" and "state" in clause.verb.traits:
            role = "definite"
        clause.accusative, referent, determiner = self.noun_phrase(
            noun,
            "acc",
            role,
            clause.referent,
            clause.outline.object_clauses,
            negation,
        )
        if not negation and "person" not in noun.kinds:
            clause.antecedent = referent
        plain = not (negation or clause.outline.object_clauses)
        if plain and len(clause.verb.pattern) == 1 and self.is_doubled():
            self.double_object(clause, role, noun)
        return self.negate(clause, negation, determiner)

    def double_object(self, clause, role, first):
        noun = self.object_noun(clause)
        if noun is first:
            return
        second, _, _ = self.noun_phrase(noun, "acc", role, clause.referent)
        joined = clause.accusative + self.linked("and", "und")
        clause.accusative = joined + second
        clause.antecedent = None
        clause.particle_first = True

    def object_noun(self, clause):
        kinds = clause.verb.objects
        if self.frame == "habit" and "rare" in clause.verb.traits:
            kinds = DAILY & kinds
        nouns = nouns_for(kinds)
        if clause.outline.object_clauses:
            nouns = _without_kin(nouns)
        return self.pick_new(nouns)

    def object_pronoun(self, referent):
        if referent.plural:
            return self.linked("them", "sie")
        return self.linked("it", lexicon.OBJECT_PRONOUNS[referent.noun.gender])

    def person_object(self, clause, case, negation):
        nouns = nouns_for(PERSON)
        if clause.outline.object_clauses:
            nouns = _without_kin(nouns)
        noun = self.pick_new(nouns)
        phrase, _, _ = self.noun_phrase(
            noun,
            case,
            "definite" if negation else "subject",
            clause.referent,
            clause.outline.object_clauses,
        )
        return phrase

    def add_dative(self, clause, negation):
        if not self.object_gap(clause):
            clause.dative = self.person_object(clause, "dat", negation)
        return self.negate(clause, negation)

    def add_oblique(self, clause, negation):
        preposition, case = clause.verb.pattern
        if not self.object_gap(clause):
            phrase = self.linked(clause.verb.particle, preposition)
            clause.oblique = phrase + self.person_object(clause, case, negation)
        return self.negate(clause, negation)

    def add_both(self, clause, negation):
        """Adds a dative and an accusative, in one of two English orders."""
        missing = self.object_gap(clause)
        person = missing and "person" in missing.noun.kinds
        outline = clause.outline
        last = outline.object_clauses
        dative_last = bool(
            outline.antecedent or missing or clause.verb.particle
        )
        dative_last = dative_last or self.random() < 0.5
        if person:
            clause.outline = outline._replace(gap=None)
            negation = self.add_accusative(clause, negation)
            clause.outline = outline
            return negation
        clause.outline = outline._replace(
            object_clauses=last if dative_last else 0
        )
        clause.dative = self.person_object(clause, "dat", negation)
        clause.outline = outline._replace(
            object_clauses=0 if dative_last else last
        )
        negation = self.add_accusative(clause, negation)
        clause.outline = outline
        if dative_last:
            clause.to_dative = [("to", clause.dative.german[0][1])]
        return negation

    def relativizer(self, clause):
        """Composes a relative pronoun, with the preposition before it."""
        role, referent = clause.outline.gap
        person = "person" in referent.noun.kinds
        if role == "subject":
            return self.linked(
                "who" if person else "that", _relative("nom", referent)
            )
        pattern = clause.verb.pattern
        if role == "place":
            place = lexicon.PLACES[referent.noun.english]
            words = self.linked(place.english, place.german)
            return words + self.linked("which", _relative("dat", referent))
        if pattern == ("dat", "acc") and person:
            return self.linked("to whom", _relative("dat", referent))
        if len(pattern) == 2 and pattern[0] != "dat":
            words = self.linked(clause.verb.particle, pattern[0])
            pronoun = _relative(pattern[1], referent)
            return words + self.linked("whom" if person else "which", pronoun)
        return self.linked(
            "whom" if person else "that", _relative(pattern[-1], referent)
        )

    # Adverbials.

    def add_adverbials(self, clause, modal, negation):
        outline, verb = clause.outline, clause.verb
        bound = outline.object_clauses and outline.shape != "resting"
        if verb.pattern == ("to",):
            self.add_direction(clause)
        elif outline.shape == "resting":
            self.add_place(clause, outline.object_clauses)
        elif not bound:
            self.add_circumstance(clause, negation)
        if self.frame != "future" and not (modal or clause.negation.german):
            self.add_frequency(clause, negation)

    def add_circumstance(self, clause, negation):
        """Adds a place, a manner, or neither."""
        verb, gap = clause.verb, clause.outline.gap
        chance = self.random()
        placed = (gap and gap.role == "place") or clause.outline.place
        if verb.places and chance < 0.2 + self.richness / 2 and not placed:
            self.add_place(clause)
        elif verb.manners and chance > 0.85 and not negation:
            manner = self.pick(verb.manners)
            clause.manner = self.linked(manner, lexicon.MANNERS[manner])

    def place_parts(self, name, case):
        place = lexicon.PLACES[name]
        self.used.add(name)
        adjective = ""
        if self.random() < self.richness / 2:
            adjective = self.pick(place.noun.adjectives)
        return place, inflect(place.noun, lexicon.THE, adjective, case)

    def add_place(self, clause, clauses=0):
        """Adds where it happens: "in the garden", "im Garten"."""
        options = [p for p in clause.verb.places if p not in self.used]
        if not options and not clauses:
            return
        name = self.pick(options or clause.verb.places)
        place, (english, german) = self.place_parts(name, "dat")
        article = [place.german, german[0]]
        if place.contraction:
            article = [place.contraction]
        clause.place = self.place_phrase(
            place.english, article, english, german
        )
        if clauses:
            referent = Referent(place.noun, False)
            clause.place += self.relative(referent, clauses, place=True)

    def add_direction(self, clause):
        """Adds where one goes: "to the garden", "in den Garten"."""
        names = clause.verb.places or tuple(lexicon.PLACES)
        name = self.pick([n for n in names if n not in self.used] or names)
        case = "dat" if name == "station" else "acc"
        place, (english, german) = self.place_parts(name, case)
        article = place.direction.split()
        clause.destination = place
        clause.place = self.place_phrase("to", article, english, german)

    def place_phrase(self, preposition, article, english, german):
        links = [self.link() for _ in range(4)]
        together = [links[0] + links[1]]
        beside = links[:2] if len(article) == 2 else together
        return Phrase(
            _present((preposition, *english), links),
            _present((*article, *german[1:]), (*beside, *links[2:])),
        )

    def add_frequency(self, clause, negation):
        outline, traits = clause.outline, clause.verb.traits
        chance = {"habit": 0.35, "past": 0.1}[self.frame]
        repeated = outline.tense in ("main", "plain") and not negation
        single = self.frame == "past" and "lasting" not in traits
        eventful = outline.shape in ("event", "resting")
        if not (repeated and eventful) or single or "state" in traits:
            return
        if clause.verb.pattern != ("that",) and self.random() < chance:
            words = {**lexicon.FREQUENCIES}
            if self.frame == "past":
                del words["always"]
            word = self.pick(tuple(words))
            clause.frequency = self.linked(word, lexicon.FREQUENCIES[word])
            clause.late_frequency &= word == "never"

    # Verbs.

    def add_verb(self, clause, tense, modal, negation):
        """Adds the verb forms of both languages."""
        lexical = self.link()
        auxiliary = lexical
        if modal or tense == "pluperfect":
            auxiliary = self.link()
        elif tense == "past" and not clause.verb.preterite:
            auxiliary = self.link()
        elif tense == "infinitive":
            auxiliary = self.link()
        particle = lexical
        if clause.verb.particle and not _is_oblique(clause.verb):
            particle = self.add_particle(clause)
        links = lexical, auxiliary, particle
        self.add_english_verb(clause, tense, modal, negation, links)
        self.add_german_verb(clause, tense, modal, links)

    def add_particle(self, clause):
        link = self.link()
        clause.particle = [(clause.verb.particle, link)]
        movable = clause.verb.particle in MOVABLE_PARTICLES
        heavy = clause.outline.object_clauses > 0
        # A pronoun comes before "up", but after "at".
        loose = clause.pronoun is EMPTY and self.random() < 0.5
        clause.particle_first |= not movable or heavy or loose
        return link

    def add_english_verb(self, clause, tense, modal, negation, links):
        verb, plural = clause.verb, clause.referent and clause.referent.plural
        lexical, auxiliary, _ = links
        support = bool(negation) or clause.outline.question
        both = lexical + auxiliary
        if modal:
            words = _english_modal(modal, tense, plural, support, auxiliary)
            words = words[0], [*words[1], (verb.base, lexical)]
        elif tense == "infinitive":
            words = [], [("to", auxiliary), (verb.base, lexical)]
        elif tense == "pluperfect":
            words = [("had", auxiliary)], [(verb.participle, lexical)]
        elif support:
            do = _do(tense, plural)
            words = [(do, auxiliary)], [(verb.base, lexical)]
        elif tense == "past":
            words = [], [(verb.past, both)]
        else:
            words = [], [(verb.base if plural else verb.third, lexical)]
        clause.auxiliary, clause.main_verb = words
        _negate_english(clause, negation)

    def add_german_verb(self, clause, tense, modal, links):
        verb, plural = clause.verb, clause.referent and clause.referent.plural
        lexical, auxiliary, particle = links
        whole = lexical + particle
        if modal:
            forms = modal.negated if clause.is_negative() else modal.german
            closing = [(verb.prefix + verb.infinitive, whole)]
            _close(clause, (forms[plural], auxiliary), closing)
        elif tense == "infinitive":
            clause.verb_final = _zu_infinitive(verb, whole, auxiliary)
        elif tense == "present" or (tense == "past" and verb.preterite):
            finite = (verb.german_third, verb.infinitive)[plural]
            if tense == "past":
                finite = verb.preterite + "n" * plural
            _simple(clause, verb, finite, links)
        else:
            helper = "sein" if "sein" in verb.traits else "haben"
            finite = HAVE[helper][tense][plural], auxiliary
            closing = [(verb.prefix + verb.german_participle, whole)]
            _close(clause, finite, closing)

    # Clauses about how someone or the weather is.

    def state(self, outline):
        """Composes "she was tired"."""
        clause = Clause(outline)
        self.add_subject(clause, PERSON)
        adjective = self.pick_state(lexicon.STATES)
        clause.predicate = self.linked(adjective, lexicon.STATES[adjective])
        negation = self.link() if self.random() < 0.15 else ()
        self.add_copula(clause, negation)
        if outline.gap:
            clause.relativizer = self.relativizer(clause)
        return clause

    def pick_state(self, states):
        options = [state for state in states if state not in self.used]
        state = self.pick(options or tuple(states))
        self.used.add(state)
        return state

    def add_copula(self, clause, negation=()):
        past, plural = self.frame == "past", clause.referent.plural
        link = self.link()
        english = (("is", "are"), ("was", "were"))[past][plural]
        german = (("ist", "sind"), ("war", "waren"))[past][plural]
        clause.auxiliary = [(english, link)]
        _close(clause, (german, link), [])
        if negation:
            clause.negation = Phrase([], [("nicht", negation)])
        _negate_english(clause, negation)

    def weather(self):
        """Composes "it rained" or "it was dark"."""
        outline = Outline()
        if self.random() < 0.5:
            clause = Clause(outline, self.pick(lexicon.RAIN))
            clause.referent = WEATHER
            tense = "past" if self.frame == "past" else "present"
            self.add_verb(clause, tense, None, ())
        else:
            clause = Clause(outline)
            clause.referent = WEATHER
            condition = self.pick_state(lexicon.CONDITIONS)
            german = lexicon.CONDITIONS[condition]
            clause.predicate = self.linked(condition, german)
            self.add_copula(clause)
        clause.subject = self.linked("it", "es")
        return clause


def english_order(clause):
    """Puts the English words of a clause in order."""
    subject = [*clause.subject.english, *clause.auxiliary]
    if clause.outline.question:
        subject = [*clause.auxiliary, *clause.subject.english]
    return [
        *clause.front.english,
        *subject,
        *clause.frequency.english,
        *clause.main_verb,
        *_english_objects(clause),
        *clause.oblique.english,
        *clause.manner.english,
        *clause.place.english,
        *clause.time.english,
        *clause.predicate.english,
    ]


def _english_objects(clause):
    particle = clause.particle
    first, last = (particle, []) if clause.particle_first else ([], particle)
    near, far = clause.dative.english, clause.accusative.english
    if clause.to_dative:
        far = clause.dative.english
        near = [*clause.pronoun.english, *clause.accusative.english]
        return [*first, *near, *last, *clause.to_dative, *far]
    return [*first, *clause.pronoun.english, *near, *far, *last]


def german_main(clause):
    """Puts the German words of a main clause or question in order."""
    middle = _middle_field(clause)
    subject = clause.subject.german
    if clause.outline.question or clause.front is not EMPTY:
        opening = [*clause.front.german, *clause.finite, *subject]
    else:
        opening = [*subject, *clause.finite]
    return [*opening, *middle, *clause.verb_end]


def german_final(clause):
    """Puts the German words of a verb-final clause in order."""
    middle = _middle_field(clause)
    return [*clause.subject.german, *middle, *clause.verb_final]


def _middle_field(clause):
    frequency = clause.frequency.german
    early, late = frequency, []
    if clause.late_frequency:
        early, late = [], frequency
    negation, manner = clause.negation.german, clause.manner.german
    place, oblique = clause.place.german, clause.oblique.german
    if oblique:
        adverbials = [*place, *manner, *late, *negation, *oblique]
    else:
        adverbials = [*late, *negation, *manner, *place]
    return [
        *clause.pronoun.german,
        *clause.time.german,
        *clause.dative.german,
        *early,
        *clause.accusative.german,
        *adverbials,
        *clause.predicate.german,
    ]


def _close(clause, finite, closing):
    """Sets a finite verb that comes second, or last after `closing`."""
    clause.finite = [finite]
    clause.verb_end = closing
    clause.verb_final = [*closing, finite]


def _simple(clause, verb, finite, links):
    """Sets a single verb form, whose prefix parts in a main clause."""
    lexical, _, particle = links
    whole = lexical + particle
    clause.finite = [(finite, lexical if verb.prefix else whole)]
    clause.verb_end = [(verb.prefix, particle)] if verb.prefix else []
    clause.verb_final = [(verb.prefix + finite, whole)]


def _zu_infinitive(verb, whole, zu):
    if verb.prefix:
        return [(f"{verb.prefix}zu{verb.infinitive}", whole + zu)]
    return [("zu", zu), (verb.infinitive, whole)]


def _do(tense, plural):
    if tense == "past":
        return "did"
    return "do" if plural else "does"


def _english_modal(modal, tense, plural, support, link):
    """Returns the auxiliary and the rest of an English modal."""
    if not modal.supported:
        return _words(modal.english[plural], link), []
    if support:
        return [(_do(tense, plural), link)], _words(modal.english[2], link)
    return [], _words(modal.english[plural], link)


def _negate_english(clause, negation):
    """Puts "not" behind the auxiliary."""
    if negation and clause.auxiliary == [("can", clause.auxiliary[0][1])]:
        clause.auxiliary = [("cannot", clause.auxiliary[0][1] + negation)]
    elif negation:
        clause.auxiliary = [*clause.auxiliary, ("not", negation)]


def _words(text, links):
    return [(word, links) for word in text.split()]


def _present(texts, links):
    """Pairs the texts that are not empty with their links."""
    return [pair for pair in zip(texts, links, strict=True) if pair[0]]


def _determiner_links(determiner, link, negation):
    """Returns the links of an English determiner and of the German one."""
    if determiner is lexicon.NO:
        return negation, negation
    if determiner in NEGATIVE:
        return link, link + negation
    return link, link


@cache
def _without_kin(nouns):
    """Leaves out "my mother": no relative clause need tell which."""
    return tuple(noun for noun in nouns if "kin" not in noun.kinds)


@cache
def _in_number(determiner, plural):
    return determiner._replace(plural=plural)


@cache
def _with_object(verbs):
    return tuple(verb for verb in verbs if verb.pattern not in ((), ("to",)))


@cache
def _for_purpose(verbs, place):
    return tuple(
        verb
        for verb in verbs
        if verb.base in place.purposes
        or f"{verb.base} {verb.particle}" in place.purposes
    )


def _is_oblique(verb):
    """Tells verbs that keep their preposition in German: "warten auf"."""
    return len(verb.pattern) == 2 and verb.pattern[0] != "dat"


def _relative(case, referent):
    if case == "dat" and referent.plural:
        return "denen"
    return lexicon.DEFINITE[case][referent.key]


def _finish(phrase, mark):
    """Turns the words of a sentence into text and alignment."""
    english = _punctuate(phrase.english) + mark.english
    german = _punctuate(phrase.german) + mark.german
    places = {}
    for index, (_, links) in enumerate(german):
        for link in links:
            places.setdefault(link, []).append(index)
    alignment = {
        (index, place)
        for index, (_, links) in enumerate(english)
        for link in links
        for place in places.get(link, ())
    }
    return SentencePair(_text(english), _text(german), tuple(sorted(alignment)))


def _punctuate(words):
    """Merges neighbouring commas and drops a comma at the end."""
    merged = []
    for word in words:
        if word[0] == "," and merged and merged[-1][0] == ",":
            merged[-1] = (",", merged[-1][1] + word[1])
        else:
            merged.append(word)
    while merged[-1][0] == ",":
        merged.pop()
    return merged


def _text(words):
    text = " ".join([word for word, _ in words]).replace(" ,", ",")
    text = text[:-2] + text[-1]
    return text[0].upper() + text[1:]
