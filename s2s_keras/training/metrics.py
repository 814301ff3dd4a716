"""Metrics per token: give them to `compile` as `weighted_metrics`."""

import keras
from keras import ops

from s2s_keras.conventions import register
from s2s_keras.training.losses import cross_entropy
from s2s_keras.training.losses import likeliest


@register
class TokenAccuracy(keras.metrics.Mean):
    """Share of real tokens whose likeliest prediction is right.

    Keras's `SparseCategoricalAccuracy` says the same, but looks for the
    likeliest predictions by itself, which takes a tenth of an update's time.

    Args:
        **kwargs: Keyword arguments of `keras.metrics.Mean`.
    """

    def __init__(self, name="token_accuracy", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = likeliest(y_pred) == ops.cast(y_true, "int32")
        super().update_state(right, sample_weight=sample_weight)


@register
class Perplexity(keras.metrics.Mean):
    """Exponential of the mean cross-entropy per real token, unsmoothed.

    Args:
        **kwargs: Keyword arguments of `keras.metrics.Mean`.

    Example:

    >>> perplexity = Perplexity()
    >>> perplexity.update_state([[1, 0]], keras.ops.zeros((1, 2, 4)))
    >>> float(perplexity.result())
    4.0
    """

    def __init__(self, name="perplexity", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = cross_entropy(y_pred, y_true)
        super().update_state(values, sample_weight=sample_weight)

    def result(self):
        return ops.exp(super().result())
