import keras
import numpy as np
import pytest
import sacrebleu
import tensorflow as tf
from laws import TEXTS
from laws import make_text_translator

from s2s_keras.training.evaluation import TranslationScore
from s2s_keras.training.evaluation import evaluate
from s2s_keras.training.evaluation import score_translations

REFERENCES = ["The cat sat on the mat.", "A dog, it is said, barks."]


def make_pairs():
    return tf.data.Dataset.from_tensor_slices((TEXTS[:4], TEXTS[1:5]))


def test_perfect_translations_score_100():
    scores = score_translations(REFERENCES, REFERENCES)
    assert scores.bleu == pytest.approx(100)
    assert scores.chrf == pytest.approx(100)


@pytest.mark.parametrize(
    "texts, tokenizer",
    [
        (["他在NASA工作。", "今天下雨了。"], "zh"),
        (["彼はNASAで働いています。", "今日は雨です。"], "char"),
        (["วันนี้ฝนตก"], "char"),
        (["Er mag 寿司 sehr, und sie auch."], "13a"),
        ([""], "13a"),
    ],
)
def test_scripts_without_spaces_have_words(texts, tokenizer):
    scores = score_translations(texts, texts)
    assert f"tok:{tokenizer}" in scores.bleu_signature
    assert scores.bleu == pytest.approx(100 if texts[0] else 0)
    if tokenizer != "13a":
        longer = [text + "!" for text in texts]
        assert score_translations(longer, texts).bleu > 50


def test_scores_are_sacrebleus_with_its_signature():
    translations = ["The cat is on the mat.", "A dog barks."]
    scores = score_translations(translations, REFERENCES)
    expected = sacrebleu.corpus_bleu(translations, [REFERENCES])
    assert scores.bleu == pytest.approx(expected.score)
    assert "case:mixed" in scores.bleu_signature
    assert "tok:13a" in scores.bleu_signature
    assert "nc:6" in scores.chrf_signature


def test_samples_without_a_right_word_have_their_part_in_the_interval():
    references = ["a b c d e", "f g h", "i j", "k l m"]
    translations = [references[0], "x", "y", "z"]
    found = score_translations(translations, references, 100)
    expected = sacrebleu.corpus_bleu(translations, [references])
    assert found.bleu == pytest.approx(expected.score)
    assert 0 < found.bleu_interval < 100


def test_evaluate_keeps_the_order():
    text_translator = make_text_translator()
    found = evaluate(text_translator, make_pairs(), num_beams=2, batch_size=2)
    expected = text_translator.translate(TEXTS[:4], num_beams=2)
    assert found.translations == [item.text for item in expected]


@pytest.mark.slow
def test_the_callbacks_scores_steer_others(tmp_path):
    text_translator = make_text_translator()
    translator = text_translator.translator
    translator.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    ids = np.ones((4, 3), "int32")
    history = translator.fit(
        {"source_ids": ids, "target_ids": ids},
        ids,
        epochs=5,
        verbose=0,
        callbacks=[
            TranslationScore(text_translator, make_pairs()),
            keras.callbacks.ModelCheckpoint(
                tmp_path / "best.weights.h5",
                monitor="val_bleu",
                mode="max",
                save_best_only=True,
                save_weights_only=True,
            ),
            # No epoch is better by 1,000: the second one stops the run.
            keras.callbacks.EarlyStopping(
                monitor="val_bleu", mode="max", patience=1, min_delta=1000
            ),
        ],
    ).history
    assert len(history["val_bleu"]) == len(history["val_chrf"]) == 2
    assert (tmp_path / "best.weights.h5").exists()
