"""Recurrent cells: one step of a layer, states in and states out."""

import keras
from keras import ops

from s2s_keras.conventions import register
from s2s_keras.layers.loop import scan


@register
class GRUCell(keras.layers.GRUCell):
    """Keras's GRU cell with the reset gate after the product.

    It splits the gates off where Keras's cell slices, which is quicker to
    differentiate.

    Args:
        units: Integer. Width of the state.
        recurrent_dropout: Float. Dropped share of the hidden state that
            enters the product, with one mask for all steps.
        name: Name of the layer.
        dtype: Keras dtype policy.
        trainable: Boolean. Whether its weights are trained.

    Call arguments:
        inputs: Float tensor `[batch, input_units]`.
        states: List of one float tensor `[batch, units]`.
        recurrent_mask: Dropout mask `[batch, units]` on what enters the
            product, or `None` for one of the cell's own.

    Returns:
        A tuple of the output `[batch, units]` and the list of states.

    Reference:
        [Cho et al., 2014](https://arxiv.org/abs/1406.1078), Section 2.3.
    """

    def __init__(
        self,
        units,
        recurrent_dropout=0.0,
        name=None,
        dtype=None,
        trainable=True,
    ):
        super().__init__(
            units,
            recurrent_dropout=recurrent_dropout,
            name=name,
            dtype=dtype,
            trainable=trainable,
        )

    def call(self, inputs, states, training=False, recurrent_mask=None):
        (hidden,) = states
        if recurrent_mask is None:
            kept = _drop(self, hidden, training)
        else:
            kept = hidden * recurrent_mask
        x, h = self.project(inputs, kept)
        bias, recurrent_bias = ops.unstack(self.bias)
        x, h = ops.add(x, bias), ops.add(h, recurrent_bias)
        hidden = _pass_gates(x, h, hidden)
        return hidden, [hidden]

    def project(self, inputs, hidden):
        """The two matrix products, each `[batch, 3 * units]`."""
        return (
            ops.matmul(inputs, self.kernel),
            ops.matmul(hidden, self.recurrent_kernel),
        )

    def get_config(self):
        return _config(self)


@register
class LayerNormGRUCell(GRUCell):
    """A GRU cell whose two matrix products are layer-normalised.

    Arguments, call arguments and what it returns: see `GRUCell`.

    Reference:
        [Ba et al., 2016](https://arxiv.org/abs/1607.06450), supplementary
        material, with the reset gate after the product.
    """

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.input_norm = _norm(self, "input_norm")
        self.recurrent_norm = _norm(self, "recurrent_norm")

    def build(self, input_shape):
        super().build(input_shape)
        self.input_norm.build((input_shape[0], 3 * self.units))
        self.recurrent_norm.build((input_shape[0], 3 * self.units))

    def project(self, inputs, hidden):
        x, h = super().project(inputs, hidden)
        return self.input_norm(x), self.recurrent_norm(h)


@register
class LayerNormLSTMCell(keras.layers.LSTMCell):
    """An LSTM cell whose products and cell state are layer-normalised.

    Args:
        units: Integer. Width of the state.
        recurrent_dropout: Float. Dropped share of the hidden state that
            enters the product, with one mask for all steps.
        name: Name of the layer.
        dtype: Keras dtype policy.
        trainable: Boolean. Whether its weights are trained.

    Call arguments:
        inputs: Float tensor `[batch, input_units]`.
        states: List of two float tensors `[batch, units]`, hidden and cell.

    Returns:
        A tuple of the output `[batch, units]` and the list of states.

    Reference:
        [Ba et al., 2016](https://arxiv.org/abs/1607.06450), supplementary
        material.
    """

    def __init__(
        self,
        units,
        recurrent_dropout=0.0,
        name=None,
        dtype=None,
        trainable=True,
    ):
        super().__init__(
            units,
            recurrent_dropout=recurrent_dropout,
            name=name,
            dtype=dtype,
            trainable=trainable,
        )
        self.input_norm = _norm(self, "input_norm")
        self.recurrent_norm = _norm(self, "recurrent_norm")
        self.cell_norm = _norm(self, "cell_norm")

    def build(self, input_shape):
        super().build(input_shape)
        self.input_norm.build((input_shape[0], 4 * self.units))
        self.recurrent_norm.build((input_shape[0], 4 * self.units))
        self.cell_norm.build((input_shape[0], self.units))

    def call(self, inputs, states, training=False):
        hidden, cell = states
        kept = _drop(self, hidden, training)
        gates = (
            self.input_norm(ops.matmul(inputs, self.kernel))
            + self.recurrent_norm(ops.matmul(kept, self.recurrent_kernel))
            + self.bias
        )
        new, forget, candidate, output = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(forget) * cell + ops.sigmoid(new) * ops.tanh(
            candidate
        )
        hidden = ops.sigmoid(output) * ops.tanh(self.cell_norm(cell))
        return hidden, [hidden, cell]

    def get_config(self):
        return _config(self)


