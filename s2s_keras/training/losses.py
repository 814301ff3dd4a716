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
        loss = ops.sparse_categorical_crossentropy(
            y_true, logits, from_logits=True
        )
        if not self.label_smoothing:
            return loss
        true_logit = ops.take_along_axis(
            logits, ops.cast(y_true, "int32")[..., None], axis=-1
        )[..., 0]
        # The cross-entropy with the even part differs by this from `loss`.
        extra = true_logit - ops.mean(logits, axis=-1)
        return loss + self.label_smoothing * extra

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
        }
