import numpy as np
import tensorflow as tf

from s2s_keras.layers.loop import scan

INPUTS = np.random.default_rng(0).normal(size=(5, 3, 2)).astype("float32")
SHIFTS = np.arange(5, dtype="float32")[:, None, None]
KERNEL = np.array([[0.5, -1.0], [0.3, 0.2]], "float32")


def step(state, inputs):
    hidden, (total, nothing) = state
    x, shift = inputs
    hidden = tf.tanh(hidden @ KERNEL + x + shift)
    return hidden, (total + hidden, nothing)


def test_scan_keeps_every_state_of_a_nest():
    zeros = np.zeros((3, 2), "float32")
    hidden, (total, nothing) = scan(
        step, (zeros, (zeros, ())), (INPUTS, SHIFTS)
    )
    assert nothing == ()
    state = zeros, (zeros, ())
    for time in range(5):
        state = step(state, (INPUTS[time], SHIFTS[time]))
        np.testing.assert_allclose(hidden[time], state[0], atol=1e-6)
        np.testing.assert_allclose(total[time], state[1][0], atol=1e-6)


def test_xla_differentiates_a_scan_of_any_length():
    def gradient(start, inputs, shifts):
        with tf.GradientTape() as tape:
            tape.watch(start)
            _, (total, _) = scan(step, (start, (start, ())), (inputs, shifts))
            loss = tf.reduce_sum(total**2)
        return tape.gradient(loss, start)

    signature = [
        tf.TensorSpec(shape) for shape in ([None, 2], [None, None, 2])
    ] + [tf.TensorSpec([None, 1, 1])]
    compiled = tf.function(gradient, signature, jit_compile=True)
    start = tf.ones((3, 2))
    for length in (5, 2):
        inputs = tf.constant(INPUTS[:length]), tf.constant(SHIFTS[:length])
        np.testing.assert_allclose(
            compiled(start, *inputs), gradient(start, *inputs), rtol=1e-4
        )
