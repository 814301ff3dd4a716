"""Model files of about half the size."""

import pathlib
import zipfile

import keras
import numpy as np

from s2s_keras.presets import new_model_path


def pack(model, folder):
    """Writes `model.keras` with weights of half the precision, compressed.

    The file is an ordinary `.keras` file: weights come back as float32.

    Args:
        model: `TextTranslator` or `Translator`, whose weights are rounded.
        folder: Path of the folder, which is made if need be.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        FileExistsError: If the folder holds a model already.
        ValueError: If a weight is too large for half the precision.
    """
    path = new_model_path(folder)
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            weight.assign(_round(weight))
    model.save(path)
    _compress(path)
    return path


def _round(weight):
    value = keras.ops.convert_to_numpy(weight)
    if np.abs(value).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError(
            "`model` should have weights that float16 can hold. Received: "
            f"{weight.path} with {np.abs(value).max()}"
        )
    return value.astype(np.float16).astype(value.dtype)


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
