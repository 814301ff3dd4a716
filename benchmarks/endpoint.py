"""Measures `s2s-keras serve` on an exported model.

    python benchmarks/endpoint.py exported/NAME
    python benchmarks/endpoint.py exported/NAME --soak 20000

Starts the endpoint, compares one sentence through it with the same signature in
process, side by side, and one client with many. A soak sends good and bad
bodies, checks every answer, and watches the endpoint's memory. Prints a table
and writes JSON. Run it while nothing else runs.
"""

import concurrent.futures
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import threading
import time

import click
import numpy as np
import rich.table

from s2s_keras.endpoint.manager import list_versions
from s2s_keras.endpoint.rest import DEFAULT_SIGNATURE
from s2s_keras.endpoint.servable import Servable
from s2s_keras.threads import one_thread_an_operation

SENTENCES = (
    "The old man reads a letter.",
    "A dog runs.",
    "Two children play in the garden behind the house.",
    "The woman in the red coat buys bread and milk every morning.",
)
# Body, status, and a part of the answer.
BAD = (
    (b"", 400, "The document is empty"),
    (b'{"instances": ["a"', 400, "Missing a comma"),
    (b'{"instances": []}', 400, "No values"),
    (b'{"instances": [1]}', 400, "not of expected type"),
    (b'{"instances": [["a"], ["b", "c"]]}', 400, "Expecting tensor size"),
    (b'{"instances": [{"b64": "!"}]}', 400, "base64"),
    (b'{"instances": ["a"], "signature_name": "no"}', 400, "not found"),
    (b'{"inputs": {"txt": ["a"]}}', 400, "Missing named input"),
    (b'{"inputs": ' + b"[" * 5000, 400, "JSON Parse error"),
    (b'{"instances": ["' + b"a" * 5 * 2**20 + b'"]}', 413, "bytes at most"),
)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--requests", default=200, show_default=True)
@click.option("--clients", default=64, show_default=True)
@click.option("--soak", default=0, help="How many requests to soak it with.")
@click.option(
    "--output",
    default="endpoint.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
)
def main(path, requests, clients, soak, output):
    one_thread_an_operation(2)  # as `serve` does
    servable = Servable(path / list_versions(path)[-1])
    with serving(path) as (process, port):
        model = Model(servable, port, path.resolve().name)
        figures = compare_latency(model, requests)
        figures |= compare_throughput(model, requests, clients)
        if soak:
            figures |= soak_it(model, process.pid, soak, clients)
    figures["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
    print_table(figures)
    output.write_text(json.dumps(figures, indent=2) + "\n")


@contextlib.contextmanager
def serving(path):
    """Starts the endpoint; gives its process and port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "s2s_keras.cli", "serve", path, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if found := re.search(r"Running on http://[^:]*:(\d+)", line):
            break
    else:
        raise click.ClickException("The endpoint did not start.")
    # Somebody has to read the log.
    reader = threading.Thread(target=process.stderr.read, daemon=True)
    reader.start()
    try:
        yield process, int(found[1])
    finally:
        process.terminate()
        process.wait()


class Model:
    """The same model in process and behind the endpoint."""

    def __init__(self, servable, port, name):
        self.servable = servable
        self.port = port
        self.path = f"/v1/models/{name}:predict"
        self.local = threading.local()

    def run(self, sentence):
        """Answers in process."""
        signature = self.servable.signature(DEFAULT_SIGNATURE)
        (name,) = signature.inputs
        text = np.array([sentence.encode()], object)
        outputs = self.servable.run(signature, {name: text})
        (output,) = outputs.values()
        return output[0].decode()

    def ask(self, sentence):
        """Answers through the endpoint."""
        status, answer = self.send(json.dumps({"instances": [sentence]}))
        if status != 200:
            raise click.ClickException(f"{status}: {answer}")
        return answer["predictions"][0]

    def send(self, body):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=120
            )
        connection = self.local.connection
        try:
            connection.request("POST", self.path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (BrokenPipeError, ConnectionResetError):  # of a large body
            connection.close()
            return 413, {"error": "bytes at most (connection closed)"}


def compare_latency(model, requests):
    """Times a sentence through the endpoint and in process, in turns."""
    took = {model.ask: [], model.run: []}
    sentences = itertools.cycle(SENTENCES)
    for sentence in itertools.islice(sentences, len(SENTENCES) + requests):
        for answer in took:
            started = time.perf_counter()
            answer(sentence)
            took[answer].append(1000 * (time.perf_counter() - started))
    figures = {}
    for name, answer in [("endpoint", model.ask), ("in_process", model.run)]:
        times = took[answer][len(SENTENCES) :]  # after some to warm up
        quantiles = statistics.quantiles(times, n=20)
        figures[f"{name}_p50_ms"] = round(statistics.median(times), 2)
        figures[f"{name}_p95_ms"] = round(quantiles[-1], 2)
    return figures


def compare_throughput(model, requests, clients):
    """Counts sentences a second of one client and of many."""
    one = count_a_second(model, requests, 1)
    many = count_a_second(model, max(requests, 4 * clients), clients)
    return {
        "one_client_per_second": round(one, 1),
        f"{clients}_clients_per_second": round(many, 1),
        "throughput_ratio": round(many / one, 2),
    }


def count_a_second(model, requests, clients):
    sentences = list(itertools.islice(itertools.cycle(SENTENCES), requests))
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        list(pool.map(model.ask, sentences))
        return requests / (time.perf_counter() - started)


def soak_it(model, pid, requests, clients):
    """Sends good and bad bodies; checks each answer, and the memory."""
    expected = {sentence: model.run(sentence) for sentence in SENTENCES}
    wrong, memory = [], []

    def check(index):
        if index % (requests // 10 or 1) == 0:
            memory.append(resident_megabytes(pid))
        if index % 3:
            sentence = SENTENCES[index % len(SENTENCES)]
            if (found := model.ask(sentence)) != expected[sentence]:
                wrong.append([sentence, found])
            return
        # The largest body rarely: it would do nothing but copy.
        *others, largest = BAD
        rarely = index % 300 == 0
        body, status, part = (
            largest if rarely else others[index // 3 % len(others)]
        )
        found, answer = model.send(body)
        if found != status or part not in answer["error"]:
            wrong.append([body[:100].decode(), found, answer])

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(check, range(requests)))
    memory.append(resident_megabytes(pid))
    return {
        "soak_requests": requests,
        "soak_wrong_answers": len(wrong),
        "soak_first_wrong_answers": wrong[:5],
        "soak_resident_megabytes": memory,
    }


def resident_megabytes(pid):
    status = pathlib.Path("/proc", str(pid), "status").read_text()
    return round(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)


def print_table(figures):
    table = rich.table.Table(box=None, show_header=False)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    rich.print(table)


if __name__ == "__main__":
    main()
