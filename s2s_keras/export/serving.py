"""SavedModels that TensorFlow Serving loads: text in, text out."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import keras

from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.export.servability import LATEST
from s2s_keras.export.servability import check_release
from s2s_keras.export.servability import check_servable
from s2s_keras.export.signatures import Signatures
from s2s_keras.export.storage import WEIGHTS
from s2s_keras.export.verification import verify
from s2s_keras.export.versions import list_versions
from s2s_keras.export.warmup import write_warmup
from s2s_keras.models.packing import round_weights


def export(
    text_translator,
    path,
    num_beams=None,
    length_penalty=None,
    max_source_len=None,
    serving=LATEST,
    weights="float32",
):
    """Writes the next version of a servable model.

    Its signatures are those of `Signatures`; `serving_default` takes `text`
    (string `[batch]`) and gives `translation` (string `[batch]`). What was set
    stands in `assets.extra/settings.json`.

    The version directory `path/<integer>` appears when the model has been
    checked: a release of TensorFlow Serving knows all its operations, and a
    fresh process, which loads it as the server does, has answered the warm-up
    requests as `text_translator.translate` does.

    Args:
        text_translator: `TextTranslator`.
        path: Directory of the model, for example `"exported/my_model"`, whose
            last part is the model's name.
        num_beams: Integer, or `None` for the model's own.
        length_penalty: Float, or `None` for the model's own.
        max_source_len: Integer, or `None` for the model's own.
        serving: String. The oldest release of TensorFlow Serving that is to
            run the model, from `"2.12"` on.
        weights: `"float32"`, or `"int8"` to round weights (see
            `round_weights`) and to store them in a quarter of the space; every
            request computes what they stand for.

    Returns:
        `pathlib.Path` of the new version directory.

    Raises:
        ValueError: If that release does not know an operation of the model, or
            `weights` is something else.
        RuntimeError: If the exported model does not answer as it should.

    Example:

    ```python
    export(text_translator, "exported/my_model")  # exported/my_model/1
    ```
    """
    if weights not in WEIGHTS:
        raise ValueError(
            f"`weights` should be one of {list(WEIGHTS)}. Received: {weights!r}"
        )
    check_release(serving)
    if weights == "int8":
        text_translator = round_weights(text_translator)
    servable = text_translator.with_settings(
        num_beams=num_beams,
        length_penalty=length_penalty,
        max_source_len=max_source_len,
    )
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    # Beside the versions, as what is above may be on another file system.
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=".", dir=path))
    try:
        _write_archive(servable, temporary, weights)
        check_servable(temporary, serving)
        write_warmup(temporary, servable)
        _write_settings(servable, temporary, serving, weights)
        verify(temporary, servable)
        temporary.chmod(0o755)
        return _publish(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_archive(text_translator, path, weights):
    # The translator's variables come with the endpoints; if it were tracked,
    # too, each would be saved twice.
    archive = keras.export.ExportArchive()
    archive.track(text_translator.source_tokenizer)
    archive.track(text_translator.target_tokenizer)
    with _without_cudnn(text_translator.translator.members()):
        signatures = Signatures(text_translator, weights)  # holds variables
        signatures.add_to(archive)
        archive.write_out(path, verbose=False)


def _write_settings(text_translator, path, serving, weights):
    """Writes what a client may want to know of the model."""
    settings = {
        **text_translator.settings,
        "start_id": START_ID,
        "end_id": END_ID,
        "serving": serving,
        "weights": weights,
        "parameters": text_translator.translator.count_params(),
    }
    path = pathlib.Path(path, "assets.extra", "settings.json")
    path.write_text(json.dumps(settings, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def _without_cudnn(translators):
    """Has a machine with a GPU trace what one without can run."""
    layers = [
        direction
        for translator in translators
        for layer in translator.encoder.recurrent_layers
        for direction in _directions(layer)
        if hasattr(direction, "use_cudnn")
    ]
    before = [layer.use_cudnn for layer in layers]
    for layer in layers:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, use_cudnn in zip(layers, before, strict=True):
            layer.use_cudnn = use_cudnn


def _directions(layer):
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [layer]


def _publish(temporary, path):
    """Renames to the next free version, whoever else may be exporting."""
    while True:
        latest = max(map(int, list_versions(path)), default=0)
        version = path / str(latest + 1)
        try:
            os.rename(temporary, version)
        except OSError:
            if not version.is_dir():
                raise
        else:
            return version
