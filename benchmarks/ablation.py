"""Trains a preset with one thing changed at a time, and compares what it costs.

    python benchmarks/ablation.py --manual-dir FOLDER

Each run is `s2s-keras train --preset PRESET` with the options of a row of
`CHANGES`, and has one thread; `--jobs` of them go side by side. Runs that are
finished in FOLDER/runs are not repeated, interrupted ones go on. Prints a table
and writes JSON: BLEU on the validation set, greedily, of the best epoch; BLEU
on the test set with the preset's beam; the processor time of training.
"""

import concurrent.futures
import csv
import json
import os
import pathlib
import subprocess
import sys

import click
import rich.table

COMMAND = (sys.executable, "-m", "s2s_keras.cli", "train")
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
CHANGES = {
    "as it is": "",
    "asked with the previous state": "--query previous",
    "LSTM": "--cell lstm",
    "layer normalisation": "--cell layer_norm_gru",
    "encoder in one direction": "--no-bidirectional",
    "two layers, residual": "--num-layers 2 --residual",
    "units 384": "--units 384",
    "embedding 384": "--embedding-dim 384",
    "attends to embedded tokens, too": "--embedding-in-memory",
    "a vocabulary a side": "--no-joint-vocabulary",
    "output weights not tied": "--no-tie-embedding",
    "2,000 pieces": "--vocabulary-size 2000",
    "4,000 pieces": "--vocabulary-size 4000",
    "16,000 pieces": "--vocabulary-size 16000",
    "byte pairs": "--tokenizer bpe",
    "subword sampling 0.4": "--subword-sampling 0.4",
    "no whole-word dropout": "--word-dropout 0",
    "whole-word dropout 0.15": "--word-dropout 0.15",
    "no dropout": "--dropout 0",
    "dropout 0.2": "--dropout 0.2",
    "locked dropout": "--locked-dropout",
    "recurrent dropout 0.1": "--recurrent-dropout 0.1",
    "no label smoothing": "--label-smoothing 0",
    "scheduled sampling 0.2": "--sampling-rate 0.2",
    "consistency 1": "--consistency 1",
    "1,200 tokens a batch": "--tokens-per-batch 1200",
    "learning rate 0.003": "--learning-rate 0.003",
    "weights not averaged": "--ema-momentum 0",
    "float32": "--dtype float32",
}


@click.command()
@click.option("--preset", default="conditional_small_multi30k_en_de")
@click.option("--epochs", type=int, help="The preset's else.")
@click.option("--dtype", help="The preset's else.")
@click.option("--change", "only", multiple=True, type=click.Choice(CHANGES))
@click.option("--jobs", default=os.cpu_count(), show_default="all cores")
@click.option("--manual-dir", type=click.Path(exists=True, resolve_path=True))
@click.option("--data-dir", type=click.Path(resolve_path=True))
@click.option("--folder", default="ablation", show_default=True)
@click.option("--output", default="ablation.json", show_default=True)
def main(preset, epochs, dtype, only, jobs, folder, output, **places):
    changes = {change: CHANGES[change] for change in only or CHANGES}
    options = {"preset": preset, "epochs": epochs, "dtype": dtype, **places}
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        finished = pool.map(
            lambda change: run(folder, change, options), changes
        )
        rows = [row for row in finished if row]
    print_table(rows)
    pathlib.Path(output).write_text(json.dumps(rows, indent=2) + "\n")


def run(folder, change, options):
    """Trains with one change, unless it is done; `None` if it fails."""
    name = "".join(c if c.isalnum() else "_" for c in change)
    run_dir = folder / "runs" / name
    if not (run_dir / "evaluation.json").exists():
        command = [*COMMAND, "--name", name]
        for option, value in options.items():
            if value is not None:
                command += [f"--{option.replace('_', '-')}", str(value)]
        command += CHANGES[change].split()
        command += ["--resume"] if run_dir.exists() else []
        with (folder / f"{name}.log").open("a") as log:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | ONE_THREAD,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            click.echo(f"{change}: failed, see {folder / name}.log", err=True)
            return None
    return read_row(change, run_dir)


def read_row(change, run_dir):
    with (run_dir / "log.csv").open() as log:
        validation = [float(row["val_bleu"]) for row in csv.DictReader(log)]
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    return {
        "change": change,
        "validation_bleu": round(max(validation), 2),
        "test_bleu": round(evaluation["bleu"], 2),
        "training_cpu_minutes": evaluation["training_cpu_minutes"],
    }


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("change", no_wrap=True)
    for header in ("validation BLEU", "test BLEU", "CPU minutes"):
        table.add_column(header, justify="right")
    for row in rows:
        table.add_row(
            row["change"],
            f"{row['validation_bleu']:.2f}",
            f"{row['test_bleu']:.2f}",
            f"{row['training_cpu_minutes']:.1f}",
        )
    rich.print(table)


if __name__ == "__main__":
    main()
