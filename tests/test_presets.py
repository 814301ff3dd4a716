import dataclasses
import pathlib
import re

import numpy as np
import pytest
from laws import TEXTS
from laws import make_text_translator
from laws import make_translator

from s2s_keras import TextTranslator
from s2s_keras import Translator
from s2s_keras.export.servability import check_servable
from s2s_keras.export.verification import verify
from s2s_keras.presets import PRESETS
from s2s_keras.presets import is_shipped
from s2s_keras.training.settings import Settings

SHIPPED = {
    "bahdanau_small_grammar_en_de": (
        "The old man reads a letter.",
        "Der alte Mann liest einen Brief.",
    ),
    "standard_small_grammar_en_de": (
        "The man sleeps.",
        "Der Mann schläft.",
    ),
    "bahdanau_small_en_es": ("How are you?", "¿Cómo estás?"),
    "bahdanau_small_es_en": ("¿Cómo estás?", "How are you?"),
}
EXPORTED = pathlib.Path(__file__).parents[1] / "exported"
PYPROJECT = pathlib.Path(__file__).parents[1] / "pyproject.toml"
EVERY_PRESET = pytest.mark.parametrize("name", PRESETS)


@pytest.fixture(scope="module")
def model():
    return make_text_translator(num_beams=2)


def test_a_saved_preset_comes_back(model, tmp_path):
    folder = tmp_path / "new" / "mine"
    model.save_to_preset(folder)
    for preset in (folder, str(folder), folder / "model.keras"):
        loaded = TextTranslator.from_preset(preset)
        assert loaded.settings == model.settings
        for weight, expected in zip(
            loaded.translator.weights, model.translator.weights, strict=True
        ):
            np.testing.assert_array_equal(weight, expected)
    found, expected = (m.translate(TEXTS[:4]) for m in (loaded, model))
    assert list(map(str, found)) == list(map(str, expected))


@pytest.mark.slow
def test_a_preset_runs_in_another_dtype(model, tmp_path):
    model.save_to_preset(tmp_path / "wide")
    narrow = TextTranslator.from_preset(tmp_path / "wide", "mixed_bfloat16")
    assert narrow.translator.encoder.compute_dtype == "bfloat16"
    assert narrow.translator.decoder.attention.compute_dtype == "bfloat16"
    narrow.save_to_preset(tmp_path / "narrow")
    wide = TextTranslator.from_preset(tmp_path / "narrow", dtype="float32")
    assert wide.translator.encoder.compute_dtype == "float32"
    assert wide.settings == model.settings
    expected = model.translate(TEXTS[:4])
    assert wide.translate(TEXTS[:4])[0].score == expected[0].score
    assert list(map(str, wide.translate(TEXTS[:4]))) == list(map(str, expected))


@pytest.mark.parametrize("dtype", ["bfloat16", "nonsense"])
def test_what_dtype_can_be_is_said(model, dtype):
    with pytest.raises(ValueError, match=f"mixed_.*{dtype}|{dtype}.*mixed_"):
        model.with_dtype(dtype)


def test_a_translator_comes_from_either_kind_of_preset(model, tmp_path):
    model.save_to_preset(tmp_path / "text")
    model.translator.save_to_preset(tmp_path / "ids")
    for folder in (tmp_path / "text", tmp_path / "ids"):
        translator = Translator.from_preset(folder)
        assert isinstance(translator, Translator)
        for got, expected in zip(
            translator.weights, model.translator.weights, strict=True
        ):
            assert (got.numpy() == expected.numpy()).all()


def test_weights_are_drawn_anew_where_asked(tmp_path):
    translator = make_translator()
    translator.save_to_preset(tmp_path)
    fresh = Translator.from_preset(tmp_path, load_weights=False)
    assert fresh.count_params() == translator.count_params()
    old, new = (t.decoder.embedding.weights[0] for t in (translator, fresh))
    assert abs(old.numpy() - new.numpy()).max() > 0.1


def test_a_preset_overwrites_nothing(model, tmp_path):
    model.save_to_preset(tmp_path)
    before = (tmp_path / "model.keras").read_bytes()
    with pytest.raises(FileExistsError, match="model.keras is left as it is"):
        model.save_to_preset(tmp_path)
    assert (tmp_path / "model.keras").read_bytes() == before


def test_no_such_preset(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: 'huge'") as error:
        TextTranslator.from_preset("huge")
    assert all(name in str(error.value) for name in PRESETS)
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
        TextTranslator.from_preset(tmp_path)


def test_a_preset_without_text(tmp_path):
    make_translator().save_to_preset(tmp_path)
    with pytest.raises(ValueError, match="with a Translator"):
        TextTranslator.from_preset(tmp_path)


@pytest.mark.parametrize("name", [n for n in PRESETS if n not in SHIPPED])
def test_weights_that_are_not_shipped(name):
    with pytest.raises(FileNotFoundError, match=f"train --preset {name}"):
        TextTranslator.from_preset(name)


@EVERY_PRESET
def test_a_card_is_of_the_model_that_the_preset_builds(name):
    card = PRESETS[name]["card"]
    translator = Translator.from_preset(name, load_weights=False)
    assert translator.count_params() == card["parameters"]
    assert card["bleu_signature"].startswith("nrefs:1|case:mixed")
    assert card["milliseconds_per_sentence"] > 0
    assert card["training_cpu_minutes"] > 0
    assert card["megabytes"] > 0


@pytest.mark.parametrize("name", [n for n in PRESETS if "standard" in n])
def test_twins_differ_in_attention_alone(name):
    twin = name.replace("standard", "bahdanau")
    standard, attending = Settings.from_preset(name), Settings.from_preset(twin)
    sizes = [PRESETS[n]["card"]["parameters"] for n in (name, twin)]
    assert abs(sizes[0] / sizes[1] - 1) < 0.1
    assert standard == dataclasses.replace(
        attending, attention="none", units=standard.units
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_translates(name):
    assert is_shipped(name)
    model = TextTranslator.from_preset(name)
    assert (
        model.translator.count_params() == PRESETS[name]["card"]["parameters"]
    )
    source, expected = SHIPPED[name]
    assert str(model.translate(source)) == expected


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_complete_small_and_attributed(name):
    folder = EXPORTED / name
    check_servable(folder / "1")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 12e6
    card = (folder / "README.md").read_text()
    for key in ("parameters", "bleu", "chrf"):
        value = PRESETS[name]["card"][key]
        assert f"{value:,}" in card, key
    if "grammar" not in name:
        assert "CC BY 2.0 FR" in card and "tatoeba.org" in card


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_servable_answers_as_the_model_that_it_came_from(name):
    verify(EXPORTED / name / "1", TextTranslator.from_preset(name))


def test_the_package_brings_the_shipped_models():
    lines = PYPROJECT.read_text().splitlines()
    models = [f"exported/{name}/model.keras" for name in SHIPPED]
    expected = sorted(f'"{path}" = "s2s_keras/{path}"' for path in models)
    assert sorted(line for line in lines if "model.keras" in line) == expected
