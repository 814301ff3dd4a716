"""A toy SavedModel for tests of serving.

    python tests/toy_model.py exported/toy

writes `exported/toy/1` and `exported/toy/2`, which a TensorFlow Serving that
is to be compared with the endpoint can serve.
"""

import pathlib
import sys

import tensorflow as tf

NAME = "toy"


class Toy(tf.Module):
    """Signatures of all kinds."""

    def __init__(self, version):
        super().__init__()
        self.version = tf.Variable(version, dtype=tf.int64)

    def shout(self, text):
        """Upper case; refuses texts with `bad`."""
        text = tf.ensure_shape(text, [None])
        is_bad = tf.strings.regex_full_match(text, ".*bad.*")
        fine = tf.debugging.Assert(
            tf.logical_not(tf.reduce_any(is_bad)), ["a bad text"]
        )
        with tf.control_dependencies([fine]):
            return {"translation": tf.strings.upper(text)}

    def details(self, text):
        length = tf.strings.length(text)
        codes = tf.strings.unicode_decode(text, "UTF-8").to_tensor()
        return {
            "translation": tf.strings.upper(text),
            "raw_bytes": text,
            "length": tf.cast(length, tf.int64),
            "codes": codes,  # [batch, longest]
            "score": tf.cast(length, tf.float32) / 3.0,
            "is_long": length > 3,
        }

    def flat(self, text):
        """Takes any rank."""
        return {"translation": tf.strings.upper(tf.reshape(text, [-1]))}

    def words(self, text):
        codes = tf.strings.unicode_decode(text, "UTF-8").to_tensor()
        return {"translation": text, "ids": codes}

    def pair(self, text, weight):
        return {
            "weighted": tf.strings.join([text, tf.strings.as_string(weight)])
        }

    def numbers(self, x, d, i, u, n, b):
        return {"x": x, "d": d, "i": i, "u": u, "n": n, "b": b}

    def state(self, hidden):
        return {"hidden": hidden + 1.0}

    def whole(self, text):
        return {"count": tf.size(text)}

    def which(self, text):
        return {
            "version": tf.zeros_like(tf.strings.length(text), tf.int64)
            + self.version
        }

    def slow(self, steps):
        """Takes long for many steps."""

        def step(i, x):
            return i + 1, tf.sin(x + 1.0)

        steps = tf.ensure_shape(steps, [None])
        _, x = tf.while_loop(
            lambda i, x: i < tf.reduce_max(steps),
            step,
            [tf.constant(0, tf.int64), tf.zeros([16, 16])],
        )
        return {"done": steps + tf.cast(0 * tf.reduce_sum(x), tf.int64)}

    def first(self, text):
        """Looks batched, and is not."""
        return {"first": text[:1]}


def spec(dtype, name, shape=(None,)):
    return tf.TensorSpec(shape, dtype, name)


def write(path, version=1):
    """Writes a version directory.

    Args:
        path: Path of the model.
        version: Integer.

    Returns:
        Path of the version directory.
    """
    toy = Toy(version)
    text = spec(tf.string, "text")
    inputs = {
        "serving_default": (toy.shout, [text]),
        "details": (toy.details, [text]),
        "flat": (toy.flat, [text]),
        "words": (toy.words, [text]),
        "pair": (toy.pair, [text, spec(tf.float32, "weight")]),
        "numbers": (
            toy.numbers,
            [
                spec(tf.float32, "x"),
                spec(tf.float64, "d"),
                spec(tf.int32, "i"),
                spec(tf.uint8, "u"),
                spec(tf.int64, "n"),
                spec(tf.bool, "b"),
            ],
        ),
        "state": (toy.state, [spec(tf.float32, "hidden", (None, None, 2))]),
        "whole": (toy.whole, [text]),
        "which": (toy.which, [text]),
        "slow": (toy.slow, [spec(tf.int64, "steps")]),
        "first": (toy.first, [text]),
    }
    signatures = {
        name: tf.function(function, input_signature=specs)
        for name, (function, specs) in inputs.items()
    }
    path = pathlib.Path(path, str(version))
    tf.saved_model.save(toy, str(path), signatures=signatures)
    return path


if __name__ == "__main__":
    for number in (1, 2):
        print(write(sys.argv[1], number))
