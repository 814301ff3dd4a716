import keras
import numpy as np
from laws import make_text_translator

from s2s_keras.models.packing import round_weights
from s2s_keras.models.quantization import dequantize
from s2s_keras.models.quantization import matrices
from s2s_keras.models.quantization import quantize


def test_what_is_rounded_stays_as_it_is():
    once = round_weights(make_text_translator())
    twice = round_weights(once)
    for weight, again in zip(once.weights, twice.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), again.numpy())
    assert len(matrices(once)) > 3
    for weight in matrices(once):
        narrow = keras.ops.cast(weight, "bfloat16")
        np.testing.assert_array_equal(
            keras.ops.cast(narrow, "float32"), weight.numpy()
        )


def test_numbers_by_hand():
    weight = [[0.5, -0.25, 0.011, 0.0], [-0.999, 0.499, 1e-9, 0.004], [0.0] * 4]
    numbers, scales = quantize(np.array(weight, "float32"))
    assert numbers.dtype == "int8"
    assert numbers.tolist() == [[64, -32, 1, 0], [-127, 64, 0, 1], [0] * 4]
    assert scales.tolist() == [[2**-7]] * 3
    row, *_ = dequantize(numbers, scales, "float32").numpy()
    assert row.tolist() == [0.5, -0.25, 2**-7, 0.0]
