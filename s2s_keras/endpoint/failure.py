"""Requests that fail: a code of TensorFlow and a message."""

import json

# Code -> HTTP status, as TensorFlow Serving answers it; in the order of the
# codes' numbers.
HTTP_STATUS = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
_CODES = tuple(HTTP_STATUS)


class Failure(Exception):
    """A request that cannot be answered.

    Args:
        code: Name of a code, for example `"INVALID_ARGUMENT"`.
        message: String, what the client is told.
        status: Integer, the HTTP status; `None` for that of the code.
    """

    def __init__(self, code, message, status=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = HTTP_STATUS[code] if status is None else status

    @property
    def body(self):
        """JSON of the answer, in UTF-8."""
        message = json.dumps(self.message, ensure_ascii=False)
        text = f'{{\n    "error": {message}\n}}'
        return text.encode("utf-8", "surrogateescape")

    @classmethod
    def from_error(cls, error):
        """Says what went wrong in a session.

        Args:
            error: `tf.errors.OpError`, or any other exception.

        Returns:
            `Failure`.
        """
        if isinstance(error, cls):
            return error
        number = getattr(error, "error_code", None)
        if not isinstance(number, int) or not 0 < number < len(_CODES):
            return cls("INTERNAL", f"{type(error).__name__}: {error}")
        return cls(_CODES[number], getattr(error, "message", str(error)))


def invalid(message):
    """Makes the `Failure` of a request that is not as it should be.

    Args:
        message: String.

    Returns:
        `Failure` that is answered with 400.
    """
    return Failure("INVALID_ARGUMENT", message)