def _pass_gates(x, h, hidden):
    """A GRU's gates, the reset gate after the product.

    Args:
        x: Float tensor `[batch, 3 * units]`, the projected inputs.
        h: Float tensor `[batch, 3 * units]`, the projected states.
        hidden: Float tensor `[batch, units]`, the states.

    Returns:
        The new states `[batch, units]`.
    """
    x_update, x_reset, x_new = ops.split(x, 3, axis=-1)
    h_update, h_reset, h_new = ops.split(h, 3, axis=-1)
    update = ops.sigmoid(x_update + h_update)
    reset = ops.sigmoid(x_reset + h_reset)
    new = ops.tanh(x_new + reset * h_new)
    return new + update * (hidden - new)


def _norm(cell, name):
    return keras.layers.LayerNormalization(dtype=cell.dtype_policy, name=name)


def _drop(cell, hidden, training):
    """Drops a part of the hidden state, the same at every step."""
    if not (training and cell.recurrent_dropout):
        return hidden
    masks = cell.get_recurrent_dropout_mask(hidden)
    return hidden * (masks[0] if isinstance(masks, list) else masks)


def _config(cell):
    """What the constructor takes: Keras's cells take more than is used."""
    return {
        **keras.layers.Layer.get_config(cell),
        "units": cell.units,
        "recurrent_dropout": cell.recurrent_dropout,
    }


def _is_usual(cell):
    """Whether a GRU cell computes what `_pass_gates` does."""
    return (
        cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.use_bias
        and cell.reset_after
        and not cell.dropout
    )


class _GRULoop(keras.layers.RNN):
    """Walks a GRU cell whose inputs were projected before."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        cell = self.cell
        if self.unroll or not _is_usual(cell):
            return super().inner_loop(
                sequences, initial_state, mask=mask, training=training
            )
        if mask is None:
            mask = ops.ones_like(sequences[..., 0], dtype="bool")
        mask = ops.expand_dims(mask, -1)
        if self.go_backwards:
            sequences, mask = (ops.flip(x, axis=1) for x in (sequences, mask))
        bias, recurrent_bias = ops.unstack(cell.bias)
        x = ops.matmul(sequences, cell.kernel) + bias

        def step(hidden, inputs):
            x, is_real = inputs
            h = ops.matmul(_drop(cell, hidden, training), cell.recurrent_kernel)
            new = _pass_gates(x, ops.add(h, recurrent_bias), hidden)
            return ops.where(is_real, new, hidden)

        outputs = scan(
            step,
            initial_state,
            (ops.swapaxes(x, 0, 1), ops.swapaxes(mask, 0, 1)),
        )
        last, outputs = outputs[-1], ops.swapaxes(outputs, 0, 1)
        if self.zero_output_for_mask:
            outputs = ops.where(mask, outputs, 0.0)
        return last, outputs, [last]


@register
class GRU(keras.layers.GRU, _GRULoop):
    """Keras's GRU layer, with a quicker loop where there is no cuDNN.

    The products of the inputs are taken before the loop, unless activations,
    biases, `reset_after`, `dropout` or `unroll` are not Keras's defaults.
    Arguments, call arguments and what it returns: see `keras.layers.GRU`; but a
    step that is masked gives the state before it, where Keras's gives zeros
    before the first real step.

    Reference:
        [Cho et al., 2014](https://arxiv.org/abs/1406.1078), Section 2.3.
    """


CELLS = {
    "gru": GRUCell,
    "lstm": keras.layers.LSTMCell,
    "layer_norm_gru": LayerNormGRUCell,
    "layer_norm_lstm": LayerNormLSTMCell,
}
RECURRENT_LAYERS = {"gru": GRU, "lstm": keras.layers.LSTM}


def check_cell(cell):
    """Raises a `ValueError` unless `cell` is a key of `CELLS`."""
    if cell not in CELLS:
        raise ValueError(
            f"`cell` should be one of {list(CELLS)}. Received: cell={cell!r}"
        )


def make_recurrent_layer(
    cell, units, bidirectional, recurrent_dropout, dtype, name
):
    """Makes a Keras layer that walks a cell over a sequence.

    Args:
        cell: A key of `CELLS`.
        units: Integer. Width of each direction.
        bidirectional: Boolean. Whether it walks in both directions.
        recurrent_dropout: Float. Dropped share of the recurrent states.
        dtype: Keras dtype policy.
        name: Name of the layer.

    Returns:
        A layer that gives the outputs `[batch, length, units]` and the last
        states. Plain GRU and LSTM run on cuDNN where there is a GPU.
    """
    walk = {"return_sequences": True, "return_state": True, "name": name}
    options = {"recurrent_dropout": recurrent_dropout, "dtype": dtype}
    if cell in RECURRENT_LAYERS:
        layer = RECURRENT_LAYERS[cell](units, **walk, **options)
    else:
        cell = CELLS[cell](units, name="cell", **options)
        layer = keras.layers.RNN(cell, dtype=dtype, **walk)
    if not bidirectional:
        return layer
    return keras.layers.Bidirectional(
        layer, dtype=dtype, name=f"bidirectional_{name}"
    )


def states_per_layer(cell):
    """Number of states that a cell hands on: hidden, and an LSTM's cell."""
    return 2 if cell.endswith("lstm") else 1
