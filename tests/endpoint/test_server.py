"""HTTP itself: bytes, connections, headers, layout."""

import gzip
import json
import logging
import socket

import aiohttp.web
import contract
import pytest

from s2s_keras.endpoint import commands
from s2s_keras.endpoint.manager import Manager
from s2s_keras.endpoint.server import make_app

GOOD = b'{"instances": ["hello", "b"]}'


def send(served, head, content=b"", wait=True):
    """Sends bytes as they are; returns what comes until the end."""
    with socket.create_connection((served.host, served.port), 60) as client:
        client.sendall(head.replace("\n", "\r\n").encode() + content)
        if not wait:
            return b""
        return b"".join(iter(lambda: client.recv(65536), b""))


def head(length, more=""):
    return (
        f"POST {contract.PREDICT} HTTP/1.1\nHost: x\nConnection: close\n"
        f"Content-Length: {length}\n{more}\n"
    )


def test_answers_look_as_in_tensorflow_serving(toy):
    answer = send(toy, head(len(GOOD)), GOOD)
    fields, content = answer.split(b"\r\n\r\n")
    assert b"content-type: application/json" in fields.lower().split(b"\r\n")[1]
    assert content == (b'{\n    "predictions": ["HELLO", "B"\n    ]\n}')
    content = b'{"inputs": ["hello", "b"]}'
    answer = send(toy, head(len(content)), content)
    assert answer.endswith(
        b'{\n    "outputs": [\n        "HELLO",\n        "B"\n    ]\n}'
    )


def test_a_compressed_body(toy):
    content = gzip.compress(GOOD)
    more = "Content-Encoding: gzip\n"
    assert b'"HELLO"' in send(toy, head(len(content), more), content)


def test_a_body_that_is_not_compressed_as_it_says(toy):
    answer = send(toy, head(len(GOOD), "Content-Encoding: gzip\n"), GOOD)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_absolute_address(toy):
    request = head(len(GOOD)).replace(" /v1/", " http://localhost:1/v1/")
    assert b'"HELLO"' in send(toy, request, GOOD)


def test_no_http(toy):
    assert send(toy, "hello\n\n").startswith(b"HTTP/1.0 400 ")


@pytest.fixture
def command_logs(monkeypatch):
    """Logs as `s2s-keras serve` does, for one test."""
    monkeypatch.setattr(logging.getLogger("s2s_keras.endpoint"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("aiohttp.server"), "filters", [])
    commands._log_to_stderr()


@pytest.mark.parametrize(
    "head, content",
    [
        pytest.param(head("abc"), GOOD, id="length"),
        pytest.param(
            head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked"),
            b"zz\r\n",
            id="chunk",
        ),
        pytest.param(f"GET /{'a' * 20_000} HTTP/1.1\n\n", b"", id="url"),
        pytest.param(
            head(len(GOOD), "Content-Encoding: gzip\n"), GOOD, id="gzip"
        ),
    ],
)
def test_what_clients_do_wrong_leaves_no_traceback(
    head, content, toy, command_logs, caplog
):
    assert b" 400 " in send(toy, head, content)
    assert "Traceback" not in caplog.text


def test_what_goes_wrong_here_leaves_a_traceback(
    toy_path, serve, command_logs, caplog
):
    async def fail(request):
        raise ZeroDivisionError

    served = serve(Manager(toy_path), routes=[aiohttp.web.get("/", fail)])
    assert served.ask("GET", "/")[0] == 500
    assert "ZeroDivisionError" in caplog.text


def test_clients_that_leave(toy, caplog):
    send(toy, head(1000), b"{", wait=False)
    send(toy, head(len(GOOD)), GOOD, wait=False)
    assert toy.predict("a") == (200, {"predictions": ["A"]})
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("place", ["", "/versions/2", "/labels/stable"])
def test_metadata(toy, place):
    path = f"/v1/models/toy{place}/metadata"
    status, text = toy.ask("GET", path)
    assert status == 200
    content = json.loads(text)
    assert content["model_spec"] == {
        "name": "toy",
        "signature_name": "",
        "version": "1" if "stable" in place else "2",
    }
    signatures = content["metadata"]["signature_def"]["signature_def"]
    weight = signatures["pair"]["inputs"]["weight"]
    assert weight["dtype"] == "DT_FLOAT"
    assert weight["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}],
        "unknown_rank": False,
    }
    assert signatures["pair"]["method_name"] == "tensorflow/serving/predict"


def test_a_page_can_be_added(toy):
    async def page(request):
        return aiohttp.web.Response(text="a page")

    app = make_app(toy.endpoint, [aiohttp.web.get("/", page)])
    first, *_ = app.router.resources()
    assert first.canonical == "/"
