"""Texts of several sentences, and sentences in capitals."""

from typing import Any
from typing import NamedTuple

import tensorflow as tf

from s2s_keras.text.normalization import normalize_text

# What ends with a full stop and is no sentence: titles and initials.
TITLES = "Mr Mrs Ms Dr Drs Prof St Jr Mt Sr Sra Srta Ud Uds Hr Fr".split()
ABBREVIATION = (
    r"(^|[^\p{L}\p{N}])"
    rf"({'|'.join(TITLES)}|{'|'.join(TITLES).upper()}|vs|VS|\p{{Lu}})\. "
)
SENTENCE_END = r"([.!?…]+[\"'”’»)\]]*) ([\"'“‘«(\[¿¡]*(?:\p{Lu}|\p{Lo}|\p{N}))"
# A script without capitals has no small letters either; º and ª count there.
CAPITALS = r"(?:[^\p{Ll}\p{Lo}]|[ªº])*\p{Lu}{2}(?:[^\p{Ll}\p{Lo}]|[ªº])*"
FIRST_LETTER = r"[\"'“‘«(\[¿¡]*."
KEPT_SPACE = "\x1f"


class Paragraphs(NamedTuple):
    """Sentences of texts, in small letters where they were in capitals.

    A line break ends a sentence, and comes back when they are joined.

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
        lines = self.sentences.values.with_values(translations)
        lines = tf.strings.reduce_join(lines, axis=1, separator=" ")
        # A separator would be left out behind lines that begin a text empty.
        text = tf.strings.reduce_join(
            self.sentences.with_values("\n" + lines), axis=1
        )
        return tf.strings.regex_replace(text, r"^\n", "", replace_global=False)


def _split(lines):
    """Sentences `[all_lines, (sentences)]`."""
    for _ in range(2):  # as of two initials the first takes the space between
        lines = tf.strings.regex_replace(
            lines, ABBREVIATION, r"\1\2." + KEPT_SPACE
        )
    lines = tf.strings.regex_replace(lines, SENTENCE_END, "\\1\n\\2")
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
