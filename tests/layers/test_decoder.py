import keras
import numpy as np
import pytest
import tensorflow as tf
from checks import run_layer_checks

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import ConditionalDecoder
from s2s_keras import CoverageAttention
from s2s_keras import GeneralAttention
from s2s_keras import LuongDecoder
from s2s_keras import StandardDecoder

RANDOM = np.random.default_rng(0)
TARGET_IDS = np.array([[2, 4, 5, 6], [2, 7, 8, 0]], "int32")
MEMORY = RANDOM.normal(size=(2, 5, 3)).astype("float32")
STATE = RANDOM.normal(size=(2, 8)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "bool")
SIZES = {"vocabulary_size": 10, "embedding_dim": 4, "units": 6}


def make_decoder(decoder_class=AttentionDecoder, **kwargs):
    if decoder_class is not StandardDecoder:
        kwargs = {"attention": BahdanauAttention(7), **kwargs}
    decoder = decoder_class(**SIZES, **kwargs)
    decoder(TARGET_IDS, MEMORY, STATE, MASK)
    for weight in decoder.trainable_weights:  # big enough to tell things apart
        weight.assign(RANDOM.normal(size=weight.shape))
    return decoder


def start_of(decoder):
    attended = decoder.attend_to(MEMORY, MASK)
    return attended, decoder.initial_state(STATE, attended)


@pytest.mark.parametrize(
    ("decoder_class", "kwargs"),
    [
        (StandardDecoder, {}),
        (StandardDecoder, {"cell": "lstm", "num_layers": 2, "residual": True}),
        (AttentionDecoder, {"attention": BahdanauAttention(7)}),
        (
            AttentionDecoder,
            {
                "attention": CoverageAttention(7),
                "cell": "layer_norm_lstm",
                "num_layers": 2,
                "tie_embedding": False,
            },
        ),
        (
            ConditionalDecoder,
            {
                "attention": BahdanauAttention(7),
                "cell": "lstm",
                "num_layers": 2,
            },
        ),
        (LuongDecoder, {"attention": GeneralAttention(), "readout_units": 4}),
        (
            LuongDecoder,
            {
                "attention": GeneralAttention(),
                "readout_units": 9,
                "tie_embedding": False,
                "cell": "layer_norm_gru",
            },
        ),
    ],
)
def test_layer(decoder_class, kwargs):
    inputs = {
        "target_ids": TARGET_IDS,
        "memory": MEMORY,
        "encoder_state": STATE,
        "memory_mask": MASK,
    }
    run_layer_checks(decoder_class, SIZES | kwargs, inputs, ((2, 4, 10),))


@pytest.mark.parametrize(
    ("decoder_class", "attention"),
    [
        (ConditionalDecoder, BahdanauAttention),
        (LuongDecoder, GeneralAttention),
    ],
)
def test_ids_that_come_as_floats_are_not_rounded(decoder_class, attention):
    dtype = "mixed_bfloat16"
    attention = attention(*(7,) * (attention is BahdanauAttention), dtype=dtype)
    decoder = decoder_class(2000, 4, 6, attention=attention, dtype=dtype)
    ids = np.array([[2, 1000], [2, 1001]])
    logits = decoder(ids.astype("float32"), MEMORY, STATE)
    np.testing.assert_array_equal(logits, decoder(ids, MEMORY, STATE))


@pytest.mark.parametrize(
    "attention", ["bahdanau", keras.layers.AdditiveAttention()]
)
def test_refuses_an_attention_that_is_none_of_ours(attention):
    with pytest.raises(ValueError, match="Received: attention="):
        make_decoder(attention=attention)


def test_a_frozen_decoder_freezes_its_attention_unless_told_otherwise():
    def count_trained(decoder):
        decoder(TARGET_IDS, MEMORY, STATE)
        return sum(weight.trainable for weight in decoder.weights)

    decoder = make_decoder(attention=BahdanauAttention(7), trainable=False)
    assert count_trained(decoder) == 0
    decoder.attention.trainable = True
    copy = AttentionDecoder.from_config(decoder.get_config())
    assert count_trained(copy) == count_trained(decoder) == 4


def test_the_standard_decoder_sees_nothing_but_the_final_state():
    decoder = make_decoder(StandardDecoder)
    expected = decoder(TARGET_IDS, MEMORY, STATE, MASK)
    other = decoder(TARGET_IDS, MEMORY[:, :2] + 1, STATE, MASK[:, :2])
    np.testing.assert_array_equal(expected, other)
    assert not np.allclose(expected, decoder(TARGET_IDS, MEMORY, STATE + 1))


