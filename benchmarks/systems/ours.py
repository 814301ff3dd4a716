"""Trains Bahdanau's model with s2s_keras, by `fit`, and translates with it."""

import functools
import json
import os
import pathlib
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from common import SEARCHES
from common import Windows
from common import every
from common import read_batches
from common import report_search

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import Encoder
from s2s_keras import FusedAdam
from s2s_keras import SentencePieceTokenizer
from s2s_keras import TextTranslator
from s2s_keras import TokenCrossEntropy
from s2s_keras import Translator
from s2s_keras import export_litert


class Counter(keras.callbacks.Callback):
    """Reports every update to the windows."""

    def __init__(self, batches):
        super().__init__()
        self.batches, self.windows = batches, None

    def start(self):
        self.windows = Windows()

    def on_train_batch_end(self, batch, logs=None):
        self.windows.add(self.batches[batch % len(self.batches)][2])


def main(folder, updates, task, variants):
    if "bfloat16" in variants:
        keras.config.set_dtype_policy("mixed_bfloat16")
    if "intra1" in variants:
        tf.config.threading.set_intra_op_parallelism_threads(1)
    batches = read_batches(folder, updates)
    translator = Translator(
        Encoder(8000, embedding_dim=256, units=256),
        AttentionDecoder(
            8000,
            embedding_dim=256,
            units=512,
            attention=BahdanauAttention(512),
            readout_units=512,
            tie_embedding=False,
        ),
    )
    translator.compile(
        FusedAdam(1e-3, global_clipnorm=1.0),
        TokenCrossEntropy(0.1),
        jit_compile="xla" in variants,
    )
    if "xla" in variants:
        batches = [to_few_shapes(batch) for batch in batches]
    if task == "training":
        train(translator, batches)
    else:
        learn(translator, batches, pathlib.Path(folder))
        translate(translator, pathlib.Path(folder), variants)


def train(translator, batches):
    counter = Counter(batches)
    # Every shape is traced and met once before the clock counts.
    for _ in range(2):
        counter.start()
        translator.fit(
            make_dataset(batches),
            verbose=0,
            shuffle=False,
            callbacks=[counter],
        )
    counter.windows.report()


def learn(translator, batches, folder):
    """Trains, or takes the weights of a variant that has."""
    path = folder / f"ours_{keras.config.dtype_policy().name}.npz"
    if path.exists():
        with np.load(path) as arrays:
            translator.set_weights(list(arrays.values()))
    else:
        translator.fit(make_dataset(batches), verbose=0, shuffle=False)
        np.savez(path, *translator.get_weights())


def read_tokenizers(folder):
    return [
        SentencePieceTokenizer((folder / f"{side}.model").read_bytes())
        for side in ("source", "target")
    ]


def translate(translator, folder, variants):
    tokenizers = read_tokenizers(folder)
    text_translator = TextTranslator(translator, *tokenizers)
    report_searches(
        functools.partial(make_search, text_translator, folder, variants),
        SEARCHES,
        folder,
        tokenizers[1],
    )


def report_searches(make_search, searches, folder, target_tokenizer):
    """Times searches on the test sentences, for `translation.py` to read."""
    sentences = json.loads((folder / "test.json").read_text())
    reports = []
    for batch_size, num_beams, count in searches:
        texts = every(sentences, count)
        search = make_search(num_beams=num_beams, batch_size=batch_size)
        found, times = time_search(search, texts, batch_size)
        pieces = target_tokenizer.tokenize(found)
        report = report_search(
            *(batch_size, num_beams, found),
            pieces.values.shape[0] + len(found),
            sum(times),
        )
        if batch_size == 1:
            p50, p95 = 1000 * np.quantile(times, (0.5, 0.95))
            report |= {"p50_milliseconds": p50, "p95_milliseconds": p95}
        reports.append(report)
    print(json.dumps(reports))


def time_search(search, texts, batch_size):
    """Gives the translations, and the seconds that each request takes."""
    search(texts[:batch_size])  # traces
    found, times = [], []
    for request in [texts] if batch_size > 1 else [[text] for text in texts]:
        started = time.perf_counter()
        found += map(str, search(request))
        times.append(time.perf_counter() - started)
    return found, times


def make_search(text_translator, folder, variants, num_beams, batch_size):
    """Gives a function that translates texts."""
    if "litert" not in variants:
        return functools.partial(
            text_translator.translate,
            num_beams=num_beams,
            batch_size=batch_size,
        )
    from s2s_keras.export.edge_loop import LiteRTTranslator

    path = folder / f"{'_'.join(variants)}_{num_beams}"
    weights = "int8" if "int8" in variants else "float32"
    if not path.exists():
        export_litert(text_translator, path, weights, num_beams=num_beams)
    num_threads = 1 if "intra1" in variants else os.environ["OMP_NUM_THREADS"]
    litert = LiteRTTranslator(path, int(num_threads))
    if batch_size > 1:
        return litert.translate
    return lambda texts: [litert.translate(text) for text in texts]


def to_few_shapes(batch):
    """Pads to lengths that are multiples of eight."""
    return tuple(np.pad(ids, [(0, 0), (0, -ids.shape[1] % 8)]) for ids in batch)


def make_dataset(batches):
    """What `make_batches` gives: inputs, labels, weights."""
    ids = tf.TensorSpec([None, None], tf.int32)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=(ids, ids, ids)
    )
    return dataset.map(
        lambda source_ids, target_ids, label_ids: (
            {"source_ids": source_ids, "target_ids": target_ids},
            label_ids,
            tf.cast(label_ids != 0, tf.float32),
        )
    ).prefetch(2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
