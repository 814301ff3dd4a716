import keras
import numpy as np
import pytest

from s2s_keras import Perplexity
from s2s_keras import TokenAccuracy

LABELS = np.array([[1, 2], [3, 0]], "int32")
WEIGHTS = np.array([[1, 1], [1, 0]], "float32")


def test_perplexity_of_even_logits_is_the_vocabulary_size():
    metric = Perplexity()
    metric.update_state(LABELS, np.zeros((2, 2, 7), "float32"), WEIGHTS)
    assert float(metric.result()) == pytest.approx(7, rel=1e-5)


def test_perplexity_weighs_tokens_not_batches():
    logits = np.random.default_rng(0).normal(size=(2, 2, 7)).astype("float32")
    whole, parts = Perplexity(), Perplexity()
    whole.update_state(LABELS, logits, WEIGHTS)
    for i in range(2):
        parts.update_state(
            LABELS[i : i + 1], logits[i : i + 1], WEIGHTS[i : i + 1]
        )
    assert float(whole.result()) == pytest.approx(float(parts.result()), 1e-5)


def test_accuracy_leaves_padding_out():
    metric = TokenAccuracy()
    logits = np.eye(7, dtype="float32")[np.array([[1, 5], [3, 0]])]
    metric.update_state(LABELS, logits, WEIGHTS)
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_accuracy_is_that_of_keras():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, (4, 5))
    logits = rng.normal(size=(4, 5, 9)).astype("float32")
    weights = rng.random((4, 5), "float32")
    ours, theirs = TokenAccuracy(), keras.metrics.SparseCategoricalAccuracy()
    for metric in (ours, theirs):
        metric.update_state(labels, logits, weights)
    assert float(ours.result()) == pytest.approx(float(theirs.result()), 1e-6)


@pytest.mark.parametrize("metric", [Perplexity(), TokenAccuracy()])
def test_config(metric):
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric)
    )
    assert copy.get_config() == metric.get_config()
