"""Trains TensorFlow's attention tutorial, and scores a model beside it.

    python benchmarks/tutorial.py MODEL --minutes 20

https://www.tensorflow.org/text/tutorials/nmt_with_attention: 5,000 words a
language in small letters and without accents, 256 units, batches of 64, Adam,
until three epochs bring no smaller loss. Its translations have neither capitals
nor accents: both systems are scored against the references as they are, and
against references that are written as the tutorial writes.
"""

import json
import time

import click
import keras
import sacrebleu
import tensorflow as tf
import tensorflow_text
from keras import layers

from s2s_keras import TextTranslator
from s2s_keras import keep_freed_memory
from s2s_keras import load_corpus
from s2s_keras.training.evaluation import read_pairs

VOCABULARY_SIZE, UNITS, BATCH_SIZE, LONGEST = 5000, 256, 64, 50


def standardize(text):
    """Small letters without accents, and punctuation as words."""
    text = tensorflow_text.normalize_utf8(text, "NFKD")
    text = tf.strings.lower(text)
    text = tf.strings.regex_replace(text, "[^ a-z.?!,¿]", "")
    text = tf.strings.regex_replace(text, "[.?!,¿]", r" \0 ")
    text = tf.strings.strip(text)
    return tf.strings.join(["[START]", text, "[END]"], separator=" ")


def make_words(texts):
    words = layers.TextVectorization(
        VOCABULARY_SIZE, standardize=standardize, ragged=True
    )
    words.adapt(tf.data.Dataset.from_tensor_slices(texts).batch(1024))
    return words


def make_model():
    """The tutorial's encoder, and its decoder, which attends at the end."""
    source_ids = keras.Input((None,), dtype="int64", name="source_ids")
    target_ids = keras.Input((None,), dtype="int64", name="target_ids")
    tokens = layers.Embedding(VOCABULARY_SIZE, UNITS, mask_zero=True)(
        source_ids
    )
    memory = layers.Bidirectional(
        layers.GRU(UNITS, return_sequences=True), merge_mode="sum"
    )(tokens)
    tokens = layers.Embedding(VOCABULARY_SIZE, UNITS, mask_zero=True)(
        target_ids
    )
    states = layers.GRU(UNITS, return_sequences=True)(tokens)
    context = layers.MultiHeadAttention(1, UNITS)(query=states, value=memory)
    outputs = layers.LayerNormalization()(layers.Add()([states, context]))
    logits = layers.Dense(VOCABULARY_SIZE)(outputs)
    return keras.Model(
        {"source_ids": source_ids, "target_ids": target_ids}, logits
    )


def make_batches(sources, targets, source_words, target_words):
    def arrange(source, target):
        source_ids = source_words(source).to_tensor()
        ids = target_words(target).to_tensor()
        inputs = {"source_ids": source_ids, "target_ids": ids[:, :-1]}
        return inputs, ids[:, 1:], tf.cast(ids[:, 1:] != 0, tf.float32)

    pairs = tf.data.Dataset.from_tensor_slices((sources, targets))
    return (
        pairs.shuffle(len(sources), seed=0)
        .batch(BATCH_SIZE)
        .map(arrange, num_parallel_calls=2)
        .prefetch(4)
    )


class StopAfter(keras.callbacks.Callback):
    def __init__(self, minutes):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        self.until = time.monotonic() + 60 * self.minutes

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = time.monotonic() > self.until


def translate(model, sources, source_words, target_words):
    """The likeliest word at each step: the tutorial at temperature 0."""
    vocabulary = tf.constant(target_words.get_vocabulary())
    start, end = target_words([""]).values.numpy()
    forward = tf.function(
        lambda source_ids, target_ids: tf.argmax(
            model({"source_ids": source_ids, "target_ids": target_ids})[:, -1],
            axis=-1,
        ),
        reduce_retracing=True,
    )
    translations = []
    for i in range(0, len(sources), BATCH_SIZE):
        source_ids = source_words(sources[i : i + BATCH_SIZE]).to_tensor()
        ids = tf.fill([len(source_ids), 1], start)
        for _ in range(LONGEST):
            ids = tf.concat([ids, forward(source_ids, ids)[:, None]], axis=1)
            if tf.reduce_all(tf.reduce_any(ids == end, axis=1)):
                break
        for row in ids.numpy()[:, 1:].tolist():
            row = row[: row.index(end)] if end in row else row
            words = tf.gather(vocabulary, row).numpy()
            translations.append(b" ".join(words).decode())
    return translations


def score(translations, references):
    def simplify(texts):
        rows = [text.decode().split() for text in standardize(texts).numpy()]
        return [" ".join(row[1:-1]) for row in rows]

    plain = sacrebleu.BLEU(tokenize="none", force=True)
    return {
        "bleu": sacrebleu.BLEU().corpus_score(translations, [references]).score,
        "bleu_simplified": plain.corpus_score(
            simplify(translations), [simplify(references)]
        ).score,
    }


@click.command()
@click.argument("model")
@click.option("--minutes", type=float, required=True)
@click.option("--dataset", default="tatoeba_translate/en_es")
@click.option("--manual-dir")
@click.option("--data-dir")
@click.option("--output", default="tutorial.json", show_default=True)
def main(model, minutes, dataset, output, **places):
    keep_freed_memory()  # as `s2s-keras train` does
    keras.utils.set_random_seed(0)
    sources, targets = read_pairs(load_corpus(dataset, "train", **places))
    words = make_words(sources), make_words(targets)
    tutorial = make_model()
    tutorial.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    validation = read_pairs(load_corpus(dataset, "validation", **places))
    tutorial.fit(
        make_batches(sources, targets, *words),
        validation_data=make_batches(*validation, *words),
        epochs=100,
        verbose=2,
        callbacks=[
            StopAfter(minutes),
            keras.callbacks.EarlyStopping(
                patience=3, restore_best_weights=True
            ),
        ],
    )
    sources, references = read_pairs(load_corpus(dataset, "test", **places))
    ours = TextTranslator.from_preset(model).translate(sources)
    report = {
        "tutorial": score(translate(tutorial, sources, *words), references),
        model: score([item.text for item in ours], references),
        "tutorial_minutes": minutes,
    }
    with open(output, "w") as file:
        json.dump(report, file, indent=2)
    for name, scores in report.items():
        click.echo(f"{name} {scores}")


if __name__ == "__main__":
    main()
