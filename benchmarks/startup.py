"""Measures how long it takes until the first sentence is translated.

    python benchmarks/startup.py bahdanau_small_grammar_en_de "The man sleeps."

Each stage runs in a fresh process, some times over; the median counts. Prints a
table and writes JSON. Run it while nothing else runs.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import click
import rich.table

# Each imports, loads and translates what it does, and prints the seconds.
PROGRAM = """
import json, sys, time
def lap():
    global started
    now = time.perf_counter()
    took, started = now - started, now
    return took
started = time.perf_counter()
import tensorflow
laps = {"import tensorflow": lap()}
import keras
laps["import keras, beyond that"] = lap()
import s2s_keras
laps["import s2s_keras, beyond that"] = lap()
model = s2s_keras.TextTranslator.from_preset(sys.argv[1])
laps["load the model"] = lap()
model.translate(sys.argv[2])
laps["translate the first sentence"] = lap()
model.translate(sys.argv[2])
laps["translate the next one"] = lap()
print(json.dumps(laps))
"""


@click.command()
@click.argument("model")
@click.argument("sentence")
@click.option("--repeats", default=5, show_default=True)
@click.option("--output", default="startup.json", show_default=True)
def main(model, sentence, repeats, output):
    stages = {}
    for _ in range(repeats):
        laps = json.loads(
            call(sys.executable, "-c", PROGRAM, model, sentence).splitlines()[
                -1
            ]
        )
        started = time.perf_counter()
        command = (sys.executable, "-m", "s2s_keras.cli", "translate")
        call(*command, "--model", model, sentence)
        laps["s2s-keras translate, all in all"] = time.perf_counter() - started
        for stage, took in laps.items():
            stages.setdefault(stage, []).append(took)
    medians = {name: statistics.median(took) for name, took in stages.items()}
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("seconds", justify="right")
    for name, took in medians.items():
        table.add_row(name, f"{took:.3f}")
    rich.print(table)
    pathlib.Path(output).write_text(json.dumps(medians, indent=2) + "\n")


def call(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise click.ClickException(result.stderr[-2000:])
    return result.stdout


if __name__ == "__main__":
    main()
