import concurrent.futures
import json
import os
import shutil
import subprocess
import sys

import pytest
from laws import FIRST
from laws import TEXTS
from laws import VARIANTS
from laws import make_text_translator
from tensorflow.lite.tools import flatbuffer_utils

from s2s_keras import TextTranslator
from s2s_keras.decoding.candidates import best_ended
from s2s_keras.export import edge
from s2s_keras.export.edge import export_litert
from s2s_keras.export.edge_loop import SPACES
from s2s_keras.export.edge_loop import LiteRTTranslator
from s2s_keras.text.normalization import normalize_text

SOURCES = [
    *TEXTS[:4],
    "",
    "  two\tspaces ",
    "ﬁve Ⅳ é ½",
    "三 \U0001f600!\ud800",
]
SENTENCES = [
    "The old man reads a letter.",
    "A child sees the dog because the woman sleeps.",
    "Does the teacher often buy two red books?",
]


@pytest.fixture(scope="module")
def trained():
    return TextTranslator.from_preset("bahdanau_small_grammar_en_de")


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    return export_litert(trained, tmp_path_factory.mktemp("edge") / "model")


def translate(text_translator, texts=SOURCES, **settings):
    translations = text_translator.translate(texts, **settings)
    return [item.text for item in translations]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "num_beams"),
    [
        *((name, 3) for name in (*FIRST, "coverage_current-gru-1")),
        (FIRST[0], 1),
    ],
)
def test_it_translates_as_translate(name, num_beams, tmp_path, monkeypatch):
    model = make_text_translator(VARIANTS[name], num_beams=num_beams)
    monkeypatch.setattr(edge, "_verify", lambda *_: None)
    translator = LiteRTTranslator(export_litert(model, tmp_path / "model"))
    expected = translate(model)
    assert [translator.translate(text) for text in SOURCES] == expected
    assert translator.translate(SOURCES) == expected
    scored = model.score(SOURCES, SOURCES[::-1])
    for source, target, expected in zip(
        SOURCES, SOURCES[::-1], scored, strict=True
    ):
        score = translator.score(source, target)
        assert score == pytest.approx(expected.score, abs=1e-3)


def test_batches_run_at_once_and_come_back_in_order(trained, exported):
    texts = [*SENTENCES, *SOURCES] * 3
    expected = LiteRTTranslator(exported).translate(texts, batch_size=1)
    assert expected[:3] == translate(trained, SENTENCES)
    for num_threads, batch_size in ((1, 4), (2, 5), (3, 100)):
        translator = LiteRTTranslator(exported, num_threads)
        assert translator.translate(texts, batch_size) == expected
    assert translator.translate([]) == []


def test_other_threads_may_translate_at_once(trained, exported):
    translator = LiteRTTranslator(exported)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(translator.translate, SENTENCES))
    assert found == translate(trained, SENTENCES)


def test_a_search_that_is_interrupted_spoils_no_other(trained, exported):
    def interrupt(*_):
        raise KeyboardInterrupt

    translator = LiteRTTranslator(exported)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(translator, "_collect", interrupt)
        with pytest.raises(KeyboardInterrupt) as kept:
            translator.translate(SENTENCES[0])
    expected = translate(trained, SENTENCES[:1])
    assert translator.translate(SENTENCES[:1]) == expected, kept


@pytest.mark.slow
def test_settings_are_set_at_export(tmp_path, monkeypatch):
    monkeypatch.setattr(edge, "_verify", lambda *_: None)
    model = make_text_translator(VARIANTS["standard-gru-1"])
    settings = {"num_beams": 2, "length_penalty": 0.5, "max_source_len": 3}
    folder = export_litert(model, tmp_path / "model", **settings)
    written = json.loads((folder / "settings.json").read_text())
    assert written["length_penalty"] == 0.5 and written["max_source_len"] == 3
    model, pair = model.with_settings(**settings), ("one", "three four")
    with pytest.warns(UserWarning, match="were cut"):
        expected, scored = translate(model), model.score(*pair)
    assert len(scored.target_pieces) > 3  # more than a source may have
    translator = LiteRTTranslator(folder)
    assert translator.translate(SOURCES) == expected
    assert translator.score(*pair) == pytest.approx(scored.score, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weights", "share"), [("float16", 0.5), ("int8", 0.33)]
)
def test_small_weights_say_much_the_same(trained, weights, share, tmp_path):
    # LiteRT has no bfloat16; such models are exported in float32.
    mixed = trained.with_dtype("mixed_bfloat16")
    folder = export_litert(mixed, tmp_path / "a" / "b", weights=weights)
    assert folder == tmp_path / "a" / "b"
    translator = LiteRTTranslator(folder, num_threads=2)
    found = [translator.translate(text) for text in SENTENCES]
    assert found == translate(trained, SENTENCES)
    # In int8 a tied embedding is there twice, to look up and to multiply with.
    assert share < share_of_float32(folder, trained) < share + 0.01


def share_of_float32(folder, model):
    """What an export has of constants, beside the weights in float32."""
    exported = flatbuffer_utils.read_model(folder / "model.tflite")
    sizes = [len(x.data) for x in exported.buffers if x.data is not None]
    return sum(sizes) / (4 * model.translator.count_params())


def test_weights_are_there_once(trained, exported):
    assert 1 < share_of_float32(exported, trained) < 1.01


def test_a_device_needs_no_tensorflow(trained, exported):
    program = (
        "import runpy, sys; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__'); "
        "assert not {'tensorflow', 'keras', 's2s_keras'} & set(sys.modules)"
    )
    text = "\ufeff" + "\r\n".join(SENTENCES)
    for arguments, lines in ((SENTENCES, None), ([], text)):
        result = subprocess.run(
            [
                sys.executable,
                "-c",
                program,
                exported / "translate.py",
                *arguments,
            ],
            input=lines,
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONIOENCODING": "ascii:strict"},
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines() == translate(trained, SENTENCES)


def test_white_space_is_what_training_took_it_for():
    characters = [chr(i) for i in range(0x3100) if not 0xD800 <= i < 0xE000]
    normalized = normalize_text([f"a{c}b" for c in characters]).numpy()
    spaces = {
        c
        for c, text in zip(characters, normalized, strict=True)
        if text == b"a b"
    }
    assert {c for c in characters if SPACES.fullmatch(c)} == spaces
    assert " " in spaces and "\u3000" in spaces


def test_a_model_that_answers_otherwise_is_not_published(
    trained, exported, tmp_path, monkeypatch
):
    def write(model, folder, weights):
        shutil.copytree(exported, folder, dirs_exist_ok=True)

    monkeypatch.setattr(edge, "_write", write)
    with pytest.raises(RuntimeError, match="the score"):
        export_litert(trained, tmp_path / "model", length_penalty=0.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_that_searches_badly_is_not_published(
    trained, tmp_path, monkeypatch
):
    def never_end(*found):
        ended, *others = best_ended(*found)
        return ended & False, *others

    monkeypatch.setattr(edge, "best_ended", never_end)
    with pytest.raises(RuntimeError, match="as well as"):
        export_litert(trained, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_bad_arguments_are_refused(tmp_path):
    model = make_text_translator()
    with pytest.raises(ValueError, match="Received: 'int4'"):
        export_litert(model, tmp_path / "model", weights="int4")
    with pytest.raises(FileExistsError, match="left as it is"):
        export_litert(model, tmp_path)


def test_without_the_runtime_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(ImportError, match=r"s2s-keras\[litert\]"):
        export_litert(make_text_translator(), tmp_path / "model")
