"""The REST contract of TensorFlow Serving, as data.

The answers are those of the real server's code, for the model that
`toy_model.py` writes, of which versions 1 and 2 are served and 1 has the label
`stable`.
"""

import json
from typing import Any
from typing import NamedTuple

PREDICT = "/v1/models/toy:predict"


class Contains(str):
    """A part of an error message."""


class Case(NamedTuple):
    """A request and its answer."""

    name: str
    body: Any  # bytes as they are, other values as JSON, None for no body
    status: int
    answer: Any  # the value, or the error message
    path: str = PREDICT
    method: str = "POST"
    ours_alone: bool = False  # the real server answers in another way

    @property
    def content(self):
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()

    def check(self, status, text):
        """Compares an answer with what it should be."""
        assert status == self.status, text
        found = json.loads(text.decode("utf-8", "surrogateescape"))
        if isinstance(self.answer, Contains):
            assert list(found) == ["error"]
            assert self.answer in found["error"]
        elif status != 200:
            assert found == {"error": self.answer}
        else:
            assert repr_json(found) == repr_json(self.answer)


def repr_json(value):
    """Tells 1 from 1.0 and from true, and NaN from nothing."""
    return json.dumps(value, sort_keys=True)


def element(index, error, code="INVALID_ARGUMENT"):
    return (
        f"Failed to process element: {index} of 'instances' list. "
        f"Error: {code}: {error}"
    )


def rows(*instances, **more):
    return {"instances": list(instances), **more}


def to(signature, **body):
    return {"signature_name": signature, **body}


def number(**changes):
    """A row of the signature `numbers`."""
    row = {"x": 0.5, "d": 0.5, "i": 1, "u": 2, "n": 3, "b": True}
    return to("numbers", instances=[{**row, **changes}])


def number_back(**changes):
    row = {"x": 0.5, "d": 0.5, "i": 1, "u": 2, "n": 3, "b": True}
    return {"predictions": [{**row, **changes}]}


def bad_number(name, value, kind, dtype):
    """A value that the signature `numbers` refuses, with the message."""
    text = json.dumps(value)
    message = (
        f"Failed to process element: 0 key: {name} of 'instances' list. Error: "
        f"INVALID_ARGUMENT: JSON Value: {text} Type: {kind} is not of "
        f"expected type: {dtype}"
    )
    return Case(f"{name}={text}", number(**{name: value}), 400, message)


def lossy(name, value, text, dtype):
    message = (
        f"Failed to process element: 0 key: {name} of 'instances' list. Error: "
        f"INVALID_ARGUMENT: Cannot convert JSON value: {text} to {dtype} "
        "without loss of precision."
    )
    return Case(f"lossy {name}={value}", number(**{name: value}), 400, message)


def parse_error(name, body, what, at):
    message = f"JSON Parse error: {what} at offset: {at}"
    return Case(name, body, 400, message)


HELLO = {"predictions": ["HELLO"]}
HELLO_OUT = {"outputs": ["HELLO"]}
PAIR = {"text": "a", "weight": 0.5}

