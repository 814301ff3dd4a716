"""Model files of a third of the size."""

import pathlib
import zipfile

from s2s_keras.models.quantization import dequantize
from s2s_keras.models.quantization import matrices
from s2s_keras.models.quantization import quantize
from s2s_keras.presets import save_model


def pack(text_translator, folder):
    """Writes `model.keras` with weights rounded to eight bits, and compressed.

    The file is an ordinary `.keras` file, whose weights have the types that
    they had: see `round_weights`.

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
    """Gives a copy of a model, its matrices rounded to eight bits.

    Rounding once more changes nothing. Vectors, which take little space, are
    left as they are.

    Args:
        text_translator: `TextTranslator`.

    Returns:
        A `TextTranslator`, whose weights have the types they had.
    """
    whole = text_translator.translator
    rounded = type(whole).from_config(whole.get_config())
    for weight, exact in zip(rounded.weights, whole.weights, strict=True):
        weight.assign(exact)
    for weight in matrices(rounded):
        weight.assign(dequantize(*quantize(weight), weight.dtype))
    return text_translator.with_translator(rounded)


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
