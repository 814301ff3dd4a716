"""Texts of several sentences, and sentences in capitals."""

from typing import Any
from typing import NamedTuple

import tensorflow as tf

from s2s_keras.text.normalization import normalize_text

# What ends with a full stop and is no sentence: titles and initials.
ABBREVIATION = (
    r"\b(Mr|Mrs|Ms|Dr|Drs|Prof|St|Jr|Mt|Sr|Sra|Srta|Ud|Uds|Hr|Fr|vs|\p{Lu})\. "
)
SENTENCE_END = r"([.!?…]+[\"'”’»)\]]*) ([\"'“‘«(\[¿¡]*(?:\p{Lu}|\p{Lo}|\p{N}))"
CAPITALS = r"[^\p{Ll}]*\p{Lu}{2}[^\p{Ll}]*"
FIRST_LETTER = r"[\"'“‘«(\[¿¡]*."
KEPT_SPACE = "\x1f"


class Paragraphs(NamedTuple):
    """Sentences of texts, in small letters where they were in capitals.

    Attributes:
        sentences: Ragged string tensor `[batch, (sentences)]`.
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
        text = tf.strings.regex_replace(
            normalize_text(text), ABBREVIATION, r"\1." + KEPT_SPACE
        )
        text = tf.strings.regex_replace(text, SENTENCE_END, "\\1\n\\2")
        parts = tf.strings.split(text, "\n")
        sentences = tf.strings.regex_replace(parts.values, KEPT_SPACE, " ")
        in_capitals = tf.strings.regex_full_match(sentences, CAPITALS)
        sentences = tf.where(in_capitals, _lower(sentences), sentences)
        return cls(parts.with_values(sentences), in_capitals)

    def write(self, translations):
        """Joins the translations of all sentences.

        Args:
            translations: String tensor `[all_sentences]`.

        Returns:
            String tensor `[batch]`.
        """
        upper = tf.strings.upper(translations, encoding="utf-8")
        translations = tf.where(self.in_capitals, upper, translations)
        return tf.strings.reduce_join(
            self.sentences.with_values(translations), axis=1, separator=" "
        )


def _lower(text):
    """Small letters but for the first."""
    head = tf.strings.regex_replace(text, f"({FIRST_LETTER}).*", r"\1")
    rest = tf.strings.regex_replace(
        text, f"^{FIRST_LETTER}", "", replace_global=False
    )
    return head + tf.strings.lower(rest, encoding="utf-8")
