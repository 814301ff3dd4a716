"""The loop over the tokens of a sequence."""

import keras
import tensorflow as tf
from keras import ops


def scan(step, state, inputs):
    """Walks a step over a sequence, and keeps every state.

    Unlike that of `keras.ops.scan`, the loop says how often it runs at most,
    without which XLA cannot differentiate it.

    Args:
        step: Function from a state and the inputs of a step to the next state.
        state: The state before the first step, a nest of tensors.
        inputs: Nest of tensors `[length, ...]`.

    Returns:
        The states after every step, a nest of tensors `[length, ...]`.
    """
    length = ops.shape(keras.tree.flatten(inputs)[0])[0]

    def array(dtype, shape):
        return tf.TensorArray(dtype, length, element_shape=shape)

    sequences = _map(lambda x: array(x.dtype, x.shape[1:]).unstack(x), inputs)
    history = _map(lambda x: array(x.dtype, x.shape), state)

    def advance(time, state, history):
        read = _map(lambda kept: kept.read(time), sequences)
        state = step(state, read)
        history = _map(lambda kept, x: kept.write(time, x), history, state)
        return time + 1, state, history

    _, _, history = tf.while_loop(
        lambda time, state, history: time < length,
        advance,
        (0, state, history),
        maximum_iterations=length,
        parallel_iterations=1,
    )
    return _map(lambda kept: kept.stack(), history)


def _map(function, *nests):
    return keras.tree.map_structure(function, *nests)
