import numpy as np
import pytest
import tensorflow as tf
from laws import TEXTS

from s2s_keras import SentencePieceTokenizer
from s2s_keras.conventions import END_ID
from s2s_keras.conventions import PAD_ID
from s2s_keras.conventions import START_ID
from s2s_keras.data.batching import make_batches
from s2s_keras.data.batching import tokenize_pairs

TOKENIZER = SentencePieceTokenizer.train(TEXTS, 300)
WORDS = np.array(["one", "two", "three", "four", "five"])


def make_pairs(rows):
    sources, targets = zip(*rows, strict=True)
    return tf.data.Dataset.from_tensor_slices((list(sources), list(targets)))


def random_rows(num_rows):
    random = np.random.default_rng(0)
    return [
        tuple(
            " ".join(random.choice(WORDS, random.integers(1, 12)))
            for _ in range(2)
        )
        for _ in range(num_rows)
    ]


def tokenize(rows, **kwargs):
    return tokenize_pairs(make_pairs(rows), TOKENIZER, TOKENIZER, **kwargs)


def texts_of(batches):
    """All pairs of texts in batches, in order."""
    return [
        pair
        for inputs, label_ids, _ in batches
        for pair in zip(
            TOKENIZER.detokenize(inputs["source_ids"]).numpy(),
            TOKENIZER.detokenize(label_ids).numpy(),
            strict=True,
        )
    ]


def test_every_pair_comes_once_and_stays_a_pair():
    rows = random_rows(200)
    found = texts_of(make_batches(tokenize(rows), batch_size=7, shuffle_seed=1))
    expected = [tuple(side.encode() for side in row) for row in rows]
    assert sorted(found) == sorted(expected)


def test_labels_are_the_targets_one_step_later():
    for inputs, label_ids, weights in make_batches(tokenize(random_rows(50))):
        target_ids, label_ids = inputs["target_ids"].numpy(), label_ids.numpy()
        assert (target_ids[:, 0] == START_ID).all()
        closing = label_ids == END_ID
        assert (closing.sum(axis=1) == 1).all()
        np.testing.assert_array_equal(
            target_ids[:, 1:], np.where(closing, PAD_ID, label_ids)[:, :-1]
        )
        np.testing.assert_array_equal(weights, label_ids != PAD_ID)
        source_ids = inputs["source_ids"].numpy()
        assert ((source_ids == END_ID).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    "kwargs", [{"batch_size": 7}, {"tokens_per_batch": 60}]
)
def test_cardinality_is_right(kwargs):
    batches = make_batches(tokenize(random_rows(200)), **kwargs)
    assert len(batches) == len(list(batches))


def test_a_token_budget_is_kept():
    for inputs, label_ids, _ in make_batches(
        tokenize(random_rows(200)), tokens_per_batch=60
    ):
        assert tf.size(inputs["source_ids"]) <= 60
        assert tf.size(label_ids) <= 60


@pytest.mark.parametrize(
    "limit", [{"batch_size": 7}, {"tokens_per_batch": 100}, {"batch_size": 1}]
)
def test_batches_split_evenly_among_devices(limit):
    tokenized = tokenize(random_rows(50))
    filled, rows = [], []
    for inputs, label_ids, weights in make_batches(
        tokenized, num_devices=4, **limit
    ):
        pairs = np.concatenate([inputs["source_ids"], label_ids], axis=1)
        size, most = len(pairs), limit.get("tokens_per_batch")
        longest = max(inputs["source_ids"].shape[1], label_ids.shape[1])
        assert size % 4 == 0
        assert size == 4 or most is None or size * longest <= most
        assert most or size == 4
        is_pair = weights.numpy().any(axis=1)
        filled.append(is_pair.sum())
        rows += [tuple(row[row > 0]) for row in pairs[is_pair]]
        assert not pairs[~is_pair].any()
    *others, last = filled
    assert all(size % 4 == 0 for size in others) and last % 4 == 50 % 4
    expected = [
        tuple(row[row > 0])
        for inputs, label_ids, _ in make_batches(tokenized)
        for row in np.concatenate([inputs["source_ids"], label_ids], axis=1)
    ]
    assert sorted(rows) == sorted(expected)


def test_copies_stand_side_by_side_and_count():
    tokenized = tokenize(random_rows(50))
    for twice, once in zip(
        make_batches(tokenized, tokens_per_batch=120, num_copies=2),
        make_batches(tokenized, tokens_per_batch=60),
        strict=True,
    ):
        for copies, ids in zip(
            tf.nest.flatten(twice), tf.nest.flatten(once), strict=True
        ):
            np.testing.assert_array_equal(copies[::2], ids)
            np.testing.assert_array_equal(copies[1::2], ids)


