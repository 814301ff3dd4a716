import keras
import numpy as np
import pytest
import tensorflow as tf
from checks import run_layer_checks

from s2s_keras import Attention
from s2s_keras import BahdanauAttention
from s2s_keras import ConcatAttention
from s2s_keras import CoverageAttention
from s2s_keras import DotAttention
from s2s_keras import GeneralAttention
from s2s_keras import MultiHeadBahdanauAttention
from s2s_keras import ScaledDotAttention
from s2s_keras.layers.products import element_by_element

RANDOM = np.random.default_rng(0)
QUERY = RANDOM.normal(size=(2, 6)).astype("float32")
MEMORY = RANDOM.normal(size=(2, 5, 6)).astype("float32")
COVERAGE = RANDOM.uniform(size=(2, 5)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], "bool")


# === Numbers, from the papers' equations, sentence by sentence ===


def weights_of(layer):
    return {
        "/".join(weight.path.split("/")[1:]): np.array(weight)
        for weight in layer.weights
    }


def bahdanau_score(w, query, state, coverage):
    hidden = query @ w["query_projection/kernel"]
    hidden = hidden + state @ w["memory_projection/kernel"]
    hidden = hidden + w["memory_projection/bias"]
    return np.tanh(hidden) @ w["score_projection/kernel"][:, 0]


def concat_score(w, query, state, coverage):
    kernel = np.concatenate(
        [w["query_projection/kernel"], w["memory_projection/kernel"]]
    )
    hidden = np.concatenate([query, state]) @ kernel
    return np.tanh(hidden) @ w["score_projection/kernel"][:, 0]


def coverage_score(w, query, state, coverage):
    fertility = 2 / (1 + np.exp(-state @ w["fertility_projection/kernel"]))
    hidden = query @ w["query_projection/kernel"]
    hidden = hidden + state @ w["memory_projection/kernel"]
    hidden = hidden + w["memory_projection/bias"]
    hidden = hidden + coverage / fertility * w["coverage_projection/kernel"][0]
    return np.tanh(hidden) @ w["score_projection/kernel"][:, 0]


def scaled_dot_score(w, query, state, coverage):
    query = query @ w["query_projection/kernel"]
    return query @ (state @ w["memory_projection/kernel"]) / np.sqrt(len(query))


def dot_score(w, query, state, coverage):
    return query @ state


def general_score(w, query, state, coverage):
    return query @ (w["kernel"].T @ state)


SCORES = {
    BahdanauAttention: ({"units": 4}, bahdanau_score),
    ConcatAttention: ({"units": 4}, concat_score),
    CoverageAttention: ({"units": 4}, coverage_score),
    ScaledDotAttention: ({"units": 5}, scaled_dot_score),
    DotAttention: ({}, dot_score),
    GeneralAttention: ({}, general_score),
}
EVERY_ATTENTION = pytest.mark.parametrize(
    ("layer_class", "kwargs"),
    [(layer_class, kwargs) for layer_class, (kwargs, _) in SCORES.items()]
    + [(MultiHeadBahdanauAttention, {"units": 6, "num_heads": 2})],
)


def softmax(scores):
    exponents = np.exp(scores - np.max(scores))
    return exponents / exponents.sum()


def inputs_of(layer_class):
    inputs = {"query": QUERY, "memory": MEMORY, "memory_mask": MASK}
    if layer_class.needs_coverage:
        inputs["coverage"] = COVERAGE
    return inputs


@EVERY_ATTENTION
def test_layer(layer_class, kwargs):
    run_layer_checks(
        layer_class,
        kwargs,
        inputs=inputs_of(layer_class),
        expected_shapes=((2, 6), (2, 5)),
    )


def test_coverage_of_what_has_no_fertility_is_a_number():
    layer = CoverageAttention(4)
    layer.build(QUERY.shape, MEMORY.shape)
    for weight in layer.fertility_projection.weights:
        weight.assign(np.full(weight.shape, -1000.0))
    nothing = np.zeros_like(COVERAGE)
    outputs = layer(QUERY, np.abs(MEMORY), coverage=nothing)
    assert all(np.isfinite(output).all() for output in outputs)


