"""Greedy and beam search, in the graph, over any step function.

A step function takes the latest token ids `[rows]`, a state and what is
attended to (any nests of tensors `[rows, ...]`), and returns a `StepResult`.
Sentences that are done leave the batch, so that the others go on quicker.
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
    """The hypotheses that still grow, of the sentences that are not done."""

    sentences: Any  # [active], their places in the batch
    max_lengths: Any  # [active]
    token_ids: Any  # [active, num_beams], each hypothesis's latest token
    log_probs: Any  # [active, num_beams]
    finished: Any  # beam search's _Finished of [active, num_beams]
    state: Any  # nest of [active * num_beams, ...]
    attended: Any  # nest of [active * num_beams, ...]


class _Greedy(NamedTuple):
    """What greedy search has found."""

    ids: Any  # [max_len, batch]
    log_probs: Any  # [batch]
    attention: Any  # [max_len, batch, source_len] or ()


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
    live = _first_live(state, attended, max_lengths, 1)
    batch = ops.shape(live.sentences)[0]
    longest = _longest(live.max_lengths)
    found = _Greedy(
        ids=ops.full((longest, batch), PAD_ID, dtype="int32"),
        log_probs=ops.zeros((batch,)),
        attention=_no_attention((longest, batch), source_len),
    )

    def keep(live, found):
        at = live.sentences[:, None]
        log_probs = _write(found.log_probs, at, live.log_probs[:, 0])
        return found._replace(log_probs=log_probs)

    def advance(time, live, found):
        result = step(live.token_ids[:, 0], live.state, live.attended)
        log_probs = allowed_log_probs(result.logits)
        best = ops.cast(ops.argmax(log_probs, axis=-1), "int32")
        done = _is_done(live.token_ids)
        must_end = ops.logical_or(done, time + 1 >= live.max_lengths)
        token_ids = ops.where(must_end, END_ID, best)[:, None]
        gained = ops.take_along_axis(log_probs, token_ids, axis=1)
        at = _at(time, live.sentences)
        found = found._replace(
            ids=_write(found.ids, at, ops.where(done, PAD_ID, token_ids[:, 0])),
            attention=_map(
                lambda buffer, weights: _write(
                    buffer, at, ops.where(done[:, None], 0.0, weights)
                ),
                found.attention,
                result.attention,
            ),
        )
        live = live._replace(
            token_ids=token_ids,
            log_probs=live.log_probs + ops.where(done[:, None], 0.0, gained),
            state=_like(result.state, live.state),
        )
        return time + 1, *_leave(live, found, _is_done(live.token_ids), keep)

    time, live, found = _repeat(advance, live, found, longest)
    found = keep(live, found)
    ids = ops.transpose(found.ids[:time])
    lengths = ops.sum(ids != PAD_ID, axis=-1)
    score = found.log_probs / length_penalty(lengths, alpha)
    return SearchResult(
        ids=ids[:, None],
        score=score[:, None],
        attention=_map(
            lambda tensor: ops.swapaxes(tensor[:time], 0, 1)[:, None],
            found.attention,
        ),
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
    live = _first_live(state, attended, max_lengths, num_beams)
    batch = ops.shape(live.sentences)[0]
    longest = _longest(live.max_lengths)

    def keep(live, found):
        finished, history = found
        at = live.sentences[:, None]
        finished = _map(
            lambda buffer, values: _write(buffer, at, values),
            finished,
            live.finished,
        )
        return finished, history

    def advance(time, live, found):
        finished, history = found
        result = step(
            ops.reshape(live.token_ids, (-1,)), live.state, live.attended
        )
        log_probs, parents, token_ids = _candidates(
            result.logits, live.log_probs, time + 1 >= live.max_lengths
        )
        ended = _collect_finished(
            live.finished, log_probs, parents, token_ids, time, alpha
        )
        live, parents = _select_live(
            result.state, live, log_probs, parents, token_ids
        )
        weights = _map(
            lambda weights: ops.reshape(weights, (-1, num_beams, source_len)),
            result.attention,
        )
        at = _at(time, live.sentences)
        history = _map(
            lambda buffer, values: _write(buffer, at, values),
            history,
            _History(live.token_ids, parents, weights),
        )
        live = live._replace(finished=ended)
        found = finished, history
        return time + 1, *_leave(live, found, _is_full(ended), keep)

    found = (
        _no_finished(batch, num_beams),
        _no_history(longest, batch, num_beams, source_len),
    )
    time, live, found = _repeat(advance, live, found, longest)
    finished, history = keep(live, found)
    time = ops.maximum(time, 1)  # an empty batch takes no step
    history = _map(lambda tensor: tensor[:time], history)
    ids, attention = _read_backwards(finished, history)
    return SearchResult(ids, finished.score, attention)


def _repeat(advance, live, found, longest):
    """Takes steps until every sentence is done."""

    def unfinished(time, live, found):
        return ops.logical_and(time < longest, ops.size(live.sentences) > 0)

    return ops.while_loop(
        unfinished, advance, (ops.zeros((), "int32"), live, found)
    )


def _leave(live, found, done, keep):
    """Takes the sentences that are done out of the batch, once they are many.

    Args:
        live: `_Live`.
        found: What is known of all sentences of the batch.
        done: Boolean tensor `[active]`. None is taken out before a quarter
            is done: each time, what the others look at is copied.
        keep: Function from `live` and `found` to `found`, which writes down
            what is known of the live sentences.

    Returns:
        A tuple of `live` and `found`.
    """
    num_left = ops.sum(ops.cast(~done, "int32"))
    return ops.cond(
        4 * num_left <= 3 * ops.size(done),
        lambda: (
            _take_sentences(live, ops.nonzero(~done)[0]),
            keep(live, found),
        ),
        lambda: (live, found),
    )


def _take_sentences(live, index):
    """The sentences of `_Live` at `index` `[num_taken]`."""
    index = ops.cast(index, "int32")
    num_beams = live.token_ids.shape[1]
    rows = num_beams * index[:, None] + ops.arange(num_beams, dtype="int32")
    rows = ops.reshape(rows, (-1,))

    def take(index):
        return lambda tensor: ops.take(tensor, index, axis=0)

    sentences = _map(take(index), tuple(live[:-2]))
    return _Live(*sentences, *_map(take(rows), tuple(live[-2:])))


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


def _at(time, sentences):
    """The indices `[active, 2]` of sentences at `time` of a buffer."""
    return ops.stack([ops.full_like(sentences, time), sentences], axis=1)


def _write(buffer, index, values):
    """Writes `values` `[active, ...]` at `index` `[active, n]` of a buffer."""
    return ops.scatter_update(buffer, index, values)


def allowed_log_probs(logits):
    """Log-probabilities of what may come next.

    Args:
        logits: Float tensor `[..., vocabulary_size]`.

    Returns:
        Float32 tensor `[..., vocabulary_size]`, -1e9 for PAD and START, which
        never may.
    """
    token_ids = ops.arange(logits.shape[-1])
    never = ops.logical_or(token_ids == PAD_ID, token_ids == START_ID)
    log_probs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return log_probs + ops.where(never, IMPOSSIBLE, 0.0)


def _first_live(state, attended, max_lengths, num_beams):
    """All hypotheses are equal before step one: only the first may grow."""
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    log_probs = ops.where(ops.arange(num_beams) == 0, 0.0, IMPOSSIBLE)
    live = _Live(
        sentences=ops.arange(batch, dtype="int32"),
        max_lengths=max_lengths,
        token_ids=ops.full((batch, num_beams), START_ID, dtype="int32"),
        log_probs=ops.tile(log_probs[None], (batch, 1)),
        finished=_no_finished(batch, num_beams),
        state=state,
        attended=attended,
    )
    # The loop wants a batch whose size it need not know, as it will shrink.
    return _take_sentences(live, ops.nonzero(ops.ones_like(max_lengths))[0])


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


def _candidates(logits, log_probs, must_end):
    """The best `2 * num_beams` continuations of each sentence.

    Twice the beam, since up to half of them may be ENDs.

    Args:
        logits: Float tensor `[active * num_beams, vocabulary_size]`.
        log_probs: Float32 tensor `[active, num_beams]`, of the hypotheses.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Log-probabilities, parents (live hypotheses) and token ids, each
        `[active, 2 * num_beams]`, best first.
    """
    num_beams = log_probs.shape[1]
    logits = ops.cast(logits, "float32")
    # Two more than are asked for, as PAD and START may be among them.
    width = min(2 * num_beams + 2, logits.shape[-1])
    best, token_ids = _top_k(logits, width)
    allowed = ops.logical_and(token_ids != PAD_ID, token_ids != START_ID)
    must_end = ops.repeat(must_end, num_beams)[:, None]
    allowed = ops.where(must_end, ops.arange(width) == 0, allowed)
    token_ids = ops.where(must_end, END_ID, token_ids)
    best = ops.where(must_end, logits[:, END_ID, None], best)
    best = best - ops.logsumexp(logits, axis=-1, keepdims=True)
    best = ops.where(allowed, best, IMPOSSIBLE)
    best = log_probs[..., None] + ops.reshape(best, (-1, num_beams, width))
    best, index = ops.top_k(
        ops.reshape(best, (-1, num_beams * width)), 2 * num_beams
    )
    index = ops.cast(index, "int32")
    token_ids = ops.reshape(token_ids, (-1, num_beams * width))
    token_ids = ops.take_along_axis(token_ids, index, axis=1)
    return best, index // width, token_ids


def _top_k(x, k):
    """The `k` largest of each row, of those that are equal the first.

    In long rows it looks only into the blocks of neighbours with the `k`
    largest maxima, which takes less than half the time of looking everywhere.

    Args:
        x: Float tensor `[rows, size]`.
        k: Integer.

    Returns:
        Values and int32 indices, both `[rows, k]`, largest first.
    """
    size = x.shape[-1]
    width = max(i for i in range(1, 65) if size % i == 0)
    num_blocks = size // width
    if size < 4096 or num_blocks <= k:
        best, index = ops.top_k(x, k)
        return best, ops.cast(index, "int32")
    blocks = ops.reshape(x, (-1, num_blocks, width))
    _, block = ops.top_k(ops.max(blocks, axis=-1), k)
    block = ops.sort(ops.cast(block, "int32"), axis=-1)
    first = num_blocks * ops.arange(ops.shape(x)[0], dtype="int32")
    inside = ops.take(
        ops.reshape(x, (-1, width)), first[:, None] + block, axis=0
    )
    best, index = ops.top_k(ops.reshape(inside, (-1, k * width)), k)
    index = ops.cast(index, "int32")
    block = ops.take_along_axis(block, index // width, axis=1)
    return best, block * width + index % width


def _collect_finished(finished, log_probs, parents, token_ids, time, alpha):
    """Adds the candidates that took END to the finished ones, if in time.

    Only the first `num_beams` candidates count, so that a beam of one is
    greedy search; and a sentence that is done stays as it is.
    """
    num_beams = ops.shape(finished.score)[1]
    done = _is_full(finished)[:, None]
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


def _is_full(finished):
    """Which sentences `[active]` have all hypotheses that are asked for."""
    return ops.all(finished.score > IMPOSSIBLE / 2, axis=-1)


def _is_done(token_ids):
    """Which sentences `[active]` took END, of greedy search's latest ids."""
    return token_ids[:, 0] == END_ID


def _select_live(state, live, log_probs, parents, token_ids):
    """The best `num_beams` candidates that go on, and their parents."""
    num_active, num_beams = ops.shape(live.log_probs)
    going_on = ops.where(token_ids == END_ID, 2 * IMPOSSIBLE, log_probs)
    log_probs, index = ops.top_k(going_on, num_beams)
    parents = ops.take_along_axis(parents, index, axis=1)
    token_ids = ops.take_along_axis(token_ids, index, axis=1)
    rows = ops.reshape(
        parents + num_beams * ops.arange(num_active, dtype="int32")[:, None],
        (-1,),
    )
    state = _map(lambda tensor: ops.take(tensor, rows, axis=0), state)
    log_probs = ops.maximum(log_probs, IMPOSSIBLE)
    live = live._replace(
        token_ids=token_ids,
        log_probs=log_probs,
        state=_like(state, live.state),
    )
    return live, parents


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
