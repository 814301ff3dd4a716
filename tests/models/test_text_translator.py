import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from laws import FIRST
from laws import TEXTS
from laws import VARIANTS
from laws import make_text_translator
from laws import variant

from s2s_keras import TextTranslator
from s2s_keras import TokenCrossEntropy
from s2s_keras import make_ensemble
from s2s_keras import plot_attention
from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.decoding.penalties import length_penalty

ODD_TEXTS = [
    "",
    "   ",
    "\n\t",
    "😀👩‍👩‍👧",
    "中文 العربية",
    "\ud800",
    b"\xff\xfe",
    "\x00",
    "<s> </s>",
    "a" * 500,
]
SEVERAL_MODELS = """
import sys

import keras

import s2s_keras

for _ in range(6):
    keras.saving.load_model(sys.argv[1]).translate("one", num_beams=1)
"""


@pytest.fixture(scope="module")
def text_translator():
    return make_text_translator(max_source_len=40, num_beams=3)


def texts_of(translations):
    return [translation.text for translation in translations]


def test_a_string_gives_one_and_a_list_a_list(text_translator):
    one = text_translator.translate("one two")
    assert text_translator.translate(["one two"])[0].text == one.text
    assert str(one) == one.text
    assert text_translator.translate([]) == []


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_batch_size_changes_nothing(text_translator, batch_size):
    expected = text_translator.translate(TEXTS)
    found = text_translator.translate(TEXTS, batch_size=batch_size)
    assert texts_of(found) == texts_of(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.score == pytest.approx(theirs.score, rel=1e-4)
        assert ours.attention.shape == theirs.attention.shape
        np.testing.assert_allclose(ours.attention, theirs.attention, atol=1e-4)


def test_alone_or_among_63_longer_ones(text_translator):
    neighbours = ["five, six and seven, eight and one two three"] * 63
    together = text_translator.translate(["three four", *neighbours])
    assert together[0].text == text_translator.translate("three four").text


def test_labels_fit_the_attention(text_translator):
    for translation in text_translator.translate(TEXTS):
        assert translation.attention.shape == (
            len(translation.target_pieces),
            len(translation.source_pieces),
        )
        assert translation.source_pieces[-1] == "[END]"
        assert translation.target_pieces[-1] == "[END]"
        np.testing.assert_allclose(translation.attention.sum(-1), 1, atol=1e-5)


def test_pieces_spell_the_text(text_translator):
    translation = text_translator.translate("three four")
    spelt = "".join(translation.source_pieces[:-1]).replace("▁", " ")
    assert spelt == " three four"


@pytest.mark.filterwarnings("ignore:.*were cut")
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_text_gets_an_answer(text_translator, text):
    translation = text_translator.translate(text)
    translation.text.encode()
    assert np.isfinite(translation.score)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_nothing_translates_to_nothing(text_translator, text):
    translation = text_translator.translate([text, "one"])[0]
    assert translation.text == ""
    assert translation.target_pieces == ["[END]"]


def test_what_is_cut_is_reported(text_translator):
    with pytest.warns(
        UserWarning, match=r"1 of 2 .* max_source_len=40 .*: \[1\]"
    ):
        short, long = text_translator.translate(["one", "one two " * 5000])
    assert long.truncated and not short.truncated
    assert len(long.source_pieces) == 40


@pytest.mark.parametrize("wrap", [str, lambda text: [text]])
@pytest.mark.parametrize("name", ["translate", "translate_paragraphs", "score"])
def test_the_report_names_the_caller(text_translator, name, wrap):
    sides = [wrap("one two " * 50), wrap("one")][: 1 + (name == "score")]
    with pytest.warns(UserWarning, match="1 of 1") as warned:
        getattr(text_translator, name)(*sides)
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.slow
def test_the_default_policy_rounds_no_weights():
    model = make_text_translator()
    expected = model.translate(TEXTS)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        tokenizer = model.source_tokenizer
        again = TextTranslator(model.translator, tokenizer, tokenizer)
        for other in (
            again,
            again.with_settings(num_beams=5),
            make_ensemble([model, model]),
        ):
            found = other.translate(TEXTS)
            assert texts_of(found) == texts_of(expected)
            assert [item.score for item in found] == pytest.approx(
                [item.score for item in expected], rel=1e-5
            )
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("bad", "received"),
    [
        (None, "None of type NoneType"),
        (3, "3 of type int"),
        ({"text": "a"}, "of type dict"),
        (["a", None], r"source_text\[1\]=None"),
        ([["a"]], r"source_text\[0\]=\['a'\]"),
        ([1.5], r"source_text\[0\]=1.5"),
        (np.array([1, 2]), r"source_text\[0\]="),
    ],
)
def test_refuses_what_is_not_text(text_translator, bad, received):
    with pytest.raises(TypeError, match=f"Received: .*{received}"):
        text_translator.translate(bad)


def test_an_array_of_strings_will_do(text_translator):
    expected = texts_of(text_translator.translate(TEXTS[:3]))
    array = np.array(TEXTS[:3])
    assert texts_of(text_translator.translate(array)) == expected
    found = text_translator.translate(array.astype(object))
    assert texts_of(found) == expected


