"""Pairs of texts in, padded batches of ids out."""

import warnings
from typing import Any
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.text.normalization import normalize_text

TOKENIZE_BATCH = 1024
PARALLEL_CALLS = 2
PREFETCHED_BATCHES = 4


class TokenizedPairs(NamedTuple):
    """A tokenized corpus in memory, and what had to be left out of it.

    Attributes:
        source_ids: Ragged int32 tensor `[pairs, (source_len)]`, END included.
        label_ids: Ragged int32 tensor `[pairs, (target_len)]`, END included.
        num_empty: Integer. Dropped pairs with an empty side.
        num_overlong: Integer. Dropped pairs with too long a side.
    """

    source_ids: Any
    label_ids: Any
    num_empty: int
    num_overlong: int

    @property
    def lengths(self):
        """Length of each pair's longer side, a NumPy array `[pairs]`."""
        return np.maximum(
            self.source_ids.row_lengths(), self.label_ids.row_lengths()
        )


def tokenize_pairs(
    pairs,
    source_tokenizer,
    target_tokenizer,
    max_source_len=100,
    max_target_len=100,
):
    """Tokenizes a corpus and drops empty and overlong pairs, with a warning.

    Args:
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        source_tokenizer: Tokenizer of the source texts.
        target_tokenizer: Tokenizer of the target texts.
        max_source_len: Integer. Longest source in tokens, END included.
        max_target_len: Integer. Longest target in tokens, END included.

    Returns:
        `TokenizedPairs`.

    Raises:
        ValueError: If no pair is left.
    """

    def tokenize(source_text, target_text):
        return (
            _close(source_tokenizer.tokenize(normalize_text(source_text))),
            _close(target_tokenizer.tokenize(normalize_text(target_text))),
        )

    batches = list(
        pairs.batch(TOKENIZE_BATCH)
        .map(tokenize, num_parallel_calls=PARALLEL_CALLS)
        .prefetch(PREFETCHED_BATCHES)
        .with_options(_without_autotune())
    )
    if not batches:
        raise ValueError(
            "`pairs` should hold at least one pair. Received: an empty dataset"
        )
    source_ids, label_ids = (
        tf.concat(side, axis=0) for side in zip(*batches, strict=True)
    )
    return _drop_unusable(source_ids, label_ids, max_source_len, max_target_len)


def _close(ids):
    """Adds END to each row of a ragged tensor."""
    end = tf.fill([ids.nrows(), 1], END_ID)
    return tf.concat([ids, end], axis=1)


def _drop_unusable(source_ids, label_ids, max_source_len, max_target_len):
    source_lengths = source_ids.row_lengths().numpy()
    label_lengths = label_ids.row_lengths().numpy()
    empty = (source_lengths == 1) | (label_lengths == 1)  # END alone
    overlong = (source_lengths > max_source_len) | (
        label_lengths > max_target_len
    )
    overlong &= ~empty
    usable = ~(empty | overlong)
    report = (
        f"{empty.sum()} empty and {overlong.sum()} overlong of "
        f"{len(usable)} pairs (at most {max_source_len} source and "
        f"{max_target_len} target tokens)"
    )
    if not usable.any():
        raise ValueError(
            f"`pairs` should hold a usable pair. Received: {report}"
        )
    if not usable.all():
        warnings.warn(f"Dropped {report}.", stacklevel=3)
    return TokenizedPairs(
        tf.ragged.boolean_mask(source_ids, usable),
        tf.ragged.boolean_mask(label_ids, usable),
        int(empty.sum()),
        int(overlong.sum()),
    )


def make_batches(
    tokenized_pairs,
    batch_size=64,
    tokens_per_batch=None,
    shuffle_seed=None,
    num_devices=1,
):
    """Groups pairs of similar length into padded batches that `fit` takes.

    Args:
        tokenized_pairs: `TokenizedPairs`.
        batch_size: Integer. Pairs in a batch.
        tokens_per_batch: Integer. When given, replaces `batch_size` by a
            budget: pairs in a batch times their greatest length, padding
            included, stays within it.
        shuffle_seed: Integer. When given, pairs come in a new order in every
            epoch, the same in every run. Otherwise they keep one order.
        num_devices: Integer. Rows of padding are added until a batch can be
            split evenly among so many devices.

    Returns:
        `tf.data.Dataset` of known cardinality, of `(inputs, label_ids,
        sample_weight)`: a dictionary of `source_ids` `[batch, source_len]`
        and `target_ids` `[batch, target_len]`, int32 `[batch, target_len]`,
        and float32 `[batch, target_len]`, 0 on padding.
    """
    sides = tokenized_pairs.source_ids, tokenized_pairs.label_ids
    lengths = tokenized_pairs.lengths
    # The target first, as most of the work is done on targets.
    source_lengths, label_lengths = (ids.row_lengths() for ids in sides)
    rank = label_lengths * (lengths.max() + 1) + source_lengths
    order = tf.argsort(rank)
    sizes = _cut(lengths[order], batch_size, tokens_per_batch)
    rows = tf.data.Dataset.range(len(rank))
    if shuffle_seed is not None:
        rows = rows.shuffle(len(rank), seed=shuffle_seed)

    def sort(rows):
        order = tf.argsort(tf.gather(rank, rows), stable=True)
        return tf.RaggedTensor.from_row_lengths(tf.gather(rows, order), sizes)

    batches = rows.batch(len(rank)).map(sort).unbatch()
    if shuffle_seed is not None:
        batches = batches.shuffle(len(sizes), seed=shuffle_seed)

    def read(rows):
        return _arrange(
            *(
                _pad(tf.gather(ids, rows).to_tensor(PAD_ID), num_devices)
                for ids in sides
            )
        )

    return (
        batches.map(read, num_parallel_calls=PARALLEL_CALLS)
        .apply(tf.data.experimental.assert_cardinality(len(sizes)))
        .prefetch(PREFETCHED_BATCHES)
        .with_options(_without_autotune())
    )


def _cut(lengths, batch_size, tokens_per_batch):
    """Sizes of the batches that sorted pairs of these lengths are cut into."""
    sizes, longest = [0], 0
    for length in lengths:
        longest = max(longest, length)
        full = sizes[-1] == batch_size
        if tokens_per_batch is not None:
            full = (sizes[-1] + 1) * longest > tokens_per_batch
        if full and sizes[-1]:
            sizes.append(0)
            longest = length
        sizes[-1] += 1
    return sizes


def _without_autotune():
    """Options against a wait that can double the time of an epoch.

    An iterator that goes away waits for tf.data's autotuner, which sleeps for
    ever longer, up to a minute, after every round.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _pad(ids, multiple):
    """Adds rows of PAD until there are a multiple of `multiple`."""
    return tf.pad(
        ids,
        [[0, -tf.shape(ids)[0] % multiple], [0, 0]],
        constant_values=PAD_ID,
    )


def _arrange(source_ids, label_ids):
    """Shifts labels to decoder inputs and weighs padding with 0."""
    start = tf.fill([tf.shape(label_ids)[0], 1], START_ID)
    kept = tf.where(label_ids == END_ID, PAD_ID, label_ids)[:, :-1]
    return (
        {
            "source_ids": source_ids,
            "target_ids": tf.concat([start, kept], axis=1),
        },
        label_ids,
        tf.cast(label_ids != PAD_ID, tf.float32),
    )
