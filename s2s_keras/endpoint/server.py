"""The HTTP server: TensorFlow Serving's REST API over a `Manager`."""

import asyncio
import contextlib
import json
import logging
import re
import time
import urllib.parse
from typing import NamedTuple

import aiohttp.web
from aiohttp.http_exceptions import HttpProcessingError
from google.protobuf import json_format

from s2s_keras.endpoint import answers
from s2s_keras.endpoint import document
from s2s_keras.endpoint import rest
from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid
from s2s_keras.endpoint.manager import Spec

logger = logging.getLogger(__name__)

_MODEL = r"(?i)/v1/models(?:/(?P<name>[^/:]+))"
_VERSION = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(
    rf"{_MODEL}{_VERSION}:(?P<method>classify|regress|predict)", re.ASCII
)
_GET = re.compile(rf"{_MODEL}?{_VERSION}(?:/(?P<method>metadata))?", re.ASCII)
_SMALL = 2**16  # bytes that are read and written on the event loop itself


class Bounds(NamedTuple):
    """What bounds a request."""

    body: int = 4 * 2**20  # bytes
    timeout: float = 30.0  # seconds


class Endpoint:
    """Answers requests.

    Args:
        manager: `Manager`.
        batcher: `Batcher`.
        bounds: `Bounds`.
        poll_seconds: Float, how often the manager looks for new versions.
    """

    def __init__(self, manager, batcher, bounds=None, poll_seconds=1.0):
        self.manager = manager
        self.batcher = batcher
        self.bounds = bounds or Bounds()
        self.poll_seconds = poll_seconds

    async def handle(self, request):
        """Answers a request, whatever it is, and logs a line.

        Args:
            request: `aiohttp.web.Request`.

        Returns:
            `aiohttp.web.Response`, JSON.
        """
        started, status, batch_size = time.perf_counter(), 200, 0
        try:
            body, batch_size = await self._answer_in_time(request)
        except Failure as failure:
            status, body = failure.status, failure.body
        except Exception as error:
            logger.exception("cannot answer %s", request.raw_path)
            failure = Failure.from_error(error)
            status, body = failure.status, failure.body
        logger.info(
            "%s %s %d %.1f ms batch %d",
            request.method,
            request.raw_path,
            status,
            1000 * (time.perf_counter() - started),
            batch_size,
        )
        return aiohttp.web.Response(
            status=status, body=body, content_type="application/json"
        )

    async def _answer_in_time(self, request):
        path = re.sub("(?i)^https?://[^/]*", "", request.raw_path)
        answer = self._answer(request, path.partition("?")[0])
        try:
            return await asyncio.wait_for(answer, self.bounds.timeout)
        except TimeoutError:
            raise Failure(
                "DEADLINE_EXCEEDED", "Timed out waiting for notification"
            ) from None

    async def _answer(self, request, path):
        if not re.match("(?i)/v1/", path):
            raise Failure("NOT_FOUND", f"Not found: {request.method} {path}")
        if request.method == "POST" and (parts := _POST.fullmatch(path)):
            body = await self._read(request)
            return await self._predict(_to_spec(parts), parts, body)
        if request.method == "GET" and (parts := _GET.fullmatch(path)):
            return self._describe(_to_spec(parts), parts), 0
        raise invalid(f"Malformed request: {request.method} {path}")

    async def _read(self, request):
        try:
            return await request.read()
        except aiohttp.web.HTTPRequestEntityTooLarge:
            raise Failure(
                "INVALID_ARGUMENT",
                f"The body should have {self.bounds.body} bytes at most.",
                status=413,
            ) from None
        except ConnectionError as error:
            raise Failure("CANCELLED", "The client left.") from error
        except (aiohttp.web.RequestPayloadError, HttpProcessingError) as error:
            raise invalid(f"The body cannot be read: {error}") from error

    async def _predict(self, spec, parts, body):
        size = len(body)
        content = await _compute(size, document.parse, body)
        if parts["method"].lower() != "predict":
            raise Failure(
                "UNIMPLEMENTED",
                f"This endpoint answers :predict. Received: {parts['method']}",
            )
        name = rest.signature_name(content)
        with self._use(spec) as (_, servable):
            signature = servable.signature(name)
            inputs, is_row = await _compute(
                size, rest.read_inputs, content, signature
            )
            answer = await self.batcher.run(servable, signature, inputs)
        size = sum(array.nbytes for array in answer.outputs.values())
        text = await _compute(
            size, answers.write_outputs, answer.outputs, is_row
        )
        return text, answer.batch_size

    @contextlib.contextmanager
    def _use(self, spec):
        version, servable = self.manager.acquire(spec)
        try:
            yield version, servable
        finally:
            servable.release()

    def _describe(self, spec, parts):
        if not spec.name:
            raise invalid("Missing model name in request.")
        if not parts["method"]:
            return json.dumps(self.manager.status(spec), indent=1).encode()
        with self._use(spec) as (version, servable):
            content = _to_metadata(spec.name, version, servable.meta_graph)
        return json.dumps(content, indent=1).encode()

    async def run(self, app):
        """Loads the model, and keeps looking for new versions.

        Args:
            app: `aiohttp.web.Application` that begins and ends.
        """
        await asyncio.to_thread(self.manager.poll)
        polling = asyncio.create_task(self._poll_for_ever())
        yield
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        await self.batcher.close()
        self.manager.close()

    async def _poll_for_ever(self):
        while True:
            await asyncio.sleep(self.poll_seconds)
            try:
                await asyncio.to_thread(self.manager.poll)
            except Exception:
                logger.exception("cannot look for new versions")


def _to_spec(parts):
    """Takes the model out of a path."""
    name = urllib.parse.unquote(parts["name"] or "")
    label = urllib.parse.unquote(parts["label"] or "")
    version = parts["version"]
    if version is not None:
        if len(version.lstrip("0")) > 19 or int(version) >= 2**63:
            raise invalid(f"Failed to convert version: {version} to numeric.")
        version = int(version)
    return Spec(name, version, label or None)


async def _compute(size, function, *args):
    """Calls a function, in a thread if it has much to do."""
    if size <= _SMALL:
        return function(*args)
    return await asyncio.to_thread(function, *args)


def _to_metadata(name, version, meta_graph):
    signatures = {
        key: json_format.MessageToDict(
            definition,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for key, definition in meta_graph.signature_def.items()
    }
    return {
        "model_spec": {
            "name": name,
            "signature_name": "",
            "version": str(version),
        },
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def make_app(endpoint, routes=()):
    """Makes the web application.

    Args:
        endpoint: `Endpoint`.
        routes: More routes, which come first, for example
            `[aiohttp.web.get("/", page)]`.

    Returns:
        `aiohttp.web.Application`.
    """
    app = aiohttp.web.Application(client_max_size=endpoint.bounds.body)
    app.add_routes(routes)
    app.router.add_route("*", "/{path:.*}", endpoint.handle)
    app.cleanup_ctx.append(endpoint.run)
    return app
