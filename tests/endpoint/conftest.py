"""A served toy model, and clients."""

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import threading
from typing import Any
from typing import NamedTuple

import aiohttp.web
import pytest
import toy_model

from s2s_keras.endpoint.batching import Batcher
from s2s_keras.endpoint.batching import Limits
from s2s_keras.endpoint.manager import Manager
from s2s_keras.endpoint.server import Endpoint
from s2s_keras.endpoint.server import make_app


class Served(NamedTuple):
    """An endpoint that runs in a thread."""

    host: str
    port: int
    endpoint: Any

    def ask(self, method, path, content=None):
        """Sends a request; returns status and body."""
        return ask(self.host, self.port, method, path, content)

    def predict(self, *instances, signature="serving_default"):
        """Sends rows; returns status and answer."""
        body = {"signature_name": signature, "instances": list(instances)}
        path = f"/v1/models/{toy_model.NAME}:predict"
        status, text = self.ask("POST", path, json.dumps(body).encode())
        return status, json.loads(text)

    def status(self):
        """Version -> state."""
        _, text = self.ask("GET", f"/v1/models/{toy_model.NAME}")
        states = json.loads(text)["model_version_status"]
        return {int(state["version"]): state["state"] for state in states}


def ask(host, port, method, path, content=None):
    connection = http.client.HTTPConnection(host, port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, content)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory):
    """Folder with versions 1 and 2; not to be changed."""
    path = tmp_path_factory.mktemp("models") / toy_model.NAME
    toy_model.write(path, 1)
    toy_model.write(path, 2)
    return path


def _serve():
    with contextlib.ExitStack() as stack:

        def start(
            manager, limits=None, bounds=None, poll_seconds=0.05, routes=()
        ):
            return stack.enter_context(
                serving(
                    manager, limits or Limits(), bounds, poll_seconds, routes
                )
            )

        yield start


@pytest.fixture
def serve():
    """Serves managers until the test ends."""
    yield from _serve()


@pytest.fixture(scope="module")
def serve_on():
    """Serves managers until the module's tests end."""
    yield from _serve()


@pytest.fixture(scope="session")
def toy(toy_path):
    """Versions 1 and 2, of which 1 has the label `stable`."""
    manager = Manager(toy_path, labels={"stable": 1}, all_versions=True)
    with serving(manager, Limits(), None, 3600.0) as served:
        yield served


@contextlib.contextmanager
def serving(manager, limits, bounds, poll_seconds, routes=()):
    """Runs an endpoint on an event loop in a thread."""
    started = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main():
        endpoint = Endpoint(manager, Batcher(limits), bounds, poll_seconds)
        runner = aiohttp.web.AppRunner(
            make_app(endpoint, routes), access_log=None
        )
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        started.set_result(Served(*runner.addresses[0], endpoint))
        await stop.wait()
        await runner.cleanup()

    def run():
        try:
            loop.run_until_complete(main())
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield started.result(timeout=120)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