def test_what_a_dataset_gives_will_do(text_translator):
    expected = texts_of(text_translator.translate(TEXTS[:3]))
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS[:3])
    (batch,) = dataset.batch(3)
    assert texts_of(text_translator.translate(batch)) == expected
    assert texts_of(map(text_translator.translate, dataset)) == expected
    assert text_translator.translate_paragraphs(batch) == expected
    scores = text_translator.score(batch, batch)
    assert texts_of(scores) == TEXTS[:3]
    assert text_translator.score(batch[0], batch[0]).text == TEXTS[0]


def test_paragraphs_keep_their_lines(text_translator):
    one, eight = texts_of(text_translator.translate(["one two", "eight"]))
    found = text_translator.translate_paragraphs(["one two\n\neight", "eight"])
    assert found == [f"{one}\n\n{eight}", eight]


def test_predict_equals_translate(text_translator):
    expected = texts_of(text_translator.translate(TEXTS[:3]))
    outputs = text_translator.predict(np.array(TEXTS[:3], object), verbose=0)
    assert [text.decode() for text in outputs["translation"]] == expected


def test_a_score_is_the_log_probability_of_the_text(text_translator):
    (translation,) = text_translator.score(["one two"], ["three four"])
    tokenizer = text_translator.source_tokenizer
    source_ids, ids = (
        [*tokenizer.tokenize(text).numpy(), END_ID]
        for text in ("one two", "three four")
    )
    logits = text_translator.translator(
        {
            "source_ids": np.array([source_ids]),
            "target_ids": np.array([[START_ID, *ids[:-1]]]),
        }
    )
    log_probs = np.array(keras.ops.log_softmax(logits))[0]
    expected = log_probs[np.arange(len(ids)), ids].sum()
    expected /= float(length_penalty(len(ids), 1.0))
    assert translation.score == pytest.approx(expected, rel=1e-4)
    assert translation.target_pieces[-1] == "[END]"
    assert translation.attention.shape == (len(ids), len(source_ids))
    np.testing.assert_allclose(translation.attention.sum(-1), 1, atol=1e-5)


def test_a_score_does_not_depend_on_its_neighbours(text_translator):
    alone = text_translator.score("one two", "three")
    among = text_translator.score(
        ["five, six and seven", "one two"], ["eight and one two", "three"]
    )[1]
    assert among.score == pytest.approx(alone.score, rel=1e-4)
    np.testing.assert_allclose(among.attention, alone.attention, atol=1e-5)


def test_one_pair_gives_one_score_and_lists_a_list(text_translator):
    one = text_translator.score("one two", "three")
    pairs = text_translator.score(["eight", "one two"], ["six", "three"])
    assert pairs[1].score == pytest.approx(one.score, rel=1e-4)
    assert one.score < 0 and one.text == "three"


def test_a_score_wants_as_many_targets_as_sources(text_translator):
    with pytest.raises(ValueError, match="Received: 2 sources, 1 targets"):
        text_translator.score(["one", "two"], ["three"])
    with pytest.raises(TypeError, match=r"target_text\[0\]=None"):
        text_translator.score(["one"], [None])


def test_without_attention_there_is_none():
    translation = make_text_translator(variant(attention="none")).translate(
        "one two"
    )
    assert translation.attention is None
    with pytest.raises(ValueError, match="no attention"):
        plot_attention(translation)


@pytest.mark.slow
def test_search_settings_of_a_call_count(text_translator):
    greedy = text_translator.translate(TEXTS, num_beams=1)
    assert texts_of(greedy) == texts_of(
        make_text_translator(max_source_len=40, num_beams=1).translate(TEXTS)
    )
    plain = text_translator.translate("one two", length_penalty=0.0)
    halved = text_translator.translate("one two", length_penalty=1.0)
    assert plain.score != halved.score


def test_settings_that_change_count():
    model = make_text_translator(num_beams=3)
    beams = model.translate(TEXTS)
    model.num_beams = 1
    greedy = model.translate(TEXTS)
    assert texts_of(greedy) != texts_of(beams)
    assert texts_of(greedy) == texts_of(
        make_text_translator(num_beams=1).translate(TEXTS)
    )


def test_a_translation_longer_than_sources_may_be_is_scored_whole():
    source, target = "one", "one two three four five six"
    scored, expected = (
        make_text_translator(max_source_len=longest).score(source, target)
        for longest in (6, 40)
    )
    assert len(scored.target_pieces) > 6 and not scored.truncated
    assert scored.target_pieces == expected.target_pieces
    assert scored.score == pytest.approx(expected.score, 1e-5)


@pytest.mark.parametrize("name", ["num_beams", "max_source_len"])
@pytest.mark.parametrize("number", [0, -3, 2.5])
def test_refuses_settings_that_are_no_positive_integers(name, number):
    with pytest.raises(ValueError, match=f"Received: {name}={number}"):
        make_text_translator(**{name: number})


