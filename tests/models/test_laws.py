"""The laws of translation models, for every variant of the zoo."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from laws import EVERY_VARIANT
from laws import make_translator

from s2s_keras import Translator
from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty

SOURCE_IDS = np.array(
    [[4, 5, 6, 7, 8, 3], [9, 8, 3, 0, 0, 0], [5, 5, 5, 3, 0, 0]], "int32"
)
TARGET_IDS = np.array([[2, 5, 6, 8], [2, 7, 4, 4], [2, 9, 9, 5]], "int32")
MAX_LENGTHS = np.array([9, 5, 7], "int32")
INPUTS = {"source_ids": SOURCE_IDS, "target_ids": TARGET_IDS}

translator_of = functools.cache(make_translator)


@functools.cache
def search_of(architecture, num_beams, penalty=1.0):
    return translator_of(architecture).search(
        SOURCE_IDS, MAX_LENGTHS, num_beams, penalty
    )


@functools.cache
def logits_of(architecture):
    return np.array(translator_of(architecture)(INPUTS))


def teacher_forced_logits(translator, ids):
    """Logits of `ids` `[batch, target_len]`, which close with END."""
    starts = np.full_like(ids[:, :1], START_ID)
    target_ids = np.concatenate([starts, ids[:, :-1]], axis=1)
    inputs = {"source_ids": SOURCE_IDS, "target_ids": target_ids}
    return np.array(translator(inputs))


@EVERY_VARIANT
def test_source_padding_changes_nothing(architecture):
    translator = translator_of(architecture)
    padded = INPUTS | {"source_ids": np.pad(SOURCE_IDS, [(0, 0), (0, 4)])}
    np.testing.assert_allclose(
        logits_of(architecture), translator(padded), rtol=1e-4, atol=1e-4
    )


@EVERY_VARIANT
def test_target_padding_changes_nothing(architecture):
    translator = translator_of(architecture)
    padded = INPUTS | {"target_ids": np.pad(TARGET_IDS, [(0, 0), (0, 3)])}
    logits = translator(padded)[:, :4]
    np.testing.assert_allclose(
        logits_of(architecture), logits, rtol=1e-4, atol=1e-4
    )


@EVERY_VARIANT
def test_later_tokens_never_alter_earlier_logits(architecture):
    translator = translator_of(architecture)
    changed = TARGET_IDS.copy()
    changed[:, 2:] = 9
    before = logits_of(architecture)
    after = np.array(translator(INPUTS | {"target_ids": changed}))
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-5)
    assert not np.allclose(before[:, 2:], after[:, 2:])


@EVERY_VARIANT
def test_call_equals_repeated_steps(architecture):
    translator = translator_of(architecture)
    expected = logits_of(architecture)
    attended, state = translator.start(SOURCE_IDS)
    for kernel in (None, translator.output_kernel()):
        state_after = state
        for t in range(TARGET_IDS.shape[1]):
            logits, state_after, _ = translator.step(
                TARGET_IDS[:, t], state_after, attended, kernel
            )
            np.testing.assert_allclose(
                logits, expected[:, t], rtol=1e-4, atol=1e-4
            )


@EVERY_VARIANT
def test_a_source_in_other_order_gives_other_logits(architecture):
    changed = SOURCE_IDS.copy()
    changed[0, :2] = changed[0, 1::-1]
    translator = translator_of(architecture)
    before = logits_of(architecture)
    after = np.array(translator(INPUTS | {"source_ids": changed}))
    assert not np.allclose(before[0], after[0])
    np.testing.assert_allclose(before[1:], after[1:], atol=1e-5)


@EVERY_VARIANT
def test_a_beam_of_one_equals_greedy(architecture):
    found = np.array(search_of(architecture, 1).ids[:, 0])
    logits = teacher_forced_logits(translator_of(architecture), found)
    logits[..., [0, START_ID]] = -np.inf
    greedy = logits.argmax(-1)
    lengths = (found != 0).sum(-1)
    assert (found[np.arange(len(found)), lengths - 1] == END_ID).all()
    free = lengths - (lengths == MAX_LENGTHS)  # the last may be forced
    for i in range(len(SOURCE_IDS)):
        np.testing.assert_array_equal(greedy[i, : free[i]], found[i, : free[i]])


@EVERY_VARIANT
@pytest.mark.parametrize("num_beams", [1, 4])
def test_a_score_is_the_teacher_forced_score(architecture, num_beams):
    found = search_of(architecture, num_beams)
    for beam in {0, num_beams - 1}:
        ids = np.array(found.ids[:, beam])
        logits = teacher_forced_logits(translator_of(architecture), ids)
        log_probs = np.array(keras.ops.log_softmax(logits))
        chosen = np.take_along_axis(log_probs, ids[..., None], -1)[..., 0]
        real = ids != 0
        penalty = length_penalty(real.sum(-1), 1.0)
        expected = (chosen * real).sum(-1) / np.array(penalty)
        np.testing.assert_allclose(found.score[:, beam], expected, rtol=1e-4)


@EVERY_VARIANT
def test_attention_rows_sum_to_one_and_are_zero_on_padding(architecture):
    found = search_of(architecture, 4)
    if architecture.attention == "none":
        assert found.attention == ()
        return
    attention, ids = np.array(found.attention), np.array(found.ids)
    np.testing.assert_allclose(attention.sum(-1), ids != 0, atol=1e-5)
    for i, source_ids in enumerate(SOURCE_IDS):
        assert not attention[i, ..., source_ids == 0].any()


@EVERY_VARIANT
def test_alone_or_among_longer_neighbours(architecture):
    alone = translator_of(architecture).search(
        SOURCE_IDS[1:2, :3], MAX_LENGTHS[1:2], 4
    )
    together = search_of(architecture, 4)
    width = alone.ids.shape[-1]
    np.testing.assert_array_equal(together.ids[1:2, :, :width], alone.ids)
    np.testing.assert_allclose(together.score[1:2], alone.score, rtol=1e-4)


@EVERY_VARIANT
def test_a_gradient_reaches_every_weight(architecture):
    translator = Translator.from_architecture(architecture, 20)
    weights = translator.trainable_weights
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(translator(INPUTS, training=True) ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        assert np.any(tf.convert_to_tensor(gradient)), weight.path


@EVERY_VARIANT
def test_saved_and_loaded_it_is_the_same(architecture, tmp_path):
    translator = translator_of(architecture)
    translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    assert type(copy) is type(translator)
    np.testing.assert_array_equal(logits_of(architecture), copy(INPUTS))
