"""Weights of eight bits."""

import keras
import numpy as np


def matrices(model):
    """Lists the float weights of a Keras model that have rows and columns."""
    return [
        weight
        for weight in model.weights
        if len(weight.shape) > 1 and keras.backend.is_float_dtype(weight.dtype)
    ]


def quantize(weight):
    """Gives whole numbers, and what one of them counts in each row.

    That is a power of two, so that a rounded weight has seven significant bits:
    it compresses well, and is exact in bfloat16.

    Args:
        weight: Float array `[..., columns]`.

    Returns:
        `(numbers, scales)`: int8 array `[..., columns]`, from -127 to 127, and
        float32 array `[..., 1]`.
    """
    weight = keras.ops.convert_to_numpy(weight).astype("float32")
    largest = np.max(np.abs(weight), axis=-1, keepdims=True)
    _, exponents = np.frexp(largest)  # the largest is below 2**exponent
    scales = np.ldexp(np.float32(1), exponents - 7)
    numbers = np.clip(np.rint(weight / scales), -127, 127)
    return numbers.astype("int8"), scales


def dequantize(numbers, scales, dtype):
    """Gives the weight `[..., columns]` that was quantized."""
    return keras.ops.cast(numbers, dtype) * keras.ops.cast(scales, dtype)
