"""A synchronous grammar: synthetic English sentences, German beside them.

Both sides of a sentence grow from one choice of clauses, nouns and verbs.
Each word carries link numbers, and words that share one are aligned. Every
choice shows on the English side, so the German is a function of the English.
"""

import re
from itertools import chain
from typing import NamedTuple

from s2s_keras.data.clause_grammar.phrases import Draft
from s2s_keras.data.clause_grammar.sentences import compose_sentence

SPLITS = {
    "train": {"num_pairs": 100_000, "clauses": (1, 3), "seed": 1},
    "validation": {"num_pairs": 1_000, "clauses": (1, 3), "seed": 2},
    "test": {"num_pairs": 1_000, "clauses": (1, 3), "seed": 3},
    "test_long": {"num_pairs": 1_000, "clauses": (4, 8), "seed": 4},
}
MARKS = frozenset([",", ".", "?"])


class SentencePair(NamedTuple):
    """A source and a target sentence with their gold word alignment."""

    source: str
    target: str
    alignment: tuple  # of (source index, target index)


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
    draft = Draft(seed)
    taken = set(exclude)
    for index in range(num_pairs):
        num_clauses = low + index % (high - low + 1)
        pair = generate_pair(draft, num_clauses)
        while pair.source in taken or pair.target in taken:
            pair = generate_pair(draft, num_clauses)
        taken.update((pair.source, pair.target))
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


def generate_pair(draft, num_clauses):
    """Composes a sentence and tells which of its words are aligned."""
    english, german = compose_sentence(draft, num_clauses)
    english, german = _punctuate(english), _punctuate(german)
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


def _check_clauses(clauses):
    low, high = clauses
    if not 1 <= low <= high <= 8:
        raise ValueError(
            "`clauses` should be two integers with 1 <= low <= high <= 8. "
            f"Received: clauses={clauses}"
        )
    return low, high


def _punctuate(words):
    """Merges neighbouring commas and drops a comma before the final mark."""
    merged = []
    for word in words:
        if word[0] in MARKS and merged[-1][0] == ",":
            _, links = merged.pop()
            word = word if word[0] != "," else (",", links + word[1])
        merged.append(word)
    return merged


def _text(words):
    text = " ".join([word for word, _ in words]).replace(" ,", ",")
    text = text[:-2] + text[-1]
    return text[0].upper() + text[1:]
