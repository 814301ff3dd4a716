"""Greedy and beam search, in the graph, over any step function.

A step function takes the latest token ids `[rows]` and a state (any nest of
tensors `[rows, ...]`), and returns a `StepResult`.
"""

from typing import Any
from typing import NamedTuple

import keras
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty

IMPOSSIBLE = -1e9  # the log-probability of what must not be chosen


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
            ids, divided by their length penalty.
        attention: Float32 tensor `[batch, num_beams, target_len, source_len]`,
            a row for every token, END included, and zeros behind it. `()`
            where the steps gave none.
    """

    ids: Any
    score: Any
    attention: Any


class _Live(NamedTuple):
    """The hypotheses that still grow."""

    token_ids: Any  # [batch, num_beams], each hypothesis's latest token
    log_probs: Any  # [batch, num_beams]
    state: Any  # nest of [rows, ...]


class _Finished(NamedTuple):
    """The hypotheses that closed with END, best first."""

    score: Any  # [batch, num_beams]
    time: Any  # [batch, num_beams], the step that gave END
    beam: Any  # [batch, num_beams], the live hypothesis END was added to


class _History(NamedTuple):
    """Every step's choices, from which hypotheses are read backwards."""

    token_ids: Any  # [max_len, batch, num_beams]
    parents: Any  # [max_len, batch, num_beams]
    attention: Any  # [max_len, batch, num_beams, source_len] or ()


def greedy_search(step, state, max_lengths, source_len=None, alpha=1.0):
    """Follows the likeliest token at every step.

    Args:
        step: Function from token ids `[batch]` and a state to `StepResult`.
        state: The state before the first step.
        max_lengths: Integer tensor `[batch]`. Each sentence gets END as its
            `max_lengths`-th token at the latest.
        source_len: Integer. Width of the attention that `step` returns, or
            `None` where it returns none.
        alpha: Float. Strength of the length penalty in the score.

    Returns:
        A `SearchResult` with one hypothesis a sentence.
    """
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    longest = _longest(max_lengths)
    ids = ops.full((longest, batch), PAD_ID, dtype="int32")
    attention = _no_attention((longest, batch), source_len)

    def unfinished(time, done, *_):
        return ops.logical_and(time < longest, ops.any(~done))

    def advance(time, done, token_ids, log_probs, state, ids, attention):
        result = step(token_ids, state)
        scores = allowed_log_probs(result.logits, time + 1 >= max_lengths)
        best = ops.cast(ops.argmax(scores, axis=-1), "int32")
        gained = ops.max(scores, axis=-1)
        token_ids = ops.where(done, PAD_ID, best)
        log_probs = log_probs + ops.where(done, 0.0, gained)
        weights = _map(
            lambda weights: ops.where(done[:, None], 0.0, weights),
            result.attention,
        )
        return (
            time + 1,
            ops.logical_or(done, best == END_ID),
            token_ids,
            log_probs,
            _like(result.state, state),
            _write(ids, time, token_ids),
            _map(
                lambda buffer, weights: _write(buffer, time, weights),
                attention,
                weights,
            ),
        )

    time, _, _, log_probs, _, ids, attention = ops.while_loop(
        unfinished,
        advance,
        (
            ops.zeros((), "int32"),
            ops.zeros((batch,), "bool"),
            ops.full((batch,), START_ID, dtype="int32"),
            ops.zeros((batch,)),
            state,
            ids,
            attention,
        ),
    )
    ids = ops.transpose(ids[:time])
    lengths = ops.sum(ids != PAD_ID, axis=-1)
    return SearchResult(
        ids=ids[:, None],
        score=(log_probs / length_penalty(lengths, alpha))[:, None],
        attention=_map(
            lambda tensor: ops.swapaxes(tensor[:time], 0, 1)[:, None],
            attention,
        ),
    )


