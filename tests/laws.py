"""Small models on which the laws of translation models are tested."""

import dataclasses

import numpy as np
import pytest

from s2s_keras import Architecture
from s2s_keras import SentencePieceTokenizer
from s2s_keras import TextTranslator
from s2s_keras import Translator
from s2s_keras.export import serving

TEXTS = ["one two three", "three four", "five, six and seven", "eight"] * 5
PLAIN = Architecture(
    embedding_dim=4, units=12, dropout=0.0, joint_vocabulary=False
)


def variant(**changes):
    return dataclasses.replace(PLAIN, **changes)


GRU, LSTM = ("gru", 1), ("lstm", 2)
NORMED = ("layer_norm_gru", 2), ("layer_norm_lstm", 2)
# The two systems meet every cell, the kinds that change a part of them one.
KINDS = {
    "standard": ({"attention": "none"}, GRU, LSTM),
    "standard_reversed": (
        {"attention": "none", "reverse_source": True, "bidirectional": False},
        GRU,
    ),
    "bahdanau": ({}, GRU, LSTM, *NORMED),
    "bahdanau_residual": ({"residual": True}, LSTM),
    "bahdanau_embedded": (
        {"embedding_in_memory": True, "reverse_source": True},
        GRU,
    ),
    "bahdanau_one_direction": ({"bidirectional": False}, LSTM),
    "bahdanau_dropout": (
        {
            "dropout": 0.2,
            "recurrent_dropout": 0.2,
            "word_dropout": 0.2,
            "locked_dropout": True,
        },
        LSTM,
    ),
    "coverage": ({"attention": "coverage"}, LSTM),
    "multi_head": ({"attention": "multi_head"}, LSTM),
    "scaled_dot": ({"attention": "scaled_dot"}, GRU),
    "luong_dot": ({"attention": "dot", "query": "current"}, LSTM),
    "luong_general": ({"attention": "general", "query": "current"}, GRU),
    "luong_concat": ({"attention": "concat", "query": "current"}, LSTM),
    "bahdanau_current": ({"query": "current"}, GRU),
    "coverage_current": ({"attention": "coverage", "query": "current"}, GRU),
    "conditional": ({"query": "conditional"}, LSTM),
}
VARIANTS = {
    f"{kind}-{cell}-{num_layers}": variant(
        cell=cell, num_layers=num_layers, **changes
    )
    for kind, (changes, *cells) in KINDS.items()
    for cell, num_layers in cells
}
# One of every kind of search; the others are left to the slow tests, and some
# of these leave them out.
FIRST = (
    "standard-gru-1",
    "bahdanau-gru-1",
    "bahdanau-layer_norm_lstm-2",
    "luong_concat-lstm-2",
    "conditional-lstm-2",
    "coverage-lstm-2",
    "multi_head-lstm-2",
)
EVERY_VARIANT = pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(
            architecture,
            id=name,
            marks=[] if name in FIRST else [pytest.mark.slow],
        )
        for name, architecture in VARIANTS.items()
    ],
    # Variant by variant: each is made once.
    scope="module",
)


def make_translator(architecture=PLAIN, vocabulary_size=20):
    """A translator with weights large enough to tell hypotheses apart."""
    translator = Translator.from_architecture(architecture, vocabulary_size)
    random = np.random.default_rng(0)
    for weight in translator.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return translator


def make_text_translator(architecture=PLAIN, **kwargs):
    """A text translator with one vocabulary for both sides."""
    tokenizer = SentencePieceTokenizer.train(TEXTS, 300)
    translator = make_translator(
        dataclasses.replace(architecture, joint_vocabulary=True),
        vocabulary_size=tokenizer.vocabulary_size,
    )
    return TextTranslator(translator, tokenizer, tokenizer, **kwargs)


def export_unverified(text_translator, path, **settings):
    """Exports without the clean process that takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "verify", lambda path, text_translator: None)
        return serving.export(text_translator, path, **settings)
