"""Greedy and beam search, in the graph, over any step function.

A step function takes the latest token ids `[rows]`, a state and what is
attended to (any nests of tensors `[rows, ...]`), and returns a `StepResult`.
"""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.decoding.candidates import IMPOSSIBLE
from s2s_keras.decoding.candidates import best_ended
from s2s_keras.decoding.candidates import best_going_on
from s2s_keras.decoding.candidates import gather
from s2s_keras.decoding.candidates import likeliest_continuations
from s2s_keras.decoding.candidates import likeliest_token
from s2s_keras.decoding.hypotheses import Live
from s2s_keras.decoding.hypotheses import longest
from s2s_keras.decoding.hypotheses import repeat_step
from s2s_keras.decoding.hypotheses import rows_of
from s2s_keras.decoding.hypotheses import start_search
from s2s_keras.decoding.penalties import length_penalty


class StepResult(NamedTuple):
    """What a step function returns.

    Attributes:
        logits: Float tensor `[rows, vocabulary_size]`.
        state: The state after the step.
        attention: Float tensor `[rows, source_len]`, or `()` where there is
            none.
    """

    logits: Any
    state: Any
    attention: Any


class SearchResult(NamedTuple):
    """Translations as ids.

    Attributes:
        ids: Integer tensor `[batch, num_beams, target_len]`. Every row closes
            with END, then PAD. The best hypothesis comes first.
        score: Float32 tensor `[batch, num_beams]`: the log-probability of the
            ids, divided by their length penalty; -1e9 where so few tokens are
            allowed that there are fewer hypotheses than beams.
        attention: Float32 tensor `[batch, num_beams, target_len, source_len]`,
            a row for every token, END included, and zeros behind it. `()`
            where the steps gave none.
    """

    ids: Any
    score: Any
    attention: Any


class _Steps(NamedTuple):
    """What greedy search chose at every step, and goes on to after END."""

    token_ids: Any  # [max_len, batch]
    log_probs: Any  # [max_len, batch]
    attention: Any  # [max_len, batch, source_len] or ()


class _History(NamedTuple):
    """Every step's choices, from which hypotheses are read backwards."""

    token_ids: Any  # [max_len, batch, num_beams]
    parents: Any  # [max_len, batch, num_beams]
    end_parents: Any  # [max_len, batch, num_beams], what END was added to
    end_score: Any  # [max_len, batch, num_beams], IMPOSSIBLE where none was
    attention: Any  # [max_len, batch, num_beams, source_len] or ()


class _Finished(NamedTuple):
    """The hypotheses that closed with END, best first."""

    score: Any  # [batch, num_beams]
    time: Any  # [batch, num_beams], the step that gave END
    beam: Any  # [batch, num_beams], the live hypothesis END was added to


def greedy_search(
    step, state, attended, max_lengths, source_len=None, alpha=1.0
):
    """Follows the likeliest token at every step.

    Args:
        step: Function from token ids `[rows]`, a state and what is attended
            to, to `StepResult`.
        state: The state before the first step, a nest of tensors
            `[batch, ...]`.
        attended: What every step looks at, a nest of tensors `[batch, ...]`.
        max_lengths: Integer tensor `[batch]`. Each sentence gets END as its
            `max_lengths`-th token at the latest.
        source_len: Integer. Width of the attention that `step` returns, or
            `None` where it returns none.
        alpha: Float. Strength of the length penalty in the score.

    Returns:
        A `SearchResult` with one hypothesis a sentence.
    """
    sentences, live = start_search(state, attended, max_lengths, 1)
    shape = longest(sentences), ops.shape(max_lengths)[0]
    steps = _Steps(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        log_probs=ops.zeros(shape, "float32"),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, sentences, live, steps):
        result = step(live.token_ids, live.state, sentences.attended)
        log_probs, token_ids = likeliest_token(
            result.logits, time + 1 >= sentences.max_lengths
        )
        steps = _write_step(
            steps,
            _Steps(token_ids, log_probs, result.attention),
            time,
            sentences.places,
        )
        ended = ops.cast(token_ids == END_ID, "int32")
        num_ended = ops.maximum(live.num_ended, ended)
        return Live(num_ended, token_ids, live.log_probs, result.state), steps

    steps = repeat_step(advance, sentences, live, steps, 1)
    ids = ops.transpose(steps.token_ids)
    ended = ops.cast(ids == END_ID, "int32")
    real = ops.cumsum(ended, axis=1) - ended == 0
    lengths = ops.sum(ops.cast(real, "int32"), axis=1)
    log_probs = ops.where(real, ops.transpose(steps.log_probs), 0.0)
    score = ops.sum(log_probs, axis=1) / length_penalty(lengths, alpha)

    def read_attention(weights):
        weights = ops.swapaxes(weights, 0, 1)
        return ops.where(real[..., None], weights, 0.0)[:, None]

    return SearchResult(
        ids=ops.where(real, ids, PAD_ID)[:, None],
        score=score[:, None],
        attention=keras.tree.map_structure(read_attention, steps.attention),
    )


