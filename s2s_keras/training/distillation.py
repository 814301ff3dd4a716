"""Distillation: learning from what a teacher says."""

import json
import pathlib
import time

import tensorflow as tf

from s2s_keras.training.evaluation import read_pairs


def add_translations(pairs, find_teacher, path):
    """Adds a teacher's translations of the sources to sentence pairs.

    A teacher, best an ensemble, says the same thing in the same way more often
    than people do, and is easier to learn from.

    Args:
        pairs: Dataset of `(source_text, target_text)`.
        find_teacher: Function that gives the teacher, a `TextTranslator`, which
            searches as it was saved to.
        path: File that keeps the translations, and the processor time they
            took. Where it is there, its own are taken.

    Returns:
        A dataset of `(source_text, target_text)`: the pairs, and then each
        source with the teacher's translation.

    Reference:
        [Kim & Rush, 2016](https://arxiv.org/abs/1606.07947), Section 3.2;
        [Freitag et al., 2017](https://arxiv.org/abs/1702.01802), for
        ensembles.
    """
    path = pathlib.Path(path)
    sources, _ = read_pairs(pairs)
    if not path.exists():
        _write_translations(find_teacher(), sources, path)
    translations = json.loads(path.read_text())["translations"]
    taught = tf.data.Dataset.from_tensor_slices((sources, translations))
    return pairs.concatenate(taught)


def _write_translations(teacher, sources, path):
    since = time.process_time()
    translations = teacher.translate(sources, verbose=True)
    taught = {
        "cpu_minutes": (time.process_time() - since) / 60,
        "translations": [translation.text for translation in translations],
    }
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(taught))
    unfinished.rename(path)
