"""Attention over the encoder's states: one contract, several scores."""

import keras
from keras import ops

from s2s_keras.conventions import check_positive
from s2s_keras.conventions import register
from s2s_keras.layers.products import dot_products
from s2s_keras.layers.products import weighted_sum

SMALLEST_FERTILITY = 1e-4  # what coverage is divided by, at least


class Attention(keras.layers.Layer):
    """What every attention layer does: score, normalise, sum up.

    A kind of attention says what its `score` is, and `project_memory` what of
    it does not depend on the query: that is computed once per sentence and
    passed to every call.

    Call arguments:
        query: Float tensor `[batch, units]`, a state of the decoder.
        memory: Float tensor `[batch, source_len, memory_units]`.
        memory_keys: What `project_memory(memory)` returned. Computed when
            absent.
        memory_mask: Boolean tensor `[batch, source_len]`, true on real
            tokens. A row without any real token gets zeros only.

    Returns:
        A tuple of the context `[batch, memory_units]` and the attention
        weights `[batch, source_len]`, which sum to 1 over real tokens and are
        exactly 0 on the others.
    """

    needs_coverage = False

    def build(self, query_shape, memory_shape, **_):
        """Makes the weights; there are none unless a kind says so."""

    def project_memory(self, memory):
        """Computes what every step's scores start from.

        It needs weights: the layer is to be built, or called, before.

        Args:
            memory: Float tensor `[batch, source_len, memory_units]`.

        Returns:
            A tensor or a nest of tensors `[batch, source_len, ...]`.
        """
        return memory

    def score(self, query, memory_keys):
        """Says how well each state of the memory suits the query.

        Args:
            query: Float tensor `[batch, units]`.
            memory_keys: What `project_memory` returned.

        Returns:
            Float tensor `[batch, source_len]`.
        """
        raise NotImplementedError

    def call(self, query, memory, memory_keys=None, memory_mask=None):
        if memory_keys is None:
            memory_keys = self.project_memory(memory)
        scores = self.score(query, memory_keys)
        attention = _masked_softmax(scores, memory_mask)
        return weighted_sum(attention, memory), attention

    def _project_to(self, units, name, use_bias=False, **kwargs):
        """Makes a projection as a sublayer."""
        return keras.layers.Dense(
            units,
            use_bias=use_bias,
            dtype=self.dtype_policy,
            trainable=self.trainable,
            name=name,
            **kwargs,
        )

    def compute_output_shape(self, query_shape, memory_shape, **_):
        batch, source_len, memory_units = memory_shape
        return (batch, memory_units), (batch, source_len)


def _masked_softmax(scores, mask):
    """Softmax over the last axis, exactly 0 outside the mask.

    It is computed in float32 at least.
    """
    dtype = keras.backend.standardize_dtype(scores.dtype)
    scores = _widen(scores)
    if mask is None:
        return ops.cast(ops.softmax(scores), dtype)
    attention = ops.softmax(ops.where(mask, scores, -1e9))
    return ops.cast(ops.where(mask, attention, 0.0), dtype)


def _tanh(tensor):
    """Hyperbolic tangent, in float32 at least: half types are slower."""
    return ops.cast(ops.tanh(_widen(tensor)), tensor.dtype)


def _additive_scores(query_key, memory_keys, weights):
    """Scores `v' tanh(query_key + memory_keys)`, whose gradient saves memory.

    The loop over target tokens would keep the hyperbolic tangents of every
    step for the gradient, which are larger than all else: they are computed
    again instead.

    Args:
        query_key: Float tensor `[batch, units]`.
        memory_keys: Float tensor `[batch, source_len, units]`.
        weights: Float tensor `[units]`, `v`.

    Returns:
        Float tensor `[batch, source_len]`.
    """

    @ops.custom_gradient
    def scores(query_key, memory_keys, weights):
        def hidden():
            return ops.tanh(query_key[:, None] + memory_keys)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            again = hidden()
            slope = (1 - again * again) * weights * upstream[..., None]
            return (
                ops.sum(slope, axis=1),
                slope,
                ops.einsum("bs,bsu->u", upstream, again),
            )

        # With a batch dimension it is one product, not a dozen operations.
        return dot_products(hidden(), weights[None]), gradient

    return scores(query_key, memory_keys, weights)


def _widen(tensor):
    dtype = keras.backend.result_type(tensor.dtype, "float32")
    return ops.cast(tensor, dtype)


def _check_same_width(layer, query_shape, memory_shape):
    if query_shape[-1] != memory_shape[-1]:
        raise ValueError(
            f"{type(layer).__name__} needs a query as wide as the memory. "
            f"Received: query_shape={query_shape}, memory_shape={memory_shape}"
        )


class _ScoreProjection(keras.layers.Dense):
    """The weights of a score, which are read without calling the layer."""

    def quantize(self, *args, **kwargs):
        raise NotImplementedError("A score reads its weights as they are.")


