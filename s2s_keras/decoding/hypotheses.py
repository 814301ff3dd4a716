"""Hypotheses that grow, and the loop that makes them.

Sentences that are done leave the batch, so that the others go on quicker.
"""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from s2s_keras.conventions import START_ID
from s2s_keras.decoding.candidates import IMPOSSIBLE
from s2s_keras.decoding.candidates import gather


class Sentences(NamedTuple):
    """What steps look at, of the sentences that are not done."""

    places: Any  # [active], in the batch
    max_lengths: Any  # [active]
    attended: Any  # nest of [active * num_beams, ...]


class Live(NamedTuple):
    """What steps change: the hypotheses that still grow."""

    num_ended: Any  # [active], hypotheses of a sentence that took END
    token_ids: Any  # [active * num_beams], each hypothesis's latest token
    log_probs: Any  # [active, num_beams]
    state: Any  # nest of [active * num_beams, ...]


def start_search(state, attended, max_lengths, num_beams):
    """All hypotheses are equal before step one: only the first may grow.

    Returns:
        `Sentences` and `Live`.
    """
    max_lengths = ops.cast(max_lengths, "int32")
    batch = ops.shape(max_lengths)[0]
    log_probs = np.full((1, num_beams), IMPOSSIBLE, "float32")
    log_probs[:, 0] = 0
    sentences = Sentences(
        ops.arange(batch, dtype="int32"), max_lengths, attended
    )
    live = Live(
        num_ended=ops.zeros((batch,), "int32"),
        token_ids=ops.full((batch * num_beams,), START_ID, dtype="int32"),
        log_probs=ops.tile(log_probs, (batch, 1)),
        state=state,
    )
    # The loop wants a batch whose size it need not know, as it will shrink.
    everyone = ops.nonzero(ops.ones_like(max_lengths))[0]
    return _take_sentences(sentences, live, everyone)


def repeat_step(advance, sentences, live, buffers, num_wanted):
    """Takes steps until every sentence is done; gives the buffers' filled part.

    Sentences that are done leave the batch once they are a quarter of it: each
    time, what the others look at is copied.

    Args:
        advance: Function of the time, `Sentences`, `Live` and the buffers,
            that gives the latter two after a step.
        sentences: `Sentences` before the first step.
        live: `Live` before the first step.
        buffers: Nest of tensors `[max_len, ...]`.
        num_wanted: Integer. Hypotheses that end until a sentence is done.

    Returns:
        The buffers, cut to the steps that were taken.
    """
    most = longest(sentences)

    def unfinished(time, sentences, live, buffers):
        return ops.logical_and(time < most, ops.size(sentences.places) > 0)

    def take_steps(time, sentences, live, buffers):
        enough = 3 * ops.size(sentences.places)

        def few_are_done(time, live, buffers):
            left = ops.cast(live.num_ended < num_wanted, "int32")
            return ops.logical_and(time < most, 4 * ops.sum(left) > enough)

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
    return keras.tree.map_structure(lambda buffer: buffer[:time], buffers)


def _take_sentences(sentences, live, index):
    """The sentences at `index` `[num_taken]`, and their hypotheses."""
    index = ops.cast(index, "int32")
    num_beams = live.log_probs.shape[1]
    rows = rows_of(index, ops.arange(num_beams, dtype="int32"), num_beams)

    def take(nest, index):
        return keras.tree.map_structure(
            lambda tensor: gather(tensor, index), nest
        )

    return (
        Sentences(*take(sentences[:2], index), take(sentences.attended, rows)),
        Live(
            num_ended=gather(live.num_ended, index),
            token_ids=gather(live.token_ids, rows),
            log_probs=gather(live.log_probs, index),
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
    return keras.tree.map_structure(
        lambda tensor: ops.repeat(tensor, num_beams, axis=0), tensors
    )


def longest(sentences):
    """The largest of their `max_lengths`, and 1 for an empty batch."""
    return ops.max(sentences.max_lengths, initial=1)


def rows_of(sentences, hypotheses, num_beams):
    """The flat rows of hypotheses `[..., num_beams]` of sentences `[taken]`."""
    return ops.reshape(num_beams * sentences[:, None] + hypotheses, (-1,))
