"""Small models on which the laws of translation models are tested."""

import numpy as np
import pytest

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import Encoder
from s2s_keras import SentencePieceTokenizer
from s2s_keras import TextTranslator
from s2s_keras import Translator

VARIANTS = [("gru", 1), ("gru", 2), ("lstm", 1), ("lstm", 2)]
PARTS = pytest.mark.parametrize(("cell", "num_layers"), VARIANTS)
TEXTS = ["one two three", "three four", "five, six and seven", "eight"] * 5


def make_translator(
    cell,
    num_layers,
    share_embedding=False,
    vocabulary_size=20,
    dtype="float32",
):
    """A translator with weights large enough to tell hypotheses apart."""
    parts = {"cell": cell, "num_layers": num_layers, "dtype": dtype}
    translator = Translator(
        Encoder(vocabulary_size, 4, 6, name="encoder", **parts),
        AttentionDecoder(
            vocabulary_size,
            4,
            12,
            BahdanauAttention(5, dtype=dtype, name="attention"),
            name="decoder",
            **parts,
        ),
        share_embedding=share_embedding,
    )
    random = np.random.default_rng(0)
    for weight in translator.weights:
        weight.assign(random.normal(size=weight.shape))
    return translator


def make_text_translator(cell="gru", num_layers=1, **kwargs):
    """A text translator with one vocabulary for both sides."""
    tokenizer = SentencePieceTokenizer.train(TEXTS, 300)
    translator = make_translator(
        cell,
        num_layers,
        share_embedding=True,
        vocabulary_size=tokenizer.vocabulary_size,
    )
    return TextTranslator(translator, tokenizer, tokenizer, **kwargs)
