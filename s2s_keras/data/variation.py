"""Changes to training text that a model should not mind."""

import dataclasses
import random
import re
import unicodedata

import tensorflow as tf

from s2s_keras.progress import track

END_MARKS = " .,!?¡¿…"
MOST_JOINED = 3  # pairs
WORD_OR_NUMBER = re.compile(r"\b(?:\d+|[^\W\d_]\w{2,})\b")
WORD = re.compile(r"[^\W\d_]+")
DIGITS = "0123456789"
# Elsewhere a mark makes another letter.
ACCENTED = ("LATIN", "GREEK", "ARABIC", "HEBREW")


@dataclasses.dataclass(frozen=True)
class Variation:
    """Readings of a corpus that differ in spelling or in pieces.

    Args:
        num_variants: Integer. How many readings there are.
        subword_sampling: Float. At which `alpha` pieces are drawn, as
            `SentencePieceTokenizer.sample` takes it; 0 takes the best split.
        noise: Float. Share of the pairs that are changed by `misread`.
        seed: Integer. Seed of all of it; that of the pieces repeats them within
            a process alone.
    """

    num_variants: int
    subword_sampling: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def tokenize(self, texts, tokenizers):
        """Tokenizes all readings.

        Args:
            texts: List of pairs of string tensors `[batch]`.
            tokenizers: A pair of `SentencePieceTokenizer`.

        Yields:
            Pairs of ragged int32 tensors `[batch, (length)]`, one reading
            after the other.
        """
        rng = random.Random(self.seed)
        for _ in track(range(self.num_variants), "Varying the text"):
            for sides in texts:
                yield [
                    self._split(tokenizer, side, rng)
                    for tokenizer, side in zip(
                        tokenizers, self._misread_some(sides, rng), strict=True
                    )
                ]

    def _misread_some(self, sides, rng):
        if not self.noise:
            return sides
        pairs = list(zip(*map(_decode, sides), strict=True))
        changed = [
            misread(pairs[i : i + MOST_JOINED], rng)
            if rng.random() < self.noise
            else pairs[i]
            for i in range(len(pairs))
        ]
        return [tf.constant(side) for side in zip(*changed, strict=True)]

    def _split(self, tokenizer, texts, rng):
        if not self.subword_sampling:
            return tokenizer.tokenize(texts)
        return tokenizer.sample(
            _decode(texts), rng.getrandbits(31), self.subword_sampling
        )


def _decode(texts):
    return [text.decode() for text in texts.numpy()]


def misread(pairs, rng):
    """Makes a training pair as hasty writers would have it.

    Some sentences are followed by the next ones, where none is empty, some are
    in capitals on both sides, and in some the names and numbers of both sides
    are others, which nobody knows: the model learns to copy them. Else the
    source may be misspelt, have small letters only, and lack the accents and
    the marks at both ends; the target stays as it is.

    Args:
        pairs: List of pairs of strings: the pair to change, and those that may
            follow it.
        rng: `random.Random`.

    Returns:
        A pair of strings, of which none is empty unless it was before.
    """
    kind = rng.random()
    if kind < 0.2:
        joined = pairs[: rng.randint(2, MOST_JOINED)]
        if not all(map(all, joined)):  # an empty side would unpair the others
            return pairs[0]
        return tuple(" ".join(side) for side in zip(*joined, strict=True))
    source_text, target_text = pairs[0]
    if kind < 0.3:
        return source_text.upper(), target_text.upper()
    if kind < 0.8 and (shared := _shared_names(source_text, target_text)):
        words = WORD.findall(" ".join(map(" ".join, pairs)))
        return _rename((source_text, target_text), shared, words, rng)
    for change in (_misspell, _lower, _strip_accents, _strip_marks):
        if rng.random() < 0.5:
            source_text = change(source_text, rng)
    return source_text, target_text


def _shared_names(*texts):
    source_words, target_words = map(WORD_OR_NUMBER.findall, texts)
    return [
        word
        for word in source_words
        if word in target_words and not word[0].islower()
    ]


def _rename(texts, names, words, rng):
    new = {name: _make_up(name, words, rng) for name in names}
    return tuple(
        WORD_OR_NUMBER.sub(lambda m: new.get(m.group(), m.group()), text)
        for text in texts
    )


def _make_up(name, words, rng):
    """A number like 5014, or of parts of two words a name like Biblido."""
    if name.isdecimal():
        return "".join(rng.choices(DIGITS, k=rng.randint(1, 6)))
    first, last = rng.choice(words), rng.choice(words)
    made_up = first[: rng.randint(2, 5)] + last[-rng.randint(2, 5) :]
    return made_up.capitalize()


def _misspell(text, rng):
    """Loses or doubles a letter inside a word, or swaps it with the next."""
    inner = [
        i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha()
    ]
    if not inner:
        return text
    i = rng.choice(inner)
    letter, following = text[i : i + 2]
    changed = rng.choice(
        [following, 2 * letter + following, following + letter]
    )
    return text[:i] + changed + text[i + 2 :]


def _lower(text, rng):
    return text.lower()


def _strip_accents(text, rng):
    kept, letter = "", " "
    for part in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(part):
            letter = part
        elif unicodedata.name(letter, "").startswith(ACCENTED):
            continue
        kept += part
    return unicodedata.normalize("NFC", kept) or text


def _strip_marks(text, rng):
    return text.strip(END_MARKS) or text
