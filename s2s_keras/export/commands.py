"""Commands that make a model of others: `s2s-keras export | pack | ...`."""

import pathlib

import click

from s2s_keras.export import edge
from s2s_keras.export import storage
from s2s_keras.export.servability import LATEST
from s2s_keras.export.servability import RELEASES
from s2s_keras.options import BEAMS_OPTION
from s2s_keras.options import TRANSLATION_MODEL
from s2s_keras.options import load_model
from s2s_keras.options import model_option
from s2s_keras.presets import MODEL
from s2s_keras.progress import status
from s2s_keras.records import json_option


def _search_options(command):
    """Adds the options that fix the search of an exported model."""
    for option in (
        click.option(
            "--max-source-len",
            type=click.IntRange(1),
            help="The model's own else.",
        ),
        click.option(
            "--length-penalty", type=float, help="The model's own else."
        ),
        BEAMS_OPTION,
        model_option(TRANSLATION_MODEL),
    ):
        command = option(command)
    return command


def _weights_option(choices):
    return click.option(
        "--weights",
        type=click.Choice(list(choices)),
        default="float32",
        show_default=True,
        help="How weights are stored.",
    )


@click.command()
@_search_options
@_weights_option(storage.WEIGHTS)
@click.option(
    "--serving",
    type=click.Choice(list(RELEASES)),
    default=LATEST,
    show_default=True,
    help="The oldest release of TensorFlow Serving that is to run it.",
)
@click.option(
    "--dtype",
    help="Keras dtype policy, such as float32 for processors without bfloat16 "
    "products; that of training else.",
)
@click.argument(
    "path", type=click.Path(file_okay=False, path_type=pathlib.Path)
)
@json_option
def export(model, beams, path, dtype, **settings):
    """Write the next version of a servable model, PATH/1, PATH/2, ..."""
    text_translator = load_model(model, dtype)
    from s2s_keras.export.serving import export

    with status("Exporting, and checking what was exported"):
        version = export(text_translator, path, num_beams=beams, **settings)
    click.echo(version)
    return {"version": version}


@click.command()
@_search_options
@_weights_option(edge.WEIGHTS)
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=pathlib.Path)
)
@json_option
def export_litert(model, beams, folder, **settings):
    """Write a model for phones and small boards, and its loop, to FOLDER."""
    text_translator = load_model(model)
    from s2s_keras.export.edge import export_litert

    with status("Converting, and checking what was converted"):
        export_litert(text_translator, folder, num_beams=beams, **settings)
    click.echo(folder)
    return {"files": sorted(folder.iterdir())}


@click.command()
@model_option(TRANSLATION_MODEL)
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=pathlib.Path)
)
@json_option
def pack(model, folder):
    """Write FOLDER/model.keras, which takes a third of the space.

    Weights are rounded to eight bits, and the file is compressed.
    """
    from s2s_keras.models.packing import pack

    path = pack(load_model(model), folder)
    click.echo(path)
    return {"model": path, "bytes": path.stat().st_size}


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=pathlib.Path)
)
@json_option
def ensemble(models, folder):
    """Write FOLDER/model.keras, in which MODELS translate together.

    They need the same vocabularies, as trainings with other seeds have.
    """
    from s2s_keras.models.ensemble import make_ensemble

    together = make_ensemble([load_model(model) for model in models])
    together.save_to_preset(folder)
    click.echo(folder / MODEL)
    return {"model": folder / MODEL}
