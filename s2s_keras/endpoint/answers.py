"""Answers of TensorFlow Serving's REST API: tensors -> JSON."""

import base64
import json
import math

import numpy as np

from s2s_keras.endpoint.document import layout
from s2s_keras.endpoint.failure import invalid


def write_outputs(outputs, is_row):
    """Writes the answer to a request.

    Args:
        outputs: Dictionary, name -> NumPy array. A single output loses its
            name; strings of outputs named `..._bytes` are sent in Base64.
        is_row: Boolean, whether the request was in row form.

    Returns:
        Bytes, JSON.

    Raises:
        Failure: 400, if a row form is wanted and the outputs are not as many
            as one another, or have a type that JSON cannot carry.
    """
    if is_row:
        _check_batch(outputs)
    values = {
        name: _to_literals(name, array) for name, array in outputs.items()
    }
    text = _write_rows(values) if is_row else _write_columns(values)
    return text.encode("utf-8", "surrogateescape")


def _check_batch(outputs):
    expected = None
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if expected is not None and len(array) != expected:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: "
                f"{len(array)} expecting: {expected}"
            )
        expected = len(array)


def _to_literals(name, array):
    """Turns a tensor into lists of JSON literals."""
    literals = np.empty(array.size, object)
    literals[:] = _write_values(name, array.reshape(-1))
    return literals.reshape(array.shape).tolist()


def _write_values(name, flat):
    kind = flat.dtype.kind
    if kind in "OS":
        if name.endswith("_bytes"):
            return [
                {"b64": f'"{base64.b64encode(value).decode()}"'}
                for value in flat.tolist()
            ]
        return [
            json.dumps(
                value.decode("utf-8", "surrogateescape"), ensure_ascii=False
            )
            for value in flat.tolist()
        ]
    if kind == "b":
        return ["true" if value else "false" for value in flat]
    if kind in "iu":
        return [str(value) for value in flat.tolist()]
    if flat.dtype.itemsize <= 2 and flat.dtype.name in ("float16", "bfloat16"):
        flat = flat.astype("float32")
    if flat.dtype.kind == "f":
        return [decimal(value) for value in flat]
    raise invalid(
        f"Failed to write JSON value for tensor type: {flat.dtype.name}"
    )


def decimal(value):
    """Writes a float so that it is read as the same float.

    Args:
        value: `np.float32` or `np.float64`.

    Returns:
        String, with six digits where they are enough.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{value:g}"
    if type(value)(text) != value:
        text = f"{value:.{9 if value.dtype == np.float32 else 17}g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _write_rows(values):
    if len(values) == 1:
        ((_, items),) = values.items()
        items = [layout(item, 1) for item in items]
    else:
        rows = zip(*values.values(), strict=True)
        items = [
            "\n        " + layout(dict(zip(values, row, strict=True)), 2)
            for row in rows
        ]
    if not items:
        return layout({"predictions": []})
    separator = ", " if len(values) == 1 else ","
    rows = separator.join(items)
    return f'{{\n    "predictions": [{rows}\n    ]\n}}'


def _write_columns(values):
    if len(values) == 1:
        (values,) = values.values()
    return layout({"outputs": values}, single_line=False)
