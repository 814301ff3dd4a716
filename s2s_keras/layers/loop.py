"""The loop over the tokens of a sequence."""

import keras
import tensorflow as tf
from keras import ops


def scan(step, state, inputs):
    """Walks a step over a sequence, and keeps every state.

    Unlike that of `keras.ops.scan`, the loop says how often it runs at most,
    without which XLA cannot differentiate it. A state is read from where it is
    kept, so that training holds it once.

    Args:
        step: Function from a state and the inputs of a step to the next state.
        state: The state before the first step, a nest of tensors.
        inputs: Nest of tensors `[length, ...]`.

    Returns:
        The states after every step, a nest of tensors `[length, ...]`.
    """
    length = ops.shape(keras.tree.flatten(inputs)[0])[0]

    def array(size, dtype, shape):
        return tf.TensorArray(
            dtype, size, element_shape=shape, clear_after_read=False
        )

    sequences = _map(
        lambda x: array(length, x.dtype, x.shape[1:]).unstack(x), inputs
    )
    history = _map(
        lambda x: array(length + 1, x.dtype, x.shape).write(0, x), state
    )

    def advance(time, history):
        before, read = (
            _map(lambda kept: kept.read(time), nest)
            for nest in (history, sequences)
        )
        after = step(before, read)
        return time + 1, _map(
            lambda kept, x: kept.write(time + 1, x), history, after
        )

    _, history = tf.while_loop(
        lambda time, history: time < length,
        advance,
        (0, history),
        maximum_iterations=length,
        parallel_iterations=1,
    )
    return _map(lambda kept: kept.stack()[1:], history)


def _map(function, *nests):
    return keras.tree.map_structure(function, *nests)
