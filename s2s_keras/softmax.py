"""Probabilities of logits, in few walks through memory."""

from keras import ops


def normalize(logits):
    """Computes probabilities, and what logits exceed their logarithms by.

    On CPUs this takes half the time of `ops.logsumexp`.

    Args:
        logits: Float tensor `[..., vocabulary_size]`, of any type.

    Returns:
        A tuple of float32 tensors: the logits, their probabilities
        `[..., vocabulary_size]` and the log-normaliser `[...]`.
    """
    logits = ops.cast(logits, "float32")
    probabilities = ops.softmax(logits)
    likeliest = ops.log(ops.max(probabilities, axis=-1))
    return logits, probabilities, ops.max(logits, axis=-1) - likeliest
