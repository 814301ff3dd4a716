import gc
import unicodedata

import keras
import numpy as np
import pytest
import tensorflow as tf

from s2s_keras import SentencePieceTokenizer
from s2s_keras.text.normalization import normalize_text

TEXTS = [
    "The old man reads a letter in the garden.",
    "Der alte Mann liest im Garten einen Brief.",
    "Two women will visit the new library tomorrow.",
    "Morgen werden zwei Frauen die neue Bibliothek besuchen.",
] * 20


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def tokenizer(request):
    return SentencePieceTokenizer.train(TEXTS, 340, request.param)


def round_trip(tokenizer, text):
    ids = tokenizer.tokenize([text])
    return tokenizer.detokenize(ids).numpy()[0].decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXTS[0],
        "two  spaces, and a last one ",
        "tab\tand\nline break",
        "emoji 😀👩‍👩‍👧",
        "中文字 العربية हिन्दी ไทย",
        "<s> </s> <pad> <unk> <0x41>",
        "e\u0301 ﬁ ½ \u00a0",
        "nul \x00 and bell \x07",
        "\ufeff\u200b\u00ad",
    ],
)
def test_text_comes_back_in_nfkc(tokenizer, text):
    expected = unicodedata.normalize("NFKC", text)
    assert round_trip(tokenizer, text) == expected


def test_random_unicode_comes_back_in_nfkc(tokenizer):
    points = np.random.default_rng(0).integers(0xE000, 0x110000, (100, 5))
    for row in points:
        text = "x" + "".join(map(chr, row))
        expected = unicodedata.normalize("NFKC", text)
        assert round_trip(tokenizer, text) == expected


def test_special_ids(tokenizer):
    pieces = tokenizer.id_to_piece([0, 1, 2, 3]).numpy().tolist()
    assert pieces == [b"<pad>", b"<unk>", b"<s>", b"</s>"]


@pytest.mark.parametrize("wrong", [-1, "size"])
def test_an_id_outside_the_vocabulary_is_refused(tokenizer, wrong):
    size = tokenizer.vocabulary_size
    ids = tf.ragged.constant([[], [4, size if wrong == "size" else wrong]])
    for look_up in (tokenizer.id_to_piece, tf.function(tokenizer.id_to_piece)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{size - 1}"):
            look_up(ids)
        assert look_up(tf.ragged.constant([[], [2]])).to_list() == [
            [],
            [b"<s>"],
        ]


def test_padding_and_end_vanish(tokenizer):
    ids = tokenizer.tokenize([TEXTS[0]]).to_tensor().numpy()[0]
    padded = np.array([[2, *ids, 3, 0, 0]], "int32")
    assert tokenizer.detokenize(padded).numpy()[0].decode() == TEXTS[0]


def test_no_unknown_ids(tokenizer):
    ids = tokenizer.tokenize(["中文😀"]).numpy()
    assert (ids > 3).all()


def test_training_is_deterministic():
    once, again = (SentencePieceTokenizer.train(TEXTS, 340) for _ in range(2))
    np.testing.assert_array_equal(
        once.tokenize(TEXTS).flat_values, again.tokenize(TEXTS).flat_values
    )


def test_assets_hold_the_whole_tokenizer(tokenizer, tmp_path):
    tokenizer.save_assets(tmp_path)
    copy = SentencePieceTokenizer.from_config(tokenizer.get_config())
    copy.load_assets(tmp_path)
    np.testing.assert_array_equal(
        copy.tokenize(TEXTS).flat_values, tokenizer.tokenize(TEXTS).flat_values
    )


def test_a_small_corpus_gives_a_small_vocabulary():
    assert SentencePieceTokenizer.train(TEXTS, 5000).vocabulary_size < 1000


@pytest.mark.parametrize(
    ("kwargs", "received"),
    [
        ({"vocabulary_size": 100}, "Received: vocabulary_size=100"),
        ({"vocabulary_size": 270}, "least 2.* Received: vocabulary_size=270"),
        ({"vocabulary_size": 500, "kind": "word"}, "Received: kind='word'"),
    ],
)
def test_refuses_bad_settings(kwargs, received):
    with pytest.raises(ValueError, match=received):
        SentencePieceTokenizer.train(TEXTS, **kwargs)


def test_refuses_other_special_ids():
    import io

    import sentencepiece

    proto = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=proto,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(ValueError, match="first pieces"):
        SentencePieceTokenizer(proto.getvalue())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  a \t b\r\n", "a b"),
        ("a\u00a0\u2003b\u2028c\x85d\x0be", "a b c d e"),
        (b"a\xffb", "a\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),  # a lone surrogate
        ("", ""),
        (" \n ", ""),
    ],
)
def test_normalize_text(raw, expected):
    assert normalize_text([raw]).numpy()[0].decode() == expected


def test_a_new_random_seed_leaves_the_vocabulary(tokenizer):
    traced = tf.function(tokenizer.tokenize, autograph=False)
    text = tf.constant(TEXTS[:2])
    expected = tokenizer.tokenize(text).to_list()
    assert traced(text).to_list() == expected
    keras.utils.set_random_seed(0)
    assert traced(text).to_list() == expected
    assert tokenizer.tokenize(text).to_list() == expected


def test_a_tokenizer_that_goes_takes_its_own_vocabulary_alone(tokenizer):
    expected = tokenizer.tokenize(TEXTS[:2]).to_list()
    other = SentencePieceTokenizer(tokenizer.proto)
    assert other.tokenize(TEXTS[:2]).to_list() == expected
    handle = other._tokenizer._model_resource.resource_handle
    del other
    gc.collect()
    assert tokenizer.tokenize(TEXTS[:2]).to_list() == expected
    with pytest.raises(tf.errors.NotFoundError):
        tf.raw_ops.DestroyResourceOp(resource=handle, ignore_lookup_error=False)
