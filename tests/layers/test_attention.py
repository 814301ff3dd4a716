import numpy as np
import pytest
from checks import run_layer_checks

from s2s_keras import BahdanauAttention

RANDOM = np.random.default_rng(0)
QUERY = RANDOM.normal(size=(2, 6)).astype("float32")
MEMORY = RANDOM.normal(size=(2, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "bool")


def test_layer():
    run_layer_checks(
        BahdanauAttention,
        {"units": 4},
        inputs={"query": QUERY, "memory": MEMORY, "memory_mask": MASK},
        expected_shapes=((2, 3), (2, 5)),
    )


def test_matches_the_papers_equations():
    layer = BahdanauAttention(4)
    context, attention = layer(QUERY, MEMORY, memory_mask=MASK)
    w, u, bias, v = (
        np.array(weight)
        for weight in (
            layer.query_projection.kernel,
            layer.memory_projection.kernel,
            layer.memory_projection.bias,
            layer.score_projection.kernel,
        )
    )
    for i, length in enumerate((5, 3)):
        scores = [
            (v.T @ np.tanh(QUERY[i] @ w + MEMORY[i, j] @ u + bias)).item()
            for j in range(length)
        ]
        alpha = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(attention[i, :length], alpha, rtol=1e-5)
        np.testing.assert_allclose(
            context[i], alpha @ MEMORY[i, :length], rtol=1e-4
        )


def test_by_hand():
    layer = BahdanauAttention(1)
    layer.build((1, 1), (1, 2, 1))
    layer.set_weights(
        [np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), np.ones((1, 1))]
    )
    memory = np.array([[[0.0], [1.0]]], "float32")
    context, attention = layer(np.zeros((1, 1), "float32"), memory)
    # tanh(0) = 0, tanh(1) = 0.76159; softmax gives 0.31830 and 0.68170.
    np.testing.assert_allclose(attention, [[0.31830, 0.68170]], atol=1e-5)
    np.testing.assert_allclose(context, [[0.68170]], atol=1e-5)


def test_rows_sum_to_one_and_are_zero_on_padding():
    _, attention = BahdanauAttention(4)(QUERY, MEMORY, memory_mask=MASK)
    np.testing.assert_allclose(np.sum(attention, axis=-1), 1, rtol=1e-6)
    assert (np.array(attention)[~MASK] == 0).all()


def test_a_row_of_padding_only_is_zero():
    context, attention = BahdanauAttention(4)(
        QUERY, MEMORY, memory_mask=np.zeros((2, 5), "bool")
    )
    assert not np.any(context)
    assert not np.any(attention)


def test_given_keys_change_nothing():
    layer = BahdanauAttention(4)
    expected = layer(QUERY, MEMORY)
    keys = layer.project_memory(MEMORY)
    for ours, theirs in zip(layer(QUERY, MEMORY, keys), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_softmax_is_float32_under_mixed_precision():
    layer = BahdanauAttention(4, dtype="mixed_float16")
    # Float16 would round every weight of 4,096 equal ones to a sum of 0.99+.
    memory = np.ones((1, 4096, 3), "float32")
    memory[0, -1] = 100  # scores differ, none of them overflows
    _, attention = layer(QUERY[:1], memory)
    total = np.sum(np.array(attention, "float32"))
    np.testing.assert_allclose(total, 1, atol=2e-3)


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None])
def test_refuses_bad_units(units):
    with pytest.raises(ValueError, match=f"Received: units={units}"):
        BahdanauAttention(units)
