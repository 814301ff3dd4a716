"""The command line: `s2s-keras train | evaluate | translate | ...`."""

import contextlib
import dataclasses
import pathlib
import shlex
import shutil
import sys
import time

import click
import rich.table

from s2s_keras.endpoint.commands import serve
from s2s_keras.endpoint.commands import serve_config
from s2s_keras.export import edge
from s2s_keras.export import storage
from s2s_keras.export.servability import LATEST
from s2s_keras.export.servability import RELEASES
from s2s_keras.memory import keep_freed_memory
from s2s_keras.options import BEAMS_OPTION
from s2s_keras.options import load_model
from s2s_keras.options import make_settings
from s2s_keras.options import model_option
from s2s_keras.options import settings_options
from s2s_keras.presets import MODEL
from s2s_keras.presets import PRESETS
from s2s_keras.presets import is_shipped
from s2s_keras.progress import status
from s2s_keras.records import json_option
from s2s_keras.records import to_json
from s2s_keras.studies.commands import study
from s2s_keras.training.log import BACKUP
from s2s_keras.training.log import SETTINGS
from s2s_keras.training.log import TAUGHT
from s2s_keras.training.log import TEACHERS
from s2s_keras.training.log import read_rows
from s2s_keras.training.settings import Settings

TRANSLATION_MODEL = "bahdanau_small_en_es"
GRAMMAR_MODEL = "bahdanau_small_grammar_en_de"


