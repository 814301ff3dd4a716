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
SMALLEST = 1e-37  # probabilities have a logarithm from here on


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
    num_ended: Any  # [active], hypotheses that took END
    token_ids: Any  # [active, num_beams], each hypothesis's latest token
    log_probs: Any  # [active, num_beams]
    state: Any  # nest of [active * num_beams, ...]
    attended: Any  # nest of [active * num_beams, ...]


class _Steps(NamedTuple):
    """What greedy search chose at every step."""

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
    live = _first_live(state, attended, max_lengths, 1)
    shape = _longest(live.max_lengths), ops.shape(live.sentences)[0]
    steps = _Steps(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        log_probs=ops.zeros(shape),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, live, steps):
        result = step(live.token_ids[:, 0], live.state, live.attended)
        log_probs, token_ids = _likeliest(
            result.logits, time + 1 >= live.max_lengths
        )
        done = live.num_ended > 0
        steps = _write_step(
            steps,
            _Steps(
                ops.where(done, PAD_ID, token_ids),
                ops.where(done, 0.0, log_probs),
                _map(
                    lambda weights: ops.where(done[:, None], 0.0, weights),
                    result.attention,
                ),
            ),
            time,
            live.sentences,
        )
        ended = ops.logical_or(done, token_ids == END_ID)
        live = live._replace(
            num_ended=ops.cast(ended, "int32"),
            token_ids=token_ids[:, None],
            state=_like(result.state, live.state),
        )
        return time + 1, _leave(live, ended), steps

    steps = _repeat(advance, live, steps)
    ids = ops.transpose(steps.token_ids)
    lengths = ops.sum(ids != PAD_ID, axis=-1)
    score = ops.sum(steps.log_probs, axis=0) / length_penalty(lengths, alpha)
    return SearchResult(
        ids=ids[:, None],
        score=score[:, None],
        attention=_map(
            lambda weights: ops.swapaxes(weights, 0, 1)[:, None],
            steps.attention,
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
    shape = (
        *(_longest(live.max_lengths), ops.shape(live.sentences)[0]),
        num_beams,
    )
    history = _History(
        token_ids=ops.full(shape, PAD_ID, dtype="int32"),
        parents=ops.zeros(shape, "int32"),
        end_parents=ops.zeros(shape, "int32"),
        end_score=ops.full(shape, IMPOSSIBLE, dtype="float32"),
        attention=_no_attention(shape, source_len),
    )

    def advance(time, live, history):
        result = step(
            ops.reshape(live.token_ids, (-1,)), live.state, live.attended
        )
        log_probs, parents, token_ids = _candidates(
            result.logits, live.log_probs, time + 1 >= live.max_lengths
        )
        end_score, num_ended = _find_ended(
            live.num_ended, log_probs, token_ids, time, alpha
        )
        end_parents = parents[:, :num_beams]
        live, parents = _select_live(
            result.state, live, log_probs, parents, token_ids
        )
        weights = _map(
            lambda weights: ops.reshape(weights, (-1, num_beams, source_len)),
            result.attention,
        )
        history = _write_step(
            history,
            _History(live.token_ids, parents, end_parents, end_score, weights),
            time,
            live.sentences,
        )
        live = live._replace(num_ended=num_ended)
        return time + 1, _leave(live, num_ended >= num_beams), history

    history = _repeat(advance, live, history)
    finished = _best_finished(history)
    ids, attention = _read_backwards(finished, history)
    return SearchResult(ids, finished.score, attention)


def _repeat(advance, live, buffers):
    """Takes steps until every sentence is done; gives the buffers' filled part.

    Args:
        advance: Function of the time, `_Live` and the buffers.
        live: `_Live` before the first step.
        buffers: Nest of tensors `[max_len, ...]`.

    Returns:
        The buffers, cut to the steps that were taken.
    """
    longest = _longest(live.max_lengths)

    def unfinished(time, live, buffers):
        return ops.logical_and(time < longest, ops.size(live.sentences) > 0)

    time, _, buffers = ops.while_loop(
        unfinished, advance, (ops.zeros((), "int32"), live, buffers)
    )
    time = ops.maximum(time, 1)  # an empty batch takes no step
    return _map(lambda buffer: buffer[:time], buffers)


def _leave(live, done):
    """Takes the sentences that are done out of the batch, once they are many.

    Args:
        live: `_Live`.
        done: Boolean tensor `[active]`. None is taken out before a quarter
            is done: each time, what the others look at is copied.

    Returns:
        `_Live`.
    """
    num_left = ops.sum(ops.cast(~done, "int32"))
    return ops.cond(
        4 * num_left <= 3 * ops.size(done),
        lambda: _take_sentences(live, ops.nonzero(~done)[0]),
        lambda: live,
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
    log_probs = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return log_probs + IMPOSSIBLE * (1 - _may_come(logits.shape[-1]))


def _first_live(state, attended, max_lengths, num_beams):
    """All hypotheses are equal before step one: only the first may grow."""
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    log_probs = ops.where(ops.arange(num_beams) == 0, 0.0, IMPOSSIBLE)
    live = _Live(
        sentences=ops.arange(batch, dtype="int32"),
        max_lengths=max_lengths,
        num_ended=ops.zeros((batch,), "int32"),
        token_ids=ops.full((batch, num_beams), START_ID, dtype="int32"),
        log_probs=ops.tile(log_probs[None], (batch, 1)),
        state=state,
        attended=attended,
    )
    # The loop wants a batch whose size it need not know, as it will shrink.
    return _take_sentences(live, ops.nonzero(ops.ones_like(max_lengths))[0])


def _likeliest(logits, must_end):
    """The likeliest token that may come next.

    Args:
        logits: Float tensor `[active, vocabulary_size]`.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Its log-probability and its id, both `[active]`.
    """
    probabilities = ops.softmax(ops.cast(logits, "float32"))
    best, token_ids = ops.top_k(probabilities * _may_come(logits.shape[-1]), 1)
    best = ops.where(must_end, probabilities[:, END_ID], best[:, 0])
    token_ids = ops.cast(token_ids[:, 0], "int32")
    return _log(best), ops.where(must_end, END_ID, token_ids)


def _may_come(vocabulary_size):
    """1 for every token but PAD and START, 0 for these, `[vocabulary_size]`."""
    never = ops.one_hot([PAD_ID, START_ID], vocabulary_size)
    return 1 - ops.sum(never, axis=0)


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
    num_beams, vocabulary_size = log_probs.shape[1], logits.shape[-1]
    probabilities = ops.softmax(ops.cast(logits, "float32"))
    probabilities = ops.reshape(probabilities, (-1, num_beams, vocabulary_size))
    # Two more of each hypothesis, as PAD and START may be among them.
    width = min(4 * num_beams, num_beams * vocabulary_size)
    best, index = _likeliest_of_all(probabilities, log_probs, width)
    token_ids = index % vocabulary_size
    never = ops.logical_or(token_ids == PAD_ID, token_ids == START_ID)
    best = ops.where(never, IMPOSSIBLE, best)
    ends = ops.pad(
        log_probs + _log(probabilities[..., END_ID]),
        ((0, 0), (0, width - num_beams)),
        constant_values=IMPOSSIBLE,
    )
    end_index = ops.arange(width, dtype="int32") % num_beams
    end_index = end_index * vocabulary_size + END_ID
    must_end = must_end[:, None]
    best, order = ops.top_k(ops.where(must_end, ends, best), 2 * num_beams)
    index = ops.take_along_axis(
        ops.where(must_end, end_index, index), ops.cast(order, "int32"), axis=1
    )
    return best, index // vocabulary_size, index % vocabulary_size


def _likeliest_of_all(probabilities, log_probs, k):
    """The `k` likeliest continuations, of those that are equal the first.

    In large vocabularies it looks only into the blocks of neighbours with the
    `k` largest maxima, which takes less than half the time of looking
    everywhere.

    Args:
        probabilities: Float32 tensor `[active, num_beams, vocabulary_size]`.
        log_probs: Float32 tensor `[active, num_beams]`, of the hypotheses.
        k: Integer.

    Returns:
        Log-probabilities and int32 indices into
        `[num_beams * vocabulary_size]`, both `[active, k]`, likeliest first.
    """
    _, num_beams, size = probabilities.shape
    width = max(i for i in range(1, 65) if size % i == 0)
    num_blocks = num_beams * size // width
    if num_beams * size < 4096 or num_blocks <= k:
        total = _log(probabilities) + log_probs[..., None]
        best, index = ops.top_k(ops.reshape(total, (-1, num_beams * size)), k)
        return best, ops.cast(index, "int32")
    blocks = ops.reshape(probabilities, (-1, num_beams, size // width, width))
    maxima = _log(ops.max(blocks, axis=-1)) + log_probs[..., None]
    _, block = ops.top_k(ops.reshape(maxima, (-1, num_blocks)), k)
    block = ops.sort(ops.cast(block, "int32"), axis=-1)
    rows = ops.arange(ops.shape(block)[0], dtype="int32")[:, None]
    inside = ops.take(
        ops.reshape(blocks, (-1, width)), num_blocks * rows + block, axis=0
    )
    parents = block * width // size
    parent_log_probs = ops.take_along_axis(log_probs, parents, axis=1)
    inside = _log(inside) + parent_log_probs[..., None]
    best, index = ops.top_k(ops.reshape(inside, (-1, k * width)), k)
    index = ops.cast(index, "int32")
    block = ops.take_along_axis(block, index // width, axis=1)
    return best, block * width + index % width


def _log(probabilities):
    return ops.log(ops.maximum(probabilities, SMALLEST))


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
    beam = ops.take_along_axis(flatten(history.end_parents), index, axis=1)
    return _Finished(score, index // num_beams, beam)


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
