"""The encoder: source ids in, memory and final state out."""

import keras
from keras import ops

from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import embedding_initializer
from s2s_keras.conventions import register

RECURRENT_LAYERS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


@register
class Encoder(keras.layers.Layer):
    """Reads a sentence with a stack of bidirectional recurrent layers.

    Args:
        vocabulary_size: Integer. Number of source pieces.
        embedding_dim: Integer. Width of the source embedding.
        units: Integer. Width of each direction, so that the memory is
            `2 * units` wide.
        num_layers: Integer. Number of bidirectional layers.
        cell: `"gru"` or `"lstm"`.
        dropout: Float. Dropped share of the embedded tokens, of what passes
            from layer to layer, and of the memory.
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
        [Bahdanau et al., 2015](https://arxiv.org/abs/1409.0473), Section 3.2.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        units,
        num_layers=1,
        cell="gru",
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if cell not in RECURRENT_LAYERS:
            raise ValueError(
                f"`cell` should be one of {sorted(RECURRENT_LAYERS)}. "
                f"Received: cell={cell!r}"
            )
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.num_layers = num_layers
        self.cell = cell
        self.dropout = dropout
        self.embedding = keras.layers.Embedding(
            vocabulary_size,
            embedding_dim,
            embeddings_initializer=embedding_initializer(embedding_dim),
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.recurrent_layers = [
            self._make_recurrent_layer(i) for i in range(num_layers)
        ]
        self.dropout_layers = [
            keras.layers.Dropout(
                dropout, dtype=self.dtype_policy, name=f"dropout_{i}"
            )
            for i in range(num_layers + 1)
        ]

    def _make_recurrent_layer(self, index):
        layer = RECURRENT_LAYERS[self.cell](
            self.units,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            name=f"{self.cell}_{index}",
        )
        return keras.layers.Bidirectional(
            layer, dtype=self.dtype_policy, name=f"bidirectional_{index}"
        )

    @property
    def memory_units(self):
        return 2 * self.units

    @property
    def state_units(self):
        states_per_layer = {"gru": 1, "lstm": 2}[self.cell]
        return self.num_layers * states_per_layer * self.memory_units

    def build(self, source_ids_shape):
        if not self.embedding.built:  # as when it is shared
            self.embedding.build(source_ids_shape)
        width = self.embedding_dim
        for layer in self.recurrent_layers:
            layer.build((*source_ids_shape, width))
            width = self.memory_units

    def call(self, source_ids, training=False):
        memory_mask = ops.not_equal(source_ids, PAD_ID)
        memory = self.dropout_layers[0](
            self.embedding(source_ids), training=training
        )
        states = []
        for recurrent, dropout in zip(
            self.recurrent_layers, self.dropout_layers[1:], strict=True
        ):
            memory, *state = recurrent(
                memory, mask=memory_mask, training=training
            )
            memory = dropout(memory, training=training)
            states.extend(state)
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
            "dropout": self.dropout,
        }
