"""Translates with a LiteRT export, without TensorFlow and without s2s_keras.

Run as a script, `python translate.py [TEXT ...]`, it translates its arguments,
or the lines of standard input, with the model beside it. It needs
ai-edge-litert, numpy and sentencepiece.
"""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import re
import sys
import threading

import numpy as np
import sentencepiece
from ai_edge_litert.interpreter import Interpreter

IMPOSSIBLE = -1e9  # the log-probability of what must not be chosen
SMALLEST = 1e-30  # the probability of what is scored, at least
# What TensorFlow's RE2 calls white space and separators.
SPACES = re.compile(
    "[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
)


class LiteRTTranslator:
    """Translates texts.

    Args:
        folder: What `export_litert` wrote.
        num_threads: Integer. Threads that share one text, or batches of texts
            that run at once, with a thread each.

    Example:

    ```python
    print(LiteRTTranslator("exported/litert").translate("Where are you?"))
    ```
    """

    def __init__(self, folder, num_threads=1):
        self._folder, self._num_threads = pathlib.Path(folder), num_threads
        settings = (self._folder / "settings.json").read_text()
        self.settings = json.loads(settings)
        self._source, self._target = (
            sentencepiece.SentencePieceProcessor(
                str(self._folder / f"{side}.spm")
            )
            for side in ("source", "target")
        )
        self._of_thread = threading.local()
        self._load(num_threads)
        self._pool = concurrent.futures.ThreadPoolExecutor(
            num_threads, initializer=self._load, initargs=(1,)
        )

    def _load(self, num_threads):
        """Loads the model for the thread that calls it."""
        self._of_thread.model = _Model(
            self._folder / "model.tflite", num_threads
        )

    @property
    def _model(self):
        """The model, of which no two threads may share one."""
        if not hasattr(self._of_thread, "model"):
            self._load(self._num_threads)
        return self._of_thread.model

    def translate(self, texts, batch_size=None):
        """Translates by beam search, as the model's settings say.

        Args:
            texts: A string, or a list of strings.
            batch_size: Integer. Texts of similar length that are searched
                together; `None` takes as many as have 80 hypotheses.

        Returns:
            A string, or a list of strings.
        """
        if isinstance(texts, str):
            return self._translate([texts])[0]
        if batch_size is None:
            batch_size = max(1, 80 // self._model.num_beams)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        batches = [
            order[first : first + batch_size]
            for first in range(0, len(order), batch_size)
        ]
        walk = self._pool.map if len(batches) > 1 else map
        found = walk(
            lambda rows: self._translate([texts[i] for i in rows]), batches
        )
        translations = dict(zip(order, itertools.chain(*found), strict=True))
        return [translations[i] for i in range(len(texts))]

    def score(self, source_text, target_text):
        """The score that a search would give a translation."""
        most = self.settings["max_source_len"]
        inputs = self._start([self._read(self._source, source_text, most)])
        most = _longest_translation(most)
        token_ids = self._read(self._target, target_text, most)
        rows, log_prob = self._model.num_beams, 0.0
        previous = self.settings["start_id"]
        for token_id in token_ids:
            inputs["token_ids"] = np.full(rows, previous, np.int32)
            with self._model.decode(inputs) as outputs:
                probability = outputs["probabilities"][0, token_id]
                inputs = _states(outputs, np.arange(rows))
            log_prob += float(np.log(max(probability, SMALLEST)))
            previous = token_id
        return log_prob / self._penalty(len(token_ids))

    def _read(self, tokenizer, text, most):
        text = text.encode(errors="replace").decode()
        ids = tokenizer.encode(SPACES.sub(" ", text).strip(" "))
        return [*ids[: most - 1], self.settings["end_id"]]

    def _start(self, sources):
        """What the first step takes, padded to the longest source."""
        started = list(self._encode(sources))
        longest, num_beams = max(map(len, sources)), self._model.num_beams
        inputs = {
            name: np.concatenate(
                [self._pad(name, one[name], longest) for one in started]
            ).repeat(num_beams, axis=0)
            for name in started[0]
        }
        log_probs = np.full((len(sources), num_beams), IMPOSSIBLE, "f")
        log_probs[:, 0] = 0  # all are equal: only the first may grow
        return inputs | {
            "log_probs": log_probs,
            "must_end": np.zeros(len(sources), bool),
            "token_ids": np.full(
                log_probs.size, self.settings["start_id"], np.int32
            ),
        }

    def _encode(self, sources):
        """Encodes four at a time, and those that are left one by one."""
        fours = len(sources) // 4 * 4
        for first in range(0, fours, 4):
            ids = _fill_up(sources[first : first + 4], self.settings["pad_id"])
            yield self._model.encode("encode_4", ids)
        for ids in sources[fours:]:
            yield self._model.encode("encode", np.array([ids], np.int32))

    def _pad(self, name, tensor, source_len):
        """Fills up with zeros what has a place for every source token."""
        shape = list(tensor.shape)
        for axis in self.settings["source_axes"].get(name, ()):
            shape[axis] = source_len
        padded = np.zeros(shape, tensor.dtype)
        padded[tuple(map(slice, tensor.shape))] = tensor
        return padded

    def _translate(self, texts):
        """Translates some texts together."""
        most = self.settings["max_source_len"]
        sources = [self._read(self._source, text, most) for text in texts]
        started = self._start(sources)
        # Nothing translates to nothing: END is all that fits.
        longest = np.array(
            [
                _longest_translation(len(ids)) if len(ids) > 1 else 1
                for ids in sources
            ]
        )
        return [
            self._target.decode(ids.tolist())
            for ids in self._search(started, longest)
        ]

    def _search(self, started, longest):
        """Gives the ids of the best translations that were found.

        Args:
            started: What `_start` gave.
            longest: Integer array `[batch]`, tokens of a translation at most.

        Returns:
            List of integer arrays, without START and END.
        """
        num_beams = self._model.num_beams
        inputs = started
        attended = {
            k: v for k, v in started.items() if k.startswith("attended")
        }
        ids = started["token_ids"][:, None]  # [rows, length]
        places, finished = np.arange(len(longest)), [[] for _ in longest]
        while len(places):
            inputs["must_end"] = longest[places] == ids.shape[1]
            with self._model.decode(inputs) as outputs:
                growing = [finished[i] for i in places]
                self._collect(ids, outputs, inputs["must_end"], growing)
                enough = [len(found) >= num_beams for found in growing]
                left = np.flatnonzero(~(inputs["must_end"] | enough))
                rows = num_beams * left[:, None] + outputs["parents"][left]
                rows = rows.ravel()
                inputs = _states(outputs, rows) | {
                    "log_probs": outputs["log_probs"][left],
                    "token_ids": outputs["token_ids"][left].ravel(),
                }
            ids = np.column_stack([ids[rows], inputs["token_ids"]])
            if len(left) < len(places):
                attended = {name: x[rows] for name, x in attended.items()}
                inputs |= attended
                places = places[left]
        return [max(found, key=lambda item: item[0])[1] for found in finished]

    def _collect(self, ids, outputs, must_end, finished):
        """Keeps the hypotheses that took END, or one that had to."""
        parents, length = outputs["end_parents"], ids.shape[1]
        num_beams = parents.shape[1]
        for i, rank in np.argwhere(outputs["ended"]):
            score = outputs["end_log_probs"][i, rank] / self._penalty(length)
            row = num_beams * i + parents[i, rank]
            finished[i].append((score, ids[row, 1:]))
        for i in np.flatnonzero(must_end):
            if not finished[i]:
                finished[i].append((IMPOSSIBLE, ids[num_beams * i, 1:]))

    def _penalty(self, length):
        return ((5 + length) / 6) ** self.settings["length_penalty"]