@pytest.mark.parametrize("penalty", [float("nan"), float("inf"), "1", None])
def test_refuses_a_length_penalty_that_is_no_number(penalty):
    with pytest.raises(ValueError, match="`length_penalty` should be a finite"):
        make_text_translator(length_penalty=penalty)


def test_numbers_of_numpy_will_do(text_translator):
    settings = {"num_beams": np.int64(2), "length_penalty": np.float32(0.5)}
    expected = text_translator.translate(TEXTS[:3], 2, 0.5)
    found = text_translator.translate(TEXTS[:3], **settings)
    assert texts_of(found) == texts_of(expected)
    found = text_translator.with_settings(**settings).translate(TEXTS[:3])
    assert texts_of(found) == texts_of(expected)


@pytest.mark.slow
def test_a_part_that_is_replaced_counts():
    model, other = (make_text_translator(num_beams=1) for _ in range(2))
    for weight in other.translator.trainable_weights:
        weight.assign(-weight)
    model.translate("one")
    model.translator = other.translator
    found = model.translate(TEXTS[:3])
    assert texts_of(found) == texts_of(other.translate(TEXTS[:3]))


def test_a_copy_without_its_vocabulary_says_so(text_translator):
    copy = type(text_translator).from_config(text_translator.get_config())
    with pytest.raises(ValueError, match="has no vocabulary"):
        copy.translate("one")


def test_refuses_empty_batches(text_translator):
    with pytest.raises(ValueError, match="Received: batch_size=0"):
        text_translator.translate(["one"], batch_size=0)


def test_an_array_of_one_text_is_a_text(text_translator):
    expected = text_translator.translate("one two").text
    assert text_translator.translate(np.array("one two")).text == expected


FRESH_PROCESS = """
import json
import sys
import s2s_keras
import keras
answers = []
for path in sys.argv[2:]:
    model = keras.saving.load_model(path)
    assert type(model) is s2s_keras.TextTranslator
    assert model.source_tokenizer is model.target_tokenizer
    source_ids, _ = model.read(json.loads(sys.argv[1]))
    found = model.translator.search(source_ids, [9] * 4, num_beams=2)
    answers.append(found.ids.numpy().tolist())
print(json.dumps([answers, str(model.translate("one two"))]))
"""


@pytest.mark.slow
def test_saved_and_loaded_in_a_fresh_process(tmp_path):
    paths, expected = [], []
    for name in FIRST:
        model = make_text_translator(VARIANTS[name], num_beams=2)
        paths.append(tmp_path / f"{name}.keras")
        model.save(paths[-1])
        source_ids, _ = model.read(TEXTS[:4])
        found = model.translator.search(source_ids, [9] * 4, num_beams=2)
        expected.append(found.ids.numpy().tolist())
    expected = [expected, str(model.translate("one two"))]
    result = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, json.dumps(TEXTS[:4]), *paths],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == expected


@pytest.mark.slow
def test_loaded_again_it_goes_on_training(text_translator, tmp_path):
    text_translator.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    weights = copy.translator.trainable_weights
    before = [np.array(weight) for weight in weights]
    copy.translator.compile("adam", TokenCrossEntropy())
    ids = np.ones((2, 3), "int32")
    inputs = {"source_ids": ids, "target_ids": ids}
    copy.translator.fit(inputs, ids, verbose=0)
    for old, weight in zip(before, weights, strict=True):
        assert not np.array_equal(old, weight), weight.path


@pytest.mark.slow
def test_loaded_it_is_compiled_as_it_was_unless_told_otherwise(tmp_path):
    class Unregistered(TokenCrossEntropy):
        pass

    model, ids = make_text_translator(), np.ones((2, 3), "int32")
    batch = {"source_ids": ids, "target_ids": ids}, ids
    for loss in (TokenCrossEntropy(0.1), Unregistered()):
        model.translator.compile("adam", loss)
        model.translator.train_on_batch(*batch)
        path = tmp_path / f"{type(loss).__name__}.keras"
        model.save(path)
        plain = keras.saving.load_model(path, compile=False)
        assert not plain.translator.compiled
        assert not plain.translator.get_compile_config()
        found, expected = (m.translate("one").text for m in (plain, model))
        assert found == expected
    with pytest.raises(TypeError, match="Unregistered"):
        keras.saving.load_model(path)
    loaded = keras.saving.load_model(tmp_path / "TokenCrossEntropy.keras")
    optimizer = loaded.translator.optimizer
    assert loaded.translator.loss.label_smoothing == 0.1
    assert optimizer.iterations.numpy() == 1
    assert np.abs(optimizer.variables[2]).max() > 0  # a momentum


@pytest.mark.slow
def test_several_models_are_not_taken_for_one_traced_anew(
    text_translator, tmp_path
):
    # TensorFlow says so twice in a process, and then no more.
    text_translator.save(tmp_path / "model.keras")
    result = subprocess.run(
        [sys.executable, "-c", SEVERAL_MODELS, tmp_path / "model.keras"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "retracing" not in result.stderr