class _Commands(click.Group):
    """Turns bad input into one line; other errors keep their traceback."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except (ValueError, TypeError, OSError, ImportError) as error:
            if context.params["traceback"]:
                raise
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
@click.option("--traceback", is_flag=True, help="Show where errors come from.")
@click.version_option(package_name="s2s-keras")
def main(traceback):
    """Train, score, use and export translation models."""


main.add_command(study)
main.add_command(serve)
main.add_command(serve_config)


@main.command()
@settings_options
@click.option("--name", help="Name of the model; that of the data set else.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@json_option
def train(name, resume, **options):
    """Do the whole job: train, score, save, export, show translations.

    Without options it learns the synthetic English-German set that comes with
    the package. Logs and the model go to runs/NAME, the servable model to
    exported/NAME.
    """
    settings = make_settings(options)
    name = name or options["preset"] or _name_of(settings)
    run_dir = pathlib.Path("runs", name)
    _check_run(run_dir, settings, resume)
    keep_freed_memory()
    from s2s_keras.export.serving import export
    from s2s_keras.training import job

    corpora = job.load_corpora(settings)
    (run_dir / BACKUP).mkdir(parents=True, exist_ok=resume)
    settings.save(run_dir / SETTINGS)
    with _removed_if_nothing_was_learned(run_dir):
        text_translator = _train(settings, corpora, run_dir)
    evaluation = _report(text_translator, settings, corpora, run_dir)
    with status("Exporting, and checking what was exported"):
        version = export(text_translator, pathlib.Path("exported", name))
    click.echo(f"Exported {version}")
    shutil.rmtree(run_dir / BACKUP)
    return {"model": run_dir / MODEL, "version": version, **evaluation}


@contextlib.contextmanager
def _removed_if_nothing_was_learned(run_dir):
    """Lets a command whose options were wrong be given again."""
    try:
        yield
    except Exception:
        kept = [run_dir / name for name in (MODEL, TAUGHT, TEACHERS)]
        if not read_rows(run_dir) and not any(path.exists() for path in kept):
            shutil.rmtree(run_dir)
        raise


def _train(settings, corpora, run_dir):
    """Trains and saves, or loads what was saved before the run was killed."""
    from s2s_keras.models.text_translator import TextTranslator
    from s2s_keras.training import job

    if (run_dir / MODEL).exists():
        return TextTranslator.from_preset(run_dir)
    started = time.monotonic()
    text_translator = job.train(settings, corpora, run_dir)
    minutes = (time.monotonic() - started) / 60
    text_translator.save_to_preset(run_dir)
    click.echo(f"Trained in {minutes:.1f} minutes. Saved {run_dir / MODEL}")
    return text_translator


def _name_of(settings):
    """A folder name like `clause_grammar_en_de` for the data set."""
    dataset = settings.dataset.split(",")[0].replace("{split}", "")
    words = "".join(c if c.isalnum() else " " for c in dataset).split()
    if settings.source or settings.target:
        words += [settings.source or "", settings.target or ""]
    return "_".join(filter(None, words))


def _check_run(run_dir, settings, resume):
    """Makes sure that a run overwrites nothing, or can go on."""
    if not resume:
        if run_dir.exists():
            raise FileExistsError(
                f"The folder {run_dir} exists and is left as it is. Give "
                "another --name, or --resume to go on with an interrupted run."
            )
        return
    if (run_dir / MODEL).exists() and not (run_dir / BACKUP).exists():
        raise FileExistsError(f"The run in {run_dir} is finished already.")
    if not (run_dir / SETTINGS).exists():
        raise FileNotFoundError(
            f"--resume needs an interrupted run. There is none in {run_dir}."
        )
    before = Settings.load(run_dir / SETTINGS)
    changed = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in dataclasses.asdict(before).items()
        if value != getattr(settings, name)
    ]
    if changed:
        raise ValueError(
            f"--resume needs the options of the interrupted run in {run_dir}, "
            f"which had {', '.join(changed)}."
        )


def _report(text_translator, settings, corpora, run_dir):
    """Scores the test split, and writes a page about the run."""
    from s2s_keras.studies.examination import examine
    from s2s_keras.studies.examination import write_page
    from s2s_keras.training.log import count_cpu_minutes
    from s2s_keras.training.log import describe_run

    found = examine({"model": text_translator}, corpora.test)
    rows = read_rows(run_dir)
    arguments = [text for text in sys.argv[1:] if text != "--resume"]
    command = shlex.join(["s2s-keras", *arguments])
    run = describe_run(command, settings, corpora)
    evaluation = {
        "training_cpu_minutes": round(count_cpu_minutes(run_dir), 1),
        "run": run,
        **found.summary,
    }
    (run_dir / "evaluation.json").write_text(to_json(evaluation) + "\n")
    write_page(found, run_dir / "report.html", run_dir.name, run, rows)
    _echo_examination(found.summary)
    click.echo(f"\nWrote {run_dir / 'report.html'}")
    return evaluation


def _echo_scores(scores):
    for label, key in (("BLEU", "bleu"), ("chrF", "chrf")):
        score, interval = scores[key], scores[f"{key}_interval"]
        shown = f"{score:.2f} ± {interval:.2f}" if interval else f"{score:.2f}"
        click.echo(f"{label} {shown}  ({scores[f'{key}_signature']})")


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
    card = {
        **PRESETS[name]["architecture"],
        **PRESETS[name]["training"],
        **PRESETS[name]["card"],
        "weights": "shipped" if is_shipped(name) else "to be trained",
        "command": f"s2s-keras train --preset {name}",
    }
    for key, value in card.items():
        click.echo(f"{key:26}{value}")


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
@model_option(GRAMMAR_MODEL)
@BEAMS_OPTION
@click.option("--dataset", default=Settings.dataset, show_default=True)
@click.option("--split", default=Settings.test_split, show_default=True)
@click.option("--source", help="Source language of a TFDS set.")
@click.option("--target", help="Target language of a TFDS set.")
@click.option("--data-dir", help="Where TFDS keeps prepared sets.")
@click.option("--manual-dir", help="Folder of downloaded files.")
@click.option(
    "--baseline", metavar="MODEL", help="Another model, to compare with."
)
@click.option(
    "--bucket-width",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Words between the lengths that are scored together.",
)
@click.option(
    "--shown",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many of the worst, and of the best, sentences to show.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="Write an HTML page, with the attention of the worst sentences.",
)
@json_option
def evaluate(
    model,
    beams,
    dataset,
    split,
    baseline,
    bucket_width,
    shown,
    report,
    **places,
):
    """Score a model on a split: BLEU, chrF, and what goes wrong.

    Intervals are of 95%, by bootstrap.
    """
    if report:
        _check_file(report)
    models = {"model": load_model(model)}
    if baseline:
        models["baseline"] = load_model(baseline)
    from s2s_keras.data.corpora import load_some
    from s2s_keras.studies.examination import examine
    from s2s_keras.studies.examination import write_page

    pairs = load_some(dataset, split, **places)
    found = examine(models, pairs, beams, bucket_width, shown)
    _echo_examination(found.summary)
    if report:
        write_page(found, report, f"{model} on {dataset}, {split}")
    return found.summary


def _echo_examination(summary):
    from s2s_keras.studies.length import describe_row

    _echo_scores(summary)
    for name, against in summary.get("against_baseline", {}).items():
        click.echo(
            f"against {against['baseline']:.2f} {name} of the baseline: "
            f"p = {against['p_value']:.3f}"
        )
    for row in summary["by_length"]:
        click.echo(describe_row(row))
    for name, share in summary["faults"].items():
        shown = f"{share:.3f}" if name == "length_ratio" else f"{share:.2%}"
        click.echo(f"{name.replace('_', ' '):24}{shown}")
    for name in ("worst", "best"):
        for row in summary[name]:
            click.echo(
                "\n  source       {source}\n  translation  {translation}\n"
                "  reference    {reference}\n"
                "  chrF         {chrf:.1f}, of the {name}".format(
                    name=name, **row
                )
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
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")
    lines = [line.rstrip("\n") for line in sys.stdin]
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
    _check_file(path)


def _check_file(path):
    """Makes sure that a file can be written, and overwrites nothing."""
    if path.exists():
        raise FileExistsError(f"{path} exists and is left as it is.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"A file should be in a folder that exists. Received: {path}"
        )


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


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
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


if __name__ == "__main__":
    main()
