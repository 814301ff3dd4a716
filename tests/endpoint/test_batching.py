"""Requests that run together, and what must not come of it."""

import asyncio
import concurrent.futures
import functools
import json
import threading

import numpy as np
import pytest
import toy_model

from s2s_keras.endpoint.batching import Batcher
from s2s_keras.endpoint.batching import Limits
from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid
from s2s_keras.endpoint.manager import Manager
from s2s_keras.endpoint.servable import Servable
from s2s_keras.endpoint.servable import Signature
from s2s_keras.endpoint.servable import TensorSpec
from s2s_keras.endpoint.server import Bounds

ECHO = Signature(
    "echo",
    {"x": TensorSpec("x:0", "int64", (None, None))},
    {"y": TensorSpec("y:0", "int64", (None,))},
)
STEPS = 20_000  # of a loop, which keeps a thread busy while others come


class FakeServable:
    """Adds rows up; notes what ran; waits at a gate; refuses 13."""

    def __init__(self):
        self.unbatched = set()
        self.runs = []
        self.gate = threading.Event()

    def run(self, signature, inputs):
        self.runs.append(inputs["x"])
        assert self.gate.wait(timeout=60)
        if 13 in inputs["x"]:
            raise invalid("13")
        return {"y": inputs["x"].sum(1)}


def run_all(servable, inputs, signature=ECHO, limits=None):
    """Runs requests that wait at the same time behind a first one."""

    async def main():
        batcher = Batcher(limits or Limits(threads=1, delay=0.0))

        async def run(x):
            x = np.array(x)
            return await batcher.run(servable, signature, {"x": x})

        first = asyncio.create_task(run([[1]]))
        while not servable.runs:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(run(x)) for x in inputs]
        while batcher.num_waiting < len(inputs):
            await asyncio.sleep(0.001)
        servable.gate.set()
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        await batcher.close()
        assert not batcher.num_waiting
        return answers[1:]

    return asyncio.run(main())


def values(answers):
    return [
        answer.message
        if isinstance(answer, Failure)
        else answer.outputs["y"].tolist()
        for answer in answers
    ]


def test_requests_that_wait_run_together():
    servable = FakeServable()
    answers = run_all(servable, [[[2, 3]], [[4, 5], [6, 7]], [[8, 9]]])
    assert values(answers) == [[5], [9, 13], [17]]
    assert len(servable.runs) == 2
    assert {answer.batch_size for answer in answers} == {4}


def test_other_shapes_run_apart():
    servable = FakeServable()
    answers = run_all(servable, [[[2, 3]], [[4, 5, 6]], [[7, 8]]])
    assert values(answers) == [[5], [15], [15]]
    assert [run.shape for run in servable.runs[1:]] == [(2, 2), (1, 3)]


def test_a_run_has_no_more_rows_than_a_batch():
    servable = FakeServable()
    limits = Limits(batch_size=4, delay=0.0, threads=1)
    answers = run_all(servable, [[[2]] * 2, [[3]] * 3, [[4]]], limits=limits)
    assert values(answers) == [[2, 2], [3, 3, 3], [4]]
    assert [len(run) for run in servable.runs[1:]] == [2, 4]


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_a_bad_request_fails_alone(bad):
    servable = FakeServable()
    inputs = [[[i, 1]] for i in range(7)]
    inputs[bad] = [[13, 1]]
    expected = [[i + 1] for i in range(7)]
    expected[bad] = "13"
    assert values(run_all(servable, inputs)) == expected


@pytest.mark.parametrize(
    "x_shape, y_shape",
    [
        ((2, None), (None,)),  # of one batch size
        ((None, None), (1,)),  # whose output has no batch
        ((None, None), ()),
        ((None, None), (None, None)),  # which neighbours would widen
    ],
)
def test_what_is_not_batched_runs_alone(x_shape, y_shape):
    signature = Signature(
        "echo",
        {"x": TensorSpec("x:0", "int64", x_shape)},
        {"y": TensorSpec("y:0", "int64", y_shape)},
    )
    servable = FakeServable()
    run_all(servable, [[[2], [3]], [[4], [5]]], signature)
    assert [len(run) for run in servable.runs] == [1, 2, 2]


def test_requests_of_a_wrong_rank_run_alone():
    servable = FakeServable()
    run_all(servable, [[[2]], [[[3]]], [[4]]])
    shapes = sorted(run.shape for run in servable.runs[1:])
    assert shapes == [(1, 1, 1), (2, 1)]


class Summing(FakeServable):
    """Says that its rows are apart, and sums them all up."""

    def run(self, signature, inputs):
        return {"y": super().run(signature, inputs)["y"].sum(keepdims=True)}


def test_what_only_looks_batched_runs_alone():
    servable = Summing()
    assert values(run_all(servable, [[[2]], [[3]], [[4]]])) == [[2], [3], [4]]
    assert servable.unbatched == {"echo"}


class Widening(FakeServable):
    """Gives an output of unknown rank that neighbours would widen."""

    def run(self, signature, inputs):
        super().run(signature, inputs)
        return {"y": np.ones((len(inputs["x"]), inputs["x"].max()))}


