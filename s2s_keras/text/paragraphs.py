"""Texts of several sentences, and sentences in capitals."""

from typing import Any
from typing import NamedTuple

import tensorflow as tf

from s2s_keras.text.normalization import normalize_text

# What ends with a full stop and is no sentence: titles, single letters, and
# what numbers or months follow.
TITLES = """Mr Mrs Ms Dr Drs Prof St Jr Mt Capt Gen Lt Sgt Rev Hr Fr
    Sr Sres Sra Sras Srta Srtas Dra Dras Ud Uds Dña Gral EE""".split()
COUNTED = """No Nr nr Núm núm Nº pág págs pp Fig fig Abb Vol vol Bd Kap Art
    art Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec ca""".split()
MONTHS = """Januar Jänner Februar März April Mai Juni Juli August September
    Oktober November Dezember""".split()
_BEFORE = r"(^|[^\p{L}\p{N}])"
_ALWAYS = "|".join([*TITLES, *(title.upper() for title in TITLES), "vs", "VS"])
ABBREVIATIONS = [
    rf"{_BEFORE}({_ALWAYS}|\p{{L}})\. ()",
    rf"{_BEFORE}({'|'.join(COUNTED)})\. (\p{{N}})",
    rf"{_BEFORE}(\p{{N}}{{1,2}})\. ({'|'.join(MONTHS)})",
]
_OPENING, _CLOSING = r"[\"'“‘«(\[¿¡「『（]*", r"[\"'”’»)\]」』）]*"
SENTENCE_END = (
    rf"([.!?…؟۔।॥。！？]+{_CLOSING}) "
    rf"({_OPENING}(?:\p{{Lu}}|\p{{Lo}}|\p{{N}}))"
)
# Some scripts have no spaces, and none between sentences.
UNSPACED_END = rf"([。！？]+{_CLOSING})"
# A script without capitals has no small letters either; º and ª count there.
CAPITALS = r"(?:[^\p{Ll}\p{Lo}]|[ªº])*\p{Lu}{2}(?:[^\p{Ll}\p{Lo}]|[ªº])*"
NO_LETTERS = r"[^\p{L}]*"
FIRST_LETTER = rf"{_OPENING}."
KEPT_SPACE = "\x1f"


class Paragraphs(NamedTuple):
    """Sentences of texts, in small letters where they were in capitals.

    A line break ends a sentence, and comes back when they are joined. Numbers
    and signs without a letter, such as those of a list, stay as they are.

    Attributes:
        sentences: Ragged string tensor `[batch, (lines), (sentences)]`.
        in_capitals: Boolean tensor `[all_sentences]`.
    """

    sentences: Any
    in_capitals: Any

    @classmethod
    def read(cls, text):
        """Reads texts.

        Args:
            text: String tensor `[batch]`.

        Returns:
            `Paragraphs`.
        """
        lines = tf.strings.split(text, "\n")
        parts = _split(normalize_text(lines.values))
        in_capitals = tf.strings.regex_full_match(parts.values, CAPITALS)
        sentences = tf.where(in_capitals, _lower(parts.values), parts.values)
        parts = parts.with_values(sentences)
        return cls(lines.with_values(parts), in_capitals)

    def write(self, translations):
        """Joins the translations of all sentences.

        Args:
            translations: String tensor `[all_sentences]`.

        Returns:
            String tensor `[batch]`.
        """
        upper = tf.strings.upper(translations, encoding="utf-8")
        translations = tf.where(self.in_capitals, upper, translations)
        sentences = self.sentences.flat_values
        has_letters = ~tf.strings.regex_full_match(sentences, NO_LETTERS)
        translations = tf.where(has_letters, translations, sentences)
        lines = self.sentences.values.with_values(translations)
        lines = tf.strings.reduce_join(lines, axis=1, separator=" ")
        lines = tf.strings.regex_replace(lines, UNSPACED_END + " ", r"\1")
        # A separator would be left out behind lines that begin a text empty.
        text = tf.strings.reduce_join(
            self.sentences.with_values("\n" + lines), axis=1
        )
        return tf.strings.regex_replace(text, r"^\n", "", replace_global=False)


def _split(lines):
    """Sentences `[all_lines, (sentences)]`."""
    # Twice, as of two initials the first takes the space between.
    for abbreviation in 2 * ABBREVIATIONS:
        lines = tf.strings.regex_replace(
            lines, abbreviation, rf"\1\2.{KEPT_SPACE}\3"
        )
    lines = tf.strings.regex_replace(lines, SENTENCE_END, "\\1\n\\2")
    lines = tf.strings.regex_replace(
        lines, rf"{UNSPACED_END}({_OPENING}[\p{{L}}\p{{N}}])", "\\1\n\\2"
    )
    parts = tf.strings.split(lines, "\n")
    return parts.with_values(
        tf.strings.regex_replace(parts.values, KEPT_SPACE, " ")
    )


def _lower(text):
    """Small letters but for the first."""
    head = tf.strings.regex_replace(text, f"({FIRST_LETTER}).*", r"\1")
    rest = tf.strings.regex_replace(
        text, f"^{FIRST_LETTER}", "", replace_global=False
    )
    return head + tf.strings.lower(rest, encoding="utf-8")
