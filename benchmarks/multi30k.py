"""Scores models on Multi30k, as sacreBLEU counts and as papers do.

    pip install sacremoses
    python benchmarks/multi30k.py --manual-dir FOLDER MODEL [MODEL ...]

Papers mostly score small letters, normalised and tokenised as Moses does it;
that is done here to translations and references alike. Prints a table, with the
mean and the standard deviation where there are several models, as of several
seeds, and writes JSON.
"""

import json
import pathlib
import statistics

import click
import rich.table
import sacrebleu
import sacremoses

from s2s_keras import TextTranslator
from s2s_keras import load_corpus
from s2s_keras.training.evaluation import read_pairs

SPLITS = ("validation", "test", "test_2017_flickr")


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--source", default="en", show_default=True)
@click.option("--target", default="de", show_default=True)
@click.option("--beams", type=int, help="The model's own else.")
@click.option("--manual-dir")
@click.option("--data-dir")
@click.option("--output", default="multi30k.json", show_default=True)
def main(models, source, target, beams, output, **places):
    rows = []
    for path in models:
        model = TextTranslator.from_preset(path)
        for split in SPLITS:
            sources, references = read_pairs(
                load_corpus(
                    "multi30k_translate/en_de",
                    split,
                    source=source,
                    target=target,
                    **places,
                )
            )
            translations = [
                item.text for item in model.translate(sources, num_beams=beams)
            ]
            scores = score(translations, references, target)
            rows.append({"model": path, "split": split, **scores})
    print_table(rows)
    pathlib.Path(output).write_text(json.dumps(rows, indent=2) + "\n")


def score(translations, references, language):
    """BLEU of cased text, and of Moses-like tokens in small letters."""
    cased = sacrebleu.corpus_bleu(translations, [references])
    as_papers = sacrebleu.corpus_bleu(
        tokenize(translations, language),
        [tokenize(references, language)],
        tokenize="none",
        force=True,
    )
    return {"cased": cased.score, "as_papers": as_papers.score}


def tokenize(texts, language):
    normalizer = sacremoses.MosesPunctNormalizer(language)
    tokenizer = sacremoses.MosesTokenizer(language)
    return [
        tokenizer.tokenize(normalizer.normalize(text.lower()), return_str=True)
        for text in texts
    ]


def print_table(rows):
    table = rich.table.Table(box=None, pad_edge=False)
    for header in ("model", "split", "cased", "as papers"):
        table.add_column(header)
    for row in rows:
        table.add_row(
            pathlib.Path(row["model"]).name,
            row["split"],
            f"{row['cased']:.2f}",
            f"{row['as_papers']:.2f}",
        )
    if len(rows) > len(SPLITS):
        for split in SPLITS:
            table.add_row(
                "mean ± deviation",
                split,
                *(summarize(rows, split, k) for k in ("cased", "as_papers")),
            )
    rich.print(table)


def summarize(rows, split, key):
    scores = [row[key] for row in rows if row["split"] == split]
    return f"{statistics.mean(scores):.2f} ± {statistics.stdev(scores):.2f}"


if __name__ == "__main__":
    main()
