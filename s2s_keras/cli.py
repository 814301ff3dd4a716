"""The command line: `s2s-keras train | evaluate | translate | ...`."""

import contextlib
import pathlib
import sys

import click
import rich.table

from s2s_keras.endpoint.commands import serve
from s2s_keras.endpoint.commands import serve_config
from s2s_keras.export.commands import ensemble
from s2s_keras.export.commands import export
from s2s_keras.export.commands import export_litert
from s2s_keras.export.commands import pack
from s2s_keras.options import BEAMS_OPTION
from s2s_keras.options import TRANSLATION_MODEL
from s2s_keras.options import check_file
from s2s_keras.options import load_model
from s2s_keras.options import model_option
from s2s_keras.presets import PRESETS
from s2s_keras.presets import is_shipped
from s2s_keras.records import json_option
from s2s_keras.studies.commands import evaluate
from s2s_keras.studies.commands import study
from s2s_keras.training.commands import train


class _Commands(click.Group):
    """Turns bad input into one line; other errors keep their traceback."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except BrokenPipeError:  # whoever reads has had enough
            raise
        except (ValueError, TypeError, OSError, ImportError) as error:
            if context.params["traceback"]:
                raise
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
@click.option("--traceback", is_flag=True, help="Show where errors come from.")
@click.version_option(package_name="s2s-keras")
def main(traceback):
    """Train, score, use and export translation models."""


for command in (
    *(train, evaluate, study, serve, serve_config),
    *(export, export_litert, pack, ensemble),
):
    main.add_command(command)


@main.command()
@click.argument("name", required=False, type=click.Choice(list(PRESETS)))
@json_option
def presets(name):
    """List the zoo, or all that is known of the preset NAME."""
    if name:
        _echo_preset(name)
        return PRESETS[name]
    _echo_presets()
    return PRESETS


def _echo_preset(name):
    preset = PRESETS[name]
    card = {
        **preset["architecture"],
        **preset["training"],
        **preset["card"],
        "weights": "shipped" if is_shipped(name) else "to be trained",
        "command": _command_of(name, preset),
    }
    if "teachers" in card:
        card["teacher"] += " (its settings, on this corpus)"
    for key, value in card.items():
        click.echo(f"{key:26}{value}")


def _command_of(name, preset):
    """What trains a preset on a machine such as its card's."""
    command = f"s2s-keras train --preset {name}"
    given = preset["architecture"].get("dtype")
    if not given and "mixed_bfloat16" in preset["card"]["machine"]:
        command += " --dtype mixed_bfloat16"
    return command


def _echo_presets():
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("preset", no_wrap=True)
    for header in ("parameters", "MB", "BLEU", "ms", "CPU min"):
        table.add_column(header, justify="right", no_wrap=True)
    for name, preset in PRESETS.items():
        card = preset["card"]
        table.add_row(
            f"{name} *" if is_shipped(name) else name,
            f"{card['parameters']:,}",
            f"{card['megabytes']:.1f}",
            f"{card['bleu']:.1f}",
            f"{card['milliseconds_per_sentence']:.0f}",
            f"{card['training_cpu_minutes']:.0f}",
        )
    rich.print(table)
    click.echo(
        "\n*: comes with the package; ms: for a sentence alone, on CPU; CPU "
        "min: of training.\n`s2s-keras presets NAME` tells the corpus, BLEU's "
        "signature, the machine, and the\ncommand that makes one."
    )


@main.command()
@model_option(TRANSLATION_MODEL)
@BEAMS_OPTION
@click.option(
    "--attention",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="Draw the attention of one sentence to this file (.png, .svg, .pdf).",
)
@json_option
@click.argument("text", nargs=-1)
def translate(model, beams, attention, text):
    """Translate TEXT, or the lines of standard input.

    Each is split into sentences, and joined again; but not for --attention.
    """
    lines = list(text) or _read_standard_input()
    if attention:
        _check_picture(attention, lines)
    text_translator = load_model(model)
    if attention and not text_translator.translator.has_attention:
        raise ValueError(
            "--attention needs a model with attention. Received one without: "
            f"{model}"
        )
    with _traced_for(lines):
        if attention:
            whole = text_translator.translate(lines[0], num_beams=beams)
            translations = [whole.text]
        else:
            translations = text_translator.translate_paragraphs(
                lines, num_beams=beams, verbose=True
            )
    for translation in translations:
        click.echo(translation)
    if attention:
        _draw_attention(whole, attention)
    return [
        {"source": source, "translation": translation}
        for source, translation in zip(lines, translations, strict=True)
    ]


def _read_standard_input():
    """Lines of UTF-8, whatever the locale; says where they hold other bytes."""
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace", newline="\n")
    lines = [line.removesuffix("\n").removesuffix("\r") for line in sys.stdin]
    odd = [i for i, line in enumerate(lines, 1) if "\ufffd" in line]
    if odd:
        click.echo(
            "Standard input should be text in UTF-8. What is none became "
            f"\ufffd. Received such lines: {len(odd)}, the first {odd[0]}.",
            err=True,
        )
    return lines


def _check_picture(path, lines):
    """Makes sure that the attention of lines can be drawn to a file."""
    from matplotlib.figure import Figure

    if len(lines) != 1:
        raise ValueError(
            f"--attention draws one sentence. Received: {len(lines)}"
        )
    kinds = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise ValueError(
            f"--attention should end in one of {sorted(kinds)}. "
            f"Received: {path}"
        )
    check_file(path)


def _draw_attention(translation, path):
    from s2s_keras.plotting import plot_attention

    plot_attention(translation).savefig(path)


@contextlib.contextmanager
def _traced_for(lines):
    """Traces no graph for one text: it takes longer than to do without."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(len(lines) == 1)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


if __name__ == "__main__":
    main()
