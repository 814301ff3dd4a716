"""The model that apps load and TensorFlow Serving runs: text in, text out."""

import warnings
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import register
from s2s_keras.text.normalization import normalize_text

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
        truncated: Whether the source was too long and lost its end.
    """

    text: str
    score: float
    source_pieces: list[str]
    target_pieces: list[str]
    attention: Any
    truncated: bool

    def __str__(self):
        return self.text


@register
class TextTranslator(keras.Model):
    """Translates text to text with a `Translator` and its tokenizers.

    Saved with `save("model.keras")`, it comes back complete, vocabulary
    included, from `keras.saving.load_model("model.keras")` once `s2s_keras`
    is imported. The model's call takes a string tensor and runs in the graph;
    `translate` is the same for Python strings.

    Args:
        translator: The `Translator`, which `fit` trains.
        source_tokenizer: A `SentencePieceTokenizer`.
        target_tokenizer: A `SentencePieceTokenizer`; for a joint vocabulary,
            the same object.
        num_beams: Integer. Width of the beam unless a call says otherwise.
        length_penalty: Float. Strength of the length penalty unless a call
            says otherwise.
        max_source_len: Integer. A longer source is cut, and reported, END
            included. A translation has at most `2 * source_len + 10` tokens.
        **kwargs: Keyword arguments of `keras.Model`.

    Call arguments:
        source_text: String tensor `[batch]`.
        num_beams: Integer, or `None` for the model's own.
        length_penalty: Float, or `None` for the model's own.

    Returns:
        A dictionary of `translation` (string `[batch]`), `score` (float32
        `[batch]`), `source_ids` (int32 `[batch, source_len]`), `target_ids`
        (int32 `[batch, target_len]`, without START), `truncated` (boolean
        `[batch]`) and, where the decoder has one, `attention` (float32
        `[batch, target_len, source_len]`).

    Example:

    ```python
    text_translator = TextTranslator(translator, tokenizer, tokenizer)
    print(text_translator.translate("Where are you?"))
    text_translator.save("model.keras")
    ```
    """

    def __init__(
        self,
        translator,
        source_tokenizer,
        target_tokenizer,
        num_beams=5,
        length_penalty=1.0,
        max_source_len=256,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.translator = translator
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.num_beams = num_beams
        self.length_penalty = length_penalty
        self.max_source_len = max_source_len
        self.built = True
        self._functions = {}

    def call(self, source_text, num_beams=None, length_penalty=None):
        source_ids, truncated = self._read(source_text)
        lengths = tf.reduce_sum(tf.cast(source_ids != PAD_ID, "int32"), axis=1)
        # Nothing translates to nothing: END is all that fits.
        max_lengths = tf.where(lengths == 1, 1, 2 * lengths + 10)
        found = self.translator.search(
            source_ids,
            max_lengths,
            num_beams=self.num_beams if num_beams is None else num_beams,
            length_penalty=(
                self.length_penalty
                if length_penalty is None
                else length_penalty
            ),
        )
        outputs = {
            "translation": self.target_tokenizer.detokenize(found.ids[:, 0]),
            "score": found.score[:, 0],
            "source_ids": source_ids,
            "target_ids": found.ids[:, 0],
            "truncated": truncated,
        }
        if self.translator.has_attention:
            outputs["attention"] = found.attention[:, 0]
        return outputs

    def _read(self, source_text):
        """Tokenizes, truncates, closes with END and pads."""
        ids = self.source_tokenizer.tokenize(normalize_text(source_text))
        longest = self.max_source_len - 1
        truncated = ids.row_lengths() > longest
        ids = ids[:, :longest]
        ids = tf.concat([ids, tf.fill([ids.nrows(), 1], END_ID)], axis=1)
        # An empty batch, too, has a source_len of 1.
        source_len = tf.reduce_max(tf.concat([ids.row_lengths(), [1]], axis=0))
        shape = tf.stack([tf.constant(-1, source_len.dtype), source_len])
        return ids.to_tensor(PAD_ID, shape=shape), truncated

    def translate(
        self,
        source_text,
        num_beams=None,
        length_penalty=None,
        batch_size=64,
    ):
        """Translates Python strings.

        Args:
            source_text: A string, or a list, tuple or array of strings.
            num_beams: Integer, or `None` for the model's own.
            length_penalty: Float, or `None` for the model's own.
            batch_size: Integer. Sentences that run together. Sentences of
                similar length are put together; results keep their order.

        Returns:
            A `Translation`, or a list of them where a list was given.

        Raises:
            TypeError: If `source_text` holds anything but strings.
        """
        if isinstance(source_text, str | bytes):
            return self.translate(
                [source_text], num_beams, length_penalty, batch_size
            )[0]
        texts = _check_texts(source_text)
        translate_batch = self._get_function(num_beams, length_penalty)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        translations = [None] * len(texts)
        for first in range(0, len(texts), batch_size):
            rows = order[first : first + batch_size]
            outputs = translate_batch(tf.constant([texts[i] for i in rows]))
            for i, translation in zip(rows, self._unpack(outputs), strict=True):
                translations[i] = translation
        _report_truncated(translations, self.max_source_len)
        return translations

    def _get_function(self, num_beams, length_penalty):
        """A graph of `call`, traced once for each way to search."""
        key = (num_beams, length_penalty)
        if key not in self._functions:
            self._functions[key] = tf.function(
                lambda source_text: self(
                    source_text,
                    num_beams=num_beams,
                    length_penalty=length_penalty,
                ),
                input_signature=[tf.TensorSpec([None], tf.string)],
                autograph=False,
            )
        return self._functions[key]

    def _unpack(self, outputs):
        """Splits a batch's tensors into one `Translation` a sentence."""
        source_pieces = _pieces(self.source_tokenizer, outputs["source_ids"])
        target_pieces = _pieces(self.target_tokenizer, outputs["target_ids"])
        outputs = {name: value.numpy() for name, value in outputs.items()}
        for i, text in enumerate(outputs["translation"]):
            attention = None
            if "attention" in outputs:
                attention = outputs["attention"][
                    i, : len(target_pieces[i]), : len(source_pieces[i])
                ]
            yield Translation(
                text=text.decode(),
                score=float(outputs["score"][i]),
                source_pieces=source_pieces[i],
                target_pieces=target_pieces[i],
                attention=attention,
                truncated=bool(outputs["truncated"][i]),
            )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "translator": serialize(self.translator),
            "source_tokenizer": serialize(self.source_tokenizer),
            "target_tokenizer": serialize(self.target_tokenizer),
            "num_beams": self.num_beams,
            "length_penalty": self.length_penalty,
            "max_source_len": self.max_source_len,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for part in ("translator", "source_tokenizer", "target_tokenizer"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects=custom_objects
            )
        return cls(**config)


