"""Several devices: two logical CPUs, in a process that is told so early."""

import subprocess
import sys

import pytest

TWO_DEVICES = """
import sys
import keras
import numpy as np
import tensorflow as tf
from s2s_keras import *
from s2s_keras.training import job
from s2s_keras.training.log import read_rows
from s2s_keras.training.settings import Settings

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)
both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
"""
SAME_WEIGHTS = """
def train(strategy):
    keras.utils.set_random_seed(0)
    ids = np.random.default_rng(0).integers(4, 14, (64, 6), dtype="int32")
    with strategy.scope():
        translator = Translator(
            Encoder(14, 8, 8), AttentionDecoder(14, 8, 16, BahdanauAttention(8))
        )
        translator.compile(FusedAdam(1e-2), TokenCrossEntropy())
    before = translator.get_weights()
    inputs = {"source_ids": ids, "target_ids": ids}
    translator.fit(inputs, ids, batch_size=16, shuffle=False, verbose=0)
    return before, translator.get_weights()

before, one = train(tf.distribute.get_strategy())
_, two = train(both)
assert max(abs(a - b).max() for a, b in zip(before, one)) > 0.02
for a, b in zip(one, two):
    np.testing.assert_allclose(a, b, atol=1e-4)
"""
WHOLE_JOB = """
settings = Settings(
    dataset=sys.argv[1], split="train", vocabulary_size=400, embedding_dim=16,
    units=16, epochs=1, tokens_per_batch=64, ema_momentum=0.9,
)
with both.scope():
    model = job.train(settings, job.load_corpora(settings), sys.argv[2])
assert len(model.translate(["one two"])) == 1
assert all(float(row["val_perplexity"]) > 0 for row in read_rows(sys.argv[2]))
"""


def run(program, *arguments):
    subprocess.run(
        [sys.executable, "-c", TWO_DEVICES + program, *map(str, arguments)],
        check=True,
    )


@pytest.mark.slow
def test_two_devices_train_like_one():
    run(SAME_WEIGHTS)


@pytest.mark.slow
def test_the_whole_job_runs_on_two_devices(corpus, tmp_path):
    run(WHOLE_JOB, corpus, tmp_path)
