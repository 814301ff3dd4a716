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


def test_config():
    loss = TokenCrossEntropy(0.2)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert copy.get_config() == loss.get_config()


@pytest.mark.parametrize("label_smoothing", [-0.1, 1, 2])
def test_refuses_bad_smoothing(label_smoothing):
    with pytest.raises(ValueError, match=f"label_smoothing={label_smoothing}"):
        TokenCrossEntropy(label_smoothing)
