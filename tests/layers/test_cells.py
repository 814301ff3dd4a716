import keras
import numpy as np
import pytest

from s2s_keras.layers.cells import CELLS
from s2s_keras.layers.cells import GRU
from s2s_keras.layers.cells import GRUCell
from s2s_keras.layers.cells import states_per_layer
from s2s_keras.layers.stack import advance

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(3, 4)).astype("float32")
HIDDEN = RANDOM.normal(size=(3, 5)).astype("float32")


def test_the_gru_cell_is_that_of_keras():
    ours, theirs = GRUCell(5), keras.layers.GRUCell(5)
    for cell in (ours, theirs):
        cell.build(INPUTS.shape)
    weights = [RANDOM.normal(size=w.shape) for w in theirs.weights]
    for cell in (ours, theirs):
        cell.set_weights(weights)
    np.testing.assert_allclose(
        ours(INPUTS, [HIDDEN])[0], theirs(INPUTS, [HIDDEN])[0], atol=1e-6
    )


@pytest.mark.parametrize("lengths", [None, (4, 2, 1)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"go_backwards": True},
        {"zero_output_for_mask": True},
        {"go_backwards": True, "zero_output_for_mask": True},
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"use_bias": False},
        {"reset_after": False},
        {"unroll": True},
    ],
)
def test_the_gru_layer_is_that_of_keras(lengths, options):
    ours, theirs = (
        make(5, return_sequences=True, return_state=True, **options)
        for make in (GRU, keras.layers.GRU)
    )
    sequences = RANDOM.normal(size=(3, 4, 2)).astype("float32")
    mask = None if lengths is None else np.arange(4) < np.c_[list(lengths)]
    for layer in (ours, theirs):
        layer.build(sequences.shape)
    weights = [RANDOM.normal(size=w.shape) for w in theirs.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    for found, expected in zip(
        ours(sequences, mask=mask), theirs(sequences, mask=mask), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
def test_recurrent_dropout_leaves_what_is_carried(kind):
    cell = CELLS[kind](5)
    cell.build((2, 3))
    for weight in cell.weights:
        weight.assign(np.zeros(weight.shape))
    states = tuple(RANDOM.normal(size=(2, 5)) for _ in range(2))
    states = states[: states_per_layer(kind)]
    *_, carried = advance(cell, np.ones((2, 3)), states, np.zeros((2, 5)))
    np.testing.assert_allclose(carried, states[-1] / 2, rtol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
def test_config(kind):
    cell = CELLS[kind](5, recurrent_dropout=0.2)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(cell)
    )
    assert type(copy) is type(cell)
    assert copy.get_config() == cell.get_config()
    assert (copy.units, copy.recurrent_dropout) == (5, 0.2)
