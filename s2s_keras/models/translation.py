"""What a model made of a sentence."""

from typing import Any
from typing import NamedTuple

import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID

END_LABEL = "[END]"


class Translation(NamedTuple):
    """One translated sentence. `str()` of it is its text.

    Attributes:
        text: The translation.
        score: Its log-probability, divided by the length penalty.
        source_pieces: Tokens of the source, closed by `"[END]"`.
        target_pieces: Tokens of the translation, closed by `"[END]"`.
        attention: Float32 array `[target_len, source_len]`: a row for each of
            `target_pieces`, a column for each of `source_pieces`. `None`
            where the decoder has no attention.
        truncated: Whether the source, or a translation that was given, was
            too long and lost its end.
    """

    text: str
    score: float
    source_pieces: list[str]
    target_pieces: list[str]
    attention: Any
    truncated: bool

    def __str__(self):
        return self.text


def split_batch(outputs, source_tokenizer, target_tokenizer):
    """Splits a batch's tensors into one `Translation` a sentence.

    Args:
        outputs: What `TextTranslator.call` returned, or `call_forced`.
        source_tokenizer: A `SentencePieceTokenizer`.
        target_tokenizer: A `SentencePieceTokenizer`.

    Yields:
        `Translation`.
    """
    source_pieces, target_pieces = (
        _trim(label_pieces(tokenizer, outputs[ids]), outputs[ids])
        for tokenizer, ids in (
            (source_tokenizer, "source_ids"),
            (target_tokenizer, "target_ids"),
        )
    )
    outputs = {name: value.numpy() for name, value in outputs.items()}
    for i, text in enumerate(outputs["translation"]):
        attention = None
        if "attention" in outputs:
            attention = outputs["attention"][
                i, : len(target_pieces[i]), : len(source_pieces[i])
            ]
        yield Translation(
            text=text.decode(errors="replace"),
            score=float(outputs["score"][i]),
            source_pieces=source_pieces[i],
            target_pieces=target_pieces[i],
            attention=attention,
            truncated=bool(outputs["truncated"][i]),
        )


def label_pieces(tokenizer, ids):
    """Looks up padded ids: `"[END]"` for END, and `""` for padding."""
    pieces = tokenizer.id_to_piece(ids)
    pieces = tf.where(ids == END_ID, END_LABEL, pieces)
    return tf.where(ids == PAD_ID, "", pieces)


def _trim(pieces, ids):
    """Pieces of each row, padding left out."""
    return [
        [piece.decode() for piece in row[is_real]]
        for row, is_real in zip(
            pieces.numpy(), ids.numpy() != PAD_ID, strict=True
        )
    ]
