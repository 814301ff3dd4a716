"""SavedModels that TensorFlow Serving loads: text in, text out."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import keras
import tensorflow as tf


def export(text_translator, path, num_beams=None, length_penalty=None):
    """Writes the next version of a servable model.

    The version directory `path/<integer>` appears complete or not at all. Its
    signature `serving_default` takes `text` (string `[batch]`) and gives
    `translation` (string `[batch]`).

    Args:
        text_translator: `TextTranslator`.
        path: Directory of the model, for example `"exported/my_model"`, whose
            last part is the model's name.
        num_beams: Integer, or `None` for the model's own.
        length_penalty: Float, or `None` for the model's own.

    Returns:
        `pathlib.Path` of the new version directory.

    Example:

    ```python
    export(text_translator, "exported/my_model")  # exported/my_model/1
    ```
    """
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(
        tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent)
    )
    try:
        _write_archive(text_translator, temporary, num_beams, length_penalty)
        temporary.chmod(0o755)
        return _publish(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_archive(text_translator, path, num_beams, length_penalty):
    def translate(text):
        text = tf.ensure_shape(text, [None])
        outputs = text_translator(
            text, num_beams=num_beams, length_penalty=length_penalty
        )
        return {"translation": outputs["translation"]}

    archive = keras.export.ExportArchive()
    archive.track(text_translator.translator)
    archive.track(text_translator.source_tokenizer)
    archive.track(text_translator.target_tokenizer)
    with _without_cudnn(text_translator.translator.encoder):
        archive.add_endpoint(
            "serving_default",
            translate,
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
        )
        archive.write_out(path, verbose=False)


@contextlib.contextmanager
def _without_cudnn(encoder):
    """Has a machine with a GPU trace what one without can run."""
    layers = [
        direction
        for layer in encoder.recurrent_layers
        for direction in (
            [layer.forward_layer, layer.backward_layer]
            if encoder.bidirectional
            else [layer]
        )
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


def _publish(temporary, path):
    """Renames to the next free version, whoever else may be exporting."""
    while True:
        version = path / str(_latest_version(path) + 1)
        try:
            os.rename(temporary, version)
        except OSError:
            if not version.exists():
                raise
        else:
            return version


def _latest_version(path):
    versions = [
        int(entry.name) for entry in path.iterdir() if entry.name.isdigit()
    ]
    return max(versions, default=0)
