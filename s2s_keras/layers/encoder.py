"""The encoder: source ids in, memory and final state out."""

import keras
from keras import ops

from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import check_positive
from s2s_keras.conventions import embedding_initializer
from s2s_keras.conventions import pass_on_trainable
from s2s_keras.conventions import register
from s2s_keras.layers.cells import check_cell
from s2s_keras.layers.cells import make_recurrent_layer
from s2s_keras.layers.cells import states_per_layer
from s2s_keras.layers.dropout import make_dropout


@register
class Encoder(keras.layers.Layer):
    """Reads a sentence with a stack of recurrent layers.

    Args:
        vocabulary_size: Integer. Number of source pieces.
        embedding_dim: Integer. Width of the source embedding.
        units: Integer. Width of each direction, so that the memory of a
            bidirectional encoder is `2 * units` wide.
        num_layers: Integer. Number of recurrent layers.
        cell: A key of `layers.cells.CELLS`: `"gru"`, `"lstm"`,
            `"layer_norm_gru"` or `"layer_norm_lstm"`.
        bidirectional: Boolean. Whether each layer reads in both directions.
        reverse_source: Boolean. Whether the sentence is read from its last
            word to its first, END remaining at the end. The memory is in the
            order of the source all the same.
        residual: Boolean. Whether every layer above the first adds its input
            to its output.
        dropout: Float. Dropped share of the embedded tokens, of what passes
            from layer to layer, and of the memory.
        locked_dropout: Boolean. Whether all positions of a sentence share one
            dropout mask.
        recurrent_dropout: Float. Dropped share of the recurrent states, with
            one mask for all steps of a sentence.
        word_dropout: Float. Share of tokens that are dropped whole.
        embedding_in_memory: Boolean. Whether the memory holds the embedded
            tokens, too, behind the outputs of the top layer.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        source_ids: Integer tensor `[batch, source_len]`, padded with 0.
        training: Boolean, whether dropout is active.

    Returns:
        A tuple of the memory `[batch, source_len, memory_units]`, the final
        state `[batch, state_units]` (every layer's last states, both
        directions, joined) and the memory mask `[batch, source_len]`.

    Example:

    >>> encoder = Encoder(vocabulary_size=100, embedding_dim=8, units=16)
    >>> memory, state, mask = encoder(keras.ops.ones((2, 5), "int32"))
    >>> memory.shape, state.shape
    (TensorShape([2, 5, 32]), TensorShape([2, 32]))

    Reference:
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), Section 3.2;
        [Sutskever et al., 2014](https://arxiv.org/abs/1409.3215), Section 3.3,
        for the reversed source; [Kuang et al., 2018](
        https://arxiv.org/abs/1711.05380), Section 3.1, for embedded tokens in
        the memory.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        units,
        num_layers=1,
        cell="gru",
        bidirectional=True,
        reverse_source=False,
        residual=False,
        dropout=0.0,
        locked_dropout=False,
        recurrent_dropout=0.0,
        word_dropout=0.0,
        embedding_in_memory=False,
        **kwargs,
    ):
        # Keras would round ids that come as floats.
        super().__init__(autocast=False, **kwargs)
        check_cell(cell)
        check_positive(num_layers=num_layers)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.num_layers = num_layers
        self.cell = cell
        self.bidirectional = bidirectional
        self.reverse_source = reverse_source
        self.residual = residual
        self.dropout = dropout
        self.locked_dropout = locked_dropout
        self.recurrent_dropout = recurrent_dropout
        self.word_dropout = word_dropout
        self.embedding_in_memory = embedding_in_memory
        self._make_sublayers()
        pass_on_trainable(self)

    def _make_sublayers(self):
        dtype = self.dtype_policy
        self.embedding = keras.layers.Embedding(
            self.vocabulary_size,
            self.embedding_dim,
            embeddings_initializer=embedding_initializer(self.embedding_dim),
            dtype=dtype,
            name="embedding",
        )
        self.word_dropout_layer = make_dropout(
            self.word_dropout,
            whole_words=True,
            dtype=dtype,
            name="word_dropout",
        )
        self.recurrent_layers = [
            make_recurrent_layer(
                self.cell,
                self.units,
                bidirectional=self.bidirectional,
                recurrent_dropout=self.recurrent_dropout,
                dtype=dtype,
                name=f"recurrent_{i}",
            )
            for i in range(self.num_layers)
        ]
        self.dropout_layers = [
            make_dropout(
                self.dropout,
                locked=self.locked_dropout,
                dtype=dtype,
                name=f"dropout_{i}",
            )
            for i in range(self.num_layers + 1)
        ]

    @property
    def output_units(self):
        """Width of what a recurrent layer gives, all directions together."""
        return self.units * (2 if self.bidirectional else 1)

    @property
    def memory_units(self):
        extra = self.embedding_dim if self.embedding_in_memory else 0
        return self.output_units + extra

    @property
    def state_units(self):
        per_layer = states_per_layer(self.cell) * self.output_units
        return self.num_layers * per_layer

    def build(self, source_ids_shape):
        if not self.embedding.built:  # as when it is shared
            self.embedding.build(source_ids_shape)
        width = self.embedding_dim
        for layer in self.recurrent_layers:
            layer.build((*source_ids_shape, width))
            width = self.output_units

    def call(self, source_ids, training=False):
        memory_mask = ops.not_equal(source_ids, PAD_ID)
        if self.reverse_source:
            order = _reading_order(memory_mask)
            source_ids = ops.take_along_axis(source_ids, order, axis=1)
        tokens = self.word_dropout_layer(
            self.embedding(source_ids), training=training
        )
        tokens = self.dropout_layers[0](tokens, training=training)
        # cuDNN refuses rows of PAD alone, which fill batches up for devices.
        read = ops.logical_or(memory_mask, _is_first(memory_mask))
        memory, states = tokens, []
        for i, recurrent in enumerate(self.recurrent_layers):
            outputs, *state = recurrent(memory, mask=read, training=training)
            outputs = self.dropout_layers[i + 1](outputs, training=training)
            memory = memory + outputs if i and self.residual else outputs
            states.extend(state)
        if self.embedding_in_memory:
            memory = ops.concatenate([memory, tokens], axis=-1)
        if self.reverse_source:
            memory = ops.take_along_axis(memory, order[..., None], axis=1)
        return memory, ops.concatenate(states, axis=-1), memory_mask

    def compute_output_shape(self, source_ids_shape):
        batch, source_len = source_ids_shape
        return (
            (batch, source_len, self.memory_units),
            (batch, self.state_units),
            (batch, source_len),
        )

    def compute_output_spec(self, source_ids, training=False):
        dtypes = (self.compute_dtype, self.compute_dtype, "bool")
        shapes = self.compute_output_shape(source_ids.shape)
        return tuple(
            keras.KerasTensor(shape, dtype=dtype)
            for shape, dtype in zip(shapes, dtypes, strict=True)
        )

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "num_layers": self.num_layers,
            "cell": self.cell,
            "bidirectional": self.bidirectional,
            "reverse_source": self.reverse_source,
            "residual": self.residual,
            "dropout": self.dropout,
            "locked_dropout": self.locked_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "word_dropout": self.word_dropout,
            "embedding_in_memory": self.embedding_in_memory,
        }


def _is_first(mask):
    """Whether a position `[source_len]` of a mask is its first."""
    return ops.arange(ops.shape(mask)[1], dtype="int32") == 0


def _reading_order(mask):
    """Positions that reverse each sentence, END and padding staying put.

    The order is its own inverse.

    Args:
        mask: Boolean tensor `[batch, source_len]`, true on real tokens.

    Returns:
        Integer tensor `[batch, source_len]`.
    """
    positions = ops.arange(ops.shape(mask)[1], dtype="int32")
    words = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True) - 1
    return ops.where(positions < words, words - 1 - positions, positions)
