"""What may come next, and what of it is likeliest."""

import numpy as np
import tensorflow as tf
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID

IMPOSSIBLE = -1e9  # the log-probability of what must not be chosen
SMALLEST = 1e-30  # the probability of what may be chosen, at least


def gather(tensor, index, batch_dims=0):
    """`ops.take` along the first axis, or along the one after `batch_dims`.

    It is one operation, where those that count negative indices from the end
    are up to twenty-five: a step of a sentence alone is made of little else.
    """
    return tf.gather(tensor, index, batch_dims=batch_dims)


def allowed_log_probs(logits):
    """Log-probabilities of what may come next.

    Args:
        logits: Float tensor `[..., vocabulary_size]`.

    Returns:
        Float32 tensor `[..., vocabulary_size]`, -1e9 for PAD and START, which
        never may.
    """
    log_probs = ops.log_softmax(ops.cast(logits, "float32"))
    may_come = _may_come(np.arange(logits.shape[-1]))
    return log_probs + np.where(may_come, 0, IMPOSSIBLE).astype("float32")


def _may_come(token_ids):
    """Whether tokens may come at all: PAD and START never may."""
    return (token_ids != PAD_ID) & (token_ids != START_ID)


def likeliest_token(logits, must_end):
    """The likeliest token that may come next.

    Args:
        logits: Float tensor `[active, vocabulary_size]`.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Its log-probability and its id, both `[active]`.
    """
    probabilities = ops.softmax(ops.cast(logits, "float32"))
    may_come = _may_come(np.arange(logits.shape[-1])).astype("float32")
    # What may come has a probability that is not 0, however unlikely it is.
    probabilities = ops.maximum(probabilities, SMALLEST)
    best, token_ids = ops.top_k(probabilities * may_come, 1)
    best = ops.where(must_end, probabilities[:, END_ID], best[:, 0])
    token_ids = ops.where(must_end, END_ID, ops.cast(token_ids[:, 0], "int32"))
    return ops.log(best), token_ids


def likeliest_continuations(logits, log_probs, must_end):
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
    best, index = likeliest_of_all(
        ops.softmax(ops.cast(logits, "float32")),
        log_probs,
        must_end,
        2 * num_beams,
    )
    return best, index // size, index % size


def likeliest_of_all(probabilities, log_probs, must_end, k):
    """The `k` likeliest continuations of each sentence that may come.

    It looks into blocks of neighbours, the likeliest ones, which takes less
    than half the time of looking everywhere.

    Args:
        probabilities: Float32 tensor `[active * num_beams, vocabulary_size]`.
        log_probs: Float32 tensor `[active, num_beams]`, of the hypotheses.
        must_end: Boolean tensor `[active]`, where only END may come next.
        k: Integer.

    Returns:
        Log-probabilities, -1e9 at least, and int32 indices into
        `[num_beams * vocabulary_size]`, both `[active, k]`, likeliest first.
    """
    num_beams, size = log_probs.shape[1], probabilities.shape[-1]
    width = _block_width(size)
    num_blocks = size // width
    # Only one reshape is of all that is large: LiteRT copies what it reshapes.
    blocks = ops.reshape(probabilities, (-1, num_beams * num_blocks, width))
    maxima = ops.reshape(ops.max(blocks, axis=-1), (-1, num_beams, num_blocks))
    largest = ops.max(log_probs, axis=1, keepdims=True)
    weights = ops.exp(log_probs - largest)[..., None]
    block = _likely_blocks(maxima * weights, k)
    inside = _look_inside(blocks, weights, block, must_end)
    best, place = ops.top_k(inside, k)
    best = ops.maximum(ops.log(best) + largest, IMPOSSIBLE)
    block = gather(block, place // width, 1)
    return best, block * width + ops.cast(place % width, "int32")


def _block_width(size):
    """The largest part of a vocabulary, up to 64, that holds END."""
    widths = [i for i in range(END_ID + 1, 65) if size % i == 0]
    return max(widths, default=size)


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


def _look_inside(blocks, weights, block, must_end):
    """The probabilities in some of the blocks, weighted.

    Args:
        blocks: Float32 tensor `[active, num_beams * num_blocks, width]`.
        weights: Float32 tensor `[active, num_beams, 1]`.
        block: Int32 tensor `[active, num_chosen]`, as `_likely_blocks` counts.
        must_end: Boolean tensor `[active]`, where only END may come next.

    Returns:
        Float32 tensor `[active, num_chosen * width]`, 0 for what must not
        come.
    """
    (_, everywhere, width), num_beams = blocks.shape, weights.shape[1]
    # What may come has a probability that is not 0, however unlikely it is.
    inside = ops.maximum(gather(blocks, block, 1), SMALLEST)
    inside = inside * gather(weights, block // (everywhere // num_beams), 1)
    is_first = np.arange(block.shape[1]) < num_beams
    token_ids = np.where(is_first[:, None], np.arange(width), width)
    may_come = _may_come(token_ids).astype("float32")
    is_end = (token_ids == END_ID).astype("float32")
    must_end = ops.cast(must_end, "float32")[:, None, None]
    inside = inside * (may_come + must_end * (is_end - may_come))
    return ops.reshape(inside, (-1, block.shape[1] * width))


def best_going_on(log_probs, parents, token_ids):
    """The best half of the continuations that did not take END."""
    going_on = ops.where(token_ids == END_ID, 2 * IMPOSSIBLE, log_probs)
    log_probs, index = ops.top_k(going_on, log_probs.shape[1] // 2)
    return (
        ops.maximum(log_probs, IMPOSSIBLE),
        gather(parents, index, 1),
        gather(token_ids, index, 1),
    )


def best_ended(log_probs, parents, token_ids):
    """Those of the better half of the continuations that took END.

    Only the better half counts, so that a beam of one is greedy search.

    Returns:
        Whether it took END, the log-probability and the parent, each
        `[active, num_beams]`.
    """
    num_beams = log_probs.shape[1] // 2
    log_probs, token_ids = log_probs[:, :num_beams], token_ids[:, :num_beams]
    ended = ops.logical_and(token_ids == END_ID, log_probs > IMPOSSIBLE / 2)
    return ended, log_probs, parents[:, :num_beams]
