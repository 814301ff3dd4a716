import json
import math
import subprocess
import sys

import pytest
import tensorflow as tf
from laws import FIRST
from laws import TEXTS
from laws import VARIANTS
from laws import export_unverified
from laws import make_text_translator

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.export import serving
from s2s_keras.export.servability import LATEST
from s2s_keras.export.servability import RELEASES
from s2s_keras.export.servability import check_servable
from s2s_keras.export.serving import export
from s2s_keras.export.versions import list_versions

OTHERS = [name for name in FIRST if name != "bahdanau-gru-1"]
SESSION_LOADER = """
import json
import sys
import tensorflow as tf
import tensorflow_text
assert "s2s_keras" not in sys.modules
load = tf.compat.v1.saved_model.loader.load

def run(path, texts):
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signature = load(session, ["serve"], path).signature_def[
            "serving_default"
        ]
        assert list(signature.inputs) == ["text"], signature
        assert list(signature.outputs) == ["translation"], signature
        found = session.run(
            signature.outputs["translation"].name,
            {signature.inputs["text"].name: texts},
        )
        assert found.shape == (len(texts),), found.shape
        return [text.decode() for text in found]

answers = []
for path, texts in json.loads(sys.argv[1]):
    try:
        answers.append(run(path, texts))
    except (ValueError, tf.errors.InvalidArgumentError):
        answers.append("refused")
print(json.dumps(answers))
"""


def answer_in_a_clean_process(requests):
    """Answers (version directory, texts) without s2s_keras."""
    requests = [(str(path), texts) for path, texts in requests]
    result = subprocess.run(
        [sys.executable, "-c", SESSION_LOADER, json.dumps(requests)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["bahdanau-gru-1"], id="one"),
        # The others, in parts that run beside one another.
        *(
            pytest.param(OTHERS[i::2], id=f"part_{i}", marks=pytest.mark.slow)
            for i in range(2)
        ),
    ],
)
def test_exported_it_equals_translate_in_a_clean_process(names, tmp_path):
    texts = [*TEXTS[:4], "", "\U0001f600"]
    requests, expected = [], []
    for name in names:
        text_translator = make_text_translator(VARIANTS[name], num_beams=3)
        # One clean process for all of them, instead of one each.
        version = export_unverified(text_translator, tmp_path / name)
        for release in RELEASES:
            check_servable(version, release)
        requests.append((version, texts))
        translations = text_translator.translate(texts)
        expected.append([item.text for item in translations])
    assert answer_in_a_clean_process(requests) == expected


@pytest.mark.slow
def test_shapes_other_than_batch(text_translator, tmp_path):
    version = export_unverified(text_translator, tmp_path / "model")
    assert version.stat().st_mode & 0o055 == 0o055  # all may read it
    alone = text_translator.translate(TEXTS[0]).text
    requests = [(version, [TEXTS[0]]), (version, []), (version, [TEXTS[:2]])]
    answers = answer_in_a_clean_process(requests)
    assert answers == [[alone], [], "refused"]


@pytest.fixture(scope="module")
def text_translator():
    return make_text_translator()


def test_versions_count_up_from_what_is_there(
    text_translator, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        serving,
        "_write_archive",
        lambda _, path, weights: (path / "saved_model.pb").touch(),
    )
    path = tmp_path / "model"
    (path / "7").mkdir(parents=True)
    (path / "notes").mkdir()
    assert export_unverified(text_translator, path) == path / "8"
    assert export_unverified(text_translator, path) == path / "9"
    assert not list((path / "7").iterdir())
    (path / "10").touch()  # in the way
    with pytest.raises(OSError, match="model/10"):
        export_unverified(text_translator, path)


def test_what_is_being_written_is_beside_the_versions_and_none_of_them(
    text_translator, tmp_path, monkeypatch
):
    path, seen = tmp_path / "elsewhere", []

    def write(_, temporary, weights):
        (temporary / "saved_model.pb").touch()
        seen.append(temporary.resolve().parent)
        assert not list_versions(path)

    monkeypatch.setattr(serving, "_write_archive", write)
    path.mkdir()
    (tmp_path / "model").symlink_to(path)  # perhaps to another file system
    export_unverified(text_translator, tmp_path / "model")
    assert seen == [path]
    assert [entry.name for entry in path.iterdir()] == ["1"]


def test_settings_that_json_cannot_hold_are_not_written(
    text_translator, tmp_path, monkeypatch
):
    monkeypatch.setattr(text_translator, "length_penalty", math.nan)
    with pytest.raises(ValueError, match="JSON"):
        serving._write_settings(text_translator, tmp_path, LATEST, "float32")


def test_weights_are_of_a_known_type(text_translator, tmp_path):
    with pytest.raises(ValueError, match="Received: 'int4'"):
        export(text_translator, tmp_path / "model", weights="int4")


@pytest.mark.parametrize("place", ["_write_archive", "write_warmup", "verify"])
def test_a_failed_export_leaves_nothing(
    text_translator, tmp_path, monkeypatch, place
):
    def write(_, path, weights):
        (path / "assets.extra").mkdir()

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(serving, "_write_archive", write)
    monkeypatch.setattr(serving, "check_servable", lambda *_: None)
    monkeypatch.setattr(serving, place, fail)
    with pytest.raises(OSError, match="No space left"):
        export(text_translator, tmp_path / "model")
    assert not list((tmp_path / "model").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_path_must_be_a_folder(text_translator, tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(FileExistsError):
        export(text_translator, tmp_path / "model")
    assert (tmp_path / "model").read_text() == "a file"


@pytest.mark.slow
def test_cudnn_is_off_while_a_model_is_exported(
    text_translator, tmp_path, monkeypatch
):
    (bidirectional,) = text_translator.translator.encoder.recurrent_layers
    layer = bidirectional.forward_layer
    seen = []
    call = layer.call

    def spy(*args, **kwargs):
        seen.append(layer.use_cudnn)
        return call(*args, **kwargs)

    monkeypatch.setattr(layer, "call", spy)
    export_unverified(text_translator, tmp_path / "model")
    assert seen == [False] * len(seen) != []
    assert layer.use_cudnn == "auto"


@pytest.mark.slow
def test_settings_are_set_at_export(text_translator, tmp_path):
    version = export_unverified(
        text_translator,
        tmp_path / "model",
        num_beams=2,
        length_penalty=0.5,
        max_source_len=9,
    )
    settings = json.loads((version / "assets.extra/settings.json").read_text())
    assert settings["num_beams"] == 2
    assert settings["length_penalty"] == 0.5
    assert settings["max_source_len"] == 9
    assert settings["start_id"] == START_ID and settings["end_id"] == END_ID
    assert settings["serving"] == LATEST
    loaded = tf.saved_model.load(str(version))
    text = tf.constant([" ".join(TEXTS)])
    outputs = loaded.signatures["n_best"](text=text)
    assert outputs["translations"].shape == (1, 2)
    outputs = loaded.signatures["translate"](text=text)
    assert outputs["source_pieces"].shape == (1, 9) and outputs["truncated"]
