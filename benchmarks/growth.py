"""Measures how the time of a search grows with what it depends on.

    python benchmarks/growth.py

One thing is varied at a time: the sentences' length, the beam, the batch, the
vocabulary. The model is as large as those of `training.py` and untrained; END
is forbidden before the last step, so that every search takes as many steps as
its source has tokens. Prints a table and writes JSON. Run it while nothing else
runs.
"""

import itertools
import json
import pathlib
import time

import click
import numpy as np
import rich.table
import tensorflow as tf

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import Encoder
from s2s_keras import Translator
from s2s_keras.conventions import END_ID

STANDARD = {
    "source_len": 16,
    "num_beams": 5,
    "batch_size": 16,
    "vocabulary_size": 8000,
}
VARIED = {
    "source_len": (8, 16, 32, 64, 128),
    "num_beams": (1, 2, 5, 10, 20),
    "batch_size": (1, 4, 16, 64, 256),
    "vocabulary_size": (2000, 8000, 32000),
}
REPEATS = 5


@click.command()
@click.option("--output", default="growth.json", show_default=True)
def main(output):
    models = {}
    rows = []
    for varied, values in VARIED.items():
        for value in values:
            case = STANDARD | {varied: value}
            size = case["vocabulary_size"]
            model = models.setdefault(size, make_model(size))
            took = time_search(model, **case)
            per_sentence = 1000 * took / case["batch_size"]
            rows.append(
                case | {"varied": varied, "ms_per_sentence": per_sentence}
            )
    print_table(rows)
    pathlib.Path(output).write_text(json.dumps(rows, indent=2) + "\n")


def make_model(vocabulary_size):
    translator = Translator(
        Encoder(vocabulary_size, embedding_dim=256, units=256),
        AttentionDecoder(
            vocabulary_size,
            embedding_dim=256,
            units=512,
            attention=BahdanauAttention(512),
            readout_units=512,
            tie_embedding=False,
        ),
    )
    bias = translator.decoder.logits_projection.bias
    bias.assign(-1e4 * (np.arange(vocabulary_size) == END_ID))
    return translator


def time_search(model, source_len, num_beams, batch_size, vocabulary_size):
    """The least seconds of some runs."""
    source_ids = np.random.default_rng(0).integers(
        END_ID + 1, vocabulary_size, (batch_size, source_len), dtype="int32"
    )
    search = tf.function(
        lambda source_ids: model.search(
            source_ids,
            tf.fill([batch_size], source_len),
            num_beams=num_beams,
        ),
        autograph=False,
    )
    num_steps = search(source_ids).ids.shape[-1]  # it also traces
    if num_steps != source_len:
        raise RuntimeError(f"{source_len} steps were due, it took {num_steps}.")
    took = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        np.array(search(source_ids).score)
        took.append(time.perf_counter() - started)
    return min(took)


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    for header in ("", "", "ms a sentence", "against the first"):
        table.add_column(header, justify="right", no_wrap=True)
    for varied, group in itertools.groupby(rows, lambda row: row["varied"]):
        group = list(group)
        for row in group:
            ratio = row["ms_per_sentence"] / group[0]["ms_per_sentence"]
            table.add_row(
                varied,
                str(row[varied]),
                f"{row['ms_per_sentence']:.1f}",
                f"{ratio:.2f}",
            )
    rich.print(table)


if __name__ == "__main__":
    main()
