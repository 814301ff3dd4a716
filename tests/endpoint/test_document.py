"""Two readers of JSON that have to agree, and floats that come back."""

import random

import numpy as np
import pytest

from s2s_keras.endpoint import document
from s2s_keras.endpoint.answers import decimal
from s2s_keras.endpoint.failure import Failure

DOCUMENTS = (
    b'{"a": [1, 2.5e3, -0, "x\\u00e9\\n", null, true, false], "b": {"c": []}}',
    b'{"x": [NaN, Infinity, -Infinity, 12345678901234567890, 1e-400, -0.0]}',
    b'{"y": "a\xc3\xa9\xff", "y": {"b64": "aa=="}, "z": 123456789012345678901}',
)
NOISE = b'{}[]",:\\u0123456789eE+-.tfnNI \x01'


def mutate(content, randomness):
    content = bytearray(content)
    for _ in range(randomness.randint(0, 3)):
        at = randomness.randrange(len(content))
        content[at : at + randomness.randint(0, 1)] = bytes(
            [randomness.choice(NOISE)][: randomness.randint(0, 1)]
        )
    return bytes(content)


def test_what_the_fast_reader_takes_the_slow_one_reads_alike():
    randomness = random.Random(0)
    taken = refused = 0
    for _ in range(10_000):
        content = mutate(randomness.choice(DOCUMENTS), randomness)
        try:
            fast = document._parse_fast(content)
        except ValueError:
            with pytest.raises(Failure, match="JSON Parse error: .* at offset"):
                document.Reader(content).read_document()
            refused += 1
        else:
            slow = document.Reader(content).read_document()
            assert repr(slow) == repr(fast), content
            taken += 1
    assert taken > 1000 and refused > 1000


def test_what_is_too_deep_to_be_shown_is_the_clients_fault():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Failure, match="nested too deeply"):
        document.to_text(value)


@pytest.mark.parametrize("bits, dtype", [(32, np.float32), (64, np.float64)])
def test_floats_come_back(bits, dtype):
    patterns = np.random.default_rng(0).integers(
        2**bits, size=10_000, dtype=f"uint{bits}"
    )
    for value in patterns.view(dtype):
        back = dtype(decimal(value))
        assert back == value or np.isnan(value)


@pytest.mark.parametrize(
    "value, text",
    [
        (np.float32(0.1), "0.1"),
        (np.float32(1 / 3), "0.333333343"),
        (np.float64(1 / 3), "0.33333333333333331"),
        (np.float32(2), "2.0"),
        (np.float32(9e6), "9e+06"),
        (np.float32(-0.0), "-0.0"),
        (np.float32(16777215), "16777215.0"),
    ],
)
def test_floats_look_as_in_tensorflow_serving(value, text):
    assert decimal(value) == text
