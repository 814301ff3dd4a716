"""Dynamic batching: requests that wait at the same time run together.

A request that meets an idle endpoint runs at once. Where others run, it waits
a moment for neighbours and for a free thread. Requests share a run only where
they cannot notice: the signature is batched in and out, no output can get wider
by a neighbour, and the shapes but for the batch are the same.
"""

import asyncio
import collections
import concurrent.futures
from typing import Any
from typing import NamedTuple

import numpy as np

from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid


class Limits(NamedTuple):
    """What bounds a batcher."""

    batch_size: int = 64  # rows in a request, and in a run
    delay: float = 0.002  # seconds that a request waits for neighbours
    threads: int = 2  # runs at a time
    queue: int = 1000  # requests that wait


class Answer(NamedTuple):
    """What came of a request."""

    outputs: dict  # name -> array
    batch_size: int  # rows in the run that answered it


class _Task(NamedTuple):
    servable: Any
    signature: Any
    inputs: dict  # name -> array
    num_rows: int  # 0: not to be batched
    future: asyncio.Future


class Batcher:
    """Runs requests on few threads, together where they may be.

    Args:
        limits: `Limits`.
    """

    def __init__(self, limits=None):
        self.limits = limits or Limits()
        self.num_waiting = 0
        self._queues = collections.defaultdict(collections.deque)
        self._slots = asyncio.Semaphore(self.limits.threads)
        self._num_running = 0
        self._workers = set()
        self._executor = concurrent.futures.ThreadPoolExecutor(
            self.limits.threads, thread_name_prefix="session"
        )

    async def run(self, servable, signature, inputs):
        """Runs a request.

        Args:
            servable: `Servable`.
            signature: `Signature` of it.
            inputs: Dictionary, name -> NumPy array.

        Returns:
            `Answer`.

        Raises:
            Failure: 400, if it has more rows than a batch, 503, if too many
                requests wait, or what the servable raises.
        """
        num_rows = self._count_rows(inputs)
        if self.num_waiting >= self.limits.queue:
            raise Failure(
                "UNAVAILABLE",
                "The batch scheduling queue to which this task was submitted "
                "is full",
            )
        if not _may_be_batched(servable, signature, inputs):
            num_rows = 0
        future = asyncio.get_running_loop().create_future()
        task = _Task(servable, signature, inputs, num_rows, future)
        key = _key(task)
        self._queues[key].append(task)
        self.num_waiting += 1
        worker = asyncio.create_task(self._work(key))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return await future

    def _count_rows(self, inputs):
        """Counts the rows of a request, 0 where its inputs do not agree."""
        sizes = {
            array.shape[0] if array.ndim else 0 for array in inputs.values()
        }
        num_rows = sizes.pop() if len(sizes) == 1 else 0
        if num_rows > self.limits.batch_size:
            raise invalid(
                f"Task size {num_rows} is larger than maximum input batch size "
                f"{self.limits.batch_size}"
            )
        return num_rows

    async def _work(self, key):
        """Answers the next batch, unless another worker took its requests."""
        if self._num_running:
            await asyncio.sleep(self.limits.delay)
        async with self._slots:
            tasks = self._take(key)
            if tasks:
                self._num_running += 1
                try:
                    await self._answer(tasks)
                finally:
                    self._num_running -= 1

    def _take(self, key):
        """Takes the next requests off the queue, as many as fit in a batch."""
        queue, tasks, num_rows = self._queues[key], [], 0
        while queue and num_rows + queue[0].num_rows <= self.limits.batch_size:
            task = queue.popleft()
            self.num_waiting -= 1
            if task.future.done():  # timed out
                continue
            tasks.append(task)
            num_rows += task.num_rows
            if not task.num_rows:
                break
        if not queue:
            del self._queues[key]
        return tasks

    async def _answer(self, tasks):
        """Runs requests together; if that fails, in halves."""
        loop = asyncio.get_running_loop()
        tasks = [task for task in tasks if not task.future.done()]
        if not tasks:  # all timed out
            return
        try:
            answers = await loop.run_in_executor(
                self._executor, _run_together, tasks
            )
        except _NotBatched:
            tasks[0].servable.unbatched.add(tasks[0].signature.name)
            for task in tasks:
                await self._answer([task._replace(num_rows=0)])
        except Exception as error:
            if len(tasks) == 1:
                _settle(tasks[0].future.set_exception, tasks[0], error)
                return
            middle = len(tasks) // 2
            await self._answer(tasks[:middle])
            await self._answer(tasks[middle:])
        else:
            for task, answer in zip(tasks, answers, strict=True):
                _settle(task.future.set_result, task, answer)

    async def close(self):
        """Finishes what runs and waits, and ends the threads."""
        while workers := list(self._workers):
            await asyncio.gather(*workers, return_exceptions=True)
            # Their callbacks need not have run: where all were done, as of
            # Python 3.12 nothing else does meanwhile.
            self._workers.difference_update(workers)
        self._executor.shutdown()


class _NotBatched(Exception):
    """An output has not the rows of the inputs, or is padded."""


def _may_be_batched(servable, signature, inputs):
    fits = all(
        spec.fits(inputs[name]) for name, spec in signature.inputs.items()
    )
    is_batched = signature.is_batched and fits
    return is_batched and signature.name not in servable.unbatched


def _key(task):
    shapes = tuple(array.shape[1:] for array in task.inputs.values())
    alone = None if task.num_rows else id(task.future)
    return id(task.servable), task.signature.name, shapes, alone


def _settle(setter, task, value):
    if not task.future.done():  # it timed out
        setter(value)


def _run_together(tasks):
    """Runs requests at once, and gives each what is its."""
    first = tasks[0]
    inputs = {
        name: np.concatenate([task.inputs[name] for task in tasks])
        if len(tasks) > 1
        else first.inputs[name]
        for name in first.inputs
    }
    outputs = first.servable.run(first.signature, inputs)
    if len(tasks) == 1:
        return [Answer(outputs, first.num_rows or 1)]
    ends = np.cumsum([task.num_rows for task in tasks])
    _check_split(first.signature, outputs, ends[-1])
    parts = {
        name: np.split(array, ends[:-1]) for name, array in outputs.items()
    }
    return [
        Answer({name: part[i] for name, part in parts.items()}, int(ends[-1]))
        for i in range(len(tasks))
    ]


def _check_split(signature, outputs, num_rows):
    for name, array in outputs.items():
        is_padded = signature.outputs[name].shape is None and array.ndim > 1
        if not array.ndim or len(array) != num_rows or is_padded:
            raise _NotBatched
