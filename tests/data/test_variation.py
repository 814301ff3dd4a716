import random
import re

import numpy as np
import pytest
import tensorflow as tf
from laws import TEXTS

from s2s_keras import SentencePieceTokenizer
from s2s_keras.data.batching import make_batches
from s2s_keras.data.batching import tokenize_pairs
from s2s_keras.data.variation import Variation
from s2s_keras.data.variation import _strip_accents
from s2s_keras.data.variation import misread

TOKENIZER = SentencePieceTokenizer.train(TEXTS, 330)
ROWS = [(text, f"{i} {text}") for i, text in enumerate(TEXTS * 3)]
PAIR = ("¿Dónde está la biblioteca?", "Where is the library?")
NEXT = [("Hola.", "Hello."), ("Adiós.", "Bye.")]


def read(num_variants, rows=ROWS, max_len=100, **options):
    pairs = tf.data.Dataset.from_tensor_slices(
        tuple(map(list, zip(*rows, strict=True)))
    )
    return tokenize_pairs(
        pairs,
        TOKENIZER,
        TOKENIZER,
        max_len,
        max_len,
        variation=Variation(num_variants, **options),
    )


def texts_of(ids):
    return [text.decode() for text in TOKENIZER.detokenize(ids).numpy()]


def test_without_noise_and_sampling_all_variants_are_alike():
    once, thrice = read(1), read(3)
    for name in ("source_ids", "label_ids"):
        rows = getattr(once, name).to_list()
        assert getattr(thrice, name).to_list() == 3 * rows


def test_sampled_pieces_spell_the_same_text():
    plain, sampled = read(1), read(4, subword_sampling=0.1)
    for name in ("source_ids", "label_ids"):
        best, drawn = (getattr(side, name) for side in (plain, sampled))
        assert texts_of(drawn) == 4 * texts_of(best)
        variants = np.array_split(np.array(drawn.to_list(), object), 4)
        assert len({str(variant.tolist()) for variant in variants}) == 4


@pytest.mark.parametrize(
    "options", [{"subword_sampling": 0.1}, {"noise": 0.5}], ids=str
)
def test_a_seed_gives_the_same_variants(options):
    first, again = read(2, **options), read(2, **options)
    other = read(2, seed=1, **options)
    assert first.source_ids.to_list() == again.source_ids.to_list()
    assert first.source_ids.to_list() != other.source_ids.to_list()


def test_noise_changes_about_its_share_of_the_pairs():
    plain, noisy = (texts_of(read(4, noise=n).source_ids) for n in (0, 0.5))
    changed = np.mean([a != b for a, b in zip(plain, noisy, strict=True)])
    assert 0.2 < changed < 0.5  # some changes change nothing


@pytest.mark.parametrize("empty", [("", "alone"), ("alone", "")])
def test_noise_neither_keeps_nor_joins_an_empty_sentence(empty):
    with pytest.warns(UserWarning, match=f"Dropped {len(ROWS)} empty and 0"):
        tokenized = read(
            8, [row for pair in ROWS for row in (pair, empty)], noise=0.9
        )
    assert tokenized.num_empty == len(ROWS)
    assert tokenized.lengths[0].shape == (8, len(ROWS))
    assert all(lengths.min() > 1 for lengths in tokenized.lengths)
    for ids in (tokenized.source_ids, tokenized.label_ids):
        assert not any("alone" in text.lower() for text in texts_of(ids))


@pytest.mark.parametrize(
    "options", [{"noise": 0.9}, {"subword_sampling": 0.1}], ids=str
)
def test_too_long_a_reading_gives_way_to_the_plain_one(options):
    plain = read(1)
    longest = max(lengths.max() for lengths in plain.lengths)
    tokenized, free = read(8, max_len=longest, **options), read(8, **options)
    assert tokenized.num_overlong == 0
    replaced = np.any([ls > longest for ls in free.lengths], axis=0)
    assert 0 < replaced.sum() < replaced.size
    for name in ("source_ids", "label_ids"):
        found, drawn, best = (
            getattr(side, name).to_list() for side in (tokenized, free, plain)
        )
        for i, is_replaced in enumerate(replaced.ravel()):
            expected = best[i % len(best)] if is_replaced else drawn[i]
            assert found[i] == expected


