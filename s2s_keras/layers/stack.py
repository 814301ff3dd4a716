"""A stack of recurrent cells, walked one step at a time."""

import keras
from keras import ops

from s2s_keras.conventions import check_positive
from s2s_keras.conventions import pass_on_trainable
from s2s_keras.conventions import register
from s2s_keras.layers.cells import CELLS
from s2s_keras.layers.cells import check_cell
from s2s_keras.layers.cells import states_per_layer


@register
class CellStack(keras.layers.Layer):
    """Recurrent cells on top of one another, with a bridge to start them.

    Dropout inside the stack is locked: `draw_masks` draws one mask for all
    steps of a sequence, between the layers and on the recurrent states.

    Args:
        units: Integer. Width of every layer.
        num_layers: Integer. Number of cells.
        cell: A key of `layers.cells.CELLS`.
        residual: Boolean. Whether every layer above the first adds its input
            to its output.
        dropout: Float. Dropped share of what passes from layer to layer.
        recurrent_dropout: Float. Dropped share of the hidden states that
            enter a layer's product with its recurrent weights.
        **kwargs: Keyword arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Float tensor `[batch, input_units]`.
        states: One tuple a layer, of its states `[batch, units]` (hidden for
            a GRU; hidden and cell for an LSTM).
        masks: What `draw_masks` returned, or `None` for no dropout.

    Returns:
        The new states; `output` gives the top layer's output from them.

    Reference:
        [Gal and Ghahramani, 2016](https://arxiv.org/abs/1512.05287) for
        locked dropout.
    """

    def __init__(
        self,
        units,
        num_layers=1,
        cell="gru",
        residual=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_cell(cell)
        check_positive(num_layers=num_layers)
        self.units = units
        self.num_layers = num_layers
        self.cell = cell
        self.residual = residual
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        dtype = self.dtype_policy
        self.cells = [
            CELLS[cell](units, dtype=dtype, name=f"{cell}_cell_{i}")
            for i in range(num_layers)
        ]
        self.bridges = [
            keras.layers.Dense(
                units, activation="tanh", dtype=dtype, name=f"bridge_{i}"
            )
            for i in range(num_layers * states_per_layer(cell))
        ]
        self.dropout_layer = keras.layers.Dropout(
            dropout, dtype=dtype, name="dropout"
        )
        self.recurrent_dropout_layer = keras.layers.Dropout(
            recurrent_dropout, dtype=dtype, name="recurrent_dropout"
        )
        pass_on_trainable(self)

    def build(self, inputs_shape, encoder_state_shape):
        width = inputs_shape[-1]
        for cell in self.cells:
            cell.build((inputs_shape[0], width))
            width = self.units
        for bridge in self.bridges:
            bridge.build(encoder_state_shape)

    def initial_states(self, encoder_state):
        """Turns the encoder's final state into every layer's first states.

        Args:
            encoder_state: Float tensor `[batch, state_units]`.

        Returns:
            One tuple a layer, of its states `[batch, units]`.
        """
        states = [bridge(encoder_state) for bridge in self.bridges]
        per_layer = states_per_layer(self.cell)
        return tuple(
            tuple(states[i * per_layer : (i + 1) * per_layer])
            for i in range(self.num_layers)
        )

    def draw_masks(self, batch):
        """Draws the dropout masks of `batch` sequences.

        Args:
            batch: Integer or scalar tensor. Number of sequences.

        Returns:
            One tuple a layer, of the masks `[batch, units]` on its input and
            on its recurrent state, `None` where nothing is dropped. The first
            layer's input is not the stack's to drop.
        """
        ones = ops.ones((batch, self.units), dtype=self.compute_dtype)

        def draw(dropout_layer):
            if not dropout_layer.rate:
                return None
            return ops.stop_gradient(dropout_layer(ones, training=True))

        return tuple(
            (
                draw(self.dropout_layer) if i else None,
                draw(self.recurrent_dropout_layer),
            )
            for i in range(self.num_layers)
        )

    def call(self, inputs, states, masks=None):
        masks = masks or ((None, None),) * self.num_layers
        new_states = []
        for i, cell in enumerate(self.cells):
            input_mask, recurrent_mask = masks[i]
            inputs = inputs if input_mask is None else inputs * input_mask
            new_states.append(advance(cell, inputs, states[i], recurrent_mask))
            inputs = self.output(new_states)
        return tuple(new_states)

    def output(self, states):
        """The top layer's output `[batch, units]`.

        With residual connections that is the sum of all hidden states, as
        each layer adds its own to what it was given.

        Args:
            states: One tuple a layer, of its states `[..., units]`.
        """
        if self.residual:
            return sum(hidden for hidden, *_ in states)
        return states[-1][0]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_layers": self.num_layers,
            "cell": self.cell,
            "residual": self.residual,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }


def advance(cell, inputs, states, recurrent_mask=None):
    """Takes a step of a cell of `CELLS`.

    Args:
        cell: The cell.
        inputs: Float tensor `[batch, input_units]`.
        states: Tuple of its states `[batch, units]`.
        recurrent_mask: Dropout mask `[batch, units]` on the hidden state that
            enters the product, or `None`.

    Returns:
        Tuple of the new states.
    """
    hidden, *others = states
    if recurrent_mask is None:
        _, states = cell(inputs, [hidden, *others])
    elif others:  # an LSTM's hidden state enters nothing but the product
        _, states = cell(inputs, [hidden * recurrent_mask, *others])
    else:
        _, states = cell(inputs, [hidden], recurrent_mask=recurrent_mask)
    return tuple(states)
