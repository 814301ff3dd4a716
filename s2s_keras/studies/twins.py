"""The two systems to compare: one with attention, one as large without."""

import bisect
import dataclasses
import pathlib
import shutil

from s2s_keras.models.text_translator import TextTranslator
from s2s_keras.models.translator import Translator
from s2s_keras.presets import MODEL
from s2s_keras.training import job
from s2s_keras.training.log import SETTINGS
from s2s_keras.training.log import TAUGHT


def make_twin(architecture, vocabulary_size):
    """Finds the standard model that is as large as an attention model.

    Attention adds parameters, so that the standard model gets wider recurrent
    layers in exchange. Everything else is the same.

    Args:
        architecture: `Architecture`, or `Settings`, of a model with attention.
        vocabulary_size: Integer. Pieces of each vocabulary.

    Returns:
        The same record, of a standard model.

    Raises:
        ValueError: If `architecture` has no attention.
    """
    if architecture.attention == "none":
        raise ValueError(
            "`architecture` should have an attention to compare with. "
            "Received: attention='none'"
        )
    wanted = count_parameters(architecture, vocabulary_size)
    without = dataclasses.replace(
        architecture,
        attention="none",
        query="previous",
        embedding_in_memory=False,
    )

    def widen(units):
        return dataclasses.replace(without, units=units)

    def size(units):
        return count_parameters(widen(units), vocabulary_size)

    # Parameters grow with the units, so that a range that holds the answer can
    # be halved.
    most = architecture.units
    while size(most) < wanted:
        most *= 2
    candidates = range(architecture.units, most + 8, 8)
    return widen(candidates[bisect.bisect_left(candidates, wanted, key=size)])


def count_parameters(architecture, vocabulary_size):
    """Number of parameters of the model that an architecture builds."""
    return Translator.from_architecture(
        architecture, vocabulary_size
    ).count_params()


def train_twins(settings, run_dir):
    """Trains both models on the same data, or goes on with them.

    Args:
        settings: `Settings` of the model with attention.
        run_dir: Folder; gets a folder for each model.

    Returns:
        A dictionary of the trained `TextTranslator`s, by name.
    """
    twin = make_twin(settings, settings.vocabulary_size)
    twins = {"standard": twin, "attention": settings}
    corpora = job.load_corpora(settings)
    models = {}
    for name, twin in twins.items():
        folder = pathlib.Path(run_dir, name)
        if not (folder / MODEL).exists():
            folder.mkdir(parents=True, exist_ok=True)
            twin.save(folder / SETTINGS)
            _share_translations(folder, twins)
            job.train_alone(folder, corpora)
        models[name] = TextTranslator.from_preset(folder)
    return models


def _share_translations(folder, names):
    """Copies what teachers said to another twin: they are the same."""
    for name in names:
        said = folder.with_name(name) / TAUGHT
        if said.exists() and not (folder / TAUGHT).exists():
            shutil.copyfile(said, folder / TAUGHT)
