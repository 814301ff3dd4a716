"""Options that several commands share, and what they stand for."""

import dataclasses
import types
import typing

import click

from s2s_keras.models.architecture import Architecture
from s2s_keras.presets import PRESETS
from s2s_keras.threads import one_thread_an_operation
from s2s_keras.training.settings import SYNTHETIC
from s2s_keras.training.settings import Settings

TRANSLATION_MODEL = "bahdanau_small_en_es"
BEAMS_OPTION = click.option(
    "--beams", type=click.IntRange(1), help="Beam width; the model's own else."
)


def model_option(default):
    """Adds `--model`, a preset by default."""
    return click.option(
        "--model",
        default=default,
        show_default=True,
        help="A .keras file, a folder that `train` wrote, or a shipped preset.",
    )


def settings_options(command):
    """Adds `--preset`, and an option for each field of `Settings`."""
    command = _add_options(command, Settings, _describe_default)
    return click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        metavar="NAME",
        help="Settings to start from; `s2s-keras presets` lists them.",
    )(command)


def architecture_options(command):
    """Adds an option for each field of `Architecture`."""
    return _add_options(
        command, Architecture, lambda field: f"[{field.default}]"
    )


def _add_options(command, record, describe_default):
    """Adds options that are `None` where they are not given."""
    hints = typing.get_type_hints(record)
    for field in reversed(dataclasses.fields(record)):
        name = field.name.replace("_", "-")
        kind = hints[field.name]
        if isinstance(kind, types.UnionType):  # such as str | None
            kind = typing.get_args(kind)[0]
        if field.metadata["choices"]:
            kind = click.Choice(field.metadata["choices"])
        declaration = f"--{name}/--no-{name}" if kind is bool else f"--{name}"
        command = click.option(
            declaration,
            field.name,
            type=kind,
            default=None,
            help=f"{field.metadata['help']}  {describe_default(field)}",
        )(command)
    return command


def _describe_default(field):
    synthetic = getattr(SYNTHETIC, field.name)
    if synthetic == field.default:
        return "" if field.default is None else f"[{field.default}]"
    return f"[{field.default}; synthetic set: {synthetic}]"


def given_options(options):
    """The options that were given."""
    return {k: v for k, v in options.items() if v is not None}


# What a preset says of its own data set alone.
_OF_DATA = ("source", "target", "split", "validation_split", "test_split")


def make_settings(options):
    """Completes the given options by the preset, or by the data set's own."""
    given = given_options(options)
    if given.get("teacher") == "":
        given = {"teachers": 0, "least_score": None, **given, "teacher": None}
    if "preset" in given:
        preset = Settings.from_preset(given.pop("preset"))
        if given.get("dataset", preset.dataset) != preset.dataset:
            given = {n: getattr(Settings(), n) for n in _OF_DATA} | given
        return dataclasses.replace(preset, **given)
    is_synthetic = given.get("dataset", SYNTHETIC.dataset) == SYNTHETIC.dataset
    defaults = SYNTHETIC if is_synthetic else Settings()
    return dataclasses.replace(defaults, **given)


def load_model(model, dtype=None):
    """Loads a model, or says how to get one."""
    from s2s_keras.models.text_translator import NUM_BATCHES_AT_ONCE
    from s2s_keras.models.text_translator import TextTranslator

    one_thread_an_operation(NUM_BATCHES_AT_ONCE)
    try:
        return TextTranslator.from_preset(model, dtype)
    except KeyError as error:  # a ZIP archive without what Keras keeps there
        raise ValueError(
            f"A model should be a `.keras` file. Received: {model}, which is "
            f"none: {error.args[0]}"
        ) from error


def check_file(path):
    """Makes sure that a file can be written, and overwrites nothing."""
    if path.exists():
        raise FileExistsError(f"{path} exists and is left as it is.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"A file should be in a folder that exists. Received: {path}"
        )
