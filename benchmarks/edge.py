"""Measures LiteRT exports beside the model that they were made of.

    python benchmarks/edge.py bahdanau_small_grammar_en_de

Translates the same sentences one at a time, on one thread each, with
`TextTranslator.translate` and with LiteRT at every kind of weights; loads and
runs each in a process of its own. Prints a table and writes JSON. Run it while
nothing else runs.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import click
import rich.table

import s2s_keras
from s2s_keras.data.corpora import load_corpus
from s2s_keras.export.edge import WEIGHTS
from s2s_keras.export.edge import export_litert
from s2s_keras.presets import find_model
from s2s_keras.training.evaluation import read_pairs

# Loads and translates in a fresh process, and tells what that took.
PROGRAM = """
import json, re, sys, time
started = time.perf_counter()
kind, model = sys.argv[1:]
if kind == "keras":
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import s2s_keras
    translator = s2s_keras.TextTranslator.from_preset(model)
else:
    sys.path.insert(0, model)
    from translate import LiteRTTranslator
    translator = LiteRTTranslator(model)
texts = json.load(sys.stdin)
translations, took = [str(translator.translate(texts[0]))], []
first = time.perf_counter() - started
for text in texts[1:]:
    begun = time.perf_counter()
    translations.append(str(translator.translate(text)))
    took.append(1000 * (time.perf_counter() - begun))
status = open("/proc/self/status").read()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1024
json.dump([translations, took, first, peak], sys.stdout)
"""


@click.command()
@click.argument("model")
@click.option("--dataset", default="clause_grammar/en_de", show_default=True)
@click.option("--split", default="test[:500]", show_default=True)
@click.option("--data-dir")
@click.option("--manual-dir")
@click.option("--output", default="edge.json", show_default=True)
def main(model, dataset, split, output, **places):
    corpus = load_corpus(dataset, split, **places)
    sources, references = read_pairs(corpus)
    text_translator = s2s_keras.TextTranslator.from_preset(model)
    path = find_model(model)
    rows = {"keras": measure("keras", path, sources, references)}
    with tempfile.TemporaryDirectory() as temporary:
        for weights in WEIGHTS:
            folder = export_litert(
                text_translator, pathlib.Path(temporary, weights), weights
            )
            rows[f"litert {weights}"] = measure(
                "litert", folder, sources, references
            )
    _print(rows)
    pathlib.Path(output).write_text(json.dumps(rows, indent=2) + "\n")


def measure(kind, model, sources, references):
    """Runs one kind of model over all sentences."""
    import sacrebleu

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, str(model)],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    translations, took, first, peak = json.loads(result.stdout)
    files = model.iterdir() if model.is_dir() else [model]
    return {
        "MB": sum(file.stat().st_size for file in files) / 1e6,
        "BLEU": sacrebleu.corpus_bleu(translations, [references]).score,
        "p50 ms": statistics.median(took),
        "p95 ms": statistics.quantiles(took, n=20)[-1],
        "first s": first,
        "peak MB": peak,
    }


def _print(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for header in next(iter(rows.values())):
        table.add_column(header, justify="right")
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    rich.print(table)


if __name__ == "__main__":
    main()
