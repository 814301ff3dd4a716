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

    Where `consistency` is set, every sentence comes twice, one copy right after
    the other (see `make_batches`), and dropout makes the decoder say two things
    about each of its tokens. Half of `consistency` times their mean divergence,
    `(KL(p || q) + KL(q || p)) / 2`, is added.

    Args:
        label_smoothing: Float in [0, 1).
        consistency: Float. Strength of the pull between the two copies of each
            sentence; 0 for sentences that come once.
        reduction: As in `keras.losses.Loss`; the mean over real tokens by
            default.
        name: String.
        dtype: `"float32"` or `"float64"`.

    Call arguments:
        y_true: Integer tensor `[batch, target_len]`, the label ids.
        y_pred: Float tensor `[batch, target_len, vocabulary_size]`, logits.
        sample_weight: Float tensor `[batch, target_len]`.

    Returns:
        Float32 scalar, in nats per token.

    Raises:
        ValueError: If a batch of an odd size is to be `consistency`'s pairs,
            where that is known when a graph is traced.

    Example:

    >>> loss = TokenCrossEntropy()
    >>> logits = keras.ops.zeros((1, 2, 4))
    >>> round(float(loss([[1, 0]], logits, sample_weight=[[1.0, 0.0]])), 4)
    1.3863

    Reference:
        [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), Section 7;
        [Liang et al., 2021](https://arxiv.org/abs/2106.14448), Equation 3, for
        consistency, there called R-Drop.
    """

    def __init__(
        self,
        label_smoothing=0.0,
        consistency=0.0,
        reduction="mean_with_sample_weight",
        name="token_cross_entropy",
        dtype="float32",
    ):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        if self.dtype not in ("float32", "float64"):
            raise ValueError(
                "`dtype` should be float32 or float64: Keras casts label ids "
                f"to it. Received: dtype={dtype!r}"
            )
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` should be in [0, 1). "
                f"Received: label_smoothing={label_smoothing}"
            )
        if consistency < 0:
            raise ValueError(
                "`consistency` should not be negative. "
                f"Received: consistency={consistency}"
            )
        self.label_smoothing = label_smoothing
        self.consistency = consistency

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, "int32")
        losses = _smoothed_cross_entropy(y_pred, y_true, self.label_smoothing)
        if not self.consistency:
            return losses
        if y_pred.shape[0] is not None and y_pred.shape[0] % 2:
            raise ValueError(
                "`consistency` needs every sentence twice, one copy right "
                "after the other (see `make_batches`). Received: a batch of "
                f"{y_pred.shape[0]}"
            )
        return losses + 0.5 * self.consistency * _divergence(y_pred)

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "consistency": self.consistency,
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
    logits, _, log_normalizer = _normalize(logits)
    return log_normalizer - _true_logit(logits, ops.cast(y_true, "int32"))


def likeliest(logits):
    """The likeliest token of each row, as `TokenCrossEntropy` finds it.

    Args:
        logits: Float tensor `[..., vocabulary_size]`, of any type.

    Returns:
        Int32 tensor `[...]`.
    """
    return ops.top_k(ops.cast(logits, "float32"), 1)[1][..., 0]


def _normalize(logits):
    """Softmax, which on CPUs takes half the time of `ops.logsumexp`.

    Args:
        logits: Float tensor `[..., vocabulary_size]`, of any type.

    Returns:
        A tuple of float32 tensors: the logits, their probabilities
        `[..., vocabulary_size]`, and what the logits exceed the logarithms of
        these by `[...]`.
    """
    logits = ops.cast(logits, "float32")
    probabilities = ops.softmax(logits)
    largest, index = ops.top_k(logits, 1)
    log_prob = ops.log(ops.take_along_axis(probabilities, index, axis=-1))
    return logits, probabilities, (largest - log_prob)[..., 0]


def _true_logit(logits, y_true):
    return ops.take_along_axis(logits, y_true[..., None], axis=-1)[..., 0]


def _smoothed_cross_entropy(logits, y_true, label_smoothing):
    """Cross-entropy `[batch, target_len]`, its gradient in few passes.

    The gradient is `softmax(logits) - q`, with the smoothed truth `q`.
    Differentiating the parts one by one takes several times as long, as each
    of them makes a tensor as large as the logits.
    """
    even = label_smoothing / logits.shape[-1]

    @ops.custom_gradient
    def cross_entropy(logits):
        logits, probabilities, log_normalizer = _normalize(logits)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            spread = (probabilities - even) * upstream[..., None]
            return _add_at(spread, y_true, (label_smoothing - 1) * upstream)

        loss = (
            log_normalizer
            - (1 - label_smoothing) * _true_logit(logits, y_true)
            - label_smoothing * ops.mean(logits, axis=-1)
        )
        return loss, gradient

    return cross_entropy(ops.cast(logits, "float32"))


def _add_at(tensor, index, values):
    """Adds one value to each row of the last axis, at its index."""
    shape = ops.shape(tensor)
    rows = ops.reshape(tensor, (-1, shape[-1]))
    place = ops.arange(ops.shape(rows)[0], dtype="int32")
    place = ops.stack([place, ops.reshape(index, (-1,))], axis=1)
    rows = ops.scatter_update(
        rows, place, ops.reshape(values, (-1,)), reduction="add"
    )
    return ops.reshape(rows, shape)


def _divergence(logits):
    """How far the two copies of each sentence are apart.

    That is `(KL(p || q) + KL(q || p)) / 2`, or half the sum of
    `(p - q) (logits of p - logits of q)`, with its gradient.

    Args:
        logits: Float tensor `[batch, target_len, vocabulary_size]`, one copy
            of a sentence right after the other.

    Returns:
        Float32 tensor `[batch, target_len]`, the same for both copies.
    """

    @ops.custom_gradient
    def divergence(logits):
        logits, probabilities, _ = _normalize(logits)
        apart = logits - _other_copy(logits)
        gap = probabilities - _other_copy(probabilities)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            both = upstream + _other_copy(upstream)
            mean = ops.sum(probabilities * apart, axis=-1, keepdims=True)
            slope = gap + probabilities * (apart - mean)
            return 0.5 * slope * both[..., None]

        return 0.5 * ops.sum(gap * apart, axis=-1), gradient

    return divergence(ops.cast(logits, "float32"))


def _other_copy(tensor):
    """Swaps rows 0 and 1, 2 and 3, and so on."""
    shape = ops.shape(tensor)
    pairs = ops.reshape(tensor, (-1, 2, *shape[1:]))
    return ops.reshape(ops.flip(pairs, axis=1), shape)