def test_each_epoch_reads_one_variant_whole_and_in_budget():
    tokenized = read(4, noise=0.5)
    source_texts = texts_of(tokenized.source_ids)
    size = len(source_texts) // 4
    variants = [
        sorted(source_texts[i * size : (i + 1) * size]) for i in range(4)
    ]
    batches = make_batches(tokenized, tokens_per_batch=200, shuffle_seed=0)
    seen = set()
    for _ in range(12):
        found, count = [], 0
        for inputs, label_ids, _ in batches:
            rows, target_len = label_ids.shape
            length = max(target_len, inputs["source_ids"].shape[1])
            assert rows * length <= 200 or rows == 1
            found += texts_of(inputs["source_ids"])
            count += 1
        assert count == len(batches)
        seen.add(variants.index(sorted(found)))
    assert len(seen) > 1


def test_every_kind_of_misreading_occurs():
    rng = random.Random(0)
    found = {misread([PAIR, *NEXT], rng) for _ in range(5000)}
    source, target = PAIR
    assert (f"{source} Hola.", f"{target} Hello.") in found
    assert (f"{source} Hola. Adiós.", f"{target} Hello. Bye.") in found
    assert (source.upper(), target.upper()) in found
    assert ("dónde está la biblioteca", target) in found
    assert ("donde esta la biblioteca", target) in found
    assert ("Dónde está la biblioteca", target) in found
    assert (source.replace("ónd", "ódn"), target) in found
    assert (source.replace("ónd", "ód"), target) in found
    assert (source.replace("ónd", "ónnd"), target) in found


@pytest.mark.parametrize("empty", [("", "Hello."), ("Hola.", ""), ("", "")])
def test_an_empty_sentence_is_never_joined(empty):
    rng = random.Random(0)
    for _ in range(500):
        source_text, target_text = misread([PAIR, empty, NEXT[1]], rng)
        assert "Hola." not in source_text and "Hello." not in target_text
        assert misread([empty, *NEXT], rng).count("") == empty.count("")


def test_names_and_numbers_of_both_sides_become_others():
    source, target = "Tom met Ángela in Lima in 1987.", "1987 traf Tom Ángela."
    rng = random.Random(0)
    found = [misread([(source, target)], rng) for _ in range(500)]
    renamed = [
        pair for pair in found if "Lima" in pair[0] and pair[1] != target
    ]
    assert 200 < len(renamed) < 300
    for source_text, target_text in renamed:
        match = re.fullmatch(r"(\w+) met (\w+) in Lima in (\d+)\.", source_text)
        tom, angela, year = match.groups()
        assert target_text == f"{year} traf {tom} {angela}."
        assert (tom + angela).isalpha() and tom != "Tom" and angela[0].isupper()
    assert len(set(renamed)) > 0.9 * len(renamed)


@pytest.mark.parametrize("text", ["Él vio época.", "el vio época."])
def test_a_word_in_small_letters_is_no_name(text):
    rng = random.Random(0)
    found = {misread([(text, text)], rng) for _ in range(200)}
    targets = {target_text for _, target_text in found}
    assert targets == {text, text.upper()}


@pytest.mark.parametrize("text", ["", "?", "a", "...", "\u0301"])
def test_short_texts_do_not_vanish(text):
    rng = random.Random(0)
    for _ in range(100):
        source_text, target_text = misread([(text, text)], rng)
        assert bool(source_text) == bool(target_text) == bool(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Árbol ñ", "Arbol n"),
        ("άνθρωπος", "ανθρωπος"),
        ("مُعَلِّم", "معلم"),
        *(2 * (text,) for text in ("がっこうでパン", "अच्छा लड़का", "мой", "́")),
    ],
)
def test_accents_go_where_they_are_no_part_of_a_letter(text, expected):
    assert _strip_accents(text, None) == expected
