"""Model files of less than half the size."""

import pathlib
import zipfile

import keras

from s2s_keras.presets import new_model_path


def pack(model, folder):
    """Writes `model.keras` with weights rounded to bfloat16, and compressed.

    The file is an ordinary `.keras` file: weights come back as float32, with
    eight significant bits.

    Args:
        model: `TextTranslator` or `Translator`, whose weights are rounded.
        folder: Path of the folder, which is made if need be.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        FileExistsError: If the folder holds a model already.
    """
    path = new_model_path(folder)
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            rounded = keras.ops.cast(weight, "bfloat16")
            weight.assign(keras.ops.cast(rounded, weight.dtype))
    model.save(path)
    _compress(path)
    return path


def _compress(path):
    """Writes a zip file again, its members compressed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    packed = pathlib.Path(path).with_suffix(".packed")
    with zipfile.ZipFile(
        packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9
    ) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    packed.replace(path)
