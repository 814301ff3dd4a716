import keras
import numpy as np
import pytest
from checks import run_layer_checks
from laws import PARTS

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention

RANDOM = np.random.default_rng(0)
TARGET_IDS = np.array([[2, 4, 5, 6], [2, 7, 8, 0]], "int32")
MEMORY = RANDOM.normal(size=(2, 5, 3)).astype("float32")
STATE = RANDOM.normal(size=(2, 8)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "bool")


def decoder_kwargs(**kwargs):
    return {
        "vocabulary_size": 10,
        "embedding_dim": 4,
        "units": 6,
        "attention": BahdanauAttention(7),
        **kwargs,
    }


def make_decoder(**kwargs):
    decoder = AttentionDecoder(**decoder_kwargs(**kwargs))
    decoder(TARGET_IDS, MEMORY, STATE, MASK)
    for weight in decoder.weights:  # big enough to tell things apart
        weight.assign(RANDOM.normal(size=weight.shape))
    return decoder


@PARTS
@pytest.mark.parametrize("tie_embedding", [True, False])
def test_layer(cell, num_layers, tie_embedding):
    run_layer_checks(
        AttentionDecoder,
        decoder_kwargs(
            cell=cell, num_layers=num_layers, tie_embedding=tie_embedding
        ),
        inputs={
            "target_ids": TARGET_IDS,
            "memory": MEMORY,
            "encoder_state": STATE,
            "memory_mask": MASK,
        },
        expected_shapes=((2, 4, 10),),
    )


@PARTS
def test_call_equals_repeated_steps(cell, num_layers):
    decoder = make_decoder(cell=cell, num_layers=num_layers)
    expected = decoder(TARGET_IDS, MEMORY, STATE, MASK)
    keys = decoder.attention.project_memory(MEMORY)
    state = decoder.initial_state(STATE, MEMORY)
    for t in range(TARGET_IDS.shape[1]):
        token = decoder.embed(TARGET_IDS[:, t])
        state = decoder.step(token, state, MEMORY, keys, MASK)
        logits = decoder.readout(token, state)
        np.testing.assert_allclose(logits, expected[:, t], rtol=1e-5, atol=1e-5)


@PARTS
def test_later_tokens_never_alter_earlier_logits(cell, num_layers):
    decoder = make_decoder(cell=cell, num_layers=num_layers)
    changed = TARGET_IDS.copy()
    changed[:, 2:] = 9
    before = decoder(TARGET_IDS, MEMORY, STATE, MASK)
    after = decoder(changed, MEMORY, STATE, MASK)
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-6)
    assert not np.allclose(before[:, 2:], after[:, 2:])


@PARTS
def test_source_padding_changes_nothing(cell, num_layers):
    decoder = make_decoder(cell=cell, num_layers=num_layers)
    padded_memory = np.pad(MEMORY, [(0, 0), (0, 2), (0, 0)], constant_values=9)
    padded_mask = np.pad(MASK, [(0, 0), (0, 2)])
    np.testing.assert_allclose(
        decoder(TARGET_IDS, MEMORY, STATE, MASK),
        decoder(TARGET_IDS, padded_memory, STATE, padded_mask),
        atol=1e-5,
    )


def test_attention_is_asked_with_the_previous_state():
    decoder = make_decoder()
    keys = decoder.attention.project_memory(MEMORY)
    start = decoder.initial_state(STATE, MEMORY)
    token = decoder.embed(TARGET_IDS[:, 0])
    state = decoder.step(token, start, MEMORY, keys, MASK)
    context, attention = decoder.attention(start.hidden, MEMORY, keys, MASK)
    np.testing.assert_allclose(state.attention, attention, atol=1e-6)
    np.testing.assert_allclose(state.context, context, atol=1e-6)
    inputs = keras.ops.concatenate([token, context], axis=-1)
    hidden, _ = decoder.cells[0](inputs, [start.hidden])
    np.testing.assert_allclose(state.hidden, hidden, atol=1e-6)


def test_readout_sees_state_context_and_token():
    decoder = make_decoder()
    state = decoder.initial_state(STATE, MEMORY)
    token = decoder.embed(TARGET_IDS[:, 1])
    logits = decoder.readout(token, state)
    dense = decoder.readout_projection
    inputs = np.concatenate([state.hidden, state.context, token], axis=-1)
    readout = np.tanh(inputs @ np.array(dense.kernel) + np.array(dense.bias))
    expected = readout @ np.array(decoder.embedding.embeddings).T
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_tied_embedding_adds_no_output_weights():
    tied, untied = make_decoder(), make_decoder(tie_embedding=False)
    assert untied.count_params() - tied.count_params() == 4 * 10 + 10


def test_refuses_a_tied_readout_of_another_width():
    with pytest.raises(ValueError, match="readout_units=5, embedding_dim=4"):
        AttentionDecoder(**decoder_kwargs(readout_units=5))


def test_refuses_an_unknown_cell():
    with pytest.raises(ValueError, match="Received: cell='rnn'"):
        AttentionDecoder(**decoder_kwargs(cell="rnn"))
