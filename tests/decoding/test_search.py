import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty
from s2s_keras.decoding.search import StepResult
from s2s_keras.decoding.search import beam_search
from s2s_keras.decoding.search import greedy_search

VOCABULARY_SIZE = 7
FIRST_ID = END_ID  # the ids from here on may follow any token


class Bigrams:
    """A toy model: logits depend on the latest token, attention on time."""

    def __init__(self, seed, end_bias=0.0):
        logits = np.random.default_rng(seed).normal(
            size=(VOCABULARY_SIZE, VOCABULARY_SIZE), scale=2
        )
        logits[:, END_ID] += end_bias
        self.logits = logits.astype("float32")

    def step(self, token_ids, state, attended):
        attention = ops.one_hot(state[:, 0], 3)
        return StepResult(
            ops.take(self.logits, token_ids, axis=0), state + 1, attention
        )

    def log_prob(self, ids):
        total, previous = 0.0, START_ID
        for token in ids:
            row = self.logits[previous].astype("float64")
            total += row[token] - np.log(np.exp(row).sum())
            previous = token
            if token == END_ID:
                break
        return total

    def every_hypothesis(self, max_len):
        tokens = [i for i in range(FIRST_ID, VOCABULARY_SIZE) if i != END_ID]
        for length in range(max_len):
            for ids in itertools.product([1, *tokens], repeat=length):
                yield [*ids, END_ID]


def start(rows):
    return ops.zeros((rows, 1), "int32")


def run_beams(model, max_lengths, num_beams, alpha=1.0):
    return beam_search(
        model.step,
        start(len(max_lengths) * num_beams),
        (),
        np.array(max_lengths, "int32"),
        3,
        num_beams,
        alpha,
    )


def run_greedy(model, max_lengths):
    return greedy_search(
        model.step,
        start(len(max_lengths)),
        (),
        np.array(max_lengths, "int32"),
        3,
    )