def test_neighbours_do_not_widen_an_answer():
    signature = ECHO._replace(outputs={"y": TensorSpec("y:0", "int64", None)})
    answers = run_all(Widening(), [[[2]], [[5]]], signature)
    assert [answer.outputs["y"].shape for answer in answers] == [(1, 2), (1, 5)]


def test_an_empty_request_runs_alone():
    servable = FakeServable()
    empty = np.zeros([0, 1], "int64")
    assert values(run_all(servable, [[[2]], empty])) == [[2], []]


@pytest.mark.parametrize(
    "x_shape, y_shape, unbatched",
    [
        ((None, None), (None,), set()),
        ((None, None), (None,), {"echo"}),
        ((None, None), (None, None), set()),  # which would be padded
        ((None, None), (), set()),
        ((None,), (None,), set()),  # of another rank
        (None, (None,), set()),
    ],
)
def test_too_many_rows_are_refused(x_shape, y_shape, unbatched):
    signature = Signature(
        "echo",
        {"x": TensorSpec("x:0", "int64", x_shape)},
        {"y": TensorSpec("y:0", "int64", y_shape)},
    )
    servable = FakeServable()
    servable.unbatched = unbatched

    async def main():
        batcher = Batcher(Limits(batch_size=2))
        with pytest.raises(Failure, match="Task size 3 .* batch size 2") as e:
            await batcher.run(
                servable, signature, {"x": np.zeros([3, 1], "int64")}
            )
        assert e.value.status == 400

    servable.gate.set()
    asyncio.run(main())


@pytest.mark.parametrize("signature", ["serving_default", "details", "whole"])
def test_every_signature_takes_a_batch_and_no_more(signature, toy_path, serve):
    served = serve(Manager(toy_path), Limits(batch_size=2))
    for num_rows, expected in ((2, 200), (3, 400)):
        body = {"signature_name": signature, "inputs": ["a"] * num_rows}
        status, _ = served.ask(
            "POST", f"/v1/models/{toy_model.NAME}:predict", json.dumps(body)
        )
        assert status == expected


def test_64_clients_get_their_own_answers(toy_path, serve):
    served = serve(Manager(toy_path), Limits(threads=1, delay=0.01))
    sizes = []
    run = served.endpoint.batcher.run

    async def note(*args):
        answer = await run(*args)
        sizes.append(answer.batch_size)
        return answer

    served.endpoint.batcher.run = note
    texts = [f"text {'x' * (i % 7)} {i}" for i in range(64)]
    with concurrent.futures.ThreadPoolExecutor(65) as pool:
        for _ in range(3):
            first = pool.submit(served.predict, STEPS, signature="slow")
            answers = list(pool.map(served.predict, texts))
            assert first.result()[0] == 200
            for text, answer in zip(texts, answers, strict=True):
                assert answer == (200, {"predictions": [text.upper()]})
    assert max(sizes) > 1


def test_bad_neighbours_among_clients(toy_path, serve):
    served = serve(Manager(toy_path), Limits(threads=1, delay=0.01))
    texts = [f"bad {i}" if i % 9 == 0 else f"text {i}" for i in range(64)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(served.predict, texts))
    for text, (status, answer) in zip(texts, answers, strict=True):
        if text.startswith("bad"):
            assert status == 400 and "a bad text" in answer["error"]
        else:
            assert answer == {"predictions": [text.upper()]}


def make_hasty(path, timeout):
    return Manager(path, load=functools.partial(Servable, timeout=timeout))


def test_a_request_that_takes_too_long(toy_path, serve):
    served = serve(make_hasty(toy_path, 0.5), bounds=Bounds(timeout=0.5))
    status, answer = served.predict(10**12, signature="slow")
    assert status == 504
    assert answer == {"error": "Timed out waiting for notification"}
    assert served.predict("a")[0] == 200  # the thread is free again


def test_a_run_has_a_limit_of_a_millisecond_at_least(toy_path):
    servable = Servable(toy_path / "1", timeout=1e-4)
    with pytest.raises(Failure) as failure:
        servable.run(
            servable.signature("slow"), {"steps": np.array([10 * STEPS])}
        )
    assert failure.value.code == "DEADLINE_EXCEEDED"


def test_a_full_queue(toy_path, serve):
    limits = Limits(threads=1, queue=2, delay=0.0)
    served = serve(make_hasty(toy_path, 3.0), limits, Bounds(timeout=3.0))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: served.predict(10**12, signature="slow"), range(8)
            )
        )
    statuses = sorted(status for status, _ in answers)
    assert set(statuses) == {503, 504}
    # At most two run together, and two wait, before the queue is full.
    assert statuses.count(503) >= 3
    (error,) = {a["error"] for status, a in answers if status == 503}
    assert error.endswith("is full")


def test_a_body_that_is_too_large(toy_path, serve):
    served = serve(Manager(toy_path), bounds=Bounds(body=1000))
    assert served.predict("a" * 800)[0] == 200
    status, answer = served.predict("a" * 1000)
    assert status == 413
    assert answer == {"error": "The body should have 1000 bytes at most."}
    assert served.predict("a")[0] == 200
