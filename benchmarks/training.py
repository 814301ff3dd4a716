"""Compares how fast translation models train, side by side.

    python benchmarks/training.py --manual-dir FOLDER --peers PYTHON

All train the same sizes on the same sentences: 8,000 pieces a side, embedding
256, bidirectional recurrent encoder of 256 a direction, additive attention
where a system has it, decoder 512, batches of 128 sentences. They take turns; a
window is ten updates after the first ten. The rate counts target tokens without
padding. Beside it stands the rate of float32 matrix products on the same
threads, and the share of the bound that follows from it: 47.3 MFLOP a token.
Prints a table and writes JSON. Run it while nothing else runs.

OpenNMT-py and PyTorch need an environment of their own, with the packages of
`systems/requirements.txt`; `--peers` names its python. As installed they take
a slow path on AMD's processors: "+mkl" is with a shim (needs gcc) that gives
them the fast one. "+keep" keeps freed memory for what comes next, as `s2s-keras
train` does. Where there is a GPU, TensorFlow's systems and PyTorch's tutorial
take it; `--system ours+xla` compiles ours.
"""

import json
import pathlib
import statistics

import click
import rich.table
import side_by_side

SYSTEMS = (
    "ours",
    "ours+keep",
    "ours+bfloat16+keep",
    "tensorflow_tutorial+keep",
    "opennmt_py",
    "opennmt_py+mkl+keep",
    "opennmt_py+mkl+input_feeding+keep",
    "pytorch_tutorial+mkl+keep",
)
MEGAFLOP_PER_TOKEN = 47.3  # three times the forward pass's


@click.command()
@side_by_side.options
@click.option("--rounds", default=2, show_default=True)
@click.option("--updates", default=60, show_default=True)
def main(only, peers, threads, rounds, updates, output, **data):
    systems = side_by_side.choose(SYSTEMS, only, peers)
    reports = {system: [] for system in (*systems, "matrix_product")}

    def measure(folder):
        side_by_side.prepare(folder, num_updates=updates, **data)
        for _ in range(rounds):
            for system, runs in reports.items():
                task = (system, folder, updates, "training", threads, peers)
                runs.append(side_by_side.run(*task))

    side_by_side.in_folder(measure)
    rows = summarize(reports)
    print_table(rows)
    text = json.dumps(rows, indent=2)
    pathlib.Path(output or "training.json").write_text(text + "\n")


def summarize(reports):
    """Best and median window of each system, and its share of the bound."""
    rates = {
        system: [rate for run in runs for rate in run["windows"]]
        for system, runs in reports.items()
    }
    product = statistics.median(rates.pop("matrix_product"))
    bound = 1000 * product / MEGAFLOP_PER_TOKEN
    return {
        "matrix_product_gflops": product,
        "bound_tokens_per_second": bound,
        "systems": {
            system: {
                "best": max(windows),
                "median": statistics.median(windows),
                "share_of_bound": statistics.median(windows) / bound,
                "peak_megabytes": max(
                    run["peak_megabytes"] for run in reports[system]
                ),
            }
            for system, windows in rates.items()
        },
    }


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("system", no_wrap=True)
    for header in ("best tokens/s", "median", "of the bound", "peak MB"):
        table.add_column(header, justify="right")
    for system, row in rows["systems"].items():
        table.add_row(
            system,
            f"{row['best']:,.0f}",
            f"{row['median']:,.0f}",
            f"{row['share_of_bound']:.0%}",
            f"{row['peak_megabytes']:,.0f}",
        )
    rich.print(table)
    click.echo(
        f"float32 products of 4096 x 512 x 8000: "
        f"{rows['matrix_product_gflops']:.0f} GFLOP/s, a bound of "
        f"{rows['bound_tokens_per_second']:,.0f} tokens/s"
    )


if __name__ == "__main__":
    main()
