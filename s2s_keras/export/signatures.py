"""What a servable model can be asked."""

import tensorflow as tf

from s2s_keras.export import stepping
from s2s_keras.export.storage import WEIGHTS
from s2s_keras.models.translation import label_pieces
from s2s_keras.text.normalization import normalize_text
from s2s_keras.text.paragraphs import Paragraphs

TEXT = tf.TensorSpec([None], tf.string, name="text")
BATCH_SIZE = 64  # sentences of a text that are searched together


class Signatures:
    """The functions that are exported, one method each.

    Each takes tensors, and gives a dictionary of tensors, whose first
    dimension is the batch.

    Args:
        text_translator: `TextTranslator`.
        weights: One of `storage.WEIGHTS`: how weights are stored.
    """

    def __init__(self, text_translator, weights="float32"):
        reading_weights = WEIGHTS[weights](text_translator)
        self._model = text_translator
        self._search = _trace(reading_weights(text_translator.call), [TEXT])
        self._start = _trace(reading_weights(self._read_and_start), [TEXT])
        self._force = reading_weights(text_translator.call_forced)
        self._step = reading_weights(stepping.step)

    def add_to(self, archive):
        """Adds all signatures to a `keras.export.ExportArchive`."""
        pair = [
            tf.TensorSpec([None], tf.string, name=name)
            for name in ("source_text", "target_text")
        ]
        ids = tf.TensorSpec([None, None], tf.int32, name="token_ids")
        for function, inputs in (
            (self.serving_default, [TEXT]),
            (self.translate, [TEXT]),
            (self.n_best, [TEXT]),
            (self.paragraphs, [TEXT]),
            (self.score, pair),
            (self.encode, [TEXT]),
            (self.step, [self._step_inputs()]),
            (self.detokenize, [ids]),
        ):
            # Saving traces an endpoint several times: a call is soon traced.
            traced = _trace(function, inputs)
            archive.add_endpoint(function.__name__, traced.__call__, inputs)

    def serving_default(self, text):
        """Gives the `translation` (string `[batch]`) alone."""
        outputs = self._search(_check(text))
        return {"translation": outputs["translation"]}

    def n_best(self, text):
        """Gives `translations` and `scores` `[batch, num_beams]`."""
        outputs = self._search(_check(text))
        return {name: outputs[name] for name in ("translations", "scores")}

    def paragraphs(self, text):
        """Gives the `translation` (string `[batch]`), sentence by sentence."""
        paragraphs = Paragraphs.read(_check(text))
        translations = self._in_batches(paragraphs.sentences.flat_values)
        return {"translation": paragraphs.write(translations)}

    def _in_batches(self, sentences):
        """Translates any number of sentences, with memory for a few."""

        def go_on(translations):
            first = tf.size(translations)
            outputs = self._search(sentences[first : first + BATCH_SIZE])
            return [tf.concat([translations, outputs["translation"]], axis=0)]

        (translations,) = tf.while_loop(
            lambda translations: tf.size(translations) < tf.size(sentences),
            go_on,
            [tf.zeros([0], tf.string)],
            shape_invariants=[tf.TensorShape([None])],
        )
        return translations

    def translate(self, text):
        """Gives all that is known of the best translation.

        Returns:
            A dictionary of `translation`, `score` and `truncated` `[batch]`;
            `source_text` `[batch]`, as it was read; `source_pieces`
            `[batch, source_len]` and `target_pieces` `[batch, target_len]`,
            closed by `"[END]"` and padded with `""`; `source_spans` and
            `target_spans` `[batch, ..., 2]`, the first character of each piece
            in `source_text` or `translation`, and the one behind its last;
            and, where the decoder has one, `attention`
            `[batch, target_len, source_len]`.
        """
        outputs = self._search(_check(text))
        source, target = (
            self._model.source_tokenizer,
            self._model.target_tokenizer,
        )
        source_ids, target_ids = outputs["source_ids"], outputs["target_ids"]
        source_text = normalize_text(text)
        names = {"translation", "score", "truncated", "attention"}
        return {
            **{name: outputs[name] for name in names & outputs.keys()},
            "source_text": source_text,
            "source_pieces": label_pieces(source, source_ids),
            "source_spans": _pad_spans(
                source.tokenize_with_spans(source_text)[1],
                tf.shape(source_ids)[1],
            ),
            "target_pieces": label_pieces(target, target_ids),
            "target_spans": target.find_spans(target_ids),
        }

    def score(self, source_text, target_text):
        """Gives the probability of translations that are given.

        Returns:
            A dictionary of `log_prob` `[batch]`, and of `token_log_probs` and
            `target_pieces` `[batch, target_len]`.
        """
        outputs = self._force(_check(source_text), _check(target_text))
        return {
            "log_prob": tf.reduce_sum(outputs["token_log_probs"], axis=1),
            "token_log_probs": outputs["token_log_probs"],
            "target_pieces": label_pieces(
                self._model.target_tokenizer, outputs["target_ids"]
            ),
        }

    def encode(self, text):
        """Gives what `step` takes besides `token_ids`."""
        started = self._start(_check(text))
        return stepping.widen(stepping.name_start(started))

    def _read_and_start(self, text):
        source_ids, _ = self._model.read(text)
        return self._model.translator.start(source_ids)

    def _step_inputs(self):
        return stepping.step_inputs(self._start.structured_outputs)

    def step(self, inputs):
        """Takes one step of decoding: see `stepping.step`.

        What `encode` gave goes in, its `state_...` replaced by those that the
        step before gave.
        """
        inputs = {
            name: tf.ensure_shape(inputs[name], spec.shape)
            for name, spec in self._step_inputs().items()
        }
        started = self._start.structured_outputs
        return self._step(self._model.translator, started, inputs)

    def detokenize(self, token_ids):
        """Joins ids `[batch, target_len]` to `translation` `[batch]`."""
        token_ids = tf.ensure_shape(token_ids, [None, None])
        translation = self._model.target_tokenizer.detokenize(token_ids)
        return {"translation": translation}


def _trace(function, inputs):
    """Traces a function once for all that call it."""
    function = tf.function(function, input_signature=inputs, autograph=False)
    return function.get_concrete_function()


def _check(text):
    """Refuses texts of any rank but one."""
    return tf.ensure_shape(text, [None])


def _pad_spans(spans, source_len):
    """Pads spans to `[batch, source_len, 2]`.

    END and padding are the empty span behind the last piece.
    """
    spans = spans[:, : source_len - 1]
    real = tf.sequence_mask(spans.row_lengths(), source_len)[..., None]
    spans = spans.to_tensor()
    missing = source_len - tf.shape(spans)[1]
    spans = tf.pad(spans, [[0, 0], [0, missing], [0, 0]])
    last = tf.reduce_max(spans, axis=[1, 2], keepdims=True)
    return tf.where(real, spans, last)