FORMS = [
    Case("rows", rows("hello", "b"), 200, {"predictions": ["HELLO", "B"]}),
    Case("rows of objects", rows({"text": "hello"}), 200, HELLO),
    Case("columns", {"inputs": ["hello"]}, 200, HELLO_OUT),
    Case("columns by name", {"inputs": {"text": ["hello"]}}, 200, HELLO_OUT),
    Case("signature", to("serving_default", instances=["hello"]), 200, HELLO),
    Case("signature of no name", to("", instances=["hello"]), 200, HELLO),
    Case("a key that is not known", rows("hello", foo=1), 200, HELLO),
    Case(
        "a column that is not known",
        {"inputs": {"text": ["hello"], "lang": [1, [2]]}},
        200,
        HELLO_OUT,
    ),
    Case("no columns", {"inputs": []}, 200, {"outputs": []}),
    Case(
        "upper-case path", rows("hello"), 200, HELLO, "/V1/MODELS/toy:PREDICT"
    ),
    Case("escaped name", rows("hello"), 200, HELLO, "/v1/models/%74oy:predict"),
    Case("query", rows("hello"), 200, HELLO, f"{PREDICT}?a=b"),
    Case("empty string", rows(""), 200, {"predictions": [""]}),
    Case(
        "quotes and control characters",
        rows('a"\\/\n\t\x01\x7f'),
        200,
        {"predictions": ['A"\\/\n\t\x01\x7f']},
    ),
    Case("zero byte", rows("a\0b"), 200, {"predictions": ["A\0B"]}),
    Case("emoji", rows("\U0001f600"), 200, {"predictions": ["\U0001f600"]}),
    Case(
        "escaped emoji",
        b'{"instances": ["\\ud83d\\ude00"]}',
        200,
        {"predictions": ["\U0001f600"]},
    ),
    Case(
        "bytes that are no UTF-8",
        b'{"instances": ["\xffa"]}',
        200,
        {"predictions": ["\udcffA"]},
    ),
    Case(
        "byte order mark", b'\xef\xbb\xbf{"instances": ["hello"]}', 200, HELLO
    ),
    Case(
        "the first of two members",
        b'{"inputs": ["hello"], "inputs": ["b"]}',
        200,
        HELLO_OUT,
    ),
    Case(
        "several outputs, rows",
        to("details", instances=["hello", "b"]),
        200,
        {
            "predictions": [
                {
                    "translation": "HELLO",
                    "raw_bytes": {"b64": "aGVsbG8="},
                    "length": 5,
                    "codes": [104, 101, 108, 108, 111],
                    "score": 1.66666675,
                    "is_long": True,
                },
                {
                    "translation": "B",
                    "raw_bytes": {"b64": "Yg=="},
                    "length": 1,
                    "codes": [98, 0, 0, 0, 0],
                    "score": 0.333333343,
                    "is_long": False,
                },
            ]
        },
    ),
    Case(
        "several outputs, columns",
        to("details", inputs=["b"]),
        200,
        {
            "outputs": {
                "translation": ["B"],
                "raw_bytes": [{"b64": "Yg=="}],
                "length": [1],
                "codes": [[98]],
                "score": [0.333333343],
                "is_long": [False],
            }
        },
    ),
    Case(
        "several inputs, rows",
        to("pair", instances=[PAIR, {"weight": 2, "text": "b"}]),
        200,
        {"predictions": ["a0.500000", "b2.000000"]},
    ),
    Case(
        "several inputs, columns",
        to("pair", inputs={"weight": [0.5], "text": ["a"]}),
        200,
        {"outputs": ["a0.500000"]},
    ),
    Case(
        "rank 3, rows",
        to("state", instances=[[[1, 2], [3.5, -4]], [[0, 0], [1e3, 1e-3]]]),
        200,
        {
            "predictions": [
                [[2.0, 3.0], [4.5, -3.0]],
                [[1.0, 1.0], [1001.0, 1.001]],
            ]
        },
    ),
    Case(
        "rank 3, columns",
        to("state", inputs=[[[1, 2]]]),
        200,
        {"outputs": [[[2.0, 3.0]]]},
    ),
    Case("scalar output", to("whole", inputs=["a", "b"]), 200, {"outputs": 2}),
    Case(
        "scalar output, rows",
        to("whole", instances=["a"]),
        400,
        "Tensor name: count has no shape information ",
    ),
    Case(
        "fewer outputs than inputs",
        to("first", instances=["a", "b"]),
        200,
        {"predictions": ["a"]},
    ),
]