@register
class BahdanauAttention(Attention):
    """Additive attention, scored by a small neural network.

    With the decoder's state `s` as the query and the encoder states `h_i` as
    the memory, it computes `alpha = softmax_i(v' tanh(W s + U h_i))` and the
    context `c = sum_i alpha_i h_i`.

    Args:
        units: Integer. Width of the scoring network.
        use_bias: Boolean. Whether a bias is added to `U h_i`.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`. The memory keys are
    `U h_i`, `[batch, source_len, attention_units]`.

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

    def __init__(self, units, use_bias=True, **kwargs):
        # The keys stay in float32, in which tanh is quicker than in half types.
        super().__init__(autocast=False, **kwargs)
        check_positive(units=units)
        self.units = units
        self.use_bias = use_bias
        self.query_projection = self._project_to(units, "query_projection")
        self.memory_projection = self._project_to(
            units, "memory_projection", use_bias=use_bias
        )
        self.score_projection = _ScoreProjection(
            1,
            use_bias=False,
            dtype=self.dtype_policy,
            trainable=self.trainable,
            name="score_projection",
        )

    def build(self, query_shape, memory_shape, **_):
        self.query_projection.build(query_shape)
        self.memory_projection.build(memory_shape)
        self.score_projection.build((*memory_shape[:-1], self.units))

    def project_memory(self, memory):
        return _widen(self.memory_projection(memory))

    def call(self, query, memory, memory_keys=None, memory_mask=None):
        query, memory = self._cast(query), self._cast(memory)
        return super().call(query, memory, memory_keys, memory_mask)

    def _cast(self, tensor):
        """What Keras would do, were the keys to be cast, too."""
        return ops.cast(tensor, self.compute_dtype)

    def score(self, query, memory_keys):
        weights = ops.convert_to_tensor(self.score_projection.kernel)[:, 0]
        scores = _additive_scores(
            _widen(self.query_projection(query)), memory_keys, _widen(weights)
        )
        return self._cast(scores)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
        }


@register
class ConcatAttention(BahdanauAttention):
    """Luong's "concat" score: `v' tanh(W [s; h_i])`.

    `W [s; h_i]` is the sum of a product with `s` and one with `h_i`, so that
    this is additive attention without a bias.

    Args:
        units: Integer. Width of the scoring network.
        use_bias: Boolean. Whether a bias is added all the same.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), Section 3.1.
    """

    def __init__(self, units, use_bias=False, **kwargs):
        super().__init__(units, use_bias=use_bias, **kwargs)


@register
class CoverageAttention(BahdanauAttention):
    """Additive attention that knows what it has looked at before.

    The attention of all earlier steps is summed up, divided by each token's
    fertility `2 sigmoid(u' h_i)`, and enters the scoring network beside state
    and memory: `v' tanh(W s + U h_i + V coverage_i)`.

    Args:
        units: Integer. Width of the scoring network.
        use_bias: Boolean. Whether a bias is added to `U h_i`.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        query, memory, memory_keys, memory_mask: see `Attention`.
        coverage: Float tensor `[batch, source_len]`, the sum of the attention
            of all earlier steps. Zeros when absent.

    Returns:
        See `Attention`.

    Reference:
        [Tu et al., 2016](https://arxiv.org/abs/1601.04811), Section 3, with
        at most two target tokens for a source token.
    """

    needs_coverage = True
    max_fertility = 2

    def __init__(self, units, use_bias=True, **kwargs):
        super().__init__(units, use_bias=use_bias, **kwargs)
        self.coverage_projection = self._project_to(
            units, "coverage_projection"
        )
        self.fertility_projection = self._project_to(
            1, "fertility_projection", activation="sigmoid"
        )

    def build(self, query_shape, memory_shape, **_):
        super().build(query_shape, memory_shape)
        self.coverage_projection.build((*memory_shape[:-1], 1))
        self.fertility_projection.build(memory_shape)

    def project_memory(self, memory):
        fertility = self.max_fertility * self.fertility_projection(memory)
        return super().project_memory(memory), fertility

    def call(
        self, query, memory, memory_keys=None, memory_mask=None, coverage=None
    ):
        if memory_keys is None:
            memory_keys = self.project_memory(memory)
        memory_keys, fertility = memory_keys
        if coverage is not None:
            fertility = ops.maximum(fertility, SMALLEST_FERTILITY)
            coverage = ops.expand_dims(self._cast(coverage), -1) / fertility
            coverage_key = self.coverage_projection(coverage)
            memory_keys = memory_keys + _widen(coverage_key)
        return super().call(query, memory, memory_keys, memory_mask)


@register
class MultiHeadBahdanauAttention(Attention):
    """Additive attention of several heads.

    Each head scores with its own part of the network, and sums up its own
    part of a projection of the memory. The attention it reports is the mean of
    the heads'.

    Args:
        units: Integer. Width of the scoring network, all heads together.
        num_heads: Integer. Number of heads; divides `units` and the memory's
            width.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`. The memory keys are a
    tuple of keys `[batch, source_len, num_heads, head_units]` and values
    `[batch, num_heads, source_len, head_memory_units]`.

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), Equation 6,
        with the heads of [Vaswani et al., 2017](
        https://arxiv.org/abs/1706.03762), Section 3.2.2.
    """

    def __init__(self, units, num_heads=4, **kwargs):
        super().__init__(**kwargs)
        check_positive(units=units, num_heads=num_heads)
        if units % num_heads:
            raise ValueError(
                "`num_heads` should divide `units`. Received: "
                f"num_heads={num_heads}, units={units}"
            )
        self.units = units
        self.num_heads = num_heads
        self.query_projection = self._project_to(units, "query_projection")
        self.memory_projection = self._project_to(
            units, "memory_projection", use_bias=True
        )

    def build(self, query_shape, memory_shape, **_):
        memory_units = memory_shape[-1]
        if memory_units % self.num_heads:
            raise ValueError(
                "`num_heads` should divide the memory's width. Received: "
                f"num_heads={self.num_heads}, memory_shape={memory_shape}"
            )
        self.query_projection.build(query_shape)
        self.memory_projection.build(memory_shape)
        self.value_kernel = self.add_weight(
            (memory_units, memory_units),
            initializer="glorot_uniform",
            name="value_kernel",
        )
        self.score_kernel = self.add_weight(
            (self.num_heads, self.units // self.num_heads),
            initializer="glorot_uniform",
            name="score_kernel",
        )

    def project_memory(self, memory):
        keys = self._split_heads(self.memory_projection(memory))
        value_kernel = ops.cast(self.value_kernel, memory.dtype)
        values = self._split_heads(ops.matmul(memory, value_kernel))
        return keys, ops.swapaxes(values, 1, 2)

    def _split_heads(self, tensor):
        *shape, width = ops.shape(tensor)
        return ops.reshape(
            tensor, (*shape, self.num_heads, width // self.num_heads)
        )

    def score(self, query, memory_keys):
        """Scores `[batch, num_heads, source_len]`."""
        query_key = self._split_heads(self.query_projection(query))[:, None]
        hidden = _tanh(query_key + memory_keys[0])
        scores = ops.sum(hidden * self.score_kernel, axis=-1)
        return ops.swapaxes(scores, 1, 2)

    def call(self, query, memory, memory_keys=None, memory_mask=None):
        if memory_keys is None:
            memory_keys = self.project_memory(memory)
        if memory_mask is not None:
            memory_mask = memory_mask[:, None]
        scores = self.score(query, memory_keys)
        attention = _masked_softmax(scores, memory_mask)
        context = weighted_sum(attention, memory_keys[1])
        context = ops.reshape(context, ops.shape(memory[:, 0]))
        return context, ops.mean(attention, axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
        }


@register
class ScaledDotAttention(Attention):
    """Linear keys and queries: `(W_K h_i)' (W_Q s) / sqrt(units)`.

    Args:
        units: Integer. Width of keys and queries.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`. The memory keys are
    `W_K h_i`, `[batch, source_len, attention_units]`.

    Reference:
        [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), Equation 1,
        with the memory itself as values.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_positive(units=units)
        self.units = units
        self.query_projection = self._project_to(units, "query_projection")
        self.memory_projection = self._project_to(units, "memory_projection")

    def build(self, query_shape, memory_shape, **_):
        self.query_projection.build(query_shape)
        self.memory_projection.build(memory_shape)

    def project_memory(self, memory):
        return self.memory_projection(memory)

    def score(self, query, memory_keys):
        query = self.query_projection(query) * self.units**-0.5
        return dot_products(memory_keys, query)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class DotAttention(Attention):
    """Luong's "dot" score: `s' h_i`, without any weights.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`. The query must be as
    wide as the memory, which is its own keys.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), Section 3.1.
    """

    def build(self, query_shape, memory_shape, **_):
        _check_same_width(self, query_shape, memory_shape)

    def score(self, query, memory_keys):
        return dot_products(memory_keys, query)


@register
class GeneralAttention(Attention):
    """Luong's "general" score: `s' W h_i`.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments and what it returns: see `Attention`. The memory keys are
    `W h_i`, `[batch, source_len, units]`, as wide as the query.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), Section 3.1.
    """

    def build(self, query_shape, memory_shape, **_):
        self.kernel = self.add_weight(
            (memory_shape[-1], query_shape[-1]),
            initializer="glorot_uniform",
            name="kernel",
        )

    def project_memory(self, memory):
        return ops.matmul(memory, ops.cast(self.kernel, memory.dtype))

    def score(self, query, memory_keys):
        return dot_products(memory_keys, query)