@pytest.mark.parametrize("layer_class", SCORES)
def test_matches_the_papers_equations(layer_class):
    kwargs, score = SCORES[layer_class]
    layer = layer_class(**kwargs)
    context, attention = layer(**inputs_of(layer_class))
    weights = weights_of(layer)
    for i, length in enumerate((5, 3)):
        scores = [
            np.squeeze(score(weights, QUERY[i], MEMORY[i, j], COVERAGE[i, j]))
            for j in range(length)
        ]
        alpha = softmax(scores)
        np.testing.assert_allclose(attention[i, :length], alpha, atol=1e-5)
        np.testing.assert_allclose(
            context[i], alpha @ MEMORY[i, :length], atol=1e-5
        )


@EVERY_ATTENTION
def test_element_by_element_it_is_the_same(layer_class, kwargs):
    layer, inputs = layer_class(**kwargs), inputs_of(layer_class)
    expected = layer(**inputs)

    def operations():
        graph = tf.function(lambda: layer(**inputs)).get_concrete_function()
        return {operation.type for operation in graph.graph.get_operations()}

    with element_by_element():
        for output, same in zip(layer(**inputs), expected, strict=True):
            np.testing.assert_allclose(output, same, atol=1e-6)
        assert "BatchMatMulV2" not in operations()
    assert "BatchMatMulV2" in operations()


def test_each_head_scores_and_sums_up_its_own_part():
    layer = MultiHeadBahdanauAttention(6, num_heads=2)
    context, attention = layer(QUERY, MEMORY)
    w = weights_of(layer)
    for i in range(2):
        heads, alphas = [], []
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            hidden = (
                QUERY[i] @ w["query_projection/kernel"]
                + MEMORY[i] @ w["memory_projection/kernel"]
                + w["memory_projection/bias"]
            )[:, part]
            alphas.append(softmax(np.tanh(hidden) @ w["score_kernel"][head]))
            heads.append(alphas[-1] @ (MEMORY[i] @ w["value_kernel"])[:, part])
        np.testing.assert_allclose(context[i], np.concatenate(heads), atol=1e-5)
        np.testing.assert_allclose(attention[i], sum(alphas) / 2, atol=1e-5)


@EVERY_ATTENTION
def test_gradients_match_finite_differences(layer_class, kwargs):
    layer = layer_class(**kwargs, dtype="float64")
    inputs = inputs_of(layer_class)
    query, memory = (
        tf.Variable(inputs[name], dtype="float64")
        for name in ("query", "memory")
    )
    layer(**inputs)
    probes = [RANDOM.normal(size=shape) for shape in ((2, 6), (2, 5))]

    def loss():
        outputs = layer(**inputs | {"query": query * 1, "memory": memory * 1})
        return sum(
            tf.reduce_sum(output * probe)
            for output, probe in zip(outputs, probes, strict=True)
        )

    variables = [query, memory, *(weight.value for weight in layer.weights)]
    with tf.GradientTape() as tape:
        total = loss()
    for variable, gradient in zip(
        variables, tape.gradient(total, variables), strict=True
    ):
        direction = RANDOM.normal(size=variable.shape)
        variable.assign_add(1e-5 * direction)
        above = float(loss())
        variable.assign_sub(2e-5 * direction)
        below = float(loss())
        variable.assign_add(1e-5 * direction)
        expected = float(tf.reduce_sum(gradient * direction))
        assert (above - below) / 2e-5 == pytest.approx(expected, rel=1e-4)


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


@EVERY_ATTENTION
def test_rows_sum_to_one_and_are_zero_on_padding(layer_class, kwargs):
    _, attention = layer_class(**kwargs)(**inputs_of(layer_class))
    np.testing.assert_allclose(np.sum(attention, axis=-1), 1, rtol=1e-6)
    assert (np.array(attention)[~MASK] == 0).all()


