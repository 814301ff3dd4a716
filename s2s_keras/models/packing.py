"""Weights of eight significant bits, and model files of half the size."""

import pathlib
import zipfile

import keras

from s2s_keras.presets import save_model


def pack(text_translator, folder):
    """Writes `model.keras` with weights rounded to bfloat16, and compressed.

    The file is an ordinary `.keras` file: weights come back as float32, with
    eight significant bits.

    Args:
        text_translator: `TextTranslator`.
        folder: Path of the folder, which is made if need be.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        FileExistsError: If the folder holds a model already.
    """
    path = save_model(round_weights(text_translator), folder)
    _compress(path)
    return path


def round_weights(text_translator):
    """Gives a copy of a model with weights rounded to bfloat16.

    Args:
        text_translator: `TextTranslator`.

    Returns:
        A `TextTranslator`, whose weights have the types they had.
    """
    whole = text_translator.translator
    rounded = type(whole).from_config(whole.get_config())
    for weight, exact in zip(rounded.weights, whole.weights, strict=True):
        weight.assign(_round(exact))
    return text_translator.with_translator(rounded)


def _round(weight):
    if not keras.backend.is_float_dtype(weight.dtype):
        return weight
    return keras.ops.cast(keras.ops.cast(weight, "bfloat16"), weight.dtype)


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
