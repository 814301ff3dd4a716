"""The commands, and the process they start."""

import contextlib
import http.client
import json
import re
import shlex
import signal
import subprocess
import sys

import aiohttp.web
import pytest
import toy_model
from click.testing import CliRunner
from endpoint.conftest import ask

from s2s_keras.cli import main
from s2s_keras.endpoint import commands
from s2s_keras.endpoint import server
from s2s_keras.endpoint.batching import Limits

STEPS = 50_000  # of a loop; some tenths of a second
LOAD_FOR_EVER = """
import sys
import time
from s2s_keras.cli import main
from s2s_keras.endpoint import servable

def load(path, timeout):
    print("loading", file=sys.stderr, flush=True)
    time.sleep(3600)

servable.Servable = load
main()
"""


@contextlib.contextmanager
def serving_process(*arguments):
    """Starts `s2s-keras serve`; gives the process and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "s2s_keras.cli", "serve", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            if found := re.search(r"Running on http://127.0.0.1:(\d+)", line):
                break
        else:
            raise AssertionError("it did not start")
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_after_the_requests_that_run(number, toy_path):
    path = f"/v1/models/{toy_model.NAME}"
    body = {"signature_name": "slow", "instances": [STEPS]}
    with serving_process(str(toy_path), "--port", "0") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", f"{path}:predict", json.dumps(body))
        # What was sent before is being answered once this is.
        assert ask("127.0.0.1", port, "GET", path)[0] == 200
        process.send_signal(number)
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read()) == {"predictions": [STEPS]}
        log = process.stderr.read()
        assert process.wait(timeout=60) == 0
    first, second = re.findall(r"(?:GET|POST) \S+ \d+", log)
    assert first == f"GET {path} 200"
    assert second == f"POST {path}:predict 200"
    assert "Traceback" not in log


@pytest.mark.slow
def test_it_does_not_wait_for_a_version_that_is_being_loaded(toy_path):
    process = subprocess.Popen(
        [sys.executable, "-c", LOAD_FOR_EVER, "serve", str(toy_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "loading\n" in process.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def run(*arguments):
    return CliRunner().invoke(main, arguments)


class Made:
    """Stands for what is made of these arguments."""

    name = "mine"

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


def test_every_option_reaches_the_server(toy_path, monkeypatch):
    started = []
    for place in ("manager.Manager", "batching.Batcher", "server.Endpoint"):
        monkeypatch.setattr(f"s2s_keras.endpoint.{place}", Made)
    monkeypatch.setattr(server, "make_app", lambda endpoint, _: endpoint)
    monkeypatch.setattr(
        aiohttp.web, "run_app", lambda *args, **kw: started.append((args, kw))
    )
    for name in ("limit_heaps", "one_thread_an_operation", "_log_to_stderr"):
        monkeypatch.setattr(commands, name, lambda *_: None)
    monkeypatch.setattr(commands.os, "_exit", lambda _: None)
    result = run(
        *("serve", str(toy_path), "--name", "mine", "--host", "0.0.0.0"),
        *("--port", "0", "--label", "stable=1", "--all-versions"),
        *("--max-batch-size", "8", "--batch-delay", "10", "--threads", "3"),
        *("--max-queue", "9", "--timeout", "5", "--max-body", "0.5"),
    )
    assert result.exit_code == 0, result.output
    (((endpoint,), options),) = started
    assert options["host"] == "0.0.0.0" and options["port"] == 0
    assert options["shutdown_timeout"] == 5
    manager, batcher, bounds = endpoint.args
    assert manager.args == (toy_path, "mine", {"stable": 1}, True)
    assert manager.kwargs["load"].keywords == {"timeout": 5}
    assert batcher.args == (Limits(8, 0.01, threads=3, queue=9),)
    assert bounds == server.Bounds(body=2**19, timeout=5)


def test_serve_refuses_a_version_and_an_empty_folder(toy_path, tmp_path):
    result = run("serve", str(toy_path / "1"))
    assert result.exit_code == 1
    assert str(toy_path) in result.stderr and "versions" in result.stderr
    result = run("serve", str(tmp_path))
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr
    assert run("serve", str(tmp_path / "nowhere")).exit_code == 2


@pytest.mark.parametrize("label", ["stable", "stable=", "=1", "stable=x"])
def test_labels_name_versions(label, toy_path):
    result = run("serve", str(toy_path), "--label", label)
    assert result.exit_code == 2
    assert label in result.stderr


def test_serve_config_prints_all_that_is_needed(toy_path):
    result = run("serve-config", str(toy_path), "--label", "stable=1")
    assert result.exit_code == 0
    models, batching, command = re.fullmatch(
        r"# serving/models.config\n(.*)\n# serving/batching.config\n(.*)\n"
        r"(docker run .*)\n",
        result.stdout,
        re.DOTALL,
    ).groups()
    assert models == (
        "model_config_list {\n"
        "  config {\n"
        '    name: "toy"\n'
        '    base_path: "/models/toy"\n'
        '    model_platform: "tensorflow"\n'
        "    model_version_policy { all {} }\n"
        '    version_labels { key: "stable" value: 1 }\n'
        "  }\n"
        "}\n"
    )
    assert "max_batch_size { value: 64 }" in batching.splitlines()
    assert "batch_timeout_micros { value: 2000 }" in batching.splitlines()
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:2] == ["docker", "run"]
    assert f"{toy_path}:/models/toy:ro" in words
    assert "--model_config_file=/config/models.config" in words
    assert "--batching_parameters_file=/config/batching.config" in words
    assert "--allow_version_labels_for_unavailable_models=true" in words


@pytest.mark.parametrize(
    "seconds, milliseconds", [("0.0001", 1), ("1.001", 1001), ("30", 30_000)]
)
def test_serve_config_rounds_up_to_milliseconds(
    seconds, milliseconds, toy_path
):
    result = run("serve-config", str(toy_path), "--timeout", seconds)
    assert f"--rest_api_timeout_in_ms={milliseconds}\n" in result.stdout


def test_serve_config_writes_files_for_several_models(toy_path, tmp_path):
    other = tmp_path / "other model"
    (other / "1").mkdir(parents=True)
    output = tmp_path / "serving"
    result = run(
        *("serve-config", str(toy_path), str(other)),
        *("--output", str(output), "--max-batch-size", "7"),
    )
    assert result.exit_code == 0
    models = (output / "models.config").read_text()
    assert re.findall('name: "(.*)"', models) == ["toy", "other model"]
    assert "version" not in models
    batching = (output / "batching.config").read_text()
    assert "max_batch_size { value: 7 }" in batching
    words = shlex.split(result.stdout.replace("\\\n", ""))
    assert f"{other}:/models/other model:ro" in words
    assert f"{output}:/config:ro" in words


def test_serve_config_names_one_model_alone(toy_path, tmp_path):
    result = run("serve-config", str(toy_path), str(tmp_path), "--name", "a")
    assert result.exit_code == 1
    assert "2 models" in result.stderr


def test_serve_config_refuses_what_serve_refuses(toy_path, tmp_path):
    for path in (toy_path / "1", tmp_path):
        result = run("serve-config", str(toy_path), str(path))
        assert result.exit_code == 1
        assert result.stderr == run("serve", str(path)).stderr


def test_serve_config_refuses_models_of_one_name(toy_path, tmp_path):
    other = tmp_path / toy_path.name
    (other / "1").mkdir(parents=True)
    result = run("serve-config", str(toy_path), str(other))
    assert result.exit_code == 1
    assert "different names" in result.stderr
    assert f"Received: {toy_path}, {other}" in result.stderr
