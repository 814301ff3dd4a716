"""Compares how fast trained translation models translate, side by side.

    python benchmarks/translation.py --manual-dir FOLDER --peers PYTHON

Each system trains as in `training.py` for as many updates, those of ours in one
dtype once, then translates the same test sentences, sorted by length, greedily
and, TensorFlow's tutorial aside, with five beams, 64 at a time, which gives a
BLEU, and every fifth of them one at a time. Loading and tracing are not
counted. With `intra1` an operation has one thread, and the others are for
operations, or batches, beside it; `litert` is a LiteRT export, which takes 80
hypotheses together where others take 64 sentences. For single sentences of ours
there are the median and the 95th percentile, too; OpenNMT-py tells its total
alone. OpenNMT-py's tokens are counted in its output, ours in the text of the
translations, cut into pieces again. Prints a table and writes JSON. Run it
while nothing else runs.
"""

import json
import pathlib

import click
import rich.table
import sacrebleu
import side_by_side

SYSTEMS = (
    "ours",
    "ours+bfloat16",
    "ours+bfloat16+intra1",
    "ours+litert",
    "ours+litert+int8",
    "ours+bfloat16+litert+int8",
    "tensorflow_tutorial",
    "opennmt_py",
    "opennmt_py+mkl",
)


@click.command()
@side_by_side.options
@click.option("--updates", default=1600, show_default=True)
def main(only, peers, threads, updates, output, **data):
    reports = {}

    def measure(folder):
        side_by_side.prepare(folder, num_updates=updates, **data)
        for system in side_by_side.choose(SYSTEMS, only, peers):
            task = (system, folder, updates, "translation", threads, peers)
            reports[system] = side_by_side.run(*task)
            references = json.loads((folder / "references.json").read_text())
            for run in reports[system]:
                score(run, references)

    side_by_side.in_folder(measure)
    print_table(reports)
    text = json.dumps(reports, indent=2)
    pathlib.Path(output or "translation.json").write_text(text + "\n")


def score(run, references):
    """Puts BLEU in the place of the translations of all sentences."""
    translations = run.pop("translations")
    if len(translations) == len(references):
        run["bleu"] = sacrebleu.corpus_bleu(translations, [references]).score


def print_table(reports):
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("system", no_wrap=True)
    for header in (
        *("batch", "beams", "sentences/s", "tokens/s", "tokens/sentence"),
        *("BLEU", "p50 ms", "p95 ms"),
    ):
        table.add_column(header, justify="right")
    for system, runs in reports.items():
        for run in runs:
            rate = run["sentences_per_second"] * run["tokens_per_sentence"]
            table.add_row(
                system,
                f"{run['batch_size']}",
                f"{run['num_beams']}",
                f"{run['sentences_per_second']:.1f}",
                f"{rate:,.0f}",
                f"{run['tokens_per_sentence']:.1f}",
                *(
                    f"{run[key]:.1f}" if key in run else ""
                    for key in ("bleu", "p50_milliseconds", "p95_milliseconds")
                ),
            )
    rich.print(table)


if __name__ == "__main__":
    main()
