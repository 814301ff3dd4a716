"""How a servable model's weights are stored."""

import keras
import tensorflow as tf

from s2s_keras.models.quantization import dequantize
from s2s_keras.models.quantization import matrices
from s2s_keras.models.quantization import quantize


def as_they_are(model):
    """Gives a decorator for functions that read a model's weights: none."""
    return lambda function: function


def in_a_quarter_of_the_space(model):
    """Gives a decorator for functions that read a model's weights.

    Instead of matrices they read eight bits a number, and compute with what
    those stand for, in the weights' own type.

    Args:
        model: Keras model, whose weights were rounded by `round_weights`.

    Returns:
        A function that takes a function of tensors, and gives another.
    """
    copies = [
        (weight, [tf.Variable(part) for part in quantize(weight)])
        for weight in matrices(model)
    ]

    def decorate(function):
        def with_copies(*inputs):
            values = [(w, dequantize(*copy, w.dtype)) for w, copy in copies]
            with keras.StatelessScope(state_mapping=values):
                return function(*inputs)

        return with_copies

    return decorate


WEIGHTS = {"float32": as_they_are, "int8": in_a_quarter_of_the_space}
