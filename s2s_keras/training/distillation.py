"""Distillation: learning from what a teacher says."""

import json
import pathlib
import time

import tensorflow as tf

from s2s_keras.progress import track
from s2s_keras.training.evaluation import read_pairs

SENTENCES_AT_ONCE = 4096  # the most that a killed run translates again


def add_translations(pairs, find_teacher, path, least_score=None):
    """Adds a teacher's translations of the sources to sentence pairs.

    A teacher, best an ensemble, says the same thing in the same way more often
    than people do, and is easier to learn from.

    Args:
        pairs: Dataset of `(source_text, target_text)`.
        find_teacher: Function that gives the teacher, a `TextTranslator`, which
            searches as it was saved to.
        path: File that keeps the translations, their scores, and the processor
            time they took. Those that are there are taken.
        least_score: Number. Translations of a lower score are not learned
            from: what a teacher makes up, such as names and rare words, it is
            not sure of. `None` takes all.

    Returns:
        A dataset of `(source_text, target_text)`: the pairs, and then each
        source with the teacher's translation, or with its own target again
        where that has too low a score.

    Reference:
        [Kim & Rush, 2016](https://arxiv.org/abs/1606.07947), Section 3.2;
        [Freitag et al., 2017](https://arxiv.org/abs/1702.01802), for
        ensembles.
    """
    path = pathlib.Path(path)
    sources, targets = read_pairs(pairs)
    taught = {"cpu_minutes": 0.0, "translations": [], "scores": []}
    if path.exists():
        taught = json.loads(path.read_text())
    if len(taught["translations"]) < len(sources):
        _translate_rest(find_teacher(), sources, taught, path)
    said = taught["translations"]
    if least_score is not None:
        said = [
            translation if score >= least_score else target
            for translation, score, target in zip(
                said, taught["scores"], targets, strict=True
            )
        ]
    return pairs.concatenate(
        tf.data.Dataset.from_tensor_slices((sources, said))
    )


def _translate_rest(teacher, sources, taught, path):
    """Goes on behind the translations that are there, and keeps each part."""
    done = len(taught["translations"])
    starts = range(done, len(sources), SENTENCES_AT_ONCE)
    for start in track(starts, "Translating"):
        since = time.process_time()
        translations = teacher.translate(
            sources[start : start + SENTENCES_AT_ONCE]
        )
        taught["translations"] += [item.text for item in translations]
        taught["scores"] += [item.score for item in translations]
        taught["cpu_minutes"] += (time.process_time() - since) / 60
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(taught))
        unfinished.rename(path)