BASE64 = [
    Case("base64", rows({"b64": "aGVsbG8="}), 200, HELLO),
    Case("base64 by name", rows({"text": {"b64": "aGVsbG8="}}), 200, HELLO),
    Case("base64 column", {"inputs": [{"b64": "aGVsbG8="}]}, 200, HELLO_OUT),
    Case(
        "base64 column by name",
        {"inputs": {"text": [{"b64": "aGVsbG8="}]}},
        200,
        HELLO_OUT,
    ),
    Case("base64 without padding", rows({"b64": "aGVsbG8"}), 200, HELLO),
    Case("base64 with space", rows({"b64": "aGVs bG8=\n"}), 200, HELLO),
    Case(
        "base64 that is none",
        rows({"b64": "!!"}),
        400,
        element(0, "Unable to base64 decode"),
    ),
    Case(
        "base64 cut off",
        rows({"b64": "aGVsb"}),
        400,
        element(0, "Unable to base64 decode"),
    ),
    Case(
        "base64 padded too much",
        rows({"b64": "aGVsbG8=="}),
        400,
        element(0, "Unable to base64 decode"),
    ),
    Case(
        "base64 of a number",
        to("state", instances=[[[{"b64": "aGVsbG8="}, 1]]]),
        400,
        Contains("Type: Object is not of expected type: float"),
    ),
    Case(
        "an object in a list",
        {"inputs": [{"c64": "a"}]},
        400,
        'JSON Value: {\n    "c64": "a"\n} not formatted correctly for base64 '
        "data",
    ),
]

