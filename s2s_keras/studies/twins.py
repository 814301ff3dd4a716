"""The two systems to compare: one with attention, one as large without."""

import dataclasses
import pathlib

from s2s_keras.training import job


def twin_settings(settings):
    """Finds the standard model that is as large as an attention model.

    Attention adds parameters, so that the standard model gets wider recurrent
    layers in exchange. Everything else is the same.

    Args:
        settings: `Settings` of a model with attention.

    Returns:
        `Settings` of a standard model.

    Raises:
        ValueError: If `settings` has no attention.
    """
    if settings.attention == "none":
        raise ValueError(
            "`settings` should have an attention to compare with. "
            "Received: attention='none'"
        )
    wanted = count_parameters(settings)
    without = dataclasses.replace(settings, attention="none", query="previous")
    candidates = [
        dataclasses.replace(without, units=units)
        for units in range(settings.units, 2 * settings.units, 8)
    ]
    # Parameters grow with the units: halve the range that holds the answer.
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        if count_parameters(candidates[middle]) < wanted:
            low = middle + 1
        else:
            high = middle
    return candidates[low]


def count_parameters(settings):
    """Number of parameters of a model with full vocabularies."""
    return settings.build(
        settings.vocabulary_size, settings.vocabulary_size
    ).count_params()


def train_twins(settings, run_dir):
    """Trains both models on the same data.

    Args:
        settings: `Settings` of the model with attention.
        run_dir: Folder; gets a folder for each model.

    Returns:
        A dictionary of the trained `TextTranslator`s, by name.
    """
    corpora = job.load_corpora(settings)
    twins = {"standard": twin_settings(settings), "attention": settings}
    models = {}
    for name, twin in twins.items():
        folder = pathlib.Path(run_dir, name)
        folder.mkdir(parents=True)
        models[name] = job.train(twin, corpora, folder)
        models[name].save(folder / "model.keras")
    return models
