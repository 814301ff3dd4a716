"""Trains the layers of TensorFlow's attention tutorial, by `fit`.

https://www.tensorflow.org/text/tutorials/nmt_with_attention: the decoder's
layer attends after its recurrent layer has read the whole target (dot-product
attention of one head, added and normalised), at the sizes of this comparison.
"""

import sys

import keras
from common import read_batches
from keras import layers
from ours import Counter
from ours import make_dataset

VOCABULARY_SIZE, UNITS = 8000, 512


def make_model():
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    tokens = layers.Embedding(VOCABULARY_SIZE, 256, mask_zero=True)(source_ids)
    memory = layers.Bidirectional(
        layers.GRU(256, return_sequences=True), merge_mode="concat"
    )(tokens)
    tokens = layers.Embedding(VOCABULARY_SIZE, 256, mask_zero=True)(target_ids)
    states = layers.GRU(UNITS, return_sequences=True)(tokens)
    context = layers.MultiHeadAttention(1, UNITS)(query=states, value=memory)
    outputs = layers.LayerNormalization()(layers.Add()([states, context]))
    logits = layers.Dense(VOCABULARY_SIZE)(outputs)
    return keras.Model(
        {"source_ids": source_ids, "target_ids": target_ids}, logits
    )


def main(folder, updates):
    batches = read_batches(folder, updates)
    model = make_model()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(True))
    counter = Counter(batches)
    for _ in range(2):
        counter.start()
        model.fit(
            make_dataset(batches), verbose=0, shuffle=False, callbacks=[counter]
        )
    counter.windows.report()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
