"""The attention decoder: one step, scanned by training, called by search."""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import embedding_initializer
from s2s_keras.conventions import register

RECURRENT_CELLS = {"gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}


class DecoderState(NamedTuple):
    """What one step hands to the next.

    Attributes:
        recurrent: One tuple a layer, with the layer's states `[batch, units]`
            (hidden for a GRU; hidden and cell for an LSTM).
        context: Float tensor `[batch, memory_units]` of the latest step.
        attention: Float tensor `[batch, source_len]` of the latest step.
    """

    recurrent: Any
    context: Any
    attention: Any

    @property
    def hidden(self):
        """The top layer's hidden state `[batch, units]`."""
        return self.recurrent[-1][0]


@register
class AttentionDecoder(keras.layers.Layer):
    """A recurrent decoder that looks at the memory before every step.

    At step `t` the attention is asked with the previous state `s_{t-1}`, and
    the context it gives enters the same step's recurrent layer together with
    the previous token: `s_t = RNN(s_{t-1}, [y_{t-1}; c_t])`. The readout
    `tanh(W [s_t; c_t; y_{t-1}])` is then projected to the vocabulary.

    Args:
        vocabulary_size: Integer. Number of target pieces.
        embedding_dim: Integer. Width of the target embedding.
        units: Integer. Width of the recurrent layers.
        attention: The attention layer, for example `BahdanauAttention(512)`.
        num_layers: Integer. Number of recurrent layers. The attention is
            asked with the top layer's state; the context enters the lowest.
        cell: `"gru"` or `"lstm"`.
        readout_units: Integer. Width of the readout. Defaults to
            `embedding_dim`.
        dropout: Float. Dropped share of the embedded tokens, of what passes
            from layer to layer, and of the readout's input and output.
        tie_embedding: Boolean. Whether the target embedding's weights also
            project the readout to logits. `readout_units` must then be
            `embedding_dim`.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        target_ids: Integer tensor `[batch, target_len]` that opens with
            START.
        memory: Float tensor `[batch, source_len, memory_units]`.
        encoder_state: Float tensor `[batch, state_units]`, the encoder's
            final state.
        memory_mask: Boolean tensor `[batch, source_len]`, true on real
            tokens.
        training: Boolean, whether dropout is active.

    Returns:
        Logits `[batch, target_len, vocabulary_size]`: at position `t`, of the
        token that follows `target_ids[:, t]`.

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
        self,
        vocabulary_size,
        embedding_dim,
        units,
        attention,
        num_layers=1,
        cell="gru",
        readout_units=None,
        dropout=0.0,
        tie_embedding=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if cell not in RECURRENT_CELLS:
            raise ValueError(
                f"`cell` should be one of {sorted(RECURRENT_CELLS)}. "
                f"Received: cell={cell!r}"
            )
        readout_units = readout_units or embedding_dim
        if tie_embedding and readout_units != embedding_dim:
            raise ValueError(
                "`readout_units` should equal `embedding_dim` where "
                "`tie_embedding` is set. Received: "
                f"readout_units={readout_units}, embedding_dim={embedding_dim}"
            )
        # The gradient of the loop over target tokens cannot be compiled.
        self.supports_jit = False
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.attention = attention
        self.num_layers = num_layers
        self.cell = cell
        self.readout_units = readout_units
        self.dropout = dropout
        self.tie_embedding = tie_embedding
        self._make_sublayers()

    def _make_sublayers(self):
        dtype = self.dtype_policy
        self.embedding = keras.layers.ReversibleEmbedding(
            self.vocabulary_size,
            self.embedding_dim,
            embeddings_initializer=embedding_initializer(self.embedding_dim),
            reverse_dtype=self.compute_dtype,
            dtype=dtype,
            name="embedding",
        )
        self.cells = [
            RECURRENT_CELLS[self.cell](
                self.units, dtype=dtype, name=f"{self.cell}_cell_{i}"
            )
            for i in range(self.num_layers)
        ]
        self.bridges = [
            keras.layers.Dense(
                self.units, activation="tanh", dtype=dtype, name=f"bridge_{i}"
            )
            for i in range(self.num_layers * self.states_per_layer)
        ]
        self.readout_projection = keras.layers.Dense(
            self.readout_units,
            activation="tanh",
            dtype=dtype,
            name="readout_projection",
        )
        self.dropout_layer = keras.layers.Dropout(
            self.dropout, dtype=dtype, name="dropout"
        )
        self.logits_projection = None
        if not self.tie_embedding:
            self.logits_projection = keras.layers.Dense(
                self.vocabulary_size, dtype=dtype, name="logits_projection"
            )

    @property
    def states_per_layer(self):
        return {"gru": 1, "lstm": 2}[self.cell]

    def build(
        self,
        target_ids_shape,
        memory_shape,
        encoder_state_shape,
        memory_mask_shape=None,
    ):
        batch, memory_units = memory_shape[0], memory_shape[-1]
        if not self.embedding.built:
            self.embedding.build(target_ids_shape)
        if not self.attention.built:  # as when it comes from a saved file
            self.attention.build((batch, self.units), memory_shape)
        width = self.embedding_dim + memory_units
        for cell in self.cells:
            cell.build((batch, width))
            width = self.units
        for bridge in self.bridges:
            bridge.build(encoder_state_shape)
        self.readout_projection.build(
            (batch, self.units + memory_units + self.embedding_dim)
        )
        if self.logits_projection is not None:
            self.logits_projection.build((batch, self.readout_units))

    def initial_state(self, encoder_state, memory):
        """Turns the encoder's final state into the state before step one.

        Args:
            encoder_state: Float tensor `[batch, state_units]`.
            memory: Float tensor `[batch, source_len, memory_units]`.

        Returns:
            A `DecoderState` with zeros as context and attention.
        """
        states = [bridge(encoder_state) for bridge in self.bridges]
        per_layer = self.states_per_layer
        recurrent = tuple(
            tuple(states[i * per_layer : (i + 1) * per_layer])
            for i in range(self.num_layers)
        )
        return DecoderState(
            recurrent,
            context=ops.zeros_like(memory[:, 0]),
            attention=ops.zeros_like(memory[:, :, 0]),
        )

    def embed(self, target_ids, training=False):
        """Embeds target ids `[...]` as tokens `[..., embedding_dim]`."""
        return self.dropout_layer(self.embedding(target_ids), training=training)

    def step(
        self,
        token,
        state,
        memory,
        memory_keys,
        memory_mask=None,
        training=False,
    ):
        """Advances the decoder by one token.

        Args:
            token: Float tensor `[batch, embedding_dim]`, the previous token.
            state: `DecoderState` before the step.
            memory: Float tensor `[batch, source_len, memory_units]`.
            memory_keys: Float tensor `[batch, source_len, attention_units]`.
            memory_mask: Boolean tensor `[batch, source_len]`.
            training: Boolean, whether dropout is active.

        Returns:
            The `DecoderState` after the step.
        """
        context, attention = self.attention(
            state.hidden, memory, memory_keys, memory_mask=memory_mask
        )
        inputs = ops.concatenate([token, context], axis=-1)
        recurrent = []
        for i, (cell, cell_state) in enumerate(
            zip(self.cells, state.recurrent, strict=True)
        ):
            if i:
                inputs = self.dropout_layer(inputs, training=training)
            inputs, cell_state = cell(inputs, list(cell_state))
            recurrent.append(tuple(cell_state))
        return DecoderState(tuple(recurrent), context, attention)

    def readout(self, token, state, training=False):
        """Computes the logits that follow a step.

        Args:
            token: Float tensor `[..., embedding_dim]`, the previous token.
            state: `DecoderState` after the step, its tensors `[..., width]`.
            training: Boolean, whether dropout is active.

        Returns:
            Logits `[..., vocabulary_size]`.
        """
        inputs = ops.concatenate([state.hidden, state.context, token], -1)
        inputs = self.dropout_layer(inputs, training=training)
        readout = self.dropout_layer(
            self.readout_projection(inputs), training=training
        )
        if self.logits_projection is not None:
            return self.logits_projection(readout)
        return self.embedding(readout, reverse=True)

    def unroll(
        self,
        tokens,
        memory,
        encoder_state,
        memory_mask=None,
        training=False,
    ):
        """Walks `step` over known tokens.

        Args:
            tokens: Float tensor `[batch, target_len, embedding_dim]`.
            memory: Float tensor `[batch, source_len, memory_units]`.
            encoder_state: Float tensor `[batch, state_units]`.
            memory_mask: Boolean tensor `[batch, source_len]`.
            training: Boolean, whether dropout is active.

        Returns:
            A `DecoderState` with the states after every step, its tensors
            `[batch, target_len, width]`.
        """
        memory_keys = self.attention.project_memory(memory)

        def advance(state, token):
            state = self.step(
                token, state, memory, memory_keys, memory_mask, training
            )
            return state, state  # carry and output share one shape

        start = self.initial_state(encoder_state, memory)
        _, states = ops.scan(advance, start, ops.swapaxes(tokens, 0, 1))
        return keras.tree.map_structure(
            lambda tensor: ops.swapaxes(tensor, 0, 1), states
        )

    def call(
        self,
        target_ids,
        memory,
        encoder_state,
        memory_mask=None,
        training=False,
    ):
        tokens = self.embed(target_ids, training=training)
        states = self.unroll(
            tokens, memory, encoder_state, memory_mask, training
        )
        return self.readout(tokens, states, training=training)

    def compute_output_shape(
        self,
        target_ids_shape,
        memory_shape,
        encoder_state_shape,
        memory_mask_shape=None,
    ):
        return (*target_ids_shape, self.vocabulary_size)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "num_layers": self.num_layers,
            "cell": self.cell,
            "readout_units": self.readout_units,
            "dropout": self.dropout,
            "tie_embedding": self.tie_embedding,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["attention"] = keras.saving.deserialize_keras_object(
            config["attention"]
        )
        return cls(**config)
