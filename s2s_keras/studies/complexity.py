"""How do time and memory grow with the lengths of source and target?"""

import concurrent.futures
import itertools
import multiprocessing
import pathlib
import re
import resource
import statistics
import sys
import time

import numpy as np
import tensorflow as tf
from keras import ops

from s2s_keras.models.translator import Translator

LENGTHS = (32, 64, 128, 192, 256)
BATCH_SIZE = 16
REPEATS = 9
IDS = tf.TensorSpec([None, None], tf.int32)  # [batch, source or target_len]


def time_lengths(models, lengths=LENGTHS, batch_size=BATCH_SIZE):
    """Times one pass of encoder and decoder for every pair of lengths.

    Args:
        models: Dictionary from a name to a `Translator`.
        lengths: Lengths of source and target in tokens.
        batch_size: Integer. Sentences in the batch.

    Returns:
        A list of dictionaries of `model`, `source_len`, `target_len` and
        `milliseconds`, the least of some runs.
    """
    runs = {name: _compile(model) for name, model in models.items()}
    for run in runs.values():
        _time(run, 2, 2, batch_size)  # traces
    cases = list(itertools.product(runs, lengths, lengths))
    seconds = dict.fromkeys(cases, float("inf"))
    # Round after round, so that a slow moment is no single case's.
    for _ in range(REPEATS):
        for case in cases:
            name, *pair = case
            took = _time(runs[name], *pair, batch_size)
            seconds[case] = min(seconds[case], took)
    return [
        {
            "model": name,
            "source_len": source_len,
            "target_len": target_len,
            "milliseconds": round(1000 * took, 3),
        }
        for (name, source_len, target_len), took in seconds.items()
    ]


def _compile(translator):
    return tf.function(
        lambda source_ids, target_ids: translator(
            {"source_ids": source_ids, "target_ids": target_ids}
        ),
        input_signature=2 * [IDS],
        autograph=False,
    )


def _make_ids(source_len, target_len, batch_size):
    return [
        ops.ones((batch_size, length), dtype="int32")
        for length in (source_len, target_len)
    ]


def _time(run, source_len, target_len, batch_size):
    ids = _make_ids(source_len, target_len, batch_size)
    started = time.perf_counter()
    np.array(run(*ids)[0, 0, 0])
    return time.perf_counter() - started


def measure_memory(architectures, vocabulary_size, lengths=LENGTHS):
    """Measures the memory of a training step, each in a process of its own.

    Args:
        architectures: Dictionary from a name to an `Architecture`.
        vocabulary_size: Integer. Pieces of each vocabulary.
        lengths: Lengths, each of source and target, in tokens.

    Returns:
        A list of dictionaries of `model`, `source_len`, `target_len` and
        `megabytes`, by which the process's peak is higher than after a step
        with two tokens on either side.
    """
    rows = []
    for name, architecture in architectures.items():
        for length in lengths:
            with concurrent.futures.ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn")
            ) as pool:
                added = pool.submit(
                    _train_one_batch, architecture, vocabulary_size, length
                ).result()
            rows.append(
                {
                    "model": name,
                    "source_len": length,
                    "target_len": length,
                    "megabytes": round(added, 1),
                }
            )
    return rows


def _train_one_batch(architecture, vocabulary_size, length):
    """Memory in MB that a step of training adds to this process's peak."""
    translator = Translator.from_architecture(architecture, vocabulary_size)
    weights = [weight.value for weight in translator.trainable_weights]

    @tf.function(input_signature=2 * [IDS], autograph=False)
    def step(source_ids, target_ids):
        inputs = {"source_ids": source_ids, "target_ids": target_ids}
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(translator(inputs, training=True))
        return tape.gradient(loss, weights)

    step(*_make_ids(2, 2, BATCH_SIZE))  # traces
    before = _peak_megabytes()
    step(*_make_ids(length, length, BATCH_SIZE))
    return _peak_megabytes() - before


def _peak_megabytes():
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # the other figure would count the parent's memory
        return (
            int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def fit_times(rows):
    """Fits how the time of each model grows.

    Args:
        rows: What `time_lengths` returned.

    Returns:
        A dictionary from a model's name to a dictionary of

        - `source_exponent`, `target_exponent`: `p` of the fit `a + b l^p` to
          the time at one length, the mean over all of the other;
        - `constant`, `per_source`, `per_target`, `per_product`: milliseconds
          of the fit `constant + per_source l1 + per_target l2 + per_product
          l1 l2`;
        - `product_share`: share of the last term at the longest lengths.
    """
    models = dict.fromkeys(row["model"] for row in rows)
    return {
        model: _fit_model([row for row in rows if row["model"] == model])
        for model in models
    }


def _fit_model(rows):
    source, target, times = (
        np.array([row[key] for row in rows], "float64")
        for key in ("source_len", "target_len", "milliseconds")
    )
    terms = np.stack(
        [np.ones_like(source), source, target, source * target], axis=1
    )
    # Relative errors: the shortest times count as much as the longest.
    found, *_ = np.linalg.lstsq(
        terms / times[:, None], np.ones_like(times), rcond=None
    )
    last = terms[np.argmax(source * target)] * found
    return {
        "source_exponent": fit_exponent(*_mean_by(rows, "source_len")),
        "target_exponent": fit_exponent(*_mean_by(rows, "target_len")),
        "constant": float(found[0]),
        "per_source": float(found[1]),
        "per_target": float(found[2]),
        "per_product": float(found[3]),
        "product_share": float(last[3] / last.sum()),
    }


def _mean_by(rows, key):
    """The lengths of one side, and the mean time at each."""
    lengths = sorted({row[key] for row in rows})
    times = [
        statistics.mean(row["milliseconds"] for row in rows if row[key] == n)
        for n in lengths
    ]
    return lengths, times


def fit_exponent(lengths, values):
    """Fits `values = a + b lengths^p` and gives `p`.

    Args:
        lengths: Array of lengths.
        values: Array of what grows with them.

    Returns:
        Float, to two decimals.
    """
    lengths, values = np.asarray(lengths, "float64"), np.asarray(values)

    def error(exponent):
        terms = np.stack([np.ones_like(lengths), lengths**exponent], axis=1)
        found, *_ = np.linalg.lstsq(terms, values, rcond=None)
        return np.sum((terms @ found - values) ** 2)

    return float(min(np.arange(0.3, 3.0, 0.01), key=error).round(2))


def plot_complexity(rows, memory_rows):
    """Draws time against either length, and memory against both.

    Args:
        rows: What `time_lengths` returned.
        memory_rows: What `measure_memory` returned.

    Returns:
        The Matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    panels = figure.subplots(1, 3)
    fits = fit_times(rows)
    for axes, side in zip(panels, ("source", "target"), strict=False):
        for model, fit in fits.items():
            mine = [row for row in rows if row["model"] == model]
            axes.plot(
                *_mean_by(mine, f"{side}_len"),
                marker="o",
                label=f"{model}: exponent {fit[f'{side}_exponent']:.2f}",
            )
        axes.set_xlabel(f"{side} tokens (mean over those of the other side)")
        axes.set_ylabel("milliseconds a batch")
    for model in dict.fromkeys(row["model"] for row in memory_rows):
        mine = [row for row in memory_rows if row["model"] == model]
        panels[2].plot(
            [row["source_len"] for row in mine],
            [row["megabytes"] for row in mine],
            marker="o",
            label=model,
        )
    panels[2].set_xlabel("tokens on either side")
    panels[2].set_ylabel("MB that a training step adds")
    for axes in panels:
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
