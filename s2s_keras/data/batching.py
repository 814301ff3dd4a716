"""Pairs of texts in, padded batches of ids out."""

import warnings
from typing import Any
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.conventions import check_positive
from s2s_keras.progress import track
from s2s_keras.text.normalization import normalize_text

TOKENIZE_BATCH = 1024
PARALLEL_CALLS = 2
PREFETCHED_BATCHES = 4


class TokenizedPairs(NamedTuple):
    """A tokenized corpus in memory, and what had to be left out of it.

    Attributes:
        source_ids: Ragged int32 tensor `[num_variants * pairs, (source_len)]`,
            END included. All pairs of a variant come before the next.
        label_ids: Ragged int32 tensor `[num_variants * pairs, (target_len)]`,
            END included. Neither side of a pair is ever empty or overlong.
        num_empty: Integer. Dropped pairs with an empty side.
        num_overlong: Integer. Dropped pairs with too long a side.
        num_variants: Integer. How often the corpus is there.
    """

    source_ids: Any
    label_ids: Any
    num_empty: int
    num_overlong: int
    num_variants: int = 1

    @property
    def lengths(self):
        """Lengths of both sides, two NumPy arrays `[num_variants, pairs]`."""
        return tuple(
            ids.row_lengths().numpy().reshape(self.num_variants, -1)
            for ids in (self.source_ids, self.label_ids)
        )


def tokenize_pairs(
    pairs,
    source_tokenizer,
    target_tokenizer,
    max_source_len=100,
    max_target_len=100,
    variation=None,
):
    """Tokenizes a corpus and drops empty and overlong pairs, with a warning.

    Which those are does not depend on `variation`: where only a varied reading
    of a pair is empty or overlong, the plain one takes its place.

    Args:
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        source_tokenizer: Tokenizer of the source texts.
        target_tokenizer: Tokenizer of the target texts.
        max_source_len: Integer. Longest source in tokens, END included.
        max_target_len: Integer. Longest target in tokens, END included.
        variation: `Variation`, which says how often, and how differently, to
            read the corpus; `None` to read it once, as it is.

    Returns:
        `TokenizedPairs`.

    Raises:
        ValueError: If no pair is left.
    """
    texts = [
        tuple(normalize_text(text) for text in batch)
        for batch in pairs.batch(TOKENIZE_BATCH)
    ]
    if not texts:
        raise ValueError(
            "`pairs` should hold at least one pair. Received: an empty dataset"
        )
    tokenizers = source_tokenizer, target_tokenizer
    batches = [
        _tokenize(batch, tokenizers) for batch in track(texts, "Tokenizing")
    ]
    num_variants = 0
    if variation is not None:
        batches += variation.tokenize(texts, tokenizers)
        num_variants = variation.num_variants
    source_ids, label_ids = (
        _close(tf.concat(side, axis=0)) for side in zip(*batches, strict=True)
    )
    readings = TokenizedPairs(source_ids, label_ids, 0, 0, 1 + num_variants)
    return _drop_unusable(readings, max_source_len, max_target_len)


def _tokenize(texts, tokenizers):
    return [
        tokenizer.tokenize(text)
        for tokenizer, text in zip(tokenizers, texts, strict=True)
    ]


def _close(ids):
    """Adds END to each row of a ragged tensor."""
    end = tf.fill([ids.nrows(), 1], END_ID)
    return tf.concat([ids, end], axis=1)


def _drop_unusable(readings, max_source_len, max_target_len):
    """Drops pairs whose plain reading cannot be learned from.

    Args:
        readings: `TokenizedPairs`, the plain reading before the variants.
        max_source_len: Integer.
        max_target_len: Integer.

    Returns:
        `TokenizedPairs` of the variants, or of the plain reading alone. The
        plain one stands in for those that cannot be learned from.

    Raises:
        ValueError: If no pair is left.
    """
    source_lengths, label_lengths = readings.lengths
    empties = (source_lengths == 1) | (label_lengths == 1)  # END alone
    overlongs = (source_lengths > max_source_len) | (
        label_lengths > max_target_len
    )
    unfit = empties | overlongs
    empty, usable = empties[0], ~unfit[0]
    overlong = ~(empty | usable)
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
    rows = np.arange(unfit.size).reshape(unfit.shape)
    rows = np.where(unfit, rows[0], rows)[:, usable]
    variants = rows[1:] if len(rows) > 1 else rows
    return TokenizedPairs(
        tf.gather(readings.source_ids, variants.ravel()),
        tf.gather(readings.label_ids, variants.ravel()),
        int(empty.sum()),
        int(overlong.sum()),
        len(variants),
    )


