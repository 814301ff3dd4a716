"""Several models that translate together."""

import keras
from keras import ops

from s2s_keras.conventions import register
from s2s_keras.decoding.search import StepResult
from s2s_keras.models.text_translator import TextTranslator
from s2s_keras.models.translator import ForcedResult
from s2s_keras.models.translator import Translator


@register
class Ensemble(keras.Model):
    """Translators whose probabilities are averaged at every step.

    It searches, is saved and is exported as a `Translator` is, and takes as
    long as all of them; it is not for training. Its attention is the mean of
    those that have one.

    Args:
        translators: List of `Translator`, with the same vocabularies.
        **kwargs: Keyword arguments of `keras.Model`.

    Call arguments:
        inputs: Dictionary of `source_ids` `[batch, source_len]` and
            `target_ids` `[batch, target_len]`.

    Returns:
        Float32 log-probabilities `[batch, target_len, vocabulary_size]`.

    Example:

    ```python
    model = make_ensemble(
        [TextTranslator.from_preset(f"runs/seed_{i}") for i in range(3)]
    )
    print(model.translate("Where are you?"))
    ```
    """

    def __init__(self, translators, **kwargs):
        super().__init__(**kwargs)
        # The members have policies of their own: a mixed one would round them.
        self.dtype_policy = "float32"
        _check_vocabularies(translators)
        self.translators = list(translators)
        self.built = True

    def call(self, inputs):
        logits = [translator(inputs) for translator in self.translators]
        return _mean_of_logs([_log_probs(part) for part in logits])

    search = Translator.search
    quantize = Translator.quantize

    def force(self, source_ids, label_ids):
        """Follows translations that are given: see `Translator.force`."""
        results = [t.force(source_ids, label_ids) for t in self.translators]
        return ForcedResult(
            _mean_of_logs([result.log_probs for result in results]),
            _mean_attention(results),
        )

    def start(self, source_ids):
        """Reads the source: see `Translator.start`."""
        started = [t.start(source_ids) for t in self.translators]
        return tuple(zip(*started, strict=True))

    def step(self, token_ids, state, attended, output_kernel=None):
        """Takes one step: see `Translator.step`."""
        kernels = output_kernel or [None] * len(self.translators)
        results = [
            translator.step(token_ids, *parts)
            for translator, *parts in zip(
                self.translators, state, attended, kernels, strict=True
            )
        ]
        log_probs = [_log_probs(result.logits) for result in results]
        return StepResult(
            _mean_of_logs(log_probs),
            tuple(result.state for result in results),
            _mean_attention(results),
        )

    def output_kernel(self):
        """Prepares what all steps project with: see `Translator`."""
        return tuple(t.output_kernel() for t in self.translators)

    def members(self):
        """The translators that search together."""
        return self.translators

    @property
    def has_attention(self):
        """Whether a search returns attention."""
        return any(t.has_attention for t in self.translators)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        members = [serialize(translator) for translator in self.translators]
        for member in members:
            member.pop("compile_config", None)
        return {**super().get_config(), "translators": members}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        translators = [
            keras.saving.deserialize_keras_object(part, custom_objects)
            for part in config["translators"]
        ]
        return cls(**(config | {"translators": translators}))


def make_ensemble(text_translators):
    """Joins text translators to one.

    Args:
        text_translators: List of `TextTranslator`, with the same vocabularies,
            for example of trainings with other seeds.

    Returns:
        A `TextTranslator` of an `Ensemble`, with the tokenizers and the search
        settings of the first.

    Raises:
        ValueError: If there are none, vocabularies differ, or one is an
            ensemble itself.
    """
    if not text_translators:
        raise ValueError(
            "`text_translators` should hold a model at least. Received: "
            f"{text_translators!r}"
        )
    first = text_translators[0]
    for side in ("source_tokenizer", "target_tokenizer"):
        protos = {
            getattr(text_translator, side).proto
            for text_translator in text_translators
        }
        if len(protos) > 1:
            raise ValueError(
                "An ensemble needs models with the same vocabularies. "
                f"Received: {len(protos)} different `{side}`s"
            )
    return TextTranslator(
        Ensemble([t.translator for t in text_translators]),
        first.source_tokenizer,
        first.target_tokenizer,
        **first.settings,
    )


def _check_vocabularies(translators):
    kinds = {type(translator).__name__ for translator in translators}
    if not kinds or not all(isinstance(t, Translator) for t in translators):
        raise ValueError(
            "`translators` should be `Translator`s, all of which count the "
            f"same. Received: {sorted(kinds)}"
        )
    sizes = {
        (t.encoder.vocabulary_size, t.decoder.vocabulary_size)
        for t in translators
    }
    if len(sizes) != 1:
        raise ValueError(
            "`translators` should be of the same vocabulary sizes. Received: "
            f"(source, target) sizes {sorted(sizes)}"
        )


def _log_probs(logits):
    return ops.log_softmax(ops.cast(logits, "float32"))


def _mean_of_logs(log_probs):
    """The logarithm of the mean of the probabilities."""
    total = ops.logsumexp(ops.stack(log_probs), axis=0)
    return total - ops.log(float(len(log_probs)))


def _mean_attention(results):
    """The mean of the attentions that there are; `()` if there are none."""
    parts = [
        result.attention
        for result in results
        if not isinstance(result.attention, tuple)
    ]
    return sum(parts) / len(parts) if parts else ()