def beam_search(
    step, state, max_lengths, source_len=None, num_beams=5, alpha=1.0
):
    """Keeps the `num_beams` likeliest hypotheses at every step.

    A hypothesis that takes END leaves the beam, and its place goes to the
    next best one. A sentence is done once `num_beams` hypotheses have ended;
    what ranks them is their log-probability divided by the length penalty.

    Args:
        step: Function from token ids `[batch * num_beams]` and a state to
            `StepResult`.
        state: The state before the first step, a nest of tensors
            `[batch * num_beams, ...]`: see `repeat_for_beams`.
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
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    longest = _longest(max_lengths)

    def unfinished(time, live, finished, history):
        done = ops.all(finished.score > IMPOSSIBLE / 2, axis=-1)
        return ops.logical_and(time < longest, ops.any(~done))

    def advance(time, live, finished, history):
        result = step(ops.reshape(live.token_ids, (-1,)), live.state)
        log_probs, parents, token_ids = _candidates(
            result.logits, live, time + 1 >= max_lengths
        )
        finished = _collect_finished(
            finished, log_probs, parents, token_ids, time, alpha
        )
        live, parents = _select_live(
            result.state, live, log_probs, parents, token_ids
        )
        weights = _map(
            lambda weights: ops.reshape(
                weights, (batch, num_beams, source_len)
            ),
            result.attention,
        )
        history = _History(
            _write(history.token_ids, time, live.token_ids),
            _write(history.parents, time, parents),
            _map(
                lambda buffer, weights: _write(buffer, time, weights),
                history.attention,
                weights,
            ),
        )
        return time + 1, live, finished, history

    time, _, finished, history = ops.while_loop(
        unfinished,
        advance,
        (
            ops.zeros((), "int32"),
            _first_live(state, batch, num_beams),
            _no_finished(batch, num_beams),
            _no_history(longest, batch, num_beams, source_len),
        ),
    )
    time = ops.maximum(time, 1)  # an empty batch takes no step
    history = _map(lambda tensor: tensor[:time], history)
    ids, attention = _read_backwards(finished, history)
    return SearchResult(ids, finished.score, attention)


def repeat_for_beams(tensors, num_beams):
    """Repeats each row of a nest of tensors `num_beams` times.

    Args:
        tensors: Nest of tensors `[batch, ...]`.
        num_beams: Integer. Width of the beam.

    Returns:
        The nest with tensors `[batch * num_beams, ...]`.
    """
    return _map(lambda tensor: ops.repeat(tensor, num_beams, axis=0), tensors)


def _map(function, *tensors):
    """Applies `function` to every tensor of a nest, to none of `()`."""
    return keras.tree.map_structure(function, *tensors)


def _no_attention(shape, source_len):
    """Zeros `[*shape, source_len]`, or `()` where there is no attention."""
    return () if source_len is None else ops.zeros((*shape, source_len))


def _longest(max_lengths):
    """The largest of `max_lengths`, and 1 for an empty batch."""
    return ops.max(max_lengths, initial=1)


def _like(tensors, templates):
    """Gives `tensors` the static shapes of `templates`, as loops want them."""
    return _map(
        lambda tensor, template: ops.reshape(
            tensor, [-1, *ops.shape(template)[1:]]
        ),
        tensors,
        templates,
    )


def _write(buffer, time, values):
    """Writes `values` `[...]` at `time` of a buffer `[max_len, ...]`."""
    return ops.scatter_update(buffer, [[time]], values[None])


def allowed_log_probs(logits, must_end):
    """Log-probabilities of what may come next.

    PAD and START never may.

    Args:
        logits: Float tensor `[..., vocabulary_size]`.
        must_end: Boolean tensor `[...]`, where only END may.

    Returns:
        Float32 tensor `[..., vocabulary_size]`.
    """
    log_probs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    token_ids = ops.arange(ops.shape(logits)[-1])
    never = ops.logical_or(token_ids == PAD_ID, token_ids == START_ID)
    not_end = ops.logical_and(must_end[..., None], token_ids != END_ID)
    return ops.where(ops.logical_or(never, not_end), IMPOSSIBLE, log_probs)


def _first_live(state, batch, num_beams):
    """All hypotheses are equal before step one: only the first may grow."""
    log_probs = ops.where(ops.arange(num_beams) == 0, 0.0, IMPOSSIBLE)
    return _Live(
        token_ids=ops.full((batch, num_beams), START_ID, dtype="int32"),
        log_probs=ops.tile(log_probs[None], (batch, 1)),
        state=state,
    )


def _no_finished(batch, num_beams):
    return _Finished(
        score=ops.full((batch, num_beams), IMPOSSIBLE, dtype="float32"),
        time=ops.zeros((batch, num_beams), "int32"),
        beam=ops.zeros((batch, num_beams), "int32"),
    )


def _no_history(longest, batch, num_beams, source_len):
    shape = (longest, batch, num_beams)
    return _History(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        parents=ops.zeros(shape, "int32"),
        attention=_no_attention(shape, source_len),
    )


def _candidates(logits, live, must_end):
    """The best `2 * num_beams` continuations of each sentence.

    Twice the beam, since up to half of them may be ENDs.

    Returns:
        Log-probabilities, parents (live hypotheses) and token ids, each
        `[batch, 2 * num_beams]`, best first.
    """
    num_beams = ops.shape(live.log_probs)[1]
    vocabulary_size = ops.shape(logits)[-1]
    logits = ops.reshape(logits, (-1, num_beams, vocabulary_size))
    log_probs = live.log_probs[..., None] + allowed_log_probs(
        logits, must_end[:, None]
    )
    flat = ops.reshape(log_probs, (-1, num_beams * vocabulary_size))
    best, index = ops.top_k(flat, 2 * num_beams)
    index = ops.cast(index, "int32")
    return best, index // vocabulary_size, index % vocabulary_size


def _collect_finished(finished, log_probs, parents, token_ids, time, alpha):
    """Adds the candidates that took END to the finished ones, if in time.

    Only the first `num_beams` candidates count, so that a beam of one is
    greedy search; and a sentence that is done stays as it is.
    """
    num_beams = ops.shape(finished.score)[1]
    done = ops.all(finished.score > IMPOSSIBLE / 2, axis=-1, keepdims=True)
    ended = ops.logical_and(token_ids == END_ID, log_probs > IMPOSSIBLE / 2)
    ended = ops.logical_and(ended, ~done)[:, :num_beams]
    score = log_probs[:, :num_beams] / length_penalty(time + 1, alpha)
    score = ops.where(ended, score, IMPOSSIBLE)
    pool = _Finished(
        score=ops.concatenate([finished.score, score], axis=1),
        time=ops.concatenate(
            [finished.time, ops.full_like(finished.time, time)], axis=1
        ),
        beam=ops.concatenate([finished.beam, parents[:, :num_beams]], axis=1),
    )
    _, index = ops.top_k(pool.score, num_beams)
    return _map(lambda tensor: ops.take_along_axis(tensor, index, axis=1), pool)


def _select_live(state, live, log_probs, parents, token_ids):
    """The best `num_beams` candidates that go on, and their parents."""
    batch, num_beams = ops.shape(live.log_probs)
    going_on = ops.where(token_ids == END_ID, 2 * IMPOSSIBLE, log_probs)
    log_probs, index = ops.top_k(going_on, num_beams)
    parents = ops.take_along_axis(parents, index, axis=1)
    token_ids = ops.take_along_axis(token_ids, index, axis=1)
    rows = ops.reshape(
        parents + num_beams * ops.arange(batch, dtype="int32")[:, None], (-1,)
    )
    state = _map(lambda tensor: ops.take(tensor, rows, axis=0), state)
    log_probs = ops.maximum(log_probs, IMPOSSIBLE)
    return _Live(token_ids, log_probs, _like(state, live.state)), parents


def _read_backwards(finished, history):
    """Follows the parents from each finished hypothesis to its first token.

    Returns:
        Ids `[batch, num_beams, target_len]` and attention
        `[batch, num_beams, target_len, source_len]`, or `()`.
    """
    times = ops.arange(ops.shape(history.token_ids)[0], dtype="int32")

    def go_back(carry, time):
        beam, _ = carry  # the live hypothesis that opened step `time + 1`
        token = ops.take_along_axis(history.token_ids[time], beam, axis=1)
        parent = ops.take_along_axis(history.parents[time], beam, axis=1)
        at_end = finished.time == time
        token = ops.where(at_end, END_ID, token)
        token = ops.where(finished.time < time, PAD_ID, token)
        inside = finished.time > time
        beam = ops.where(inside, parent, finished.beam)
        return (beam, token), (beam, token)

    start = (finished.beam, ops.zeros_like(finished.beam))
    _, (beams, ids) = ops.scan(go_back, start, times, reverse=True)

    def read_attention(weights):
        weights = ops.take_along_axis(weights, beams[..., None], axis=2)
        weights = ops.where((ids != PAD_ID)[..., None], weights, 0.0)
        return ops.transpose(weights, (1, 2, 0, 3))

    return ops.transpose(ids, (1, 2, 0)), _map(
        read_attention, history.attention
    )
