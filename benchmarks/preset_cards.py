"""Measures trained presets and writes the figures into `presets.json`.

    s2s-keras train --preset NAME       # for each
    python benchmarks/preset_cards.py runs

Takes every folder in RUNS that is named as a preset and whose training came to
its end. Run it while nothing else runs.
"""

import json
import os
import pathlib
import platform
import statistics
import time

import click

from s2s_keras import TextTranslator
from s2s_keras.presets import PACKAGE
from s2s_keras.presets import PRESETS
from s2s_keras.presets import find_model
from s2s_keras.presets import is_shipped
from s2s_keras.training.evaluation import evaluate
from s2s_keras.training.evaluation import read_pairs
from s2s_keras.training.job import load_split
from s2s_keras.training.settings import Settings

NUM_SENTENCES = 100


@click.command()
@click.argument("runs", type=click.Path(exists=True, path_type=pathlib.Path))
def main(runs):
    for name, preset in PRESETS.items():
        evaluation = runs / name / "evaluation.json"
        if evaluation.exists():
            settings = Settings.load(runs / name / "settings.json")
            preset["card"] = measure(name, runs / name, settings)
            click.echo(f"{name} {preset['card']}")
    text = json.dumps(PRESETS, indent=2)
    (PACKAGE / "presets.json").write_text(text + "\n")


def measure(name, run_dir, settings):
    path = find_model(name if is_shipped(name) else run_dir)
    text_translator = TextTranslator.from_preset(path)
    log = json.loads((run_dir / "evaluation.json").read_text())
    pairs = load_split(settings, settings.test_split)
    scores = evaluate(text_translator, pairs)
    sources, _ = read_pairs(pairs.take(NUM_SENTENCES))
    return {
        "pieces": text_translator.target_tokenizer.vocabulary_size,
        "parameters": text_translator.translator.count_params(),
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "bleu": round(scores.bleu, 2),
        "bleu_signature": scores.bleu_signature,
        "chrf": round(scores.chrf, 2),
        "test_split": settings.test_split,
        "milliseconds_per_sentence": round(
            time_sentences(text_translator, sources), 1
        ),
        "training_cpu_minutes": log["training_cpu_minutes"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"{settings.dtype}",
    }


def time_sentences(text_translator, sources):
    """Median milliseconds of one sentence alone, with the model's own beam."""
    text_translator.translate(sources[0])  # traces
    took = []
    for source in sources:
        started = time.perf_counter()
        text_translator.translate(source)
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)


if __name__ == "__main__":
    main()
