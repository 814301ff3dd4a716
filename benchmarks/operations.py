"""Tells in which operations a training step or a search spends its time.

    python benchmarks/operations.py training --dtype mixed_bfloat16
    python benchmarks/operations.py search --batch-size 64 --num-beams 5

The model is as large as those of `training.py`, the sentences have 14 tokens a
side. Operations run beside one another, so that their milliseconds add up to
more than the step takes. Run it while nothing else runs.
"""

import collections
import pathlib
import re
import tempfile
import time

import click
import keras
import numpy as np
import rich.table
import tensorflow as tf
from growth import make_model
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from s2s_keras import FusedAdam
from s2s_keras import TokenCrossEntropy
from s2s_keras import keep_freed_memory

VOCABULARY_SIZE, LENGTH, STEPS = 8000, 14, 5


@click.command()
@click.argument("what", type=click.Choice(["training", "search"]))
@click.option("--dtype", default="float32", show_default=True)
@click.option("--batch-size", default=128, show_default=True)
@click.option("--num-beams", default=5, show_default=True)
@click.option("--rows", default=15, show_default=True)
def main(what, dtype, batch_size, num_beams, rows):
    keep_freed_memory()  # as `s2s-keras train` does
    keras.config.set_dtype_policy(dtype)
    model = make_model(VOCABULARY_SIZE)
    ids = np.random.default_rng(0).integers(
        4, VOCABULARY_SIZE, (batch_size, LENGTH), dtype="int32"
    )
    if what == "training":
        step = make_training_step(model, ids)
    else:
        step = make_search(model, ids, num_beams)
    for _ in range(3):
        step()
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    took = 1000 * (time.perf_counter() - started) / STEPS
    print_table(profile(step).most_common(rows))
    click.echo(f"{what}, {dtype}: {took:.0f} ms a step")


def make_training_step(model, ids):
    model.compile(FusedAdam(1e-3, global_clipnorm=1.0), TokenCrossEntropy(0.1))
    inputs = {"source_ids": ids, "target_ids": ids}
    return lambda: model.train_on_batch(inputs, ids)


def make_search(model, ids, num_beams):
    search = tf.function(
        lambda ids: model.search(
            ids, tf.fill(ids.shape[:1], LENGTH), num_beams=num_beams
        ),
        autograph=False,
    )
    return lambda: np.array(search(ids).score)


def profile(step):
    """Milliseconds a step of each kind of operation."""
    milliseconds = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            for _ in range(STEPS):
                step()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                operation = re.fullmatch(r"[\w./-]+:(\w+)", name)
                if operation:
                    kind = operation[1]
                    milliseconds[kind] += event.duration_ps / 1e9 / STEPS
    return milliseconds


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("operation", no_wrap=True)
    table.add_column("ms a step", justify="right")
    for name, took in rows:
        table.add_row(name, f"{took:.1f}")
    rich.print(table)


if __name__ == "__main__":
    main()
