"""Decoding by single steps, on named tensors that a client can carry."""

import keras
import tensorflow as tf

from s2s_keras.decoding.candidates import allowed_log_probs


def name_start(started):
    """Names the tensors that `Translator.start` gives.

    Args:
        started: A tuple of what the decoder attends to, and of its state;
            specs will do.

    Returns:
        A dictionary of tensors, `attended_...` and `state_...`.
    """
    attended, state = started
    return _name_leaves(attended, "attended") | _name_leaves(state, "state")


def step_inputs(started, rows=None):
    """Tells what a step takes.

    Args:
        started: What `Translator.start` gives; specs will do.
        rows: Integer. First dimension of every input, or `None` for any.

    Returns:
        A dictionary of `tf.TensorSpec`: `token_ids` `[batch]`, at first START,
        and what `name_start` named.
    """
    specs = {"token_ids": tf.TensorSpec([rows], tf.int32, name="token_ids")}
    for name, tensor in name_start(started).items():
        shape = [rows, *tensor.shape[1:]]
        specs[name] = tf.TensorSpec(shape, _widen(tensor.dtype), name=name)
    return specs


def widen(tensors):
    """Makes float32 of all floats, as JSON and many clients have no other.

    Args:
        tensors: Dictionary of tensors.

    Returns:
        A dictionary of tensors.
    """
    return {
        name: tf.cast(tensor, _widen(tensor.dtype))
        for name, tensor in tensors.items()
    }


def _widen(dtype):
    return tf.float32 if dtype.is_floating else dtype


def log_probs(logits):
    """What a step tells of its logits: `log_probs`, of what may come."""
    return {"log_probs": allowed_log_probs(logits)}


def step(translator, started, inputs, tell=log_probs):
    """Takes one step of decoding.

    Args:
        translator: `Translator`.
        started: What its `start` gives; specs will do.
        inputs: Dictionary of tensors, as `step_inputs` tells; the `state_...`
            is what the step before gave.
        tell: Function from logits `[batch, vocabulary_size]` to a dictionary
            of tensors.

    Returns:
        A dictionary of what `tell` returns (`log_probs`
        `[batch, vocabulary_size]`, -1e9 for PAD and START), the new
        `state_...`, and the `attention` `[batch, source_len]` where there is
        one, all in float32.
    """
    leaves = [
        tf.cast(inputs[name], tensor.dtype)
        for name, tensor in name_start(started).items()
    ]
    attended, state = keras.tree.pack_sequence_as(started, leaves)
    result = translator.step(inputs["token_ids"], state, attended)
    return widen(
        tell(result.logits)
        | _name_leaves(result.attention, "attention")
        | _name_leaves(result.state, "state")
    )


def _name_leaves(nest, name):
    """A dictionary of the tensors of nested tuples, by their place."""
    if not isinstance(nest, tuple):
        return {name: nest}
    keys = getattr(nest, "_fields", range(len(nest)))
    return {
        path: leaf
        for key, part in zip(keys, nest, strict=True)
        for path, leaf in _name_leaves(part, f"{name}_{key}").items()
    }
