"""The decoder without attention, and what all decoders have in common."""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import embedding_initializer
from s2s_keras.conventions import pass_on_trainable
from s2s_keras.conventions import register
from s2s_keras.layers.dropout import make_dropout
from s2s_keras.layers.loop import scan
from s2s_keras.layers.stack import CellStack


class DecoderState(NamedTuple):
    """A decoder after a step. What it has not is `()`.

    Attributes:
        recurrent: One tuple a layer, with the layer's states `[batch, units]`
            (hidden for a GRU; hidden and cell for an LSTM).
        context: Float tensor `[batch, memory_units]` of the latest step.
        attention: Float tensor `[batch, source_len]` of the latest step.
        coverage: Float tensor `[batch, source_len]`, the sum of the attention
            of all steps, where the attention layer asks for it.
        attentional: Float tensor `[batch, readout_units]` of the latest step.
    """

    recurrent: Any
    context: Any = ()
    attention: Any = ()
    coverage: Any = ()
    attentional: Any = ()

    def carried(self):
        """What of it the next step takes: all but what it looked at."""
        return self._replace(context=(), attention=())


@register
class StandardDecoder(keras.layers.Layer):
    """A recurrent decoder that knows of the source its final state alone.

    The encoder's final state starts the recurrent layers; each step then
    takes the previous token: `s_t = RNN(s_{t-1}, y_{t-1})`. The readout
    `tanh(W [s_t; y_{t-1}])` is projected to the vocabulary.

    Args:
        vocabulary_size: Integer. Number of target pieces.
        embedding_dim: Integer. Width of the target embedding.
        units: Integer. Width of the recurrent layers.
        num_layers: Integer. Number of recurrent layers.
        cell: A key of `layers.cells.CELLS`: `"gru"`, `"lstm"`,
            `"layer_norm_gru"` or `"layer_norm_lstm"`.
        residual: Boolean. Whether every recurrent layer above the first adds
            its input to its output.
        readout_units: Integer. Width of the readout. Defaults to
            `embedding_dim`.
        dropout: Float. Dropped share of the embedded tokens, of what passes
            from layer to layer, and of the readout's input and output.
        locked_dropout: Boolean. Whether all steps of a sequence share one
            dropout mask; between the recurrent layers they always do.
        recurrent_dropout: Float. Dropped share of the recurrent states, with
            one mask for all steps of a sequence.
        word_dropout: Float. Share of tokens that are dropped whole.
        tie_embedding: Boolean. Whether the target embedding's weights also
            project the readout to logits. `readout_units` must then be
            `embedding_dim`.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        target_ids: Integer tensor `[batch, target_len]` that opens with
            START.
        memory: Float tensor `[batch, source_len, memory_units]`. The standard
            decoder does not look at it.
        encoder_state: Float tensor `[batch, state_units]`, the encoder's
            final state.
        memory_mask: Boolean tensor `[batch, source_len]`, true on real
            tokens.
        training: Boolean, whether dropout and scheduled sampling are active.

    Returns:
        Logits `[batch, target_len, vocabulary_size]`: at position `t`, of the
        token that follows `target_ids[:, t]`.

    Example:

    >>> decoder = StandardDecoder(
    ...     vocabulary_size=100, embedding_dim=8, units=16
    ... )
    >>> memory, state = keras.ops.ones((2, 5, 6)), keras.ops.ones((2, 6))
    >>> decoder(keras.ops.ones((2, 3), "int32"), memory, state).shape
    TensorShape([2, 3, 100])

    Reference:
        [Sutskever et al., 2014](https://arxiv.org/abs/1409.3215), Section 2.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        units,
        num_layers=1,
        cell="gru",
        residual=False,
        readout_units=None,
        dropout=0.0,
        locked_dropout=False,
        recurrent_dropout=0.0,
        word_dropout=0.0,
        tie_embedding=True,
        **kwargs,
    ):
        # Keras would round ids that come as floats, too.
        super().__init__(autocast=False, **kwargs)
        readout_units = readout_units or embedding_dim
        if tie_embedding and readout_units != embedding_dim:
            raise ValueError(
                "`readout_units` should equal `embedding_dim` where "
                "`tie_embedding` is set. Received: "
                f"readout_units={readout_units}, embedding_dim={embedding_dim}"
            )
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.num_layers = num_layers
        self.cell = cell
        self.residual = residual
        self.readout_units = readout_units
        self.dropout = dropout
        self.locked_dropout = locked_dropout
        self.recurrent_dropout = recurrent_dropout
        self.word_dropout = word_dropout
        self.tie_embedding = tie_embedding
        self._make_sublayers()
        pass_on_trainable(self)

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
        self.stack = CellStack(
            self.units,
            self.num_layers,
            self.cell,
            residual=self.residual,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
            dtype=dtype,
            name="stack",
        )
        self.readout_projection = keras.layers.Dense(
            self.readout_units,
            activation="tanh",
            dtype=dtype,
            name="readout_projection",
        )
        self.dropout_layer = make_dropout(
            self.dropout,
            locked=self.locked_dropout,
            dtype=dtype,
            name="dropout",
        )
        self.word_dropout_layer = make_dropout(
            self.word_dropout,
            whole_words=True,
            dtype=dtype,
            name="word_dropout",
        )
        self.seed_generator = keras.random.SeedGenerator()
        self.logits_projection = None
        if not self.tie_embedding:
            self.logits_projection = keras.layers.Dense(
                self.vocabulary_size, dtype=dtype, name="logits_projection"
            )

    def build(
        self,
        target_ids_shape,
        memory_shape,
        encoder_state_shape,
        memory_mask_shape=None,
    ):
        if not self.embedding.built:
            self.embedding.build(target_ids_shape)
        step_units, readout_units = self._input_units(memory_shape[-1])
        batch = target_ids_shape[0]
        self.stack.build((batch, step_units), encoder_state_shape)
        self.readout_projection.build((batch, readout_units))
        if self.logits_projection is not None:
            self.logits_projection.build((batch, self.readout_units))
        self.sampling_rate = self.add_weight(
            (),
            initializer="zeros",
            trainable=False,
            autocast=False,
            name="sampling_rate",
        )

    def _input_units(self, memory_units):
        """Widths of what enters the recurrent layers and the readout."""
        return self.embedding_dim, self.units + self.embedding_dim

    def attend_to(self, memory, memory_mask=None):
        """Prepares, once per sentence, what every step looks at.

        Args:
            memory: Float tensor `[batch, source_len, memory_units]`.
            memory_mask: Boolean tensor `[batch, source_len]`.

        Returns:
            A nest of tensors `[batch, ...]`; of none for this decoder.
        """
        return ()

    def initial_state(self, encoder_state, attended=()):
        """Turns the encoder's final state into the state before step one.

        Args:
            encoder_state: Float tensor `[batch, state_units]`.
            attended: What `attend_to` returned.

        Returns:
            A `DecoderState`.
        """
        return DecoderState(self.stack.initial_states(encoder_state))

    def embed(self, target_ids, training=False):
        """Embeds target ids `[...]` as tokens `[..., embedding_dim]`."""
        tokens = self.embedding(target_ids)
        tokens = self.word_dropout_layer(tokens, training=training)
        return self.dropout_layer(tokens, training=training)

    def step(self, token, state, attended=(), masks=None):
        """Advances the decoder by one token.

        Args:
            token: Float tensor `[batch, embedding_dim]`, the previous token.
            state: `DecoderState` before the step.
            attended: What `attend_to` returned.
            masks: Dropout masks that `stack.draw_masks` drew, or `None`.

        Returns:
            The `DecoderState` after the step.
        """
        return DecoderState(self.stack(token, state.recurrent, masks))

    def readout(self, token, state, training=False, output_kernel=None):
        """Computes the logits that follow a step.

        Args:
            token: Float tensor `[..., embedding_dim]`, the previous token.
            state: `DecoderState` after the step, its tensors `[..., width]`.
            training: Boolean, whether dropout is active.
            output_kernel: What `output_kernel()` returned. Computed when
                absent.

        Returns:
            Logits `[..., vocabulary_size]`.
        """
        inputs = self.dropout_layer(
            self._readout_inputs(token, state), training=training
        )
        readout = self.readout_projection(inputs)
        return self.project(readout, training, output_kernel)

    def _readout_inputs(self, token, state):
        return ops.concatenate([self.stack.output(state.recurrent), token], -1)

    def project(self, readout, training=False, output_kernel=None):
        """Projects a readout `[..., readout_units]` to logits."""
        readout = self.dropout_layer(readout, training=training)
        if self.logits_projection is not None:
            return self.logits_projection(readout)
        if output_kernel is None:
            return self.embedding(readout, reverse=True)
        return ops.matmul(readout, output_kernel)

    def output_kernel(self):
        """Lays out the embedding's weights as the projection reads them.

        A search does so once, since products of few rows take up to three
        times as long when they have to.

        Returns:
            Float tensor `[readout_units, vocabulary_size]`, `()` where the
            embedding does not project.
        """
        if not self.tie_embedding:
            return ()
        weights = ops.cast(self.embedding.embeddings, self.compute_dtype)
        return ops.transpose(weights)

    def unroll(self, tokens, state, attended=(), training=False):
        """Walks `step` over known tokens.

        Args:
            tokens: Float tensor `[batch, target_len, embedding_dim]`.
            state: `DecoderState` before the first step.
            attended: What `attend_to` returned.
            training: Boolean, whether dropout is active.

        Returns:
            A `DecoderState` with the states after every step, its tensors
            `[batch, target_len, width]`.
        """
        masks = None
        if training:
            masks = self.stack.draw_masks(ops.shape(tokens)[0])

        states = scan(
            lambda state, token: self.step(token, state, attended, masks),
            state,
            ops.swapaxes(tokens, 0, 1),
        )
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
        attended = self.attend_to(memory, memory_mask)
        state = self.initial_state(encoder_state, attended)
        if training:
            target_ids = ops.cond(
                self.sampling_rate > 0,
                lambda: self.sample_ids(target_ids, state, attended),
                lambda: ops.cast(target_ids, "int32"),
            )
        tokens = self.embed(target_ids, training=training)
        states = self.unroll(tokens, state, attended, training)
        return self.readout(tokens, states, training=training)

    def sample_ids(self, target_ids, state, attended=()):
        """Replaces known tokens by the decoder's own predictions.

        Each token but the first is replaced with the probability
        `sampling_rate`, by what the decoder finds likeliest after the tokens
        before it, replaced ones included. See
        `training.sampling.ScheduledSampling`.

        Args:
            target_ids: Integer tensor `[batch, target_len]`.
            state: `DecoderState` before the first step.
            attended: What `attend_to` returned.

        Returns:
            Integer tensor `[batch, target_len]`.
        """
        target_ids = ops.cast(target_ids, "int32")
        chance = keras.random.uniform(
            ops.shape(target_ids),
            dtype=self.sampling_rate.dtype,
            seed=self.seed_generator,
        )
        own = ops.logical_and(
            chance < self.sampling_rate,
            ops.arange(ops.shape(target_ids)[1], dtype="int32") > 0,
        )

        def advance(carry, known_id):
            state, predicted_id, _ = carry
            token_id = ops.where(known_id < 0, predicted_id, known_id)
            token = self.embed(token_id)
            state = self.step(token, state, attended)
            predicted_id = ops.argmax(self.readout(token, state), axis=-1)
            return state, ops.cast(predicted_id, "int32"), token_id

        start = target_ids[:, 0]
        known_ids = ops.where(own, -1, target_ids)
        *_, token_ids = scan(
            advance, (state, start, start), ops.transpose(known_ids)
        )
        return ops.stop_gradient(ops.transpose(token_ids))

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
            "num_layers": self.num_layers,
            "cell": self.cell,
            "residual": self.residual,
            "readout_units": self.readout_units,
            "dropout": self.dropout,
            "locked_dropout": self.locked_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "word_dropout": self.word_dropout,
            "tie_embedding": self.tie_embedding,
        }
