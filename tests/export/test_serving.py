import subprocess
import sys

import pytest
from laws import PARTS
from laws import TEXTS
from laws import make_text_translator

from s2s_keras.export.serving import export

SESSION_LOADER = """
import sys
import tensorflow as tf
import tensorflow_text
assert "s2s_keras" not in sys.modules
load = tf.compat.v1.saved_model.loader.load
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    graph = load(session, ["serve"], sys.argv[1])
    signature = graph.signature_def["serving_default"]
    assert list(signature.inputs) == ["text"], signature
    assert list(signature.outputs) == ["translation"], signature
    for texts in (sys.argv[2:], sys.argv[2:3], []):
        found = session.run(
            signature.outputs["translation"].name,
            {signature.inputs["text"].name: texts},
        )
        assert found.shape == (len(texts),)
        for text in found:
            print(ascii(text.decode()))
    try:
        session.run(
            signature.outputs["translation"].name,
            {signature.inputs["text"].name: [texts]},
        )
    except (ValueError, tf.errors.InvalidArgumentError):
        print("refused")
"""


@PARTS
def test_exported_it_equals_translate_in_a_clean_process(
    cell, num_layers, tmp_path
):
    text_translator = make_text_translator(cell, num_layers, num_beams=3)
    version = export(text_translator, tmp_path / "model")
    texts = [*TEXTS[:4], "", "😀"]
    result = subprocess.run(
        [sys.executable, "-c", SESSION_LOADER, version, *texts],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    expected = [
        ascii(item.text)
        for item in text_translator.translate([*texts, texts[0]])
    ]
    assert result.stdout.splitlines() == [*expected, "refused"]


@pytest.fixture(scope="module")
def text_translator():
    return make_text_translator()


def test_versions_count_up_from_what_is_there(text_translator, tmp_path):
    path = tmp_path / "model"
    (path / "7").mkdir(parents=True)
    (path / "notes").mkdir()
    assert export(text_translator, path) == path / "8"
    assert export(text_translator, path) == path / "9"
    assert not list((path / "7").iterdir())


def test_a_failed_export_leaves_nothing(text_translator, tmp_path):
    with pytest.raises(ValueError, match="num_beams=0"):
        export(text_translator, tmp_path / "model", num_beams=0)
    assert not list((tmp_path / "model").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_path_must_be_a_folder(text_translator, tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(FileExistsError):
        export(text_translator, tmp_path / "model")
    assert (tmp_path / "model").read_text() == "a file"


def test_all_may_read_it(text_translator, tmp_path):
    version = export(text_translator, tmp_path / "model")
    assert version.stat().st_mode & 0o055 == 0o055