def make_batches(
    tokenized_pairs,
    batch_size=64,
    tokens_per_batch=None,
    shuffle_seed=None,
    num_devices=1,
    num_copies=1,
    num_shapes=None,
):
    """Groups pairs of similar length into padded batches that `fit` takes.

    Args:
        tokenized_pairs: `TokenizedPairs`.
        batch_size: Integer. Pairs in a batch.
        tokens_per_batch: Integer. When given, replaces `batch_size` by a
            budget: pairs in a batch times their greatest length, padding
            included, stays within it where `num_shapes` is not given, but for
            a pair, or one for each device, that is longer by itself.
        shuffle_seed: Integer. When given, pairs come in a new order in every
            epoch, the same in every run. Otherwise they keep one order. Where
            there are variants of the pairs, each epoch draws one.
        num_devices: Integer. Batches can be split evenly among so many
            devices; that of the longest pairs gets rows of padding for it.
        num_copies: Integer. How often each pair is in a batch, one copy right
            after the other, as `TokenCrossEntropy(consistency=...)` wants two.
            Both limits count them all.
        num_shapes: Integer. When given, the same batches are padded further,
            until there are at most so many shapes of them. Each is as large as
            the largest batch of its group on every side, which takes more
            than `tokens_per_batch`, the more the fewer shapes there are.

    Returns:
        `tf.data.Dataset` of known cardinality, of `(inputs, label_ids,
        sample_weight)`: a dictionary of `source_ids` `[batch, source_len]`
        and `target_ids` `[batch, target_len]`, int32 `[batch, target_len]`,
        and float32 `[batch, target_len]`, 0 on padding.

    Raises:
        ValueError: If a size or a number is not positive.
    """
    check_positive(
        batch_size=batch_size, num_devices=num_devices, num_copies=num_copies
    )
    optional = {"tokens_per_batch": tokens_per_batch, "num_shapes": num_shapes}
    check_positive(**{k: v for k, v in optional.items() if v is not None})
    batch_size = max(1, batch_size // num_copies)
    if tokens_per_batch is not None:
        tokens_per_batch //= num_copies
    sides = tokenized_pairs.source_ids, tokenized_pairs.label_ids
    lengths = tokenized_pairs.lengths
    ranks, sizes = _plan(*lengths, batch_size, tokens_per_batch, num_devices)
    shapes = _find_shapes(lengths, ranks, sizes, num_shapes)

    def read(rows, shape):
        padded = [
            _pad(
                tf.gather(ids, rows).to_tensor(
                    PAD_ID, shape=tf.stack([shape[0], length])
                ),
                num_devices,
            )
            for ids, length in zip(sides, tf.unstack(shape[1:]), strict=True)
        ]
        return _arrange(*(tf.repeat(ids, num_copies, axis=0) for ids in padded))

    return (
        _group_rows(ranks, sizes, shapes, shuffle_seed)
        .map(read, num_parallel_calls=PARALLEL_CALLS)
        .apply(tf.data.experimental.assert_cardinality(sizes.shape[1]))
        .prefetch(PREFETCHED_BATCHES)
        .with_options(_without_autotune())
    )


def _group_rows(ranks, sizes, shapes, shuffle_seed):
    """Groups pairs by length, in every epoch those of one variant.

    Args:
        ranks: Integer tensor `[num_variants, pairs]`.
        sizes: Integer tensor `[num_variants, num_batches]`.
        shapes: Integer tensor `[num_variants, num_batches, 3]`.
        shuffle_seed: See `make_batches`.

    Returns:
        `tf.data.Dataset` of the rows of every batch, and of its shape.
    """
    num_variants, num_pairs = ranks.shape
    rows = tf.data.Dataset.range(num_pairs)
    if shuffle_seed is not None:
        rows = rows.shuffle(num_pairs, seed=shuffle_seed)
    variants = tf.data.Dataset.random(
        shuffle_seed or 0, rerandomize_each_iteration=True
    ).map(lambda number: number % num_variants)

    def sort(rows, variant):
        rank = tf.gather(ranks[variant], rows)
        rows = tf.gather(rows, tf.argsort(rank, stable=True))
        rows = tf.RaggedTensor.from_row_lengths(
            rows + variant * num_pairs, sizes[variant]
        )
        return rows, shapes[variant]

    rows = rows.batch(num_pairs)
    batches = tf.data.Dataset.zip(rows, variants).map(sort).unbatch()
    if shuffle_seed is None:
        return batches
    return batches.shuffle(sizes.shape[1], seed=shuffle_seed)


def _plan(
    source_lengths, label_lengths, batch_size, tokens_per_batch, num_devices
):
    """Tells how pairs are sorted and cut into batches, for each variant.

    Where there are several devices, one pair for each is cut off at a time.

    Returns:
        A tuple of integer tensors: the ranks by which pairs are sorted
        `[num_variants, pairs]`, and sizes `[num_variants, num_batches]`.
    """
    lengths = np.maximum(source_lengths, label_lengths)
    # The target first, as most of the work is done on targets.
    ranks = label_lengths * (lengths.max() + 1) + source_lengths
    num_pairs = lengths.shape[1]
    firsts = range(0, num_pairs, num_devices)
    if tokens_per_batch is not None:
        tokens_per_batch //= num_devices
    sizes = [
        _cut(
            np.maximum.reduceat(lengths[np.argsort(rank)], firsts),
            max(1, batch_size // num_devices),
            tokens_per_batch,
        )
        for lengths, rank in zip(lengths, ranks, strict=True)
    ]
    num_batches = max(map(len, sizes))
    sizes = num_devices * np.array(
        [_split_largest(sizes, num_batches) for sizes in sizes]
    )
    sizes[:, -1] -= -num_pairs % num_devices
    return tf.constant(ranks), tf.constant(sizes, tf.int64)


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


def _split_largest(sizes, num_batches):
    """Halves the largest batches until there are so many."""
    while len(sizes) < num_batches:
        i = sizes.index(max(sizes))
        sizes[i : i + 1] = [-(-sizes[i] // 2), sizes[i] // 2]
    return sizes


def _find_shapes(lengths, ranks, sizes, num_shapes):
    """Tells what batches are padded to, beyond what their pairs need.

    Those whose lengths are alike, by powers of one number, share a shape.

    Args:
        lengths: Source and label lengths, two arrays `[num_variants, pairs]`.
        ranks: Integer tensor `[num_variants, pairs]`.
        sizes: Integer tensor `[num_variants, num_batches]`.
        num_shapes: Integer, or `None` for no further padding.

    Returns:
        Integer tensor `[num_variants, num_batches, 3]`: `batch`, `source_len`
        and `target_len`, -1 where it is left open.
    """
    sizes = sizes.numpy()
    if num_shapes is None:
        return tf.fill([*sizes.shape, 3], tf.constant(-1, tf.int64))
    order = np.argsort(ranks.numpy(), axis=1, kind="stable")
    starts = np.cumsum(sizes, axis=1) - sizes
    shapes = np.stack([sizes, sizes, sizes], axis=-1)
    for side, of_pairs in enumerate(lengths, start=1):
        ordered = np.take_along_axis(of_pairs, order, axis=1)
        for variant in range(len(sizes)):
            shapes[variant, :, side] = np.maximum.reduceat(
                ordered[variant], starts[variant]
            )
    longest = shapes[..., 1:].max(axis=-1)
    steps = np.geomspace(longest.min(), longest.max(), num_shapes + 1)
    groups = np.searchsorted(steps[1:-1], longest)
    for group in np.unique(groups):
        shapes[groups == group] = shapes[groups == group].max(axis=0)
    return tf.constant(shapes, tf.int64)


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