WRONG_VALUES = [
    Case(
        "integer",
        rows(1),
        400,
        element(
            0,
            "JSON Value: 1 Type: Number is not of expected type: string",
        ),
    ),
    Case(
        "null",
        rows("a", None),
        400,
        element(
            1,
            "JSON Value: null Type: Null is not of expected type: string",
        ),
    ),
    Case(
        "float",
        rows(2.5),
        400,
        element(
            0,
            "JSON Value: 2.5 Type: Number is not of expected type: string",
        ),
    ),
    Case(
        "bool column",
        {"inputs": [True]},
        400,
        "JSON Value: true Type: True is not of expected type: string",
    ),
    Case(
        "ragged",
        rows(["a", "b"], ["c"]),
        400,
        element(1, "Expecting tensor size: 2 but got: 1"),
    ),
    Case(
        "ragged, equally many",
        rows([["a", "b"]], [["a"], ["b"]]),
        400,
        element(1, "Expecting shape [1,2] but got: [2,1]"),
    ),
    Case(
        "ragged columns",
        {"inputs": [["a", "b"], ["c"]]},
        400,
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    Case(
        "a list beside a value",
        {"inputs": ["a", ["b"]]},
        400,
        "Encountered list at unexpected level: 1 expected < 1",
    ),
    Case(
        "a value beside a list",
        {"inputs": [["a"], "b"]},
        400,
        'JSON Value: "b" found at incorrect level: 2 in the JSON DOM. '
        "Expected at level: 2",
    ),
    Case("rank 2", rows(["a", "b"]), 400, Contains("is not compatible with")),
    Case("rank 3", rows([["a"]]), 400, Contains("is not compatible with")),
    Case("rank 0", {"inputs": "a"}, 400, Contains("is not compatible with")),
    Case(
        "any rank where the model takes it",
        to("flat", inputs="a"),
        200,
        {"outputs": ["A"]},
    ),
    Case("refused by the model", rows("bad"), 400, Contains("a bad text")),
    Case(
        "object then value",
        rows({"text": "a"}, "b"),
        400,
        "Expecting object but got list at item 1 of input list",
    ),
    Case(
        "value then object",
        rows("b", {"text": "a"}),
        400,
        "Expecting value/list but got object at item 1 of input list",
    ),
    Case(
        "unknown name",
        rows({"txt": "a"}),
        400,
        "Failed to process element: 0 key: txt of 'instances' list. Error: "
        "INVALID_ARGUMENT: JSON object: does not have named input: txt",
    ),
    Case(
        "missing name",
        to("pair", instances=[PAIR, {"text": "a"}]),
        400,
        "Failed to process element: 1 of 'instances' list. JSON object: {\n"
        '    "text": "a"\n} keys must be equal to: text,weight',
    ),
    Case(
        "missing column",
        {"inputs": {"txt": ["a"]}},
        400,
        "Missing named input: text in 'inputs' object.",
    ),
    Case(
        "plain rows of several inputs",
        to("pair", instances=["a"]),
        400,
        "instances is a plain list, but expecting list of objects as multiple "
        "input tensors required as per tensorinfo_map",
    ),
    Case(
        "plain columns of several inputs",
        to("pair", inputs=["a"]),
        400,
        "inputs is a plain value/list, but expecting an object as multiple "
        "input tensors required as per tensorinfo_map",
    ),
    Case(
        "nested too deeply",
        b'{"inputs": ' + b"[" * 100 + b"]" * 100 + b"}",
        400,
        Contains("dimensions"),
        ours_alone=True,
    ),
    Case(
        "a row nested too deeply",
        b'{"instances": [' + b"[" * 64 + b"]" * 64 + b"]}",
        400,
        Contains("dimensions"),
        ours_alone=True,
    ),
    Case(
        "nested absurdly",
        b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        400,
        Contains("nested too deeply"),
        ours_alone=True,
    ),
]

NUMBERS = [
    Case("numbers", number(), 200, number_back()),
    Case(
        "least",
        number(i=-(2**31), n=-(2**63), u=0),
        200,
        number_back(i=-(2**31), n=-(2**63), u=0),
    ),
    Case(
        "largest",
        number(i=2**31 - 1, n=2**63 - 1, u=255),
        200,
        number_back(i=2**31 - 1, n=2**63 - 1, u=255),
    ),
    Case("bytes wrap around", number(u=300), 200, number_back(u=44)),
    Case(
        "integers for floats",
        number(x=7, d=2**53 - 1),
        200,
        number_back(x=7.0, d=9007199254740991.0),
    ),
    Case("minus nothing", number(x=-0.0), 200, number_back(x=-0.0)),
    Case("short", number(x=0.1, d=0.1), 200, number_back(x=0.1, d=0.1)),
    Case(
        "long",
        number(x=1 / 3, d=1 / 3),
        200,
        number_back(x=0.333333343, d=0.33333333333333331),
    ),
    Case(
        "exponents", number(x=1e10, d=1e300), 200, number_back(x=1e10, d=1e300)
    ),
    Case(
        "tiny",
        number(x=1e-45, d=5e-324),
        200,
        number_back(x=1.4013e-45, d=5e-324),
    ),
    Case(
        "no number",
        number(x=float("nan"), d=float("nan")),
        200,
        number_back(x=float("nan"), d=float("nan")),
    ),
    Case(
        "infinities",
        number(x=float("inf"), d=-float("inf")),
        200,
        number_back(x=float("inf"), d=-float("inf")),
    ),
    Case(
        "infinity in short",
        b'{"signature_name": "state", "inputs": [[[Inf, -Inf]]]}',
        200,
        {"outputs": [[[float("inf"), -float("inf")]]]},
    ),
    bad_number("i", 2**31, "Number", "int32"),
    bad_number("i", 1.0, "Number", "int32"),
    bad_number("i", True, "True", "int32"),
    bad_number("i", "1", "String", "int32"),
    bad_number("n", 2**63, "Number", "int64"),
    bad_number("n", None, "Null", "int64"),
    bad_number("b", 1, "Number", "bool"),
    bad_number("b", "true", "String", "bool"),
    bad_number("x", "0.5", "String", "float"),
    bad_number("x", False, "False", "float"),
    bad_number("d", None, "Null", "double"),
    lossy("x", 2**24, "16777216", "float"),
    lossy("x", -(2**24), "-16777216", "float"),
    lossy("d", 2**53, "9007199254740992", "double"),
    lossy("x", 1e39, "1e+39", "float"),
]

DOCUMENTS = [
    Case("no body", b"", 400, "JSON Parse error: The document is empty"),
    parse_error("blank", b" \n", "The document is empty.", 2),
    Case("a list", b"[1]", 400, "JSON Value: [1] Is not object"),
    Case("a string", b'"a"', 400, 'JSON Value: "a" Is not object'),
    parse_error("no JSON", b"instances = [1, 2]", "Invalid value.", 0),
    parse_error("a form", b"text=a", "Invalid value.", 1),
    parse_error(
        "cut off",
        b'{"instances": ["a',
        "Missing a closing quotation mark in string.",
        17,
    ),
    parse_error(
        "open list",
        b'{"instances": ["a"',
        "Missing a comma or ] after an array element.",
        18,
    ),
    parse_error(
        "open object",
        b'{"instances": ["a"]',
        "Missing a comma or } after an object member.",
        19,
    ),
    parse_error(
        "trailing comma", b'{"instances": ["a",]}', "Invalid value.", 19
    ),
    parse_error(
        "no name", b"{'instances': 1}", "Missing a name for object member.", 1
    ),
    parse_error(
        "no colon",
        b'{"instances" 1}',
        "Missing a colon after a name of object member.",
        13,
    ),
    parse_error(
        "more",
        b"{} {}",
        "The document root must not be followed by other values.",
        3,
    ),
    parse_error(
        "escape", b'{"a": "\\x"}', "Invalid escape character in string.", 7
    ),
    parse_error(
        "hex digits",
        b'{"a": "\\u00g0"}',
        "Incorrect hex digit after \\u escape in string.",
        7,
    ),
    parse_error(
        "half a pair",
        b'{"a": "\\ud83d"}',
        "The surrogate pair in string is invalid.",
        7,
    ),
    parse_error(
        "leading zero",
        b'{"inputs": 01}',
        "Missing a comma or } after an object member.",
        12,
    ),
    parse_error(
        "no fraction", b'{"inputs": 1.}', "Miss fraction part in number.", 13
    ),
    parse_error(
        "no exponent", b'{"inputs": 1e}', "Miss exponent in number.", 13
    ),
    parse_error(
        "too big",
        b'{"inputs": 1e999}',
        "Number too big to be stored in double.",
        11,
    ),
    parse_error("half a word", b'{"inputs": trap}', "Invalid value.", 13),
    parse_error(
        "offsets count bytes", '{"é": x}'.encode(), "Invalid value.", 7
    ),
    Case(
        "no instances",
        rows(),
        400,
        'JSON Value: {\n    "instances": []\n} No values in '
        "'instances' array",
    ),
    Case(
        "instances no list",
        {"instances": "hello"},
        400,
        'JSON Value: {\n    "instances": "hello"\n} Expecting '
        "'instances' to be an list/array",
    ),
    Case(
        "instances null",
        {"instances": None},
        400,
        'JSON Value: {\n    "instances": null\n} Expecting '
        "'instances' to be an list/array",
    ),
    Case(
        "both forms",
        {"instances": ["a"], "inputs": ["a"]},
        400,
        'JSON Value: {\n    "instances": ["a"],\n    "inputs": ["a"]\n} Not '
        "formatted correctly expecting only one of 'inputs' or 'instances' "
        "keys to exist ",
    ),
    Case("no form", {"foo": 1}, 400, "Missing 'inputs' or 'instances' key"),
    Case(
        "unknown signature",
        to("nope", instances=["a"]),
        400,
        'Serving signature name: "nope" not found in signature def',
    ),
    Case(
        "signature no string",
        {"signature_name": 3, "instances": ["a"]},
        400,
        'JSON Value: {\n    "signature_name": 3,\n    "instances": ["a"]\n} '
        "not formatted correctly. 'signature_name' key must be a string "
        "value.",
    ),
    Case(
        "objects in messages",
        {"signature_name": 3, "instances": [{"text": "a"}, {}]},
        400,
        'JSON Value: {\n    "signature_name": 3,\n    "instances": [{\n'
        '            "text": "a"\n        }, {}]\n} not formatted correctly. '
        "'signature_name' key must be a string value.",
    ),
    Case(
        "signature without inputs",
        to("__saved_model_init_op", instances=["a"]),
        400,
        "Failed to get input map for signature: __saved_model_init_op",
    ),
]


def get(name, path, status, answer):
    return Case(name, None, status, answer, path, "GET")


def malformed(method, path):
    message = f"Malformed request: {method} {path}"
    body = b"{}" if method != "GET" else None
    return Case(f"{method} {path}", body, 400, message, path, method)


def state(version):
    return {
        "version": str(version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }


WHICH = to("which", instances=["a"])

PATHS = [
    Case("the highest version", WHICH, 200, {"predictions": [2]}),
    Case(
        "a version",
        WHICH,
        200,
        {"predictions": [1]},
        "/v1/models/toy/versions/1:predict",
    ),
    Case(
        "a label",
        WHICH,
        200,
        {"predictions": [1]},
        "/v1/models/toy/labels/stable:predict",
    ),
    Case(
        "unknown model",
        WHICH,
        404,
        "Servable not found for request: Latest(half)",
        "/v1/models/half:predict",
    ),
    Case(
        "unknown model, version",
        WHICH,
        404,
        "Servable not found for request: Specific(half, 1)",
        "/v1/models/half/versions/1:predict",
    ),
    Case(
        "unknown version",
        WHICH,
        404,
        "Servable not found for request: Specific(toy, 9)",
        "/v1/models/toy/versions/9:predict",
    ),
    Case(
        "huge version",
        WHICH,
        400,
        "Failed to convert version: 99999999999999999999 to numeric.",
        "/v1/models/toy/versions/99999999999999999999:predict",
    ),
    Case(
        "unknown label",
        WHICH,
        400,
        "Unrecognized servable version label: beta",
        "/v1/models/toy/labels/beta:predict",
    ),
    Case(
        "bad JSON before unknown model",
        b"x",
        400,
        "JSON Parse error: Invalid value. at offset: 0",
        "/v1/models/half:predict",
    ),
    get(
        "status",
        "/v1/models/toy",
        200,
        {"model_version_status": [state(2), state(1)]},
    ),
    get(
        "status of a version",
        "/v1/models/toy/versions/1",
        200,
        {"model_version_status": [state(1)]},
    ),
    get(
        "status of an unknown version",
        "/v1/models/toy/versions/9",
        404,
        "Could not find version 9 of model toy",
    ),
    get(
        "status of an unknown model",
        "/v1/models/half",
        404,
        "Could not find any versions of model half",
    ),
    get(
        "status of no model",
        "/v1/models",
        400,
        "Missing model name in request.",
    ),
    get(
        "metadata of an unknown model",
        "/v1/models/half/metadata",
        404,
        "Servable not found for request: Latest(half)",
    ),
    get(
        "metadata of an unknown version",
        "/v1/models/toy/versions/9/metadata",
        404,
        "Servable not found for request: Specific(toy, 9)",
    ),
    get(
        "metadata of an unknown label",
        "/v1/models/toy/labels/beta/metadata",
        400,
        "Unrecognized servable version label: beta",
    ),
    malformed("GET", PREDICT),
    malformed("GET", "/v1/foo"),
    malformed("GET", "/v1/models/toy/versions/x"),
    malformed("GET", "/v1/models/toy/"),
    malformed("POST", "/v1/models/toy"),
    malformed("POST", "/v1/models/toy/metadata"),
    malformed("POST", "/v1/models/toy:train"),
    malformed("POST", "/v1/models/toy/versions/1/labels/stable:predict"),
    malformed("POST", "/v1/models/toy/version/1:predict"),
    malformed("PUT", PREDICT),
    malformed("DELETE", "/v1/models/toy"),
    Case("not in the API", None, 404, "Not found: GET /", "/", "GET", True),
    Case(
        "classify",
        {"examples": []},
        501,
        Contains(":predict"),
        "/v1/models/toy:classify",
        ours_alone=True,
    ),
]

CASES = [*FORMS, *BASE64, *WRONG_VALUES, *NUMBERS, *DOCUMENTS, *PATHS]