@pytest.mark.parametrize("limit", [{"batch_size": 7}, {"tokens_per_batch": 60}])
@pytest.mark.parametrize("num_shapes", [1, 3])
def test_few_shapes_hold_the_same_pairs(limit, num_shapes):
    tokenized = tokenize(random_rows(200))
    shapes = set()
    for plain, padded in zip(
        make_batches(tokenized, **limit),
        make_batches(tokenized, num_shapes=num_shapes, **limit),
        strict=True,
    ):
        plain, padded = tf.nest.flatten(plain), tf.nest.flatten(padded)
        shapes.add(tuple(tuple(ids.shape) for ids in padded))
        for ids, more_ids in zip(plain, padded, strict=True):
            batch, length = ids.shape
            np.testing.assert_array_equal(more_ids[:batch, :length], ids)
        labels, weights = padded[-2:]
        assert tf.math.count_nonzero(labels) == tf.math.count_nonzero(plain[-2])
        np.testing.assert_array_equal(weights, labels != PAD_ID)
    assert len(shapes) <= num_shapes
    assert num_shapes == 1 or len(shapes) > 1


def test_few_shapes_of_variants_split_evenly():
    tokenized = tokenize(random_rows(50))._replace(num_variants=2)
    batches = make_batches(
        tokenized, batch_size=4, num_shapes=2, num_devices=3, shuffle_seed=0
    )
    shapes = {tuple(labels.shape) for _, labels, _ in batches}
    assert len(shapes) <= 2
    assert all(batch % 3 == 0 for batch, _ in shapes)


@pytest.mark.parametrize(
    "name",
    [
        *("batch_size", "tokens_per_batch", "num_devices"),
        *("num_copies", "num_shapes"),
    ],
)
def test_refuses_none_of_what_it_counts(name):
    with pytest.raises(ValueError, match=f"Received: {name}=0"):
        make_batches(None, **{name: 0})


def test_a_pair_longer_than_the_budget_is_a_batch_of_its_own():
    batches = make_batches(tokenize(random_rows(20)), tokens_per_batch=1)
    assert {len(label_ids) for _, label_ids, _ in batches} == {1}


def test_batches_hold_little_padding():
    padded, real = 0, 0
    for _, label_ids, weights in make_batches(
        tokenize(random_rows(500)), batch_size=10
    ):
        padded += label_ids.numpy().size
        real += weights.numpy().sum()
    assert padded < 1.05 * real


def test_a_long_source_does_not_pad_a_batch_of_short_ones():
    rows = [("one", "two")] * 20 + [("one " * 15, "two")]
    batches = make_batches(tokenize(rows), tokens_per_batch=200)
    shapes = [inputs["source_ids"].shape for inputs, _, _ in batches]
    assert [num_rows for num_rows, _ in shapes] == [20, 1]


def test_shuffling_is_seeded_and_new_in_every_epoch():
    tokenized = tokenize(random_rows(100))
    one, two, other = (
        make_batches(tokenized, 8, shuffle_seed=seed) for seed in (1, 1, 2)
    )
    first, second = texts_of(one), texts_of(one)
    assert first == texts_of(two)
    assert second == texts_of(two)
    assert first != second
    assert first != texts_of(other)


def test_without_a_seed_the_order_stays():
    batches = make_batches(tokenize(random_rows(100)), 8)
    assert texts_of(batches) == texts_of(batches)


def test_empty_and_overlong_pairs_are_dropped_and_reported():
    rows = [
        ("one", "two"),
        ("", "two"),
        ("one", "  "),
        ("one", "two " * 50),
        ("one " * 50, ""),
    ]
    with pytest.warns(UserWarning, match="3 empty and 1 overlong of 5 pairs"):
        tokenized = tokenize(rows, max_source_len=20, max_target_len=20)
    assert (tokenized.num_empty, tokenized.num_overlong) == (3, 1)
    assert texts_of(make_batches(tokenized)) == [(b"one", b"two")]


@pytest.mark.parametrize("rows", [[("", "")], [("one " * 200, "two")]])
def test_refuses_a_corpus_without_a_usable_pair(rows):
    with pytest.raises(ValueError, match="should hold a usable pair"):
        tokenize(rows)


def test_refuses_an_empty_corpus():
    with pytest.raises(ValueError, match="an empty dataset"):
        tokenize_pairs(make_pairs([("a", "b")]).take(0), TOKENIZER, TOKENIZER)
