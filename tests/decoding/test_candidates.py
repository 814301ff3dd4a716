import numpy as np
import pytest
from keras import ops

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.candidates import IMPOSSIBLE
from s2s_keras.decoding.candidates import likeliest_of_all


@pytest.mark.parametrize("size", [7, 92, 8000, 8009])
@pytest.mark.parametrize("num_beams", [1, 3])
def test_the_likeliest_of_all_are_found_whatever_the_size(size, num_beams):
    rng = np.random.default_rng(size)
    # Powers of two, whose logarithms are added up without rounding apart.
    x = 2.0 ** -rng.integers(0, 30, (6, num_beams, size))
    log_probs = np.log(2.0 ** -rng.integers(0, 3, (6, num_beams)))
    total = np.log2(x) + np.round(log_probs / np.log(2))[..., None]
    must_end = np.arange(6) >= 4
    total[..., [PAD_ID, START_ID]] = -np.inf
    total[4:, :, np.arange(size) != END_ID] = -np.inf
    total = total.reshape(6, -1)
    expected = -np.sort(-total, axis=-1)[:, :5]
    found, index = likeliest(x, log_probs, must_end, 5)
    possible = np.maximum(expected * np.log(2), IMPOSSIBLE)
    np.testing.assert_allclose(found, possible, atol=1e-5)
    got = np.take_along_axis(total, np.array(index), axis=-1)
    np.testing.assert_array_equal(got, expected)


def likeliest(probabilities, log_probs, must_end, k):
    return likeliest_of_all(
        ops.convert_to_tensor(
            probabilities.reshape(-1, probabilities.shape[-1]), "float32"
        ),
        ops.convert_to_tensor(log_probs, "float32"),
        ops.convert_to_tensor(must_end),
        k,
    )


def test_of_equal_ones_the_first_are_taken():
    x = np.full((1, 2, 8000), 1 / 8000)
    _, index = likeliest(x, np.zeros((1, 2)), [False], 5)
    np.testing.assert_array_equal(index, [[1, 3, 4, 5, 6]])


def test_what_may_come_is_likelier_than_what_may_not():
    x = np.zeros((1, 2, 8000))
    x[..., [PAD_ID, START_ID]] = 0.5
    found, index = likeliest(x, np.zeros((1, 2)), [False], 5)
    assert (np.array(found) > -100).all()
    assert not {PAD_ID, START_ID} & set(np.array(index)[0] % 8000)
