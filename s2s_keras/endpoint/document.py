"""JSON documents, read as strictly or laxly as TensorFlow Serving does.

Serving reads `NaN` and infinities, takes integers beyond 64 bits as floats,
lets bytes that are no UTF-8 pass through strings, and finds the first of
members with one name. Strings here keep such bytes as surrogate escapes.
"""

import json
import math
import re

from s2s_keras.endpoint.failure import invalid

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True))
_LITERALS = {
    b"null": None,
    b"true": True,
    b"false": False,
    b"NaN": math.nan,
    b"Infinity": math.inf,
    b"Inf": math.inf,
}


def parse(body):
    """Reads a JSON object.

    Args:
        body: Bytes.

    Returns:
        Dictionary.

    Raises:
        Failure: 400, if `body` is no JSON object; says where it is not.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = _parse_fast(body)
    except ValueError:
        document = Reader(body).read_document()
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {to_text(document)} Is not object")
    return document


def _parse_fast(body):
    if _SURROGATE_ESCAPE.search(body):
        raise ValueError("surrogates are for the slow reader to judge")
    try:
        return json.loads(
            body.removeprefix(b"\xef\xbb\xbf").decode(
                "utf-8", "surrogateescape"
            ),
            parse_int=_to_integer,
            parse_float=_to_float,
            object_pairs_hook=_first_of_each,
        )
    except RecursionError:
        raise _too_deep() from None


def _too_deep():
    return invalid("JSON Parse error: Values are nested too deeply.")


def _to_float(digits):
    value = float(digits)
    if math.isinf(value):
        raise ValueError(digits)
    return value


def _to_integer(digits):
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 310:
        return _to_float(digits)
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else _to_float(digits)


def _first_of_each(pairs):
    members = {}
    for name, value in pairs:
        members.setdefault(name, value)
    return members


class Reader:
    """Reads JSON slowly, and tells what is wrong and at which byte.

    Args:
        body: Bytes.
    """

    def __init__(self, body):
        self.body = body
        self.at = 3 if body.startswith(b"\xef\xbb\xbf") else 0

    def read_document(self):
        """Reads the one value of a document.

        Returns:
            Dictionary, list, string, number, bool or `None`.

        Raises:
            Failure: 400, if it is no JSON.
        """
        self._skip_space()
        if not self._peek():
            raise self._wrong("The document is empty.")
        try:
            value = self._read_value()
        except RecursionError:
            raise _too_deep() from None
        self._skip_space()
        if self._peek():
            raise self._wrong(
                "The document root must not be followed by other values."
            )
        return value

    def _wrong(self, what, at=None):
        at = self.at if at is None else at
        return invalid(f"JSON Parse error: {what} at offset: {at}")

    def _peek(self):
        """The next byte; nothing at the end, which a zero byte is too."""
        return self.body[self.at : self.at + 1].strip(b"\0")

    def _take(self, expected):
        found = self.body.startswith(expected, self.at)
        self.at += len(expected) * found
        return found

    def _skip_space(self):
        self.at = _SPACE.match(self.body, self.at).end()

    def _read_value(self):
        first = self._peek()
        if first == b"{":
            return self._read_object()
        if first == b"[":
            return self._read_list()
        if first == b'"':
            return self._read_string()
        if first in (b"n", b"t", b"f"):
            return self._read_literal(b"null", b"true", b"false")
        return self._read_number()

    def _read_object(self):
        members = {}
        self._open(b"{")
        if self._take(b"}"):
            return members
        while True:
            if self._peek() != b'"':
                raise self._wrong("Missing a name for object member.")
            name = self._read_string()
            self._skip_space()
            if not self._take(b":"):
                raise self._wrong(
                    "Missing a colon after a name of object member."
                )
            self._skip_space()
            members.setdefault(name, self._read_value())
            if self._closes(b"}", "} after an object member."):
                return members

    def _read_list(self):
        items = []
        self._open(b"[")
        if self._take(b"]"):
            return items
        while True:
            items.append(self._read_value())
            if self._closes(b"]", "] after an array element."):
                return items

    def _open(self, bracket):
        self._take(bracket)
        self._skip_space()

    def _closes(self, bracket, missing):
        self._skip_space()
        if self._take(b","):
            self._skip_space()
            return False
        if self._take(bracket):
            return True
        raise self._wrong(f"Missing a comma or {missing}")

    def _read_literal(self, *literals):
        for literal in literals:
            if self._take(literal):
                return _LITERALS[literal]
        # The first byte that fits no literal.
        rest = self.body[self.at : self.at + 8]
        fits = max(_common_length(rest, literal) for literal in literals)
        raise self._wrong("Invalid value.", self.at + fits)

    def _read_no_number(self):
        value = self._read_literal(b"NaN", b"Infinity", b"Inf")
        if value == math.inf and self._peek() == b"i":  # "Infinite"
            self.at -= len("Inf")
            self._read_literal(b"Infinity")
        return value

    def _read_number(self):
        start = self.at
        sign = -1 if self._take(b"-") else 1
        if self._peek() in (b"N", b"I"):
            return sign * self._read_no_number()
        if not self._take(b"0") and not self._take_digits():
            raise self._wrong("Invalid value.")
        is_float = self._take(b".")
        if is_float and not self._take_digits():
            raise self._wrong("Miss fraction part in number.")
        if self._take(b"e") or self._take(b"E"):
            is_float = True
            _ = self._take(b"+") or self._take(b"-")
            if not self._take_digits():
                raise self._wrong("Miss exponent in number.")
        digits = self.body[start : self.at].decode()
        try:
            return _to_float(digits) if is_float else _to_integer(digits)
        except ValueError:
            raise self._wrong(
                "Number too big to be stored in double.", start
            ) from None

    def _take_digits(self):
        start = self.at
        while self._peek().isdigit():
            self.at += 1
        return self.at > start

    def _read_string(self):
        self._take(b'"')
        pieces = []
        while True:
            end = _PLAIN.match(self.body, self.at).end()
            pieces.append(self.body[self.at : end])
            self.at = end
            if self._take(b'"'):
                return b"".join(pieces).decode("utf-8", "surrogateescape")
            if not self._peek():
                raise self._wrong("Missing a closing quotation mark in string.")
            if self._peek() != b"\\":
                raise self._wrong("Invalid encoding in string.")
            pieces.append(self._read_escape())

    def _read_escape(self):
        start = self.at
        kind = self.body[start + 1 : start + 2]
        self.at += 2
        if kind == b"u":
            return chr(self._read_code_point(start)).encode()
        if not kind or kind[0] not in _ESCAPES:
            raise self._wrong("Invalid escape character in string.", start)
        return bytes([_ESCAPES[kind[0]]])

    def _read_code_point(self, start):
        high = self._read_hex(start)
        if not 0xD800 <= high <= 0xDFFF:
            return high
        if high <= 0xDBFF and self._take(b"\\u"):
            low = self._read_hex(start)
            if 0xDC00 <= low <= 0xDFFF:
                return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00
        raise self._wrong("The surrogate pair in string is invalid.", start)

    def _read_hex(self, start):
        digits = _HEX.match(self.body, self.at)
        if digits is None:
            raise self._wrong(
                "Incorrect hex digit after \\u escape in string.", start
            )
        self.at = digits.end()
        return int(digits[0], 16)


def _common_length(one, other):
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def to_text(value):
    """Writes a value of a document, as error messages show it.

    Args:
        value: Dictionary, list, string, number, bool or `None`.

    Returns:
        String.
    """
    try:
        return layout(_to_literals(value))
    except RecursionError:
        raise _too_deep() from None


def _to_literals(value):
    if isinstance(value, dict):
        return {name: _to_literals(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_to_literals(item) for item in value]
    if isinstance(value, float):
        return json.dumps(value).replace("e+", "e")
    return json.dumps(value, ensure_ascii=False)


def layout(value, depth=0, single_line=True):
    """Lays JSON out.

    Args:
        value: Literal of JSON (a string), or list or dictionary of values.
        depth: Integer, how many lists and objects are around it.
        single_line: Boolean, whether a list stands on one line.

    Returns:
        String.
    """
    if isinstance(value, str):
        return value
    items = _items(value, depth + 1, single_line)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if not items:
        return opening + closing
    if single_line and isinstance(value, list):
        return f"[{', '.join(items)}]"
    inner, outer = "\n" + "    " * (depth + 1), "\n" + "    " * depth
    return f"{opening}{inner}{f',{inner}'.join(items)}{outer}{closing}"


def _items(value, depth, single_line):
    if isinstance(value, list):
        return [layout(item, depth, single_line) for item in value]
    return [
        f"{json.dumps(name, ensure_ascii=False)}: "
        + layout(item, depth, single_line)
        for name, item in value.items()
    ]
