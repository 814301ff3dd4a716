import numpy as np
import pytest
from checks import run_layer_checks

from s2s_keras import Encoder

SOURCE_IDS = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]], "int32")

PARTS = pytest.mark.parametrize(
    ("cell", "num_layers"),
    [("gru", 1), ("gru", 2), ("lstm", 1), ("layer_norm_lstm", 2)],
)


def make_encoder(cell="gru", num_layers=1, **kwargs):
    return Encoder(10, 4, 6, cell=cell, num_layers=num_layers, **kwargs)


@PARTS
def test_layer(cell, num_layers):
    states = (2 if "lstm" in cell else 1) * num_layers
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


def test_ids_that_come_as_floats_are_not_rounded():
    encoder = Encoder(2000, 4, 6, dtype="mixed_bfloat16")
    ids = np.array([[1000, 3], [1001, 3]])
    memory, _, _ = encoder(ids.astype("float32"))
    np.testing.assert_array_equal(memory, encoder(ids)[0])
    assert not np.array_equal(memory[0], memory[1])


def test_refuses_to_have_no_layers():
    with pytest.raises(ValueError, match="Received: num_layers=0"):
        make_encoder(num_layers=0)


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


def test_recurrent_layers_get_no_row_of_pad_alone(monkeypatch):
    encoder, masks = make_encoder(), []
    layer = encoder.recurrent_layers[0]
    read = layer.call

    def call(inputs, mask=None, **kwargs):
        masks.append(mask)
        return read(inputs, mask=mask, **kwargs)

    monkeypatch.setattr(layer, "call", call)
    ids = np.array([[0, 0, 0], [7, 3, 0]], "int32")
    _, _, memory_mask = encoder(ids)
    np.testing.assert_array_equal(masks[0], [[1, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(memory_mask, ids > 0)


def test_final_state_holds_the_last_states_of_both_directions():
    memory, state, _ = make_encoder()(SOURCE_IDS)
    forward, backward = np.array(state)[0, :6], np.array(state)[0, 6:]
    np.testing.assert_allclose(forward, memory[0, -1, :6], atol=1e-6)
    np.testing.assert_allclose(backward, memory[0, 0, 6:], atol=1e-6)


def test_one_direction_gives_its_last_state():
    encoder = make_encoder(bidirectional=False)
    memory, state, _ = encoder(SOURCE_IDS)
    assert memory.shape == (2, 5, 6)
    np.testing.assert_allclose(state[0], memory[0, -1], atol=1e-6)
    np.testing.assert_allclose(state[1], memory[1, 2], atol=1e-6)


@pytest.mark.parametrize("reverse_source", [False, True])
def test_the_memory_may_hold_the_embedded_tokens(reverse_source):
    plain = make_encoder(reverse_source=reverse_source)
    expected, expected_state, _ = plain(SOURCE_IDS)
    encoder = make_encoder(
        reverse_source=reverse_source, embedding_in_memory=True
    )
    encoder(SOURCE_IDS)
    encoder.set_weights(plain.get_weights())
    memory, state, _ = encoder(SOURCE_IDS)
    assert encoder.memory_units == memory.shape[-1] == 12 + 4
    np.testing.assert_array_equal(memory[..., :12], expected)
    np.testing.assert_array_equal(state, expected_state)
    np.testing.assert_array_equal(
        memory[..., 12:], encoder.embedding(SOURCE_IDS)
    )


def test_reversed_it_reads_from_the_last_word_and_closes_with_end():
    plain = make_encoder(bidirectional=False)
    plain(SOURCE_IDS)
    reverse = make_encoder(bidirectional=False, reverse_source=True)
    reverse(SOURCE_IDS)
    reverse.set_weights(plain.get_weights())
    by_hand = np.array([[7, 6, 5, 4, 3], [9, 8, 3, 0, 0]], "int32")
    expected, expected_state, _ = plain(by_hand)
    memory, state, mask = reverse(SOURCE_IDS)
    np.testing.assert_allclose(state, expected_state, atol=1e-6)
    memory, expected = np.array(memory), np.array(expected)
    # The memory stays in the order of the source.
    np.testing.assert_allclose(
        memory[0], expected[0, [3, 2, 1, 0, 4]], atol=1e-6
    )
    np.testing.assert_allclose(memory[1, :3], expected[1, [1, 0, 2]], atol=1e-6)
    np.testing.assert_array_equal(mask, SOURCE_IDS != 0)


def test_residual_layers_add_their_input():
    plain, residual = (
        make_encoder(num_layers=2, residual=residual)
        for residual in (False, True)
    )
    plain(SOURCE_IDS), residual(SOURCE_IDS)
    residual.set_weights(plain.get_weights())
    first = make_encoder()
    first(SOURCE_IDS)
    first.set_weights(plain.get_weights()[: len(first.weights)])
    np.testing.assert_allclose(
        residual(SOURCE_IDS)[0],
        plain(SOURCE_IDS)[0] + first(SOURCE_IDS)[0],
        atol=1e-5,
    )


def test_dropout_acts_in_training_only():
    encoder = make_encoder(dropout=0.5)
    once, again = encoder(SOURCE_IDS)[0], encoder(SOURCE_IDS)[0]
    np.testing.assert_array_equal(once, again)
    trained = encoder(SOURCE_IDS, training=True)[0]
    assert not np.allclose(once, trained)


@pytest.mark.parametrize(
    "cell", ["gru", "lstm", "layer_norm_gru", "layer_norm_lstm"]
)
@pytest.mark.parametrize("kind", ["recurrent_dropout", "word_dropout"])
def test_every_kind_of_dropout_acts_in_training(cell, kind):
    encoder = make_encoder(cell, **{kind: 0.5})
    once = encoder(SOURCE_IDS)[0]
    assert not np.allclose(once, encoder(SOURCE_IDS, training=True)[0])
    np.testing.assert_array_equal(once, encoder(SOURCE_IDS)[0])


def test_refuses_an_unknown_cell():
    with pytest.raises(ValueError, match="Received: cell='rnn'"):
        make_encoder(cell="rnn")