def test_bahdanau_asks_with_the_previous_state():
    decoder = make_decoder()
    attended, start = start_of(decoder)
    token = decoder.embed(TARGET_IDS[:, 0])
    state = decoder.step(token, start, attended)
    context, attention = decoder.attention(start.recurrent[0][0], *attended)
    np.testing.assert_allclose(state.attention, attention, atol=1e-6)
    np.testing.assert_allclose(state.context, context, atol=1e-6)
    inputs = keras.ops.concatenate([token, context], axis=-1)
    hidden, _ = decoder.stack.cells[0](inputs, [start.recurrent[0][0]])
    np.testing.assert_allclose(state.recurrent[0][0], hidden, atol=1e-6)


def test_conditional_asks_with_a_state_that_knows_the_token():
    decoder = make_decoder(ConditionalDecoder)
    attended, start = start_of(decoder)
    token = decoder.embed(TARGET_IDS[:, 0])
    state = decoder.step(token, start, attended)
    query, _ = decoder.token_cell(token, [start.recurrent[0][0]])
    context, attention = decoder.attention(query, *attended)
    np.testing.assert_allclose(state.attention, attention, atol=1e-6)
    np.testing.assert_allclose(state.context, context, atol=1e-6)
    hidden, _ = decoder.stack.cells[0](context, [query])
    np.testing.assert_allclose(state.recurrent[0][0], hidden, atol=1e-6)
    other = decoder.step(token + 1, start, attended)
    assert not np.allclose(state.attention, other.attention)


def test_luong_asks_with_the_current_state_and_feeds_the_answer_back():
    decoder = make_decoder(LuongDecoder)
    attended, state = start_of(decoder)
    assert not np.any(state.attentional)
    for t in range(2):
        before, token = state, decoder.embed(TARGET_IDS[:, t])
        state = decoder.step(token, before, attended)
        inputs = keras.ops.concatenate([token, before.attentional], axis=-1)
        hidden, _ = decoder.stack.cells[0](inputs, [before.recurrent[0][0]])
        np.testing.assert_allclose(state.recurrent[0][0], hidden, atol=1e-6)
        context, attention = decoder.attention(hidden, *attended)
        np.testing.assert_allclose(state.attention, attention, atol=1e-6)
        dense = decoder.readout_projection
        attentional = np.tanh(
            np.concatenate([context, hidden], axis=-1) @ np.array(dense.kernel)
            + np.array(dense.bias)
        )
        np.testing.assert_allclose(state.attentional, attentional, atol=1e-5)
        expected = attentional @ np.array(decoder.embedding.embeddings).T
        np.testing.assert_allclose(
            decoder.readout(token, state), expected, rtol=1e-4, atol=1e-5
        )


def test_coverage_is_the_sum_of_all_attention():
    decoder = make_decoder(attention=CoverageAttention(7))
    attended, state = start_of(decoder)
    total = np.zeros((2, 5))
    for t in range(3):
        _, expected = decoder.attention(
            state.recurrent[0][0], *attended, coverage=total.astype("float32")
        )
        token = decoder.embed(TARGET_IDS[:, t])
        state = decoder.step(token, state, attended)
        np.testing.assert_allclose(state.attention, expected, atol=1e-6)
        total = total + np.array(state.attention)
        np.testing.assert_allclose(state.coverage, total, atol=1e-6)


def test_residual_layers_add_what_they_were_given():
    decoder = make_decoder(num_layers=3, residual=True)
    attended, start = start_of(decoder)
    token = decoder.embed(TARGET_IDS[:, 0])
    state = decoder.step(token, start, attended)
    context, _ = decoder.attention(
        sum(hidden for (hidden,) in start.recurrent), *attended
    )
    inputs = keras.ops.concatenate([token, context], axis=-1)
    for i, cell in enumerate(decoder.stack.cells):
        outputs, _ = cell(inputs, [start.recurrent[i][0]])
        inputs = inputs + outputs if i else outputs
    np.testing.assert_allclose(
        decoder.stack.output(state.recurrent), inputs, atol=1e-5
    )


def test_readout_sees_state_context_and_token():
    decoder = make_decoder()
    attended, start = start_of(decoder)
    token = decoder.embed(TARGET_IDS[:, 1])
    state = decoder.step(token, start, attended)
    dense = decoder.readout_projection
    inputs = [state.recurrent[0][0], state.context, token]
    readout = np.tanh(
        np.concatenate(inputs, axis=-1) @ np.array(dense.kernel)
        + np.array(dense.bias)
    )
    expected = readout @ np.array(decoder.embedding.embeddings).T
    logits = decoder.readout(token, state)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_tied_embedding_adds_no_output_weights():
    tied, untied = make_decoder(), make_decoder(tie_embedding=False)
    assert untied.count_params() - tied.count_params() == 4 * 10 + 10


def test_refuses_a_tied_readout_of_another_width():
    with pytest.raises(ValueError, match="readout_units=5, embedding_dim=4"):
        StandardDecoder(**SIZES, readout_units=5)


def test_refuses_an_unknown_cell():
    with pytest.raises(ValueError, match="Received: cell='rnn'"):
        StandardDecoder(**SIZES, cell="rnn")


# === Dropout ===


