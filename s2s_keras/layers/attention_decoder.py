"""Decoders that look at the encoder's states at every step."""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import pass_on_trainable
from s2s_keras.conventions import register
from s2s_keras.layers.cells import CELLS
from s2s_keras.layers.decoder import DecoderState
from s2s_keras.layers.decoder import StandardDecoder
from s2s_keras.layers.stack import advance


class Attended(NamedTuple):
    """What an attention layer looks at in every step.

    Attributes:
        memory: Float tensor `[batch, source_len, memory_units]`.
        memory_keys: What the attention's `project_memory` returned.
        memory_mask: Boolean tensor `[batch, source_len]`.
    """

    memory: Any
    memory_keys: Any
    memory_mask: Any


@register
class AttentionDecoder(StandardDecoder):
    """A recurrent decoder that looks at the memory before every step.

    At step `t` the attention is asked with the previous state `s_{t-1}`, and
    the context it gives enters the same step's recurrent layer together with
    the previous token: `s_t = RNN(s_{t-1}, [y_{t-1}; c_t])`. The readout
    `tanh(W [s_t; c_t; y_{t-1}])` is then projected to the vocabulary.

    Args:
        vocabulary_size: Integer. Number of target pieces.
        embedding_dim: Integer. Width of the target embedding.
        units: Integer. Width of the recurrent layers. The attention is asked
            with the top layer's output; the context enters the lowest.
        attention: The attention layer, for example `BahdanauAttention(512)`.
        **kwargs: Keyword arguments of `StandardDecoder`.

    Call arguments and what it returns: see `StandardDecoder`.

    Example:

    >>> decoder = AttentionDecoder(
    ...     vocabulary_size=100, embedding_dim=8, units=16,
    ...     attention=BahdanauAttention(16),
    ... )
    >>> memory, state = keras.ops.ones((2, 5, 6)), keras.ops.ones((2, 6))
    >>> decoder(keras.ops.ones((2, 3), "int32"), memory, state).shape
    TensorShape([2, 3, 100])

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), Equation 4
        and Appendix A.2.2.
    """

    def __init__(
        self, vocabulary_size, embedding_dim, units, attention, **kwargs
    ):
        super().__init__(vocabulary_size, embedding_dim, units, **kwargs)
        if not hasattr(attention, "project_memory"):
            raise ValueError(
                "`attention` should be an attention layer, such as "
                f"`BahdanauAttention(512)`. Received: attention={attention!r}"
            )
        self.attention = attention
        pass_on_trainable(self)

    def build(
        self,
        target_ids_shape,
        memory_shape,
        encoder_state_shape,
        memory_mask_shape=None,
    ):
        if not self.attention.built:  # as when it comes from a saved file
            self.attention.build((memory_shape[0], self.units), memory_shape)
        super().build(target_ids_shape, memory_shape, encoder_state_shape)

    def _input_units(self, memory_units):
        return (
            self.embedding_dim + memory_units,
            self.units + memory_units + self.embedding_dim,
        )

    def attend_to(self, memory, memory_mask=None):
        """Prepares, once per sentence, what every step looks at.

        Args:
            memory: Float tensor `[batch, source_len, memory_units]`.
            memory_mask: Boolean tensor `[batch, source_len]`.

        Returns:
            `Attended`.
        """
        if memory_mask is None:
            memory_mask = ops.ones_like(memory[..., 0], dtype="bool")
        memory = ops.cast(memory, self.compute_dtype)
        return Attended(
            memory, self.attention.project_memory(memory), memory_mask
        )

    def initial_state(self, encoder_state, attended):
        nothing = ops.zeros_like(attended.memory[..., 0])
        return DecoderState(
            self.stack.initial_states(encoder_state),
            context=ops.zeros_like(attended.memory[:, 0]),
            attention=nothing,
            coverage=nothing if self.attention.needs_coverage else (),
        )

    def look(self, query, state, attended):
        """Asks the attention.

        Args:
            query: Float tensor `[batch, units]`.
            state: `DecoderState` before the step.
            attended: `Attended`.

        Returns:
            A tuple of the context `[batch, memory_units]`, the attention
            `[batch, source_len]` and the coverage after it.
        """
        asked = {"coverage": state.coverage}
        if not self.attention.needs_coverage:
            asked = {}
        context, attention = (
            ops.cast(given, self.compute_dtype)
            for given in self.attention(query, *attended, **asked)
        )
        coverage = keras.tree.map_structure(
            lambda coverage: coverage + attention, state.coverage
        )
        return context, attention, coverage

    def step(self, token, state, attended, masks=None):
        query = self.stack.output(state.recurrent)
        context, attention, coverage = self.look(query, state, attended)
        inputs = ops.concatenate([token, context], axis=-1)
        recurrent = self.stack(inputs, state.recurrent, masks)
        return DecoderState(recurrent, context, attention, coverage)

    def _readout_inputs(self, token, state):
        hidden = self.stack.output(state.recurrent)
        return ops.concatenate([hidden, state.context, token], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "attention": keras.saving.serialize_keras_object(self.attention),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        attention = keras.saving.deserialize_keras_object(config["attention"])
        trainable = attention.trainable
        decoder = cls(**config | {"attention": attention})
        attention.trainable = trainable
        return decoder


@register
class ConditionalDecoder(AttentionDecoder):
    """A recurrent decoder that looks at the memory in the middle of a step.

    A step takes two cells on its lowest layer. The first reads the previous
    token, `s'_t = RNN'(s_{t-1}, y_{t-1})`; with `s'_t`, which knows that
    token, the attention is asked; the second reads the context it gives,
    `s_t = RNN(s'_t, c_t)`. The readout is that of `AttentionDecoder`.

    Args:
        vocabulary_size: Integer. Number of target pieces.
        embedding_dim: Integer. Width of the target embedding.
        units: Integer. Width of the recurrent layers.
        attention: The attention layer, for example `BahdanauAttention(512)`.
        **kwargs: Keyword arguments of `StandardDecoder`.

    Call arguments and what it returns: see `StandardDecoder`.

    Reference:
        [Sennrich et al., 2017](https://arxiv.org/abs/1703.04357), Section 2,
        where it is the conditional GRU with attention.
    """

    def _make_sublayers(self):
        super()._make_sublayers()
        self.token_cell = CELLS[self.cell](
            self.units, dtype=self.dtype_policy, name="token_cell"
        )

    def build(
        self,
        target_ids_shape,
        memory_shape,
        encoder_state_shape,
        memory_mask_shape=None,
    ):
        self.token_cell.build((target_ids_shape[0], self.embedding_dim))
        super().build(target_ids_shape, memory_shape, encoder_state_shape)

    def _input_units(self, memory_units):
        _, readout_units = super()._input_units(memory_units)
        return memory_units, readout_units

    def step(self, token, state, attended, masks=None):
        lowest, *others = state.recurrent
        _, recurrent_mask = masks[0] if masks else (None, None)
        lowest = advance(self.token_cell, token, lowest, recurrent_mask)
        context, attention, coverage = self.look(lowest[0], state, attended)
        recurrent = self.stack(context, (lowest, *others), masks)
        return DecoderState(recurrent, context, attention, coverage)


@register
class LuongDecoder(AttentionDecoder):
    """A recurrent decoder that looks at the memory after every step.

    The attention is asked with the current state. What it gives and the state
    make the attentional vector `a_t = tanh(W [c_t; s_t])`, which is projected
    to the vocabulary and enters the next step beside the token ("input
    feeding"): `s_t = RNN(s_{t-1}, [y_{t-1}; a_{t-1}])`.

    Args:
        vocabulary_size: Integer. Number of target pieces.
        embedding_dim: Integer. Width of the target embedding.
        units: Integer. Width of the recurrent layers.
        attention: The attention layer, for example `GeneralAttention()`.
        **kwargs: Keyword arguments of `StandardDecoder`; `readout_units` is
            the width of the attentional vector, and `dropout` drops nothing of
            what it is made of.

    Call arguments and what it returns: see `StandardDecoder`.

    Reference:
        [Luong et al., 2015](https://arxiv.org/abs/1508.04025), Equations 5
        and 6 and Section 3.3.
    """

    def _input_units(self, memory_units):
        return (
            self.embedding_dim + self.readout_units,
            memory_units + self.units,
        )

    def initial_state(self, encoder_state, attended):
        state = super().initial_state(encoder_state, attended)
        shape = ops.shape(encoder_state)[0], self.readout_units
        return state._replace(
            context=(),
            attentional=ops.zeros(shape, dtype=self.compute_dtype),
        )

    def step(self, token, state, attended, masks=None):
        inputs = ops.concatenate([token, state.attentional], axis=-1)
        recurrent = self.stack(inputs, state.recurrent, masks)
        hidden = self.stack.output(recurrent)
        context, attention, coverage = self.look(hidden, state, attended)
        attentional = self.readout_projection(
            ops.concatenate([context, hidden], axis=-1)
        )
        return DecoderState(
            recurrent,
            attention=attention,
            coverage=coverage,
            attentional=attentional,
        )

    def readout(self, token, state, training=False, output_kernel=None):
        return self.project(state.attentional, training, output_kernel)
