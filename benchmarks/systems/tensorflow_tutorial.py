"""Trains the layers of TensorFlow's attention tutorial, and translates.

https://www.tensorflow.org/text/tutorials/nmt_with_attention: the decoder's
layer attends after its recurrent layer has read the whole target (dot-product
attention of one head, added and normalised), at the sizes of this comparison.
It has no beam: its translations are the likeliest tokens.
"""

import pathlib
import sys
from typing import Any
from typing import NamedTuple

import keras
import tensorflow as tf
from common import SEARCHES
from common import read_batches
from keras import layers
from ours import Counter
from ours import make_dataset
from ours import read_tokenizers
from ours import report_searches

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID

VOCABULARY_SIZE, UNITS, LONGEST = 8000, 512, 50


class Parts(NamedTuple):
    """Layers that training and translating share."""

    source_embedding: Any
    encoder: Any
    target_embedding: Any
    decoder: Any
    attention: Any
    norm: Any
    output: Any


def make_parts():
    return Parts(
        layers.Embedding(VOCABULARY_SIZE, 256, mask_zero=True),
        layers.Bidirectional(
            layers.GRU(256, return_sequences=True), merge_mode="concat"
        ),
        layers.Embedding(VOCABULARY_SIZE, 256, mask_zero=True),
        layers.GRU(UNITS, return_sequences=True, return_state=True),
        layers.MultiHeadAttention(1, UNITS),
        layers.LayerNormalization(),
        layers.Dense(VOCABULARY_SIZE),
    )


def make_model(parts):
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    memory = parts.encoder(parts.source_embedding(source_ids))
    states, _ = parts.decoder(parts.target_embedding(target_ids))
    context = parts.attention(query=states, value=memory)
    logits = parts.output(parts.norm(layers.Add()([states, context])))
    return keras.Model(
        {"source_ids": source_ids, "target_ids": target_ids}, logits
    )


def make_search(parts, source_tokenizer, target_tokenizer):
    """The tutorial's loop at temperature 0, until all sentences have ended."""

    def take_step(memory, is_source, time, token_ids, state, done, written):
        tokens = parts.target_embedding(token_ids[:, None])
        states, state = parts.decoder(tokens, initial_state=state)
        context = parts.attention(
            query=states, value=memory, attention_mask=is_source[:, None]
        )
        logits = parts.output(parts.norm(states + context))[:, 0]
        token_ids = tf.argmax(logits, axis=-1, output_type=tf.int32)
        token_ids = tf.where(done, PAD_ID, token_ids)
        done |= token_ids == END_ID
        written = written.write(time, token_ids)
        return time + 1, token_ids, state, done, written

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    def translate(texts):
        ids = source_tokenizer.tokenize(texts)
        end = tf.fill([tf.shape(texts)[0], 1], END_ID)
        source_ids = tf.concat([ids, end], axis=1).to_tensor()
        memory = parts.encoder(parts.source_embedding(source_ids))
        *_, written = tf.while_loop(
            lambda time, token_ids, state, done, _: (
                (time < LONGEST) & ~tf.reduce_all(done)
            ),
            lambda *loop: take_step(memory, source_ids != PAD_ID, *loop),
            (
                0,
                tf.fill(tf.shape(texts), START_ID),
                tf.zeros([tf.shape(texts)[0], UNITS]),
                tf.zeros_like(texts, tf.bool),
                tf.TensorArray(tf.int32, LONGEST, element_shape=[None]),
            ),
        )
        ids = tf.transpose(written.stack())
        ids = tf.ragged.boolean_mask(ids, (ids != PAD_ID) & (ids != END_ID))
        return target_tokenizer.detokenize(ids)

    return lambda texts: [
        text.decode(errors="replace")
        for text in translate(tf.constant(texts)).numpy()
    ]


def main(folder, updates, task):
    batches = read_batches(folder, updates)
    parts = make_parts()
    model = make_model(parts)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(True))
    if task == "training":
        train(model, batches)
    else:
        model.fit(make_dataset(batches), verbose=0, shuffle=False)
        translate(parts, pathlib.Path(folder))


def train(model, batches):
    counter = Counter(batches)
    for _ in range(2):
        counter.start()
        model.fit(
            make_dataset(batches), verbose=0, shuffle=False, callbacks=[counter]
        )
    counter.windows.report()


def translate(parts, folder):
    tokenizers = read_tokenizers(folder)
    search = make_search(parts, *tokenizers)

    def make_batched(num_beams, batch_size):
        return lambda texts: [
            translation
            for first in range(0, len(texts), batch_size)
            for translation in search(texts[first : first + batch_size])
        ]

    greedy = [task for task in SEARCHES if task[1] == 1]
    report_searches(make_batched, greedy, folder, tokenizers[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
