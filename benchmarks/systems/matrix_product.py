"""GFLOP/s of float32 matrix products in TensorFlow."""

import time

import tensorflow as tf
from common import print_report


def main():
    x, kernel = tf.random.normal((4096, 512)), tf.random.normal((512, 8000))
    product = tf.function(lambda: tf.matmul(x, kernel), autograph=False)
    product()
    rates = []
    for _ in range(20):
        started = time.perf_counter()
        product()
        took = time.perf_counter() - started
        rates.append(2 * 4096 * 512 * 8000 / took / 1e9)
    print_report(rates)


if __name__ == "__main__":
    main()
