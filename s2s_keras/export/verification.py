"""Whether an exported model answers as the model that it was made of."""

import json
import os
import subprocess
import sys

from s2s_keras.export import session
from s2s_keras.export import warmup


def verify(path, text_translator):
    """Runs an exported model's warm-up requests in a fresh process.

    Args:
        path: Folder of the SavedModel.
        text_translator: The `TextTranslator` that was exported.

    Raises:
        RuntimeError: If the model cannot be loaded or run there, or answers
            otherwise than `translate` or `translate_paragraphs`.
    """
    answers = _answer_in_a_fresh_process(path)
    for texts in warmup.make_texts(text_translator):
        translations = [item.text for item in text_translator.translate(texts)]
        paragraphs = text_translator.translate_paragraphs(texts)
        for signature, output, expected in (
            ("serving_default", "translation", translations),
            ("translate", "translation", translations),
            ("n_best", "translations", translations),
            ("paragraphs", "translation", paragraphs),
        ):
            found = answers[signature].pop(0)[output]
            best = found[:: len(found) // len(expected)]
            if best != expected:
                raise RuntimeError(
                    f"The exported signature {signature!r} should answer as "
                    f"`text_translator`: {expected}. Received: {best}"
                )


def _answer_in_a_fresh_process(path):
    """The string outputs of every warm-up request, by signature."""
    result = subprocess.run(
        [sys.executable, session.__file__, str(path)],
        # This process may hold all memory of a GPU.
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise RuntimeError(
            "The exported model should run without s2s_keras. Received:\n"
            f"{result.stderr}"
        )
    answers = {}
    for line in result.stdout.splitlines():
        answer = json.loads(line)
        answers.setdefault(answer["signature"], []).append(answer["outputs"])
    return answers
