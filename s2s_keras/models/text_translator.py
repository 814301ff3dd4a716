"""The model that apps load and TensorFlow Serving runs: text in, text out."""

import concurrent.futures
import functools
import math
import numbers
import os
import sys
import warnings

import keras
import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import check_positive
from s2s_keras.conventions import register
from s2s_keras.decoding import penalties
from s2s_keras.models.architecture import check_dtype
from s2s_keras.models.translation import split_batch
from s2s_keras.models.translator import Translator
from s2s_keras.presets import PRESETS
from s2s_keras.presets import find_model
from s2s_keras.presets import save_model
from s2s_keras.progress import track
from s2s_keras.text.normalization import normalize_text
from s2s_keras.text.paragraphs import Paragraphs
from s2s_keras.text.strings import check_texts
from s2s_keras.text.strings import out_of_tensor
from s2s_keras.threads import count_cores

# Batches that run side by side: processor cores wait for one another less in
# two batches than in the operations of one.
NUM_BATCHES_AT_ONCE = min(4, count_cores())


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
        `[batch]`), `translations` and `scores` (`[batch, num_beams]`, of all
        that the search found, best first), `source_ids` (int32
        `[batch, source_len]`), `target_ids` (int32 `[batch, target_len]`,
        without START), `truncated` (boolean `[batch]`) and, where the decoder
        has one, `attention` (float32 `[batch, target_len, source_len]`).

    Example:

    ```python
    text_translator = TextTranslator(translator, tokenizer, tokenizer)
    print(text_translator.translate("Where are you?"))
    text_translator.save("model.keras")
    ```
    """

    presets = PRESETS

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
        # What is inside has policies of its own: a mixed one would round them.
        self.dtype_policy = "float32"
        settings = _check_settings(num_beams, length_penalty, max_source_len)
        self.translator = translator
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.num_beams = settings["num_beams"]
        self.length_penalty = settings["length_penalty"]
        self.max_source_len = settings["max_source_len"]
        self.built = True
        self._functions = {}

    @classmethod
    def from_preset(cls, preset, dtype=None):
        """Loads a trained model.

        Args:
            preset: A name in `TextTranslator.presets`, a `.keras` file, or a
                folder that holds a `model.keras`, as `save_to_preset` and
                `s2s-keras train` write it.
            dtype: Keras dtype policy to run in, as where processors have no
                bfloat16 products; that of training by default.

        Returns:
            A `TextTranslator`.

        Raises:
            FileNotFoundError: If there is no such preset, or none with
                weights.
            ValueError: If the file holds something else.
        """
        path = find_model(preset)
        model = keras.saving.load_model(path)
        if not isinstance(model, cls):
            raise ValueError(
                f"`preset` should hold a {cls.__name__}. Received: {path} "
                f"with a {type(model).__name__}"
            )
        return model if dtype is None else model.with_dtype(dtype)

    @property
    def settings(self):
        """The settings of the search, as `__init__` takes them."""
        return {
            "num_beams": self.num_beams,
            "length_penalty": self.length_penalty,
            "max_source_len": self.max_source_len,
        }

    def with_settings(self, **settings):
        """Gives a model of the same parts with other settings of the search.

        Args:
            **settings: `num_beams`, `length_penalty` or `max_source_len`;
                `None` leaves the model's own.

        Returns:
            A `TextTranslator` that shares translator and tokenizers.
        """
        return type(self)(
            self.translator,
            self.source_tokenizer,
            self.target_tokenizer,
            name=self.name,
            **self._choose_settings(**settings),
        )

    def _choose_settings(self, **settings):
        given = {k: v for k, v in settings.items() if v is not None}
        return _check_settings(**(self.settings | given))

    def with_dtype(self, dtype):
        """Gives a model with copies of these weights in another dtype policy.

        Args:
            dtype: Keras dtype policy, such as `"float32"`.

        Returns:
            A `TextTranslator` that shares the tokenizers.

        Raises:
            ValueError: If there is no such policy, or its variables are in
                bfloat16.
        """
        check_dtype(dtype)
        translator = type(self.translator).from_config(
            _replace_dtype(self.translator.get_config(), dtype)
        )
        translator.set_weights(self.translator.get_weights())
        return self.with_translator(translator)

    def with_translator(self, translator):
        """Gives a model of the same name in which another one translates.

        Args:
            translator: `Translator` of the same vocabularies.

        Returns:
            A `TextTranslator` that shares the tokenizers.
        """
        return type(self)(
            translator,
            self.source_tokenizer,
            self.target_tokenizer,
            name=self.name,
            **self.settings,
        )

    def save_to_preset(self, folder):
        """Writes `model.keras` to a folder, for `from_preset`.

        Args:
            folder: Path of the folder, which is made if need be.

        Raises:
            FileExistsError: If the folder holds a model already.
        """
        save_model(self, folder)

    def call(self, source_text, num_beams=None, length_penalty=None):
        source_ids, truncated = self.read(source_text)
        lengths = tf.reduce_sum(tf.cast(source_ids != PAD_ID, "int32"), axis=1)
        # Nothing translates to nothing: END is all that fits.
        max_lengths = tf.where(lengths == 1, 1, _longest_translation(lengths))
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
        translations = self._detokenize(found.ids)
        outputs = {
            "translation": translations[:, 0],
            "score": found.score[:, 0],
            "translations": translations,
            "scores": found.score,
            "source_ids": source_ids,
            "target_ids": found.ids[:, 0],
            "truncated": truncated,
        }
        if self.translator.has_attention:
            outputs["attention"] = found.attention[:, 0]
        return outputs

    def call_forced(self, source_text, target_text):
        """Follows translations that are given, in the graph.

        Args:
            source_text: String tensor `[batch]`.
            target_text: String tensor `[batch]`, the translations.

        Returns:
            A dictionary like that of `call`, for the one translation that was
            given, with `token_log_probs` (float32 `[batch, target_len]`,
            zeros on padding).
        """
        source_ids, truncated = self.read(source_text)
        label_ids, label_truncated = self._read(
            target_text,
            self.target_tokenizer,
            _longest_translation(self.max_source_len),
        )
        forced = self.translator.force(source_ids, label_ids)
        lengths = tf.reduce_sum(tf.cast(label_ids != PAD_ID, "int32"), axis=1)
        outputs = {
            "translation": target_text,
            "score": tf.reduce_sum(forced.log_probs, axis=1)
            / penalties.length_penalty(lengths, self.length_penalty),
            "token_log_probs": forced.log_probs,
            "source_ids": source_ids,
            "target_ids": label_ids,
            "truncated": truncated | label_truncated,
        }
        if self.translator.has_attention:
            outputs["attention"] = forced.attention
        return outputs

    def read(self, source_text):
        """Turns source text into ids, in the graph.

        Args:
            source_text: String tensor `[batch]`.

        Returns:
            A tuple of int32 ids `[batch, source_len]`, cut to
            `max_source_len`, closed with END and padded, and of a boolean
            tensor `[batch]`, whether a text was cut.
        """
        return self._read(
            source_text, self.source_tokenizer, self.max_source_len
        )

    def _detokenize(self, ids):
        """Texts `[batch, num_beams]` of ids `[batch, num_beams, length]`."""
        shape = tf.shape(ids)
        texts = self.target_tokenizer.detokenize(
            tf.reshape(ids, [-1, shape[2]])
        )
        return tf.reshape(texts, shape[:2])

    def _read(self, text, tokenizer, longest):
        ids = tokenizer.tokenize(normalize_text(text))
        truncated = ids.row_lengths() > longest - 1
        ids = ids[:, : longest - 1]
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
        verbose=False,
    ):
        """Translates Python strings.

        Args:
            source_text: A string, or a list, tuple, array or tensor of strings.
            num_beams: Integer, or `None` for the model's own.
            length_penalty: Float, or `None` for the model's own.
            batch_size: Integer. Sentences that run together. Sentences of
                similar length are put together; results keep their order. Up
                to four batches run side by side.
            verbose: Boolean. Whether to show progress on a terminal.

        Returns:
            A `Translation`, or a list of them where a list was given.

        Raises:
            TypeError: If `source_text` holds anything but strings.
        """
        source_text = out_of_tensor(source_text)
        if isinstance(source_text, str | bytes):
            return self.translate(
                [source_text], num_beams, length_penalty, batch_size, verbose
            )[0]
        texts = check_texts(source_text, "source_text")
        settings = self._choose_settings(
            num_beams=num_beams, length_penalty=length_penalty
        )
        del settings["max_source_len"]  # is the model's own
        function = self._get_function(
            ("translate", *settings.values()),
            lambda source_text: self(source_text, **settings),
        )
        return self._in_batches(function, [texts], batch_size, verbose)

    def translate_paragraphs(self, source_text, **options):
        """Translates texts of several sentences, sentence by sentence.

        Line breaks end sentences, and are kept. Sentences in capitals are read
        in small letters, and their translation is written in capitals. What has
        no letters, such as the number of a line, stays as it is.

        Args:
            source_text: A string, or a list, tuple, array or tensor of strings.
            **options: Keyword arguments of `translate`.

        Returns:
            A string, or a list of them where a list was given.
        """
        source_text = out_of_tensor(source_text)
        if isinstance(source_text, str | bytes):
            return self.translate_paragraphs([source_text], **options)[0]
        texts = check_texts(source_text, "source_text")
        paragraphs = Paragraphs.read(tf.constant(texts, tf.string))
        translations = self.translate(
            paragraphs.sentences.flat_values.numpy(), **options
        )
        written = paragraphs.write(
            tf.constant([item.text for item in translations], tf.string)
        )
        return [text.decode() for text in written.numpy()]

    def score(self, source_text, target_text, batch_size=64):
        """Scores translations that are given, and aligns them.

        Args:
            source_text: A string, or a list, tuple, array or tensor of strings.
            target_text: As many translations.
            batch_size: Integer. Pairs that run together.

        Returns:
            A `Translation`, or a list of them where lists were given: the
            score is what a search would have given it, and the attention says
            which source tokens each of its tokens was read off.

        Raises:
            TypeError: If one of the two holds anything but strings.
            ValueError: If there are not as many of one as of the other.
        """
        source_text = out_of_tensor(source_text)
        target_text = out_of_tensor(target_text)
        if isinstance(source_text, str | bytes):
            return self.score([source_text], [target_text], batch_size)[0]
        sides = [
            check_texts(source_text, "source_text"),
            check_texts(target_text, "target_text"),
        ]
        if len(sides[0]) != len(sides[1]):
            raise ValueError(
                "`target_text` should hold one translation for each source. "
                f"Received: {len(sides[0])} sources, {len(sides[1])} targets"
            )
        function = self._get_function("score", self.call_forced, num_inputs=2)
        return self._in_batches(function, sides, batch_size)

    def _get_function(self, key, function, num_inputs=1):
        """A graph of `function`, traced once for each key, parts, settings."""
        parts = self.translator, self.source_tokenizer, self.target_tokenizer
        key = (key, *map(id, parts), *self.settings.values())
        if key not in self._functions:
            # As a partial, or TensorFlow takes the graphs of several models for
            # one that is traced again and again, and warns.
            self._functions[key] = tf.function(
                functools.partial(function),
                input_signature=[tf.TensorSpec([None], tf.string)] * num_inputs,
                autograph=False,
            )
        return self._functions[key]

    def _in_batches(self, function, sides, batch_size, verbose=False):
        """Runs texts of similar length together, and keeps their order."""
        check_positive(batch_size=batch_size)
        order = sorted(range(len(sides[0])), key=lambda i: len(sides[0][i]))
        batches = [
            order[first : first + batch_size]
            for first in range(0, len(order), batch_size)
        ]

        def run(rows):
            columns = ([texts[i] for i in rows] for texts in sides)
            outputs = function(*map(tf.constant, columns))
            found = split_batch(
                outputs, self.source_tokenizer, self.target_tokenizer
            )
            return dict(zip(rows, found, strict=True))

        translations = {}
        steps = track(batches, "Translating") if verbose else batches
        with concurrent.futures.ThreadPoolExecutor(NUM_BATCHES_AT_ONCE) as pool:
            walk = pool.map if len(batches) > 1 else map
            for _, found in zip(steps, walk(run, batches), strict=True):
                translations.update(found)
        translations = [translations[i] for i in sorted(order)]
        _report_truncated(translations, self.max_source_len)
        return translations

    quantize = Translator.quantize

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        translator = serialize(self.translator)
        translator.pop("compile_config", None)  # this model's own
        return {
            **super().get_config(),
            "translator": translator,
            "source_tokenizer": serialize(self.source_tokenizer),
            "target_tokenizer": serialize(self.target_tokenizer),
            **self.settings,
        }

    def get_compile_config(self):
        """What the translator was compiled with."""
        return self.translator.get_compile_config()

    def compile_from_config(self, config):
        """Compiles the translator of a loaded model as the saved one was."""
        self.translator.compile_from_config(config)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for part in ("translator", "source_tokenizer", "target_tokenizer"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects=custom_objects
            )
        return cls(**config)


def _longest_translation(source_len):
    """Tokens that a translation has at most, END included."""
    return 2 * source_len + 10


def _check_settings(num_beams, length_penalty, max_source_len):
    """Gives the settings of a search as Python's own numbers."""
    check_positive(num_beams=num_beams, max_source_len=max_source_len)
    is_number = isinstance(length_penalty, numbers.Real)
    if not is_number or not math.isfinite(length_penalty):
        raise ValueError(
            "`length_penalty` should be a finite number. "
            f"Received: length_penalty={length_penalty!r}"
        )
    return {
        "num_beams": int(num_beams),
        "length_penalty": float(length_penalty),
        "max_source_len": int(max_source_len),
    }


def _replace_dtype(config, dtype):
    """Replaces the dtype policies of nested layers."""
    if isinstance(config, list):
        return [_replace_dtype(value, dtype) for value in config]
    if not isinstance(config, dict):
        return config
    return {
        key: dtype if key == "dtype" else _replace_dtype(value, dtype)
        for key, value in config.items()
    }


def _report_truncated(translations, max_source_len):
    truncated = [i for i, item in enumerate(translations) if item.truncated]
    if truncated:
        warnings.warn(
            f"{len(truncated)} of {len(translations)} sentences had more "
            f"tokens than max_source_len={max_source_len} allows (translations "
            f"to score: {_longest_translation(max_source_len)}) and were cut: "
            f"{truncated[:10]}"
            f"{' ...' if len(truncated) > 10 else ''}.",
            stacklevel=_caller_depth(),
        )


def _caller_depth():
    """The `stacklevel` of who called this package, for one who warns."""
    package = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
    frame, depth = sys._getframe(1), 1
    while frame.f_back and frame.f_code.co_filename.startswith(package):
        frame, depth = frame.f_back, depth + 1
    return depth