def real_ids(row):
    row = np.array(row).tolist()
    return row[: row.index(END_ID) + 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_equals_greedy(seed):
    model = Bigrams(seed)
    for ours, theirs in zip(
        run_greedy(model, [4, 9]), run_beams(model, [4, 9], 1), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("num_beams", [1, 2, 4])
def test_a_score_is_the_log_probability_over_the_penalty(seed, num_beams):
    model = Bigrams(seed)
    found = run_beams(model, [4, 9], num_beams, alpha=0.7)
    for ids, score in zip(
        np.array(found.ids).reshape(-1, found.ids.shape[-1]),
        np.array(found.score).ravel(),
        strict=True,
    ):
        ids = real_ids(ids)
        penalty = float(length_penalty(len(ids), 0.7))
        assert score * penalty == pytest.approx(model.log_prob(ids), rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_as_wide_as_everything_finds_the_best(seed):
    model = Bigrams(seed, end_bias=1.0)
    found = run_beams(model, [3], 30, alpha=0.0)
    best = max(model.every_hypothesis(3), key=model.log_prob)
    assert real_ids(found.ids[0, 0]) == best


def test_hypotheses_are_distinct_and_sorted():
    found = run_beams(Bigrams(1), [6], 4)
    hypotheses = {tuple(row) for row in np.array(found.ids)[0].tolist()}
    assert len(hypotheses) == 4
    assert (np.diff(np.array(found.score)[0]) <= 0).all()


@pytest.mark.parametrize("num_beams", [1, 3])
def test_every_sentence_keeps_its_own_longest_length(num_beams):
    never_ends = Bigrams(0, end_bias=-50.0)
    ids = np.array(run_beams(never_ends, [2, 6], num_beams).ids)
    assert ids.shape[-1] == 6
    assert (ids[0, :, 1] == END_ID).all() and not ids[0, :, 2:].any()
    assert (ids[1, :, 5] == END_ID).all()


@pytest.mark.parametrize("num_beams", [0, 1, 3])
def test_the_longest_ends_even_if_end_is_impossible(num_beams):
    model = Bigrams(0, end_bias=-1000.0)
    found = (
        run_beams(model, [4], num_beams)
        if num_beams
        else run_greedy(model, [4])
    )
    assert (np.array(found.ids)[0, :, 3] == END_ID).all()
    assert (np.array(found.score) > -100).all()


@pytest.mark.parametrize("num_beams", [0, 1, 3])
def test_neighbours_change_nothing(num_beams):
    model = Bigrams(3, end_bias=-3.0)
    lengths = [9, 5, 2, 12, 1, 3, 3, 7]

    def run(lengths):
        if not num_beams:
            return run_greedy(model, lengths)
        return run_beams(model, lengths, num_beams)

    together = run(lengths)
    for i, length in enumerate(lengths):
        alone = run([length])
        width = alone.ids.shape[-1]
        np.testing.assert_array_equal(together.ids[i, :, :width], alone.ids[0])
        assert not np.array(together.ids[i, :, width:]).any()
        np.testing.assert_allclose(together.score[i], alone.score[0], 1e-6)
        np.testing.assert_array_equal(
            together.attention[i, :, :width], alone.attention[0]
        )


@pytest.mark.parametrize("num_beams", [1, 3])
def test_attention_rows_belong_to_their_tokens(num_beams):
    found = run_beams(Bigrams(2), [3, 3], num_beams)
    attention, ids = np.array(found.attention), np.array(found.ids)
    for row, weights in zip(
        ids.reshape(-1, ids.shape[-1]),
        attention.reshape(-1, ids.shape[-1], 3),
        strict=True,
    ):
        length = len(real_ids(row))
        np.testing.assert_array_equal(weights[:length], np.eye(3)[:length])
        assert not weights[length:].any()


def test_stops_as_soon_as_all_have_ended():
    steps = []

    def step(token_ids, state, attended):
        steps.append(1)
        logits = ops.one_hot(ops.full_like(token_ids, END_ID), 7) * 20
        return StepResult(logits, state, ops.ones((2, 1)))

    greedy_search(step, start(2), (), np.array([50, 50]), 1)
    assert len(steps) == 1


@pytest.mark.parametrize("num_beams", [0, 1, 2])
def test_sentences_that_are_done_leave_the_batch(num_beams):
    model, rows = Bigrams(0, end_bias=-50.0), []

    def step(token_ids, state, attended):
        # Every row keeps what belongs to its sentence.
        np.testing.assert_array_equal(state[:, 1], attended)
        rows.append(token_ids.shape[0])
        result = model.step(token_ids, state, attended)
        return result._replace(state=state + [[1, 0]])

    lengths = np.array([2, 2, 2, 2, 2, 3, 5, 5], "int32")
    sentences = np.repeat(np.arange(8, dtype="int32"), max(1, num_beams))
    state = np.stack([np.zeros_like(sentences), sentences], axis=1)
    if num_beams:
        beam_search(step, state, sentences, lengths, 3, num_beams)
    else:
        greedy_search(step, state, sentences, lengths, 3)
    assert [count // max(1, num_beams) for count in rows] == [8, 8, 3, 2, 2]


@pytest.mark.parametrize("num_beams", [1, 3])
def test_an_empty_batch_gives_an_empty_result(num_beams):
    run = tf.function(
        lambda lengths: run_graph(lengths, num_beams),
        input_signature=[tf.TensorSpec([None], tf.int32)],
    )
    found = run(tf.zeros((0,), "int32"))
    assert found.ids.shape[:2] == (0, num_beams)
    assert found.score.shape == (0, num_beams)


def run_graph(lengths, num_beams):
    state = ops.zeros((tf.size(lengths) * num_beams, 1), "int32")
    return beam_search(Bigrams(0).step, state, (), lengths, 3, num_beams)


def test_never_gives_pad_or_start():
    model = Bigrams(0)
    model.logits[:, [0, START_ID]] = 300  # nothing else has a probability
    for ids in (
        run_greedy(model, [6]).ids[0, 0],
        run_beams(model, [6], 2).ids[0, 0],
    ):
        assert not {0, START_ID} & set(real_ids(ids))


def test_length_penalty_by_hand():
    np.testing.assert_allclose(
        length_penalty(np.array([1, 7, 13]), 1.0), [1, 2, 3]
    )
    np.testing.assert_allclose(length_penalty(np.array([1, 7]), 0.0), [1, 1])