class _Model:
    """A model, loaded by one thread."""

    def __init__(self, path, num_threads):
        self._interpreter = Interpreter(str(path), num_threads=num_threads)
        runner = self._interpreter.get_signature_runner("decode")
        inputs = runner.get_input_details()
        self.num_beams = inputs["log_probs"]["shape_signature"][1]
        self._inputs = _indices(inputs)
        self._outputs = _indices(runner.get_output_details())

    def encode(self, name, source_ids):
        """Runs the signature `name`; gives a dictionary of arrays."""
        # While a runner is kept, nothing else can run the interpreter.
        runner = self._interpreter.get_signature_runner(name)
        return runner(source_ids=source_ids)

    @contextlib.contextmanager
    def decode(self, inputs):
        """Takes a step.

        Args:
            inputs: Dictionary of arrays. Those that are left out stay as they
                were, which takes as many rows as before.

        Returns:
            Context of a dictionary of arrays, which are the interpreter's own
            memory: nothing may keep one of them any longer.
        """
        for name, tensor in inputs.items():
            self._interpreter.resize_tensor_input(
                self._inputs[name], tensor.shape
            )
        self._interpreter.allocate_tensors()
        for name, tensor in inputs.items():
            self._interpreter.set_tensor(self._inputs[name], tensor)
        self._interpreter.invoke()
        outputs = {
            name: self._interpreter.tensor(index)()
            for name, index in self._outputs.items()
        }
        try:
            yield outputs
        finally:
            outputs.clear()


def _indices(details):
    """Where an interpreter has its tensors."""
    return {name: item["index"] for name, item in details.items()}


def _fill_up(sources, pad_id):
    """One array `[batch, source_len]` of ids of several lengths."""
    rows = itertools.zip_longest(*sources, fillvalue=pad_id)
    return np.array(list(rows), np.int32).T


def _longest_translation(source_len):
    """Tokens that a translation has at most, END included."""
    return 2 * source_len + 10


def _states(outputs, rows):
    """What a step hands to the next one, whose rows continue `rows`."""
    return {k: v[rows] for k, v in outputs.items() if k.startswith("state_")}


def _count_cores():
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(texts):
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8")
    texts = texts or [
        line.removesuffix("\n").removesuffix("\r") for line in sys.stdin
    ]
    folder = pathlib.Path(__file__).parent
    translator = LiteRTTranslator(folder, num_threads=_count_cores())
    for translation in translator.translate(texts):
        print(translation)


if __name__ == "__main__":
    main(sys.argv[1:])
