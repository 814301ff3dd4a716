"""Requests of TensorFlow Serving's REST API: JSON -> tensors.

The row form `{"instances": [...]}` lists examples, the columnar form
`{"inputs": ...}` gives whole tensors.
"""

import binascii
import math
import re

import numpy as np

from s2s_keras.endpoint.answers import decimal
from s2s_keras.endpoint.document import to_text
from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid

DEFAULT_SIGNATURE = "serving_default"
_MAX_RANK = 63  # of a NumPy array, less one for the rows
_SHORT_INTEGERS = {"int32", "int16", "int8", "uint8"}
# Type -> (the least and the largest integer).
_INTEGER_RANGES = {
    **dict.fromkeys(_SHORT_INTEGERS, (-(2**31), 2**31 - 1)),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
# Type -> (the largest exact integer, the largest number).
_FLOAT_RANGES = {
    "float": (2**24 - 1, float(np.finfo("float32").max)),
    "double": (2**53 - 1, math.inf),
}
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)([=.]*)")


def signature_name(document):
    """Says which signature a request is for.

    Args:
        document: Dictionary, the request.

    Returns:
        String.

    Raises:
        Failure: 400, if it is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {to_text(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name or DEFAULT_SIGNATURE


def read_inputs(document, signature):
    """Reads the tensors of a request.

    Args:
        document: Dictionary, the request.
        signature: `Signature`.

    Returns:
        Tuple of a dictionary, name -> NumPy array, and of a boolean, whether
        the request is in row form.

    Raises:
        Failure: 400, if they are not what the signature takes.
    """
    types = {name: spec.dtype for name, spec in signature.inputs.items()}
    if not types:
        raise invalid(
            f"Failed to get input map for signature: {signature.name}"
        )
    try:
        if "instances" in document:
            return _read_instances(document, types), True
        if "inputs" in document:
            return _read_columns(document["inputs"], types), False
    except RecursionError:
        raise invalid("Values are nested too deeply.") from None
    raise invalid("Missing 'inputs' or 'instances' key")


def _read_instances(document, types):
    instances = document["instances"]
    if "inputs" in document:
        wrong = (
            "Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist "
        )
    elif not isinstance(instances, list):
        wrong = "Expecting 'instances' to be an list/array"
    elif not instances:
        wrong = "No values in 'instances' array"
    else:
        return _read_rows(instances, types)
    raise invalid(f"JSON Value: {to_text(document)} {wrong}")


def _read_rows(instances, types):
    if not isinstance(instances[0], dict) and len(types) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as "
            "multiple input tensors required as per tensorinfo_map"
        )
    columns = {name: _Column(dtype) for name, dtype in types.items()}
    read = _read_object if _is_object(instances[0]) else _read_plain
    for index, instance in enumerate(instances):
        read(index, instance, columns)
    return {name: column.stack() for name, column in columns.items()}


def _is_object(value):
    return isinstance(value, dict) and not _is_base64(value)


def _read_object(index, instance, columns):
    if not _is_object(instance):
        raise invalid(
            f"Expecting object but got list at item {index} of input list"
        )
    for name, value in instance.items():
        try:
            if name not in columns:
                raise invalid(f"JSON object: does not have named input: {name}")
            columns[name].add(value)
        except Failure as failure:
            raise _in_element(failure, f"{index} key: {name}") from None
    if set(instance) != set(columns):
        raise invalid(
            f"Failed to process element: {index} of 'instances' list. JSON "
            f"object: {to_text(instance)} keys must be equal to: "
            f"{','.join(sorted(columns))}"
        )


def _read_plain(index, instance, columns):
    if _is_object(instance):
        raise invalid(
            f"Expecting value/list but got object at item {index} of input list"
        )
    (column,) = columns.values()
    try:
        column.add(instance)
    except Failure as failure:
        raise _in_element(failure, index) from None


def _in_element(failure, where):
    return invalid(
        f"Failed to process element: {where} of 'instances' list. Error: "
        f"{failure.code}: {failure.message}"
    )


class _Column:
    """The values of one input, row by row, all of one shape."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.rows = []

    def add(self, value):
        row = _to_array(value, self.dtype)
        if self.rows and row.size != self.rows[0].size:
            raise invalid(
                f"Expecting tensor size: {self.rows[0].size} but got: "
                f"{row.size}"
            )
        if self.rows and row.shape != self.rows[0].shape:
            raise invalid(
                f"Expecting shape {_shape_text(self.rows[0])} but got: "
                f"{_shape_text(row)}"
            )
        self.rows.append(row)

    def stack(self):
        return np.stack(self.rows)