def _check_texts(source_text):
    """Returns a list of UTF-8 bytes, or says which entry is not text."""
    if not isinstance(source_text, list | tuple | np.ndarray):
        raise TypeError(
            "`source_text` should be a string or a list of strings. "
            f"Received: {source_text!r} of type {type(source_text).__name__}"
        )
    for i, text in enumerate(source_text):
        if not isinstance(text, str | bytes):
            raise TypeError(
                "`source_text` should hold strings only. "
                f"Received: source_text[{i}]={text!r} "
                f"of type {type(text).__name__}"
            )
    return [
        text if isinstance(text, bytes) else text.encode(errors="replace")
        for text in source_text
    ]


def _pieces(tokenizer, ids):
    """Pieces of each row of padded ids, END labelled, padding left out."""
    pieces = np.char.decode(tokenizer.id_to_piece(ids).numpy().astype(bytes))
    pieces = np.where(ids == END_ID, END_LABEL, pieces)
    return [
        row[np.asarray(row_ids) != PAD_ID].tolist()
        for row, row_ids in zip(pieces, ids, strict=True)
    ]


def _report_truncated(translations, max_source_len):
    truncated = [i for i, item in enumerate(translations) if item.truncated]
    if truncated:
        warnings.warn(
            f"{len(truncated)} of {len(translations)} sources had more than "
            f"{max_source_len} tokens and were cut there: {truncated[:10]}"
            f"{' ...' if len(truncated) > 10 else ''}.",
            stacklevel=3,
        )
