"""Distillation: learning from what a teacher says."""

import json
import pathlib

import tensorflow as tf

from s2s_keras.models.text_translator import TextTranslator
from s2s_keras.training.evaluation import read_pairs


def add_translations(pairs, teacher, path):
    """Adds a teacher's translations of the sources to sentence pairs.

    A teacher, best an ensemble, says the same thing in the same way more often
    than people do, and is easier to learn from.

    Args:
        pairs: Dataset of `(source_text, target_text)`.
        teacher: What `TextTranslator.from_preset` takes. It searches as it was
            saved to.
        path: File that keeps the translations. Where it is there, its own are
            taken.

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
        translations = TextTranslator.from_preset(teacher).translate(
            sources, verbose=True
        )
        texts = [translation.text for translation in translations]
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(texts))
        unfinished.rename(path)
    texts = json.loads(path.read_text())
    taught = tf.data.Dataset.from_tensor_slices((sources, texts))
    return pairs.concatenate(taught)
