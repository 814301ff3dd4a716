"""Translates with a LiteRT export, without TensorFlow and without s2s_keras.

Run as a script, `python translate.py [TEXT ...]`, it translates its arguments,
or the lines of standard input, with the model beside it. It needs
ai-edge-litert, numpy and sentencepiece.
"""

import concurrent.futures
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
SMALLEST = 1e-30  # the probability of what has to come, at least
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
        self._never = [self.settings["pad_id"], self.settings["start_id"]]
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
        interpreter = Interpreter(
            str(self._folder / "model.tflite"), num_threads=num_threads
        )
        for name in ("encode", "encode_4", "step"):
            runner = interpreter.get_signature_runner(name)
            setattr(self._of_thread, name, runner)

    @property
    def _model(self):
        """Its signatures; no two threads may share an interpreter."""
        if not hasattr(self._of_thread, "step"):
            self._load(self._num_threads)
        return self._of_thread

    def translate(self, texts, batch_size=16):
        """Translates by beam search, as the model's settings say.

        Args:
            texts: A string, or a list of strings.
            batch_size: Integer. Texts of similar length that are searched
                together.

        Returns:
            A string, or a list of strings.
        """
        if isinstance(texts, str):
            return self._translate([texts])[0]
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
        log_prob, previous = 0.0, self.settings["start_id"]
        for token_id in token_ids:
            inputs["token_ids"] = np.array([previous], np.int32)
            outputs = self._model.step(**inputs)
            probability = outputs["probabilities"][0, token_id]
            log_prob += float(np.log(max(probability, SMALLEST)))
            inputs |= _states(outputs)
            previous = token_id
        return log_prob / self._penalty(len(token_ids))

    def _read(self, tokenizer, text, most):
        text = text.encode(errors="replace").decode()
        ids = tokenizer.encode(SPACES.sub(" ", text).strip(" "))
        return [*ids[: most - 1], self.settings["end_id"]]

    def _start(self, sources):
        """What the first step takes, padded to the longest source."""
        started = list(self._encode(sources))
        longest = max(map(len, sources))
        return {
            name: np.concatenate(
                [self._pad(name, one[name], longest) for one in started]
            )
            for name in started[0]
        }

    def _encode(self, sources):
        """Encodes four at a time, and those that are left one by one."""
        fours = len(sources) // 4 * 4
        for first in range(0, fours, 4):
            yield self._model.encode_4(
                source_ids=_fill_up(
                    sources[first : first + 4], self.settings["pad_id"]
                )
            )
        for ids in sources[fours:]:
            yield self._model.encode(source_ids=np.array([ids], np.int32))

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
        num_beams = self.settings["num_beams"]
        inputs = {
            name: np.repeat(tensor, num_beams, axis=0)
            for name, tensor in started.items()
        }
        ids = np.full((len(longest), num_beams, 1), self.settings["start_id"])
        scores = np.full((len(longest), num_beams), IMPOSSIBLE, "f")
        scores[:, 0] = 0  # all are equal: only the first may grow
        places, finished = np.arange(len(longest)), [[] for _ in longest]
        while len(places):
            inputs["token_ids"] = ids[..., -1].ravel().astype(np.int32)
            outputs = self._model.step(**inputs)
            last = longest[places] == ids.shape[2]
            candidates = self._candidates(
                outputs["probabilities"], scores, last
            )
            self._collect(ids, candidates, [finished[i] for i in places])
            done = last | [len(finished[i]) >= num_beams for i in places]
            left = np.flatnonzero(~done)[:, None]
            scores, parents, token_ids = self._going_on(candidates, left)
            ids = np.concatenate(
                [ids[left, parents], token_ids[..., None]], axis=2
            )
            rows = (num_beams * left + parents).ravel()
            if done.any():
                inputs = {name: tensor[rows] for name, tensor in inputs.items()}
                places = places[~done]
            for name, tensor in _states(outputs).items():
                inputs[name] = tensor[rows]
        return [max(found, key=lambda item: item[0])[1] for found in finished]

    def _collect(self, ids, candidates, finished):
        """Keeps the candidates that took END, of the first `num_beams`."""
        num_beams, length = ids.shape[1:]
        scores, parents, token_ids = (x[:, :num_beams] for x in candidates)
        ended = token_ids == self.settings["end_id"]
        ended &= scores > IMPOSSIBLE / 2
        for i, rank in np.argwhere(ended):
            score = scores[i, rank] / self._penalty(length)
            finished[i].append((score, ids[i, parents[i, rank], 1:]))

    def _going_on(self, candidates, left):
        """The best half that took another token, of the sentences `left`."""
        ended = candidates[2][left[:, 0]] == self.settings["end_id"]
        order = ended.argsort(axis=1, kind="stable")[:, : ended.shape[1] // 2]
        return [x[left, order] for x in candidates]

    def _candidates(self, probabilities, scores, must_end):
        """The best continuations, twice as many as hypotheses, best first.

        Args:
            probabilities: Float array `[batch * num_beams, vocabulary_size]`,
                which is written into.
            scores: Float array `[batch, num_beams]`, of the hypotheses.
            must_end: Boolean array `[batch]`, where only END may come.

        Returns:
            Scores, hypotheses that they continue, and token ids, each
            `[batch, 2 * num_beams]`.
        """
        batch, num_beams = scores.shape
        best = scores.max(axis=1, keepdims=True)
        total = probabilities.reshape(batch, num_beams, -1)
        size = total.shape[2]
        total[..., self._never] = 0
        if must_end.any():
            is_end = np.arange(size) == self.settings["end_id"]
            total[must_end] = np.maximum(total[must_end], SMALLEST) * is_end
        total *= np.exp(scores - best)[..., None]
        found, index = _find_largest(total.reshape(batch, -1), 2 * num_beams)
        log_probs = np.full_like(found, IMPOSSIBLE)
        np.log(found, out=log_probs, where=found > 0)
        return best + log_probs, index // size, index % size

    def _penalty(self, length):
        return ((5 + length) / 6) ** self.settings["length_penalty"]


def _fill_up(sources, pad_id):
    """One array `[batch, source_len]` of ids of several lengths."""
    rows = itertools.zip_longest(*sources, fillvalue=pad_id)
    return np.array(list(rows), np.int32).T


def _longest_translation(source_len):
    """Tokens that a translation has at most, END included."""
    return 2 * source_len + 10


def _find_largest(scores, count):
    """The `count` largest scores of each row, largest first.

    `count` blocks of a row have a maximum of `bound` or more, and so have its
    largest scores: few are left to sort.

    Args:
        scores: Float array `[batch, size]`.
        count: Integer, not above `size`.

    Returns:
        The scores and their indices, arrays `[batch, count]`.
    """
    batch, size = scores.shape
    block = max(1, size // (8 * count))
    blocks = scores[:, : size // block * block].reshape(batch, -1, block)
    bound = np.partition(blocks.max(axis=2), -count, axis=1)[:, -count, None]
    near = np.flatnonzero(scores >= bound)
    values, row = scores.ravel()[near], near // size
    order = np.lexsort((-values, row))
    first = row.searchsorted(np.arange(batch))[:, None]
    best = order[first + np.arange(count)]
    return values[best], near[best] % size


def _states(outputs):
    """What a step hands to the next one."""
    return {k: v for k, v in outputs.items() if k.startswith("state_")}


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
