import keras
import numpy as np
import pytest
import tensorflow as tf

from s2s_keras import TokenCrossEntropy

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(2, 3, 5)).astype("float32")
LABELS = np.array([[1, 4, 3], [2, 3, 0]], "int32")
WEIGHTS = np.array([[1, 1, 1], [1, 1, 0]], "float32")


def reference(logits, label_smoothing):
    truth = tf.one_hot(LABELS, 5) * (1 - label_smoothing) + label_smoothing / 5
    return tf.nn.softmax_cross_entropy_with_logits(truth, logits)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5])
def test_equals_cross_entropy_with_the_smoothed_truth(label_smoothing):
    loss = TokenCrossEntropy(label_smoothing)
    expected = tf.reduce_sum(reference(LOGITS, label_smoothing) * WEIGHTS) / 5
    np.testing.assert_allclose(
        loss(LABELS, LOGITS, sample_weight=WEIGHTS), expected, rtol=1e-5
    )


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradient_equals_the_automatic_one(label_smoothing):
    logits = tf.constant(LOGITS)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        ours = TokenCrossEntropy(label_smoothing)(LABELS, logits, WEIGHTS)
        theirs = reference(logits, label_smoothing) * WEIGHTS
        theirs = tf.reduce_sum(theirs) / 5
    np.testing.assert_allclose(
        tape.gradient(ours, logits), tape.gradient(theirs, logits), atol=1e-6
    )


def divergence(p_logits, q_logits):
    p, q = tf.nn.softmax(p_logits), tf.nn.softmax(q_logits)
    p_to_q = tf.reduce_sum(p * tf.math.log(p / q), axis=-1)
    q_to_p = tf.reduce_sum(q * tf.math.log(q / p), axis=-1)
    return (p_to_q + q_to_p) / 2


def test_consistency_adds_the_divergence_of_the_two_copies():
    labels, weights = np.repeat(LABELS, 2, 0), np.repeat(WEIGHTS, 2, 0)
    logits = RANDOM.normal(size=(4, 3, 5)).astype("float32")
    logits = tf.constant(logits)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        ours = TokenCrossEntropy(0.1, consistency=3.0)(labels, logits, weights)
        apart = tf.repeat(divergence(logits[::2], logits[1::2]), 2, axis=0)
        theirs = TokenCrossEntropy(0.1)(labels, logits, weights)
        theirs += 1.5 * tf.reduce_sum(apart * weights) / weights.sum()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(
        tape.gradient(ours, logits), tape.gradient(theirs, logits), atol=1e-6
    )


def test_equal_copies_are_consistent():
    labels, logits = np.repeat(LABELS, 2, 0), np.repeat(LOGITS, 2, 0)
    np.testing.assert_allclose(
        TokenCrossEntropy(0.1, consistency=3.0)(labels, logits),
        TokenCrossEntropy(0.1)(labels, logits),
    )


def test_padding_changes_nothing():
    loss = TokenCrossEntropy(0.1)
    padded = [
        np.pad(LABELS, [(0, 0), (0, 4)]),
        np.pad(LOGITS, [(0, 0), (0, 4), (0, 0)], constant_values=7),
    ]
    np.testing.assert_allclose(
        loss(LABELS, LOGITS, sample_weight=WEIGHTS),
        loss(*padded, sample_weight=np.pad(WEIGHTS, [(0, 0), (0, 4)])),
        rtol=1e-6,
    )


def test_huge_and_half_precision_logits_stay_finite():
    loss = TokenCrossEntropy(0.1)
    for dtype in ("float16", "bfloat16"):
        logits = tf.cast(LOGITS * 1000, dtype)
        value = loss(LABELS, logits, sample_weight=WEIGHTS)
        assert np.isfinite(value) and value.dtype == "float32"


def test_another_default_type_rounds_no_labels():
    label = 4097  # not a number in half precision
    logits = np.zeros((1, 1, 5000), "float32")
    logits[..., label] = 50.0
    keras.config.set_floatx("float16")
    try:
        loss = TokenCrossEntropy()
    finally:
        keras.config.set_floatx("float32")
    assert loss(np.full((1, 1), label), logits) < 0.01


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_refuses_half_precision(dtype):
    with pytest.raises(ValueError, match=f"Received: dtype='{dtype}'"):
        TokenCrossEntropy(dtype=dtype)


def test_config():
    loss = TokenCrossEntropy(0.2, consistency=3.0)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert copy.get_config() == loss.get_config()


@pytest.mark.parametrize("label_smoothing", [-0.1, 1, 2])
def test_refuses_bad_smoothing(label_smoothing):
    with pytest.raises(ValueError, match=f"label_smoothing={label_smoothing}"):
        TokenCrossEntropy(label_smoothing)


def test_refuses_negative_consistency():
    with pytest.raises(ValueError, match="consistency=-1"):
        TokenCrossEntropy(consistency=-1)


def test_consistency_refuses_a_sentence_without_its_copy():
    loss = TokenCrossEntropy(consistency=1.0)
    with pytest.raises(ValueError, match="Received: a batch of 1"):
        loss(LABELS[:1], LOGITS[:1])
