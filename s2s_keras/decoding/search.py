"""Greedy and beam search, in the graph, over any step function.

A step function takes the latest token ids `[rows]`, a state and what is
attended to (any nests of tensors `[rows, ...]`), and returns a `StepResult`.
Sentences that are done leave the batch, so that the others go on quicker.
"""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty

IMPOSSIBLE = -1e9  # the log-probability of what must not be chosen
SMALLEST = 1e-30  # the probability of what may be chosen, at least


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


class _Sentences(NamedTuple):
    """What steps look at, of the sentences that are not done."""

    places: Any  # [active], in the batch
    max_lengths: Any  # [active]
    attended: Any  # nest of [active * num_beams, ...]


class _Live(NamedTuple):
    """What steps change: the hypotheses that still grow."""

    num_ended: Any  # [active], hypotheses of a sentence that took END
    token_ids: Any  # [active * num_beams], each hypothesis's latest token
    log_probs: Any  # [active, num_beams]
    state: Any  # nest of [active * num_beams, ...]


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
    sentences, live = _start(state, attended, max_lengths, 1)
    shape = _longest(sentences), ops.shape(max_lengths)[0]
    steps = _Steps(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        log_probs=ops.zeros(shape),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, sentences, live, steps):
        result = step(live.token_ids, live.state, sentences.attended)
        log_probs, token_ids = _likeliest(
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
        return _Live(num_ended, token_ids, live.log_probs, result.state), steps

    steps = _repeat(advance, sentences, live, steps, 1)
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
        attention=_map(read_attention, steps.attention),
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
    sentences, live = _start(state, attended, max_lengths, num_beams)
    shape = _longest(sentences), ops.shape(max_lengths)[0], num_beams
    history = _History(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        parents=ops.zeros(shape, "int32"),
        end_parents=ops.zeros(shape, "int32"),
        end_score=ops.full(shape, IMPOSSIBLE, dtype="float32"),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, sentences, live, history):
        result = step(live.token_ids, live.state, sentences.attended)
        log_probs, parents, token_ids = _candidates(
            result.logits, live.log_probs, time + 1 >= sentences.max_lengths
        )
        end_score, num_ended = _find_ended(
            live.num_ended, log_probs, token_ids, time, alpha
        )
        end_parents = parents[:, :num_beams]
        log_probs, parents, token_ids = _going_on(log_probs, parents, token_ids)
        weights = _map(
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
        rows = _rows(active, parents, num_beams)
        state = _map(lambda tensor: _gather(tensor, rows), result.state)
        token_ids = ops.reshape(token_ids, (-1,))
        return _Live(num_ended, token_ids, log_probs, state), history

    history = _repeat(advance, sentences, live, history, num_beams)
    finished = _best_finished(history)
    ids, attention = _read_backwards(finished, history)
    return SearchResult(ids, finished.score, attention)


def _start(state, attended, max_lengths, num_beams):
    """All hypotheses are equal before step one: only the first may grow.

    Returns:
        `_Sentences` and `_Live`.
    """
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    log_probs = ops.where(ops.arange(num_beams) == 0, 0.0, IMPOSSIBLE)
    sentences = _Sentences(
        ops.arange(batch, dtype="int32"), max_lengths, attended
    )
    live = _Live(
        num_ended=ops.zeros((batch,), "int32"),
        token_ids=ops.full((batch * num_beams,), START_ID, dtype="int32"),
        log_probs=ops.tile(log_probs[None], (batch, 1)),
        state=state,
    )
    # The loop wants a batch whose size it need not know, as it will shrink.
    everyone = ops.nonzero(ops.ones_like(max_lengths))[0]
    return _take_sentences(sentences, live, everyone)


def _repeat(advance, sentences, live, buffers, num_wanted):
    """Takes steps until every sentence is done; gives the buffers' filled part.

    Sentences that are done leave the batch once they are a quarter of it: each
    time, what the others look at is copied.

    Args:
        advance: Function of the time, `_Sentences`, `_Live` and the buffers,
            that gives the latter two after a step.
        sentences: `_Sentences` before the first step.
        live: `_Live` before the first step.
        buffers: Nest of tensors `[max_len, ...]`.
        num_wanted: Integer. Hypotheses that end until a sentence is done.

    Returns:
        The buffers, cut to the steps that were taken.
    """
    longest = _longest(sentences)

    def unfinished(time, sentences, live, buffers):
        return ops.logical_and(time < longest, ops.size(sentences.places) > 0)

    def take_steps(time, sentences, live, buffers):
        enough = 3 * ops.size(sentences.places)

        def few_are_done(time, live, buffers):
            left = ops.cast(live.num_ended < num_wanted, "int32")
            return ops.logical_and(time < longest, 4 * ops.sum(left) > enough)

        def take_step(time, live, buffers):
            return time + 1, *advance(time, sentences, live, buffers)

        time, live, buffers = ops.while_loop(
            few_are_done, take_step, (time, live, buffers)
        )
        left = ops.nonzero(live.num_ended < num_wanted)[0]
        return time, *_take_sentences(sentences, live, left), buffers

    start = ops.zeros((), "int32"), sentences, live, buffers
    time, *_, buffers = ops.while_loop(unfinished, take_steps, start)
    time = ops.maximum(time, 1)  # an empty batch takes no step
    return _map(lambda buffer: buffer[:time], buffers)


def _take_sentences(sentences, live, index):
    """The sentences at `index` `[num_taken]`, and their hypotheses."""
    index = ops.cast(index, "int32")
    num_beams = live.log_probs.shape[1]
    rows = _rows(index, ops.arange(num_beams, dtype="int32"), num_beams)

    def take(nest, index):
        return _map(lambda tensor: _gather(tensor, index), nest)

    return (
        _Sentences(*take(sentences[:2], index), take(sentences.attended, rows)),
        _Live(
            num_ended=_gather(live.num_ended, index),
            token_ids=_gather(live.token_ids, rows),
            log_probs=_gather(live.log_probs, index),
            state=take(live.state, rows),
        ),
    )


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


def _longest(sentences):
    """The largest of their `max_lengths`, and 1 for an empty batch."""
    return ops.max(sentences.max_lengths, initial=1)


def _gather(tensor, index, batch_dims=0):
    """`ops.take` along the first axis, or along the one after `batch_dims`.

    It is one operation, where those that count negative indices from the end
    are up to twenty-five: a step of a sentence alone is made of little else.
    """
    return tf.gather(tensor, index, batch_dims=batch_dims)


def _rows(sentences, hypotheses, num_beams):
    """The flat rows of hypotheses `[..., num_beams]` of sentences `[taken]`."""
    return ops.reshape(num_beams * sentences[:, None] + hypotheses, (-1,))


def _write_step(buffers, values, time, sentences):
    """Writes `values` `[active, ...]` at `time` of buffers `[max_len, ...]`."""
    at = ops.stack([ops.full_like(sentences, time), sentences], axis=1)
    return _map(
        lambda buffer, values: ops.scatter_update(buffer, at, values),
        buffers,
        values,
    )


def allowed_log_probs(logits):
    """Log-probabilities of what may come next.

    Args:
        logits: Float tensor `[..., vocabulary_size]`.

    Returns:
        Float32 tensor `[..., vocabulary_size]`, -1e9 for PAD and START, which
        never may.
    """
    logits = ops.cast(logits, "float32")
    # LiteRT takes half the time for it that it takes for `log_softmax`.
    log_probs = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    may_come = _may_come(np.arange(logits.shape[-1]))
    return log_probs + np.where(may_come, 0, IMPOSSIBLE).astype("float32")


def _may_come(token_ids):
    """Whether tokens may come at all: PAD and START never may."""
    return (token_ids != PAD_ID) & (token_ids != START_ID)


def _likeliest(logits, must_end):
    """The likeliest token that may come next.

    Args:
        logits: Float tensor `[active, vocabulary_size]`.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Its log-probability and its id, both `[active]`.
    """
    probabilities = ops.softmax(ops.cast(logits, "float32"))
    may_come = _may_come(np.arange(logits.shape[-1])).astype("float32")
    best, token_ids = ops.top_k(probabilities * may_come, 1)
    best = ops.where(must_end, probabilities[:, END_ID], best[:, 0])
    token_ids = ops.where(must_end, END_ID, ops.cast(token_ids[:, 0], "int32"))
    return ops.log(ops.maximum(best, SMALLEST)), token_ids


def _candidates(logits, log_probs, must_end):
    """The best `2 * num_beams` continuations of each sentence.

    Twice the beam, since up to half of them may be ENDs.

    Args:
        logits: Float tensor `[active * num_beams, vocabulary_size]`.
        log_probs: Float32 tensor `[active, num_beams]`, of the hypotheses.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Log-probabilities, parents (live hypotheses) and token ids, each
        `[active, 2 * num_beams]`, best first. Those that are impossible have
        the log-probability -1e9.
    """
    num_beams, size = log_probs.shape[1], logits.shape[-1]
    logits = ops.reshape(logits, (-1, num_beams, size))
    probabilities = ops.softmax(ops.cast(logits, "float32"))
    best, index = _likeliest_of_all(
        probabilities, log_probs, must_end, 2 * num_beams
    )
    return best, index // size, index % size


def _likeliest_of_all(probabilities, log_probs, must_end, k):
    """The `k` likeliest continuations of each sentence that may come.

    It looks into blocks of neighbours, the likeliest ones, which takes less
    than half the time of looking everywhere.

    Args:
        probabilities: Float32 tensor `[active, num_beams, vocabulary_size]`.
        log_probs: Float32 tensor `[active, num_beams]`, of the hypotheses.
        must_end: Boolean tensor `[active]`, where only END may come next.
        k: Integer.

    Returns:
        Log-probabilities, -1e9 at least, and int32 indices into
        `[num_beams * vocabulary_size]`, both `[active, k]`, likeliest first.
    """
    _, num_beams, size = probabilities.shape
    widths = [i for i in range(END_ID + 1, 65) if size % i == 0]
    width = max(widths, default=size)
    num_blocks, within = size // width, np.arange(width, dtype="int32")
    blocks = ops.reshape(probabilities, (-1, num_beams, num_blocks, width))
    largest = ops.max(log_probs, axis=1, keepdims=True)
    weights = ops.exp(log_probs - largest)[..., None]
    block = _likely_blocks(ops.max(blocks, axis=-1) * weights, k)
    blocks = ops.reshape(blocks, (-1, num_beams * num_blocks, width))
    # What may come has a probability that is not 0, however unlikely it is.
    inside = ops.maximum(_gather(blocks, block, 1), SMALLEST)
    inside = inside * _gather(weights, block // num_blocks, 1)
    token_ids = (block % num_blocks)[..., None] * width + within
    allowed = ops.where(
        must_end[:, None, None], token_ids == END_ID, _may_come(token_ids)
    )
    inside = ops.where(allowed, inside, 0.0)
    inside = ops.reshape(inside, (-1, block.shape[1] * width))
    best, place = ops.top_k(inside, k)
    best = ops.maximum(ops.log(best) + largest, IMPOSSIBLE)
    block = _gather(block, place // width, 1)
    return best, block * width + ops.cast(place % width, "int32")


def _likely_blocks(maxima, k):
    """The blocks that hold the `k` likeliest tokens that may come.

    They are the first of each hypothesis, which alone has END, and tokens that
    must not come, and the `k` others with the largest maxima.

    Args:
        maxima: Float32 tensor `[active, num_beams, num_blocks]`.
        k: Integer.

    Returns:
        Int32 tensor `[active, num_beams + k]`, or of all blocks if there are
        no more, counted through the hypotheses.
    """
    _, num_beams, num_blocks = maxima.shape
    is_first = (np.arange(num_blocks) == 0).astype("float32")
    everywhere = num_beams * num_blocks
    _, block = ops.top_k(
        ops.reshape(maxima + 2 * is_first, (-1, everywhere)),
        min(num_beams + k, everywhere),
    )
    return ops.cast(block, "int32")


def _find_ended(num_ended, log_probs, token_ids, time, alpha):
    """Scores the candidates that took END, if in time.

    Only the first `num_beams` candidates count, so that a beam of one is
    greedy search; and a sentence that is done stays as it is.

    Returns:
        The scores `[active, num_beams]`, IMPOSSIBLE where there was no END,
        and how many hypotheses of each sentence have ended, `[active]`.
    """
    num_beams = log_probs.shape[1] // 2
    log_probs, token_ids = log_probs[:, :num_beams], token_ids[:, :num_beams]
    ended = ops.logical_and(token_ids == END_ID, log_probs > IMPOSSIBLE / 2)
    ended = ops.logical_and(ended, num_ended[:, None] < num_beams)
    score = log_probs / length_penalty(time + 1, alpha)
    return (
        ops.where(ended, score, IMPOSSIBLE),
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
    beam = _gather(flatten(history.end_parents), index, 1)
    return _Finished(score, index // num_beams, beam)


def _going_on(log_probs, parents, token_ids):
    """The best half of the candidates that did not take END."""
    going_on = ops.where(token_ids == END_ID, 2 * IMPOSSIBLE, log_probs)
    log_probs, index = ops.top_k(going_on, log_probs.shape[1] // 2)
    return (
        ops.maximum(log_probs, IMPOSSIBLE),
        _gather(parents, index, 1),
        _gather(token_ids, index, 1),
    )


def _read_backwards(finished, history):
    """Follows the parents from each finished hypothesis to its first token.

    Returns:
        Ids `[batch, num_beams, target_len]` and attention
        `[batch, num_beams, target_len, source_len]`, or `()`.
    """
    times = ops.arange(ops.shape(history.token_ids)[0], dtype="int32")

    def go_back(carry, time):
        beam, _ = carry  # the live hypothesis that opened step `time + 1`
        token = _gather(history.token_ids[time], beam, 1)
        parent = _gather(history.parents[time], beam, 1)
        at_end = finished.time == time
        token = ops.where(at_end, END_ID, token)
        token = ops.where(finished.time < time, PAD_ID, token)
        inside = finished.time > time
        beam = ops.where(inside, parent, finished.beam)
        return (beam, token), (beam, token)

    start = (finished.beam, ops.zeros_like(finished.beam))
    _, (beams, ids) = ops.scan(go_back, start, times, reverse=True)

    def read_attention(weights):
        weights = _gather(weights, beams, 2)
        weights = ops.where((ids != PAD_ID)[..., None], weights, 0.0)
        return ops.transpose(weights, (1, 2, 0, 3))

    return ops.transpose(ids, (1, 2, 0)), _map(
        read_attention, history.attention
    )
