import numpy as np
import pytest
from checks import run_layer_checks
from laws import PARTS

from s2s_keras import Encoder

SOURCE_IDS = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]], "int32")


def make_encoder(cell="gru", num_layers=1, **kwargs):
    return Encoder(10, 4, 6, cell=cell, num_layers=num_layers, **kwargs)


@PARTS
def test_layer(cell, num_layers):
    states = {"gru": 1, "lstm": 2}[cell] * num_layers
    run_layer_checks(
        Encoder,
        {
            "vocabulary_size": 10,
            "embedding_dim": 4,
            "units": 6,
            "cell": cell,
            "num_layers": num_layers,
        },
        inputs={"source_ids": SOURCE_IDS},
        expected_shapes=((2, 5, 12), (2, 12 * states), (2, 5)),
    )


@PARTS
def test_padding_changes_nothing(cell, num_layers):
    encoder = make_encoder(cell, num_layers)
    memory, state, mask = encoder(SOURCE_IDS)
    padded = np.pad(SOURCE_IDS, [(0, 0), (0, 3)])
    padded_memory, padded_state, padded_mask = encoder(padded)
    real = np.array(mask)
    np.testing.assert_allclose(
        np.array(padded_memory)[:, :5][real], np.array(memory)[real], atol=1e-6
    )
    np.testing.assert_allclose(padded_state, state, atol=1e-6)
    np.testing.assert_array_equal(np.array(padded_mask)[:, :5], real)
    assert not np.any(np.array(padded_mask)[:, 5:])


def test_final_state_holds_the_last_states_of_both_directions():
    memory, state, _ = make_encoder()(SOURCE_IDS)
    forward, backward = np.array(state)[0, :6], np.array(state)[0, 6:]
    np.testing.assert_allclose(forward, memory[0, -1, :6], atol=1e-6)
    np.testing.assert_allclose(backward, memory[0, 0, 6:], atol=1e-6)


def test_dropout_acts_in_training_only():
    encoder = make_encoder(dropout=0.5)
    once, again = encoder(SOURCE_IDS)[0], encoder(SOURCE_IDS)[0]
    np.testing.assert_array_equal(once, again)
    trained = encoder(SOURCE_IDS, training=True)[0]
    assert not np.allclose(once, trained)


def test_refuses_an_unknown_cell():
    with pytest.raises(ValueError, match="Received: cell='rnn'"):
        make_encoder(cell="rnn")
