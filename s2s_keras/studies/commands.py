"""The commands `s2s-keras study ...` and `s2s-keras evaluate`."""

import dataclasses
import json
import pathlib

import click

from s2s_keras.memory import keep_freed_memory
from s2s_keras.models.architecture import Architecture
from s2s_keras.options import BEAMS_OPTION
from s2s_keras.options import architecture_options
from s2s_keras.options import check_file
from s2s_keras.options import given_options
from s2s_keras.options import load_model
from s2s_keras.options import make_settings
from s2s_keras.options import model_option
from s2s_keras.options import settings_options
from s2s_keras.records import json_option
from s2s_keras.training.settings import Settings

DATA_OPTIONS = {
    *("dataset", "source", "target", "test_split", "data_dir", "manual_dir")
}


def _out_option(default):
    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=pathlib.Path),
        default=pathlib.Path("runs", default),
        show_default=True,
        help="A new folder for numbers, pictures and models.",
    )


def _check_new(out):
    """Makes sure that nothing is overwritten."""
    if out.exists():
        raise FileExistsError(
            f"The folder {out} exists and is left as it is. Give another --out."
        )


def _parse_lengths(text):
    """Reads `32,64,128`; three lengths are the fewest that show a bend."""
    parts = text.split(",")
    lengths = {int(part) if part.isdecimal() else 0 for part in parts}
    if len(lengths) < 3 or 0 in lengths:
        raise ValueError(
            "--lengths should be at least three different positive numbers "
            f"with commas. Received: {text!r}"
        )
    return sorted(lengths)


@click.group()
def study():
    """Measure what attention is good for, and what it costs."""


@study.command()
@click.option(
    "--standard", metavar="MODEL", help="A trained model without attention."
)
@click.option(
    "--with-attention", metavar="MODEL", help="A trained model with attention."
)
@click.option(
    "--bucket-width", type=click.IntRange(1), default=10, show_default=True
)
@_out_option("study_length")
@settings_options
@json_option
def length(standard, with_attention, bucket_width, out, **options):
    """Draw BLEU against sentence length, with and without attention.

    Two models that are as large as one another are trained as the options
    say, or two trained ones are taken. On the synthetic set they are tested
    on sentences much longer than those they learned from.
    """
    _check_new(out)
    if (standard is None) != (with_attention is None):
        raise ValueError("--standard and --with-attention come together.")
    unused = given_options(options).keys() - DATA_OPTIONS
    if standard is not None and unused:
        names = ", ".join(f"--{n.replace('_', '-')}" for n in sorted(unused))
        raise ValueError(f"Trained models take no training options: {names}.")
    settings = make_settings(options)
    is_synthetic = settings.dataset == "clause_grammar/en_de"
    if is_synthetic and options["test_split"] is None:
        settings = dataclasses.replace(settings, test_split="test+test_long")
    keep_freed_memory()
    from s2s_keras.studies.length import describe_row
    from s2s_keras.studies.length import plot_length
    from s2s_keras.studies.length import score_by_length
    from s2s_keras.studies.tables import save_figure
    from s2s_keras.studies.tables import write_table
    from s2s_keras.studies.twins import train_twins
    from s2s_keras.training.evaluation import read_pairs
    from s2s_keras.training.job import load_split

    if standard is None:
        models = train_twins(settings, out)
    else:
        models = {
            "standard": load_model(standard),
            "attention": load_model(with_attention),
        }
        _check_twins(**models)
    sources, references = read_pairs(load_split(settings, settings.test_split))
    translations = {
        name: [str(item) for item in model.translate(sources)]
        for name, model in models.items()
    }
    rows = score_by_length(translations, sources, references, bucket_width)
    out.mkdir(parents=True, exist_ok=True)
    write_table(rows, out / "length.csv")
    save_figure(plot_length(rows), out / "length.png")
    for row in rows:
        click.echo(describe_row(row))
    click.echo(f"Wrote {out}/length.csv, .png and .svg")
    return rows


def _check_twins(standard, attention):
    found = [m.translator.has_attention for m in (standard, attention)]
    if found != [False, True]:
        raise ValueError(
            "--standard should have no attention, and --with-attention some. "
            f"Received: {', '.join('some' if one else 'none' for one in found)}"
        )