def beam_search(
    step, state, attended, max_lengths, source_len=None, num_beams=5, alpha=1.0
):
    """Keeps the `num_beams` likeliest hypotheses at every step.

    A hypothesis that takes END leaves the beam, and its place goes to the
    next best one. A sentence is done once `num_beams` hypotheses have ended;
    what ranks them is their log-probability divided by the length penalty.

    Args:
        step: Function from token ids `[rows]`, a state and what is attended
            to, to `StepResult`.
        state: The state before the first step, a nest of tensors
            `[batch * num_beams, ...]`: see `repeat_for_beams`.
        attended: What every step looks at, a nest of tensors
            `[batch * num_beams, ...]`.
        max_lengths: Integer tensor `[batch]`. Each hypothesis gets END as its
            `max_lengths`-th token at the latest.
        source_len: Integer. Width of the attention that `step` returns, or
            `None` where it returns none.
        num_beams: Integer. Width of the beam.
        alpha: Float. Strength of the length penalty.

    Returns:
        A `SearchResult`.

    Reference:
        [Sutskever et al., 2014](https://arxiv.org/abs/1409.3215), Section 3.2,
        with the penalty of [Wu et al., 2016](https://arxiv.org/abs/1609.08144).
    """
    sentences, live = start_search(state, attended, max_lengths, num_beams)
    shape = longest(sentences), ops.shape(max_lengths)[0], num_beams
    history = _History(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        parents=ops.zeros(shape, "int32"),
        end_parents=ops.zeros(shape, "int32"),
        end_score=ops.full(shape, IMPOSSIBLE, dtype="float32"),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, sentences, live, history):
        result = step(live.token_ids, live.state, sentences.attended)
        found = likeliest_continuations(
            result.logits, live.log_probs, time + 1 >= sentences.max_lengths
        )
        end_score, end_parents, num_ended = _find_ended(
            live.num_ended, found, time, alpha
        )
        log_probs, parents, token_ids = best_going_on(*found)
        weights = keras.tree.map_structure(
            lambda weights: ops.reshape(weights, (-1, num_beams, source_len)),
            result.attention,
        )
        history = _write_step(
            history,
            _History(token_ids, parents, end_parents, end_score, weights),
            time,
            sentences.places,
        )
        active = ops.arange(ops.shape(parents)[0], dtype="int32")
        rows = rows_of(active, parents, num_beams)
        state = keras.tree.map_structure(
            lambda tensor: gather(tensor, rows), result.state
        )
        token_ids = ops.reshape(token_ids, (-1,))
        return Live(num_ended, token_ids, log_probs, state), history

    history = repeat_step(advance, sentences, live, history, num_beams)
    finished = _best_finished(history)
    ids, attention = _read_backwards(finished, history)
    return SearchResult(ids, finished.score, attention)


def _no_attention(shape, source_len):
    """Zeros `[*shape, source_len]`, or `()` where there is no attention."""
    if source_len is None:
        return ()
    return ops.zeros((*shape, source_len), "float32")


def _write_step(buffers, values, time, sentences):
    """Writes `values` `[active, ...]` at `time` of buffers `[max_len, ...]`."""
    at = ops.stack([ops.full_like(sentences, time), sentences], axis=1)
    return keras.tree.map_structure(
        lambda buffer, values: ops.scatter_update(buffer, at, values),
        buffers,
        values,
    )


def _find_ended(num_ended, found, time, alpha):
    """Scores the hypotheses that ended; a sentence that is done stays as it is.

    Returns:
        The scores, IMPOSSIBLE where there was no END, and the parents, both
        `[active, num_beams]`; and how many hypotheses of each sentence have
        ended, `[active]`.
    """
    ended, log_probs, parents = best_ended(*found)
    ended = ops.logical_and(ended, num_ended[:, None] < parents.shape[1])
    score = log_probs / length_penalty(time + 1, alpha)
    return (
        ops.where(ended, score, IMPOSSIBLE),
        parents,
        num_ended + ops.sum(ops.cast(ended, "int32"), axis=1),
    )


def _best_finished(history):
    """The best `num_beams` hypotheses of each sentence that took END."""
    num_steps, _, num_beams = ops.shape(history.end_score)

    def flatten(tensor):
        tensor = ops.transpose(tensor, (1, 0, 2))
        return ops.reshape(tensor, (-1, num_steps * num_beams))

    score, index = ops.top_k(flatten(history.end_score), num_beams)
    found = score > IMPOSSIBLE / 2
    index = ops.where(found, ops.cast(index, "int32"), 0)
    beam = gather(flatten(history.end_parents), index, 1)
    return _Finished(score, index // num_beams, beam)


def _read_backwards(finished, history):
    """Follows the parents from each finished hypothesis to its first token.

    Returns:
        Ids `[batch, num_beams, target_len]` and attention
        `[batch, num_beams, target_len, source_len]`, or `()`.
    """
    times = ops.arange(ops.shape(history.token_ids)[0], dtype="int32")

    def go_back(carry, time):
        beam, _ = carry  # the live hypothesis that opened step `time + 1`
        token = gather(history.token_ids[time], beam, 1)
        parent = gather(history.parents[time], beam, 1)
        at_end = finished.time == time
        token = ops.where(at_end, END_ID, token)
        token = ops.where(finished.time < time, PAD_ID, token)
        inside = finished.time > time
        beam = ops.where(inside, parent, finished.beam)
        return (beam, token), (beam, token)

    start = (finished.beam, ops.zeros_like(finished.beam))
    _, (beams, ids) = ops.scan(go_back, start, times, reverse=True)

    def read_attention(weights):
        weights = gather(weights, beams, 2)
        weights = ops.where((ids != PAD_ID)[..., None], weights, 0.0)
        return ops.transpose(weights, (1, 2, 0, 3))

    return ops.transpose(ids, (1, 2, 0)), keras.tree.map_structure(
        read_attention, history.attention
    )