def test_dropout_acts_in_training_only():
    decoder = make_decoder(
        num_layers=2, dropout=0.5, recurrent_dropout=0.5, word_dropout=0.5
    )
    once, again = (decoder(TARGET_IDS, MEMORY, STATE, MASK) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    trained = decoder(TARGET_IDS, MEMORY, STATE, MASK, training=True)
    assert not np.allclose(once, trained)


def test_word_dropout_drops_whole_tokens():
    decoder = make_decoder(word_dropout=0.5)
    tokens = np.array(decoder.embed(np.full((20, 30), 5), training=True))
    dropped = (tokens == 0).all(-1)
    assert 0.4 < dropped.mean() < 0.6
    np.testing.assert_allclose(
        tokens[~dropped],
        np.tile(2 * decoder.embed(np.array(5)), (np.sum(~dropped), 1)),
        rtol=1e-6,
    )


def test_locked_dropout_is_one_mask_a_sequence():
    decoder = make_decoder(dropout=0.5, locked_dropout=True)
    tokens = np.array(decoder.embed(np.full((20, 30), 5), training=True)) == 0
    np.testing.assert_array_equal(tokens, np.tile(tokens[:, :1], (1, 30, 1)))
    assert 0.3 < tokens[:, 0].mean() < 0.7


def test_masks_between_layers_and_on_states():
    stack = make_decoder(
        num_layers=2, dropout=0.25, recurrent_dropout=0.5
    ).stack
    (nothing, first), (between, second) = stack.draw_masks(1000)
    assert nothing is None
    assert set(np.unique(between)) == {0, np.float32(1 / 0.75)}
    assert set(np.unique(first)) == set(np.unique(second)) == {0, 2}
    assert np.mean(np.array(between) == 0) == pytest.approx(0.25, abs=0.03)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "decoder_class", [StandardDecoder, ConditionalDecoder, LuongDecoder]
)
def test_a_hidden_state_that_is_dropped_changes_nothing(decoder_class):
    decoder = make_decoder(decoder_class, cell="lstm")
    attended, start = start_of(decoder)
    ((hidden, cell),) = start.recurrent
    other = start._replace(recurrent=((-hidden, cell),))
    token = decoder.embed(TARGET_IDS[:, 0])

    def step(state, masks=None):
        state = decoder.step(token, state, attended, masks)
        return np.concatenate(keras.tree.flatten(state), axis=1)

    nothing = ((None, np.zeros((2, 6), "float32")),)
    np.testing.assert_array_equal(step(start, nothing), step(other, nothing))
    assert not np.allclose(step(start), step(other))


# === Scheduled sampling ===


def sampled(decoder, rate):
    decoder.sampling_rate.assign(rate)
    attended, start = start_of(decoder)
    return np.array(decoder.sample_ids(TARGET_IDS, start, attended))


def test_without_sampling_the_known_tokens_stay():
    np.testing.assert_array_equal(sampled(make_decoder(), 0.0), TARGET_IDS)


@pytest.mark.parametrize("decoder_class", [StandardDecoder, LuongDecoder])
def test_fully_sampled_it_is_fed_its_own_predictions(decoder_class):
    decoder = make_decoder(decoder_class)
    found = sampled(decoder, 1.0)
    attended, state = start_of(decoder)
    token_ids = TARGET_IDS[:, 0]
    for t in range(4):
        np.testing.assert_array_equal(found[:, t], token_ids)
        token = decoder.embed(token_ids)
        state = decoder.step(token, state, attended)
        token_ids = np.argmax(decoder.readout(token, state), axis=-1)


def test_the_sampling_rate_is_the_share_of_replaced_tokens():
    decoder = StandardDecoder(1000, 4, 6)
    target_ids = np.zeros((100, 41), "int32")
    memory, state = np.zeros((100, 1, 3), "f"), np.ones((100, 8), "f")
    decoder(target_ids, memory, state)
    decoder.sampling_rate.assign(0.3)
    found = decoder.sample_ids(target_ids, decoder.initial_state(state))
    assert not np.any(found[:, 0])
    assert np.mean(found[:, 1:] != 0) == pytest.approx(0.3, abs=0.03)


def test_training_samples_where_it_is_asked_to():
    decoder = make_decoder()
    arguments = (TARGET_IDS, MEMORY, STATE, MASK)
    plain = decoder(*arguments)
    np.testing.assert_allclose(decoder(*arguments, training=True), plain)
    decoder.sampling_rate.assign(1.0)
    np.testing.assert_array_equal(decoder(*arguments), plain)
    found = sampled(decoder, 1.0)
    with tf.GradientTape() as tape:
        trained = decoder(*arguments, training=True)
    expected = decoder(found, *arguments[1:])
    np.testing.assert_allclose(trained, expected, atol=1e-6)
    assert not np.allclose(trained, plain)
    weights = [weight.value for weight in decoder.trainable_weights]
    assert None not in tape.gradient(trained, weights)