@study.command()
@click.option(
    "--lengths",
    default="32,64,128,192,256",
    show_default=True,
    help="Lengths in tokens, source and target.",
)
@click.option(
    "--vocabulary-size", type=click.IntRange(4), default=8000, show_default=True
)
@_out_option("study_complexity")
@architecture_options
@json_option
def complexity(lengths, vocabulary_size, out, **options):
    """Time and weigh both models against the lengths of source and target.

    The models are as large as one another and are not trained: what they take
    does not depend on what they know.
    """
    _check_new(out)
    architecture = Architecture(**given_options(options))
    lengths = _parse_lengths(lengths)
    from s2s_keras.models.translator import Translator
    from s2s_keras.studies.complexity import fit_times
    from s2s_keras.studies.complexity import measure_memory
    from s2s_keras.studies.complexity import plot_complexity
    from s2s_keras.studies.complexity import time_lengths
    from s2s_keras.studies.tables import save_figure
    from s2s_keras.studies.tables import write_table
    from s2s_keras.studies.twins import make_twin

    twins = {
        "standard": make_twin(architecture, vocabulary_size),
        "attention": architecture,
    }
    models = {
        name: Translator.from_architecture(twin, vocabulary_size)
        for name, twin in twins.items()
    }
    rows = time_lengths(models, lengths)
    memory_rows = measure_memory(twins, vocabulary_size, lengths)
    fits = fit_times(rows)
    out.mkdir(parents=True)
    write_table(rows, out / "time.csv")
    write_table(memory_rows, out / "memory.csv")
    save_figure(plot_complexity(rows, memory_rows), out / "complexity.png")
    (out / "fits.json").write_text(json.dumps(fits, indent=2) + "\n")
    for name, fit in fits.items():
        click.echo(
            f"{name:10} time grows with source_len^"
            f"{fit['source_exponent']:.2f} and target_len^"
            f"{fit['target_exponent']:.2f}; source_len x target_len takes "
            f"{fit['product_share']:.0%} at {lengths[-1]} x {lengths[-1]}"
        )
    click.echo(f"Wrote {out}/time.csv, memory.csv, fits.json, complexity.png")
    return {"fits": fits, "time": rows, "memory": memory_rows}


@study.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--dataset", default="clause_grammar/en_de", show_default=True)
@click.option("--split", default="test", show_default=True)
@click.option(
    "--links", help="File of links 0-0 1-2 of words between spaces, for files."
)
@click.option(
    "--partial-links",
    is_flag=True,
    help="Target words without a link are not counted.",
)
@click.option("--data-dir", help="Where TFDS keeps prepared sets.")
@click.option(
    "--pictures", type=click.IntRange(0), default=5, show_default=True
)
@_out_option("study_alignment")
@json_option
def alignment(
    models, dataset, split, links, partial_links, data_dir, pictures, out
):
    """Compare attention with word links, by alignment error rate.

    MODELS are trained models with attention. The synthetic set brings gold
    links; other sets need a file of them.
    """
    from s2s_keras.data.alignments import load_aligned_pairs
    from s2s_keras.plotting import plot_attention
    from s2s_keras.studies.alignment import align_pairs
    from s2s_keras.studies.tables import save_figure
    from s2s_keras.studies.tables import write_table

    _check_new(out)
    text_translators = {path: load_model(path) for path in models}
    for path, text_translator in text_translators.items():
        if not text_translator.translator.has_attention:
            raise ValueError(
                f"MODELS should have attention. Received: {path} with no "
                "attention"
            )
    pairs = load_aligned_pairs(dataset, split, links, data_dir)
    aligned = {
        path: align_pairs(text_translator, pairs, partial_links)
        for path, text_translator in text_translators.items()
    }
    out.mkdir(parents=True)
    rows = []
    for row, (path, parts) in enumerate(aligned.items()):
        rate, counted, translations = parts
        rows.append(
            {
                "model": str(path),
                "alignment_error_rate": round(rate, 4),
                "pairs": len(pairs),
                "counted": counted,
            }
        )
        click.echo(f"{path}: {rate:.4f} on {counted} of {len(pairs)} pairs")
        for i, translation in enumerate(translations[:pictures]):
            figure = plot_attention(translation)
            save_figure(figure, out / f"model_{row}_pair_{i}.png")
    write_table(rows, out / "alignment.csv")
    click.echo(f"Wrote {out}/alignment.csv and the pictures")
    return rows


@click.command()
@model_option("bahdanau_small_grammar_en_de")
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
        check_file(report)
    models = {"model": load_model(model)}
    if baseline:
        models["baseline"] = load_model(baseline)
    from s2s_keras.data.corpora import load_some
    from s2s_keras.studies.examination import examine
    from s2s_keras.studies.examination import write_page

    pairs = load_some(dataset, split, **places)
    found = examine(models, pairs, beams, bucket_width, shown)
    echo_examination(found.summary)
    if report:
        write_page(found, report, f"{model} on {dataset}, {split}")
    return found.summary


def echo_examination(summary):
    """Prints the summary of an `Examination`."""
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


def _echo_scores(scores):
    for label, key in (("BLEU", "bleu"), ("chrF", "chrf")):
        score, interval = scores[key], scores[f"{key}_interval"]
        shown = f"{score:.2f} ± {interval:.2f}" if interval else f"{score:.2f}"
        click.echo(f"{label} {shown}  ({scores[f'{key}_signature']})")
