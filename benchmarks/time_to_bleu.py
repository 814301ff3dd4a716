"""Trains until a BLEU is reached, beside OpenNMT-py, and then translates.

    python benchmarks/time_to_bleu.py --manual-dir FOLDER --peers PYTHON

Ours is a preset, trained by `s2s-keras train`; its minutes include learning the
vocabulary, tracing and scoring every epoch. OpenNMT-py's model is that of
`training.py`, with dropout 0.3; it is saved after every epoch, and its row is
the first epoch whose translations of the test set reach the BLEU, or the last.
Both search with five beams, 64 sentences together, sorted by length; ours with
one thread an operation, and so several batches at a time, and once more as a
LiteRT export with int8 weights, which takes 16 together. Prints a table and
writes JSON. Run it while nothing else runs.
"""

import concurrent.futures
import functools
import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import time

import click
import rich.table
import sacrebleu
import side_by_side

SYSTEMS = ("ours", "opennmt_py", "opennmt_py+mkl+keep")
BEAMS, TOGETHER = 5, 64


@click.command()
@side_by_side.options
@click.option("--preset", default="conditional_small_multi30k_en_de")
@click.option(
    "--preset-epochs",
    type=click.IntRange(min=1),
    help="Of ours; the preset's else.",
)
@click.option("--bleu", default=38.3, show_default=True)
@click.option("--epochs", default=9, show_default=True, help="Of the peers.")
def main(
    preset, preset_epochs, bleu, epochs, only, peers, threads, output, **data
):
    rows = []
    options = {"preset": preset, "epochs": preset_epochs, **data}

    def measure(folder):
        side_by_side.prepare(folder, num_updates=0, **data)
        for system in side_by_side.choose(SYSTEMS, only, peers):
            if side_by_side.needs_peers(system):
                task = (system, folder, epochs, "quality", threads, peers)
                ways = {system: side_by_side.run(*task)}
            else:
                ways = run_preset(folder, threads, **options)
            for name, runs in ways.items():
                rows.append({"system": name, **choose(runs, folder, bleu)})

    side_by_side.in_folder(measure)
    print_table(rows)
    text = json.dumps(rows, indent=2)
    pathlib.Path(output or "time_to_bleu.json").write_text(text + "\n")


def choose(runs, folder, bleu):
    """The first of the runs that reaches the BLEU, or the last."""
    references = json.loads((folder / "references.json").read_text())
    for run in runs:
        translations = run.pop("translations")
        run["bleu"] = sacrebleu.corpus_bleu(translations, [references]).score
        if run["bleu"] >= bleu:
            break
    return run


def run_preset(folder, threads, **options):
    """Trains with the command, and translates in two ways.

    Each has a process of its own.

    Returns:
        Dictionary from the name of the way to a list of one run.
    """
    for place in ("manual_dir", "data_dir"):
        if options[place]:
            options[place] = pathlib.Path(options[place]).resolve()
    options["name"] = options["preset"]
    words = [
        f"--{option.replace('_', '-')}={value}"
        for option, value in options.items()
        if value
    ]
    done = subprocess.run(
        [sys.executable, "-m", "s2s_keras.cli", "train", *words],
        cwd=folder,
        env=side_by_side.with_threads(threads),
        check=True,
        capture_output=True,
        text=True,
    )
    minutes = float(re.search(r"Trained in (\S+) minutes", done.stdout)[1])
    model = folder / "runs" / options["preset"]
    ways = {"ours": translate, "ours+litert+int8": translate_with_litert}
    return {
        name: [{"minutes": minutes, **_run_alone(way, folder, model, threads)}]
        for name, way in ways.items()
    }


def _run_alone(function, *arguments):
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
        return pool.submit(function, *arguments).result()


def translate(folder, model, threads):
    import tensorflow as tf

    from s2s_keras import TextTranslator

    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    options = {"num_beams": BEAMS, "batch_size": TOGETHER}
    search = functools.partial(
        TextTranslator.from_preset(model).translate, **options
    )
    return _time(lambda texts: [item.text for item in search(texts)], folder)


def translate_with_litert(folder, model, threads):
    from s2s_keras import TextTranslator
    from s2s_keras import export_litert
    from s2s_keras.export.edge_loop import LiteRTTranslator

    text_translator = TextTranslator.from_preset(model)
    path = folder / "litert"
    export_litert(text_translator, path, weights="int8", num_beams=BEAMS)
    return _time(LiteRTTranslator(path, threads).translate, folder)


def _time(search, folder):
    texts = json.loads((folder / "test.json").read_text())
    search(texts[:TOGETHER])  # traces
    started = time.perf_counter()
    translations = search(texts)
    seconds = time.perf_counter() - started
    return {
        "translations": translations,
        "sentences_per_second": len(texts) / seconds,
    }


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("system", no_wrap=True)
    for header in ("minutes", "BLEU", "sentences/s"):
        table.add_column(header, justify="right")
    for row in rows:
        table.add_row(
            row["system"],
            f"{row['minutes']:.1f}",
            f"{row['bleu']:.2f}",
            f"{row['sentences_per_second']:.0f}",
        )
    rich.print(table)


if __name__ == "__main__":
    main()
