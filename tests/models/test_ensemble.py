import keras
import numpy as np
import pytest
import tensorflow as tf
from laws import TEXTS
from laws import VARIANTS
from laws import export_unverified
from laws import make_text_translator
from laws import make_translator

from s2s_keras import Ensemble
from s2s_keras import SentencePieceTokenizer
from s2s_keras import TextTranslator
from s2s_keras import TokenCrossEntropy
from s2s_keras import Translator
from s2s_keras import make_ensemble
from s2s_keras.export.verification import verify

SOURCES, TARGETS = [*TEXTS[:4], ""], [*TEXTS[1:5], "six"]


def reweighted(name, seed):
    """A model of the same vocabulary with other weights.

    They are small enough that rounding does not alter what it says.
    """
    model = make_text_translator(VARIANTS[name], num_beams=3)
    random = np.random.default_rng(seed)
    for weight in model.translator.trainable_weights:
        weight.assign(random.normal(size=weight.shape, scale=0.5))
    return model


@pytest.fixture(scope="module")
def members():
    names = "bahdanau-gru-1", "standard-lstm-2", "luong_general-gru-1"
    return [reweighted(name, seed) for seed, name in enumerate(names)]


@pytest.fixture(scope="module")
def ensemble(members):
    return make_ensemble(members)


def assert_alike(found, expected):
    for item, other in zip(found, expected, strict=True):
        assert item.text == other.text
        assert item.score == pytest.approx(other.score, abs=1e-4)
        if other.attention is not None:
            np.testing.assert_allclose(
                item.attention, other.attention, atol=1e-5
            )


@pytest.mark.parametrize(
    ("copies", "num_beams"),
    [pytest.param(1, 1, marks=pytest.mark.slow), (2, 3)],
)
def test_a_model_with_itself_is_the_model(members, copies, num_beams):
    member = members[0]
    alone = make_ensemble([member] * copies)
    assert_alike(
        alone.translate(SOURCES, num_beams=num_beams),
        member.translate(SOURCES, num_beams=num_beams),
    )
    assert_alike(alone.score(SOURCES, TARGETS), member.score(SOURCES, TARGETS))


@pytest.mark.slow
def test_the_order_of_the_members_does_not_matter(members, ensemble):
    assert_alike(
        make_ensemble(members[::-1]).translate(SOURCES, num_beams=1),
        ensemble.translate(SOURCES, num_beams=1),
    )


def test_probabilities_are_averaged(members, ensemble):
    texts = tf.constant(SOURCES), tf.constant(TARGETS)
    together, *each = (
        np.exp(model.call_forced(*texts)["token_log_probs"])
        for model in (ensemble, *members)
    )
    np.testing.assert_allclose(together, np.mean(each, axis=0), atol=1e-5)


@pytest.mark.slow
def test_steps_agree_with_the_forced_search_and_with_call(ensemble):
    found = ensemble.translate(SOURCES)
    scored = ensemble.score(SOURCES, [item.text for item in found])
    # A text may be split otherwise than the search wrote it.
    scores = [
        (item.score, again.score)
        for item, again in zip(found, scored, strict=True)
        if item.target_pieces == again.target_pieces
    ]
    assert scores
    np.testing.assert_allclose(*zip(*scores, strict=True), atol=1e-4)
    translator = ensemble.translator
    inputs = {
        "source_ids": np.array([[5, 6, 3]]),
        "target_ids": np.array([[2, 7, 8]]),
    }
    called = keras.ops.convert_to_numpy(translator(inputs))
    forced = translator.force(inputs["source_ids"], np.array([[7, 8, 3]]))
    np.testing.assert_allclose(
        forced.log_probs[0], called[0, range(3), [7, 8, 3]], atol=1e-5
    )
    assert np.exp(called).sum(axis=-1) == pytest.approx(1)


def test_attention_is_the_mean_of_those_that_have_one(members, ensemble):
    first, _, last = members
    scores = [m.score(SOURCES, TARGETS) for m in (ensemble, first, last)]
    for together, one, other in zip(*scores, strict=True):
        np.testing.assert_allclose(
            together.attention,
            (one.attention + other.attention) / 2,
            atol=1e-5,
        )
    assert not make_ensemble(members[1:2]).translator.has_attention


@pytest.mark.slow
def test_saved_and_loaded_it_is_the_same(ensemble, tmp_path):
    ensemble.save_to_preset(tmp_path)
    loaded = TextTranslator.from_preset(tmp_path)
    assert isinstance(loaded.translator, Ensemble)
    assert_alike(loaded.translate(SOURCES), ensemble.translate(SOURCES))


def test_loaded_it_does_not_train_its_members(tmp_path):
    member = make_text_translator()
    member.translator.compile("adam", TokenCrossEntropy())
    make_ensemble([member, member]).save_to_preset(tmp_path)
    loaded = TextTranslator.from_preset(tmp_path).translator
    assert not any(member.compiled for member in loaded.members())


@pytest.mark.slow
def test_exported_it_answers_as_translate(ensemble, tmp_path):
    verify(export_unverified(ensemble, tmp_path / "model"), ensemble)


def test_ensembles_of_ensembles_or_of_nothing_are_refused(members, ensemble):
    with pytest.raises(ValueError, match=r"Received: \['Ensemble', 'Transl"):
        make_ensemble([ensemble, members[0]])
    for make in (make_ensemble, Ensemble):
        with pytest.raises(ValueError, match=r"Received: \[\]"):
            make([])


def test_it_is_no_translator(ensemble, tmp_path):
    ensemble.save_to_preset(tmp_path)
    with pytest.raises(ValueError, match="with a Ensemble"):
        Translator.from_preset(tmp_path)


def test_other_vocabularies_are_refused(members):
    with pytest.raises(ValueError, match=r"\[\(20, 20\), \(21, 21\)\]"):
        Ensemble([make_translator(), make_translator(vocabulary_size=21)])
    tokenizer = SentencePieceTokenizer.train(TEXTS[:3], 290)
    translator = make_translator(vocabulary_size=tokenizer.vocabulary_size)
    stranger = TextTranslator(translator, tokenizer, tokenizer)
    with pytest.raises(ValueError, match="2 different `source_tokenizer`s"):
        make_ensemble([members[0], stranger])
