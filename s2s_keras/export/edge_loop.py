"""Translates with a LiteRT export, without TensorFlow and without s2s_keras.

Run as a script, `python translate.py [TEXT ...]`, it translates its arguments,
or the lines of standard input, with the model beside it. It needs
ai-edge-litert, numpy and sentencepiece.
"""

import json
import pathlib
import re
import sys

import numpy as np
import sentencepiece
from ai_edge_litert.interpreter import Interpreter

IMPOSSIBLE = -1e9
# What TensorFlow's RE2 calls white space and separators.
SPACES = re.compile(
    "[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
)


class LiteRTTranslator:
    """Translates one sentence at a time.

    Args:
        folder: What `export_litert` wrote.
        num_threads: Integer. Threads of the interpreter.

    Example:

    ```python
    print(LiteRTTranslator("exported/litert").translate("Where are you?"))
    ```
    """

    def __init__(self, folder, num_threads=1):
        folder = pathlib.Path(folder)
        self.settings = json.loads((folder / "settings.json").read_text())
        self._source, self._target = (
            sentencepiece.SentencePieceProcessor(str(folder / f"{side}.spm"))
            for side in ("source", "target")
        )
        interpreter = Interpreter(
            str(folder / "model.tflite"), num_threads=num_threads
        )
        self._encode = interpreter.get_signature_runner("encode")
        self._step = interpreter.get_signature_runner("step")

    def translate(self, source_text):
        """Translates a string by beam search, as the model's settings say."""
        source_ids = self._read(self._source, source_text)
        # Nothing translates to nothing: END is all that fits.
        longest = 2 * len(source_ids) + 10 if len(source_ids) > 1 else 1
        return self._target.decode(self._search(source_ids, longest))

    def score(self, source_text, target_text):
        """The score that a search would give a translation."""
        inputs = self._start(self._read(self._source, source_text))
        token_ids = self._read(self._target, target_text)
        log_prob, previous = 0.0, self.settings["start_id"]
        for token_id in token_ids:
            inputs["token_ids"] = np.array([previous], np.int32)
            outputs = self._step(**inputs)
            log_prob += float(outputs["log_probs"][0, token_id])
            inputs |= _states(outputs)
            previous = token_id
        return log_prob / self._penalty(len(token_ids))

    def _read(self, tokenizer, text):
        text = text.encode(errors="replace").decode()
        ids = tokenizer.encode(SPACES.sub(" ", text).strip())
        ids = ids[: self.settings["max_source_len"] - 1]
        return [*ids, self.settings["end_id"]]

    def _start(self, source_ids):
        return self._encode(source_ids=np.array([source_ids], np.int32))

    def _search(self, source_ids, longest):
        """Gives the ids of the best translation that was found."""
        num_beams, end = self.settings["num_beams"], self.settings["end_id"]
        inputs = {
            name: np.repeat(tensor, num_beams, axis=0)
            for name, tensor in self._start(source_ids).items()
        }
        live = [(0.0, [self.settings["start_id"]])]
        live += [(IMPOSSIBLE, live[0][1])] * (num_beams - 1)
        finished = []
        for length in range(1, longest + 1):
            inputs["token_ids"] = np.array(
                [ids[-1] for _, ids in live], np.int32
            )
            outputs = self._step(**inputs)
            growing, parents = [], []
            candidates = self._candidates(live, outputs, length == longest)
            for rank, (log_prob, parent, token_id) in enumerate(candidates):
                ids = [*live[parent][1], token_id]
                if token_id != end:
                    growing.append((log_prob, ids))
                    parents.append(parent)
                elif rank < num_beams and log_prob > IMPOSSIBLE / 2:
                    finished.append((log_prob / self._penalty(length), ids))
            if len(finished) >= num_beams or length == longest:
                break
            live = growing[:num_beams]
            for name, tensor in _states(outputs).items():
                inputs[name] = tensor[parents[:num_beams]]
        return max(finished)[1][1:-1]

    def _candidates(self, live, outputs, must_end):
        """The best continuations, twice as many as hypotheses, best first."""
        scores = outputs["log_probs"]
        if must_end:
            scores = np.full_like(scores, IMPOSSIBLE)
            end = self.settings["end_id"]
            scores[:, end] = outputs["log_probs"][:, end]
        scores = scores + np.array([[score] for score, _ in live], "f")
        for index in _find_largest(scores.ravel(), 2 * len(live)):
            parent, token_id = divmod(int(index), scores.shape[1])
            yield float(scores[parent, token_id]), parent, token_id

    def _penalty(self, length):
        return ((5 + length) / 6) ** self.settings["length_penalty"]


def _find_largest(scores, count):
    """The indices of the `count` largest scores, largest first.

    `count` blocks of scores have a maximum of `bound` or more, and so have the
    largest scores: few are left to sort.
    """
    block = max(1, len(scores) // (8 * count))
    blocks = scores[: len(scores) // block * block].reshape(-1, block)
    bound = np.partition(blocks.max(axis=1), -count)[-count]
    near = np.flatnonzero(scores >= bound)
    return near[np.argsort(-scores[near], kind="stable")[:count]]


def _states(outputs):
    """What a step hands to the next one."""
    return {k: v for k, v in outputs.items() if k.startswith("state_")}


def main(texts):
    translator = LiteRTTranslator(pathlib.Path(__file__).parent)
    for text in texts or map(str.rstrip, sys.stdin):
        print(translator.translate(text), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