def _shape_text(array):
    return f"[{','.join(map(str, array.shape))}]"


def _read_columns(inputs, types):
    if _is_object(inputs):
        for name in types:
            if name not in inputs:
                raise invalid(
                    f"Missing named input: {name} in 'inputs' object."
                )
        return {
            name: _to_array(inputs[name], dtype)
            for name, dtype in types.items()
        }
    if len(types) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple "
            "input tensors required as per tensorinfo_map"
        )
    ((name, dtype),) = types.items()
    return {name: _to_array(inputs, dtype)}


def _to_array(value, dtype):
    shape = _find_shape(value)
    read = _reader(dtype)
    leaves = []
    _fill(value, 0, shape, read, leaves)
    array = np.empty(len(leaves), object)
    array[:] = leaves
    if dtype in _SHORT_INTEGERS:  # wraps around, as in Serving
        array = array.astype("int32")
    return array.astype(_to_numpy_type(dtype)).reshape(shape)


def _to_numpy_type(dtype):
    names = {"string": "O", "float": "float32", "double": "float64"}
    return names.get(dtype, dtype)


def _find_shape(value):
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    if len(shape) > _MAX_RANK:
        raise invalid(
            f"A tensor should have {_MAX_RANK} dimensions at most. Received: "
            f"{len(shape)}"
        )
    return shape


def _fill(value, level, shape, read, leaves):
    """Collects the values of a tensor, and makes sure of its shape."""
    if not isinstance(value, list):
        if level != len(shape):
            raise invalid(
                f"JSON Value: {to_text(value)} found at incorrect level: "
                f"{level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        leaves.append(read(value))
        return
    if level >= len(shape):
        raise invalid(
            f"Encountered list at unexpected level: {level} expected < "
            f"{len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: "
            f"{level} expected size: {shape[level]}"
        )
    for item in value:
        _fill(item, level + 1, shape, read, leaves)


def _reader(dtype):
    """Makes the function that reads one value of a type."""

    def read(value):
        if isinstance(value, dict):
            raise _wrong_type(value, dtype)
        raise Failure(
            "UNIMPLEMENTED",
            f"Conversion of JSON Value: {to_text(value)} to type: {dtype}",
        )

    if dtype == "string":
        return _read_string
    if dtype == "bool":
        return _read_bool
    if dtype in _INTEGER_RANGES:
        return lambda value: _read_integer(value, dtype)
    if dtype in _FLOAT_RANGES:
        return lambda value: _read_float(value, dtype)
    return read


def _read_string(value):
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, dict):
        return _decode_base64(value)
    raise _wrong_type(value, "string")


def _read_bool(value):
    if not isinstance(value, bool):
        raise _wrong_type(value, "bool")
    return value


def _read_integer(value, dtype):
    least, largest = _INTEGER_RANGES[dtype]
    if type(value) is not int or not least <= value <= largest:
        raise _wrong_type(value, dtype)
    return value


def _read_float(value, dtype):
    if type(value) is float:
        lossless = not math.isfinite(value) or (
            abs(value) <= _FLOAT_RANGES[dtype][1]
        )
    elif type(value) is int:
        lossless = abs(value) <= _FLOAT_RANGES[dtype][0]
    else:
        raise _wrong_type(value, dtype)
    if not lossless:
        raise invalid(
            f"Cannot convert JSON value: {_value_text(value)} to {dtype} "
            "without loss of precision."
        )
    return value


def _wrong_type(value, dtype):
    kinds = {str: "String", dict: "Object", list: "Array", type(None): "Null"}
    kind = kinds.get(type(value), "Number")
    if isinstance(value, bool):
        kind = str(value)
    return invalid(
        f"JSON Value: {_value_text(value)} Type: {kind} is not of expected "
        f"type: {dtype}"
    )


def _value_text(value):
    if type(value) is not float:
        return to_text(value)
    is_float32 = abs(value) <= _FLOAT_RANGES["float"][1]
    return decimal(np.float32(value) if is_float32 else np.float64(value))


def _is_base64(value):
    return len(value) == 1 and isinstance(value.get("b64"), str)


def _decode_base64(value):
    if not _is_base64(value):
        raise invalid(
            f"JSON Value: {to_text(value)} not formatted correctly for base64 "
            "data"
        )
    parts = _BASE64.fullmatch("".join(value["b64"].split()))
    if parts is None:
        raise invalid("Unable to base64 decode")
    padding = -len(parts[1]) % 4
    if padding == 3 or len(parts[2]) not in (0, padding):
        raise invalid("Unable to base64 decode")
    return binascii.a2b_base64(parts[1] + "=" * padding)