@EVERY_ATTENTION
def test_a_row_of_padding_only_is_zero(layer_class, kwargs):
    inputs = inputs_of(layer_class)
    inputs["memory_mask"] = np.zeros((2, 5), "bool")
    context, attention = layer_class(**kwargs)(**inputs)
    assert not np.any(context)
    assert not np.any(attention)


@EVERY_ATTENTION
def test_given_keys_change_nothing(layer_class, kwargs):
    layer = layer_class(**kwargs)
    inputs = inputs_of(layer_class)
    expected = layer(**inputs)
    keys = layer.project_memory(MEMORY)
    for ours, theirs in zip(
        layer(**inputs, memory_keys=keys), expected, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@keras.saving.register_keras_serializable(package="test_attention")
class CosineAttention(Attention):
    def score(self, query, memory_keys):
        memory_keys = keras.ops.normalize(memory_keys, axis=-1)
        query = keras.ops.normalize(query, axis=-1)
        return keras.ops.matmul(memory_keys, query[..., None])[..., 0]


def test_an_attention_of_ones_own_says_how_it_scores():
    inputs = {"query": QUERY, "memory": MEMORY, "memory_mask": MASK}
    run_layer_checks(CosineAttention, {}, inputs, ((2, 6), (2, 5)))
    _, attention = CosineAttention()(QUERY, MEMORY)
    cosines = [
        row @ QUERY[0] / np.linalg.norm(row) / np.linalg.norm(QUERY[0])
        for row in MEMORY[0]
    ]
    np.testing.assert_allclose(attention[0], softmax(cosines), rtol=1e-5)


def test_no_coverage_is_a_coverage_of_zeros():
    layer = CoverageAttention(4)
    none = layer(QUERY, MEMORY)
    zeros = layer(QUERY, MEMORY, coverage=np.zeros((2, 5), "float32"))
    np.testing.assert_array_equal(none[1], zeros[1])
    assert not np.allclose(none[1], layer(QUERY, MEMORY, coverage=COVERAGE)[1])


def test_softmax_is_float32_under_mixed_precision():
    layer = BahdanauAttention(4, dtype="mixed_float16")
    # Float16 would round every weight of 4,096 equal ones to a sum of 0.99+.
    memory = np.ones((1, 4096, 6), "float32")
    memory[0, -1] = 100  # scores differ, none of them overflows
    _, attention = layer(QUERY[:1], memory)
    total = np.sum(np.array(attention, "float32"))
    np.testing.assert_allclose(total, 1, atol=2e-3)


@pytest.mark.parametrize("layer_class", [BahdanauAttention, CoverageAttention])
def test_int8_layers_leave_the_attention_alone(layer_class):
    query, memory = keras.Input(QUERY.shape[1:]), keras.Input(MEMORY.shape[1:])
    outputs = layer_class(8)(query, memory)
    model = keras.Model([query, memory], outputs)
    expected = model([QUERY, MEMORY])
    with pytest.warns(UserWarning, match="reads its weights"):
        model.quantize("int8")
    for ours, theirs in zip(model([QUERY, MEMORY]), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.05)


@pytest.mark.parametrize("units", [0, -1, 2.5, "8", None])
def test_refuses_bad_units(units):
    with pytest.raises(ValueError, match=f"Received: units={units!r}"):
        BahdanauAttention(units)


def test_refuses_widths_that_do_not_fit():
    with pytest.raises(ValueError, match=r"query_shape=\(2, 4\)"):
        DotAttention()(QUERY[:, :4], MEMORY)
    with pytest.raises(ValueError, match="Received: num_heads=0"):
        MultiHeadBahdanauAttention(6, num_heads=0)
    with pytest.raises(ValueError, match="num_heads=4, units=6"):
        MultiHeadBahdanauAttention(6, num_heads=4)
    with pytest.raises(ValueError, match=r"num_heads=4, memory_shape=\(2, 5"):
        MultiHeadBahdanauAttention(8, num_heads=4)(QUERY, MEMORY)
