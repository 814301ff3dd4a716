"""How a servable model's weights are stored."""

import keras
import tensorflow as tf


def as_they_are(model):
    """Gives a decorator for functions that read a model's weights: none."""
    return lambda function: function


def in_half_the_space(model):
    """Gives a decorator for functions that read a model's weights.

    They read copies in bfloat16 instead, and compute with what they read in the
    weights' own type.

    Args:
        model: Keras model, whose weights are exact in bfloat16.

    Returns:
        A function that takes a function of tensors, and gives another.
    """
    copies = [
        (weight, tf.Variable(tf.cast(weight.value, "bfloat16")))
        for weight in model.weights
        if keras.backend.is_float_dtype(weight.dtype)
    ]

    def decorate(function):
        def with_copies(*inputs):
            values = [(w, tf.cast(copy, w.dtype)) for w, copy in copies]
            with keras.StatelessScope(state_mapping=values):
                return function(*inputs)

        return with_copies

    return decorate


WEIGHTS = {"float32": as_they_are, "bfloat16": in_half_the_space}
