"""Attention over the encoder's states."""

import keras
from keras import ops

from s2s_keras.conventions import register


@register
class BahdanauAttention(keras.layers.Layer):
    """Additive attention, scored by a small neural network.

    With the decoder's previous state `s` as the query and the encoder states
    `h_i` as the memory, it computes
    `alpha = softmax_i(v' tanh(W s + U h_i))` and the context
    `c = sum_i alpha_i h_i`.

    The memory keys `U h_i` do not depend on the query: compute them once per
    sentence with `project_memory` and pass them to every call.

    Args:
        units: Integer. Width of the scoring network.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        query: Float tensor `[batch, units]`, the decoder's previous state.
        memory: Float tensor `[batch, source_len, memory_units]`.
        memory_keys: Float tensor `[batch, source_len, attention_units]`, what
            `project_memory(memory)` returned. Computed when absent.
        memory_mask: Boolean tensor `[batch, source_len]`, true on real
            tokens. A row without any real token gets zeros only.

    Returns:
        A tuple of the context `[batch, memory_units]` and the attention
        weights `[batch, source_len]`, which sum to 1 over real tokens and are
        exactly 0 on the others.

    Example:

    >>> attention = BahdanauAttention(units=8)
    >>> query, memory = keras.ops.ones((2, 4)), keras.ops.ones((2, 5, 6))
    >>> context, weights = attention(query, memory)
    >>> context.shape, weights.shape
    (TensorShape([2, 6]), TensorShape([2, 5]))

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), Equations
        5 and 6 and Appendix A.1.2.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(
                f"`units` should be a positive integer. Received: units={units}"
            )
        self.units = units
        self.query_projection = keras.layers.Dense(
            units,
            use_bias=False,
            dtype=self.dtype_policy,
            name="query_projection",
        )
        self.memory_projection = keras.layers.Dense(
            units, dtype=self.dtype_policy, name="memory_projection"
        )
        self.score_projection = keras.layers.Dense(
            1, use_bias=False, dtype=self.dtype_policy, name="score_projection"
        )

    def build(
        self,
        query_shape,
        memory_shape,
        memory_keys_shape=None,
        memory_mask_shape=None,
    ):
        self.query_projection.build(query_shape)
        self.memory_projection.build(memory_shape)
        self.score_projection.build((*memory_shape[:-1], self.units))

    def project_memory(self, memory):
        """Computes the keys that every step's scores start from.

        Args:
            memory: Float tensor `[batch, source_len, memory_units]`.

        Returns:
            Float tensor `[batch, source_len, attention_units]`.
        """
        return self.memory_projection(memory)

    def call(self, query, memory, memory_keys=None, memory_mask=None):
        if memory_keys is None:
            memory_keys = self.project_memory(memory)
        query_key = self.query_projection(query)[:, None]  # [batch, 1, units]
        scores = self.score_projection(ops.tanh(query_key + memory_keys))
        scores = ops.cast(scores[..., 0], "float32")  # [batch, source_len]
        if memory_mask is not None:
            scores = ops.where(memory_mask, scores, -1e9)
        attention = ops.softmax(scores)
        if memory_mask is not None:
            attention = ops.where(memory_mask, attention, 0.0)
        attention = ops.cast(attention, self.compute_dtype)
        context = ops.matmul(attention[:, None], memory)[:, 0]
        return context, attention

    def compute_output_shape(
        self,
        query_shape,
        memory_shape,
        memory_keys_shape=None,
        memory_mask_shape=None,
    ):
        batch, source_len, memory_units = memory_shape
        return (batch, memory_units), (batch, source_len)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
