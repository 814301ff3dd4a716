"""The loss of translation models."""

import keras
from keras import ops

from s2s_keras.conventions import register


@register
class TokenCrossEntropy(keras.losses.Loss):
    """Label-smoothed cross-entropy per token, from logits.

    The true token gets the probability `1 - label_smoothing`; the rest is
    spread evenly over the vocabulary. Padding is left out by a `sample_weight`
    of 0, and the mean is taken over the weights.

    Args:
        label_smoothing: Float in [0, 1).
        reduction: As in `keras.losses.Loss`; the mean over real tokens by
            default.
        **kwargs: Keyword arguments of `keras.losses.Loss`.

    Call arguments:
        y_true: Integer tensor `[batch, target_len]`, the label ids.
        y_pred: Float tensor `[batch, target_len, vocabulary_size]`, logits.
        sample_weight: Float tensor `[batch, target_len]`.

    Returns:
        Float32 scalar, in nats per token.

    Example:

    >>> loss = TokenCrossEntropy()
    >>> logits = keras.ops.zeros((1, 2, 4))
    >>> round(float(loss([[1, 0]], logits, sample_weight=[[1.0, 0.0]])), 4)
    1.3863

    Reference:
        [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), Section 7.
    """

    def __init__(
        self,
        label_smoothing=0.0,
        reduction="mean_with_sample_weight",
        name="token_cross_entropy",
        **kwargs,
    ):
        super().__init__(reduction=reduction, name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` should be in [0, 1). "
                f"Received: label_smoothing={label_smoothing}"
            )
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        logits = ops.cast(y_pred, "float32")
        y_true = ops.cast(y_true, "int32")
        return _smoothed_cross_entropy(logits, y_true, self.label_smoothing)

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
        }


def cross_entropy(logits, y_true):
    """Cross-entropy of tokens, unsmoothed, for looking at.

    It has its steps in common with `TokenCrossEntropy`, so that a graph with
    both takes them once.

    Args:
        logits: Float tensor `[batch, target_len, vocabulary_size]`.
        y_true: Integer tensor `[batch, target_len]`.

    Returns:
        Float32 tensor `[batch, target_len]`, in nats.
    """
    logits = ops.cast(logits, "float32")
    y_true = ops.cast(y_true, "int32")
    return ops.logsumexp(logits, axis=-1) - _true_logit(logits, y_true)


def _true_logit(logits, y_true):
    return ops.take_along_axis(logits, y_true[..., None], axis=-1)[..., 0]


def _smoothed_cross_entropy(logits, y_true, label_smoothing):
    """Cross-entropy `[batch, target_len]`, its gradient in few passes.

    The gradient is `softmax(logits) - q`, with the smoothed truth `q`.
    Differentiating the parts one by one takes several times as long, as each
    of them makes a tensor as large as the logits.
    """
    vocabulary_size = logits.shape[-1]
    even = label_smoothing / vocabulary_size

    @ops.custom_gradient
    def cross_entropy(logits):
        log_normalizer = ops.logsumexp(logits, axis=-1)
        true_logit = _true_logit(logits, y_true)
        mean_logit = ops.mean(logits, axis=-1)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            probabilities = ops.exp(logits - log_normalizer[..., None])
            truth = ops.one_hot(y_true, vocabulary_size)
            truth = (1 - label_smoothing) * truth + even
            return (probabilities - truth) * upstream[..., None]

        loss = (
            log_normalizer
            - (1 - label_smoothing) * true_logit
            - label_smoothing * mean_logit
        )
        return loss, gradient

    return cross_entropy(logits)
