"""Changes one ingredient of the Multi30k recipe at a time.

    python benchmarks/recipe.py RUNS --manual-dir FOLDER [NAME ...]

Trains each change that is named, or all of them, in RUNS/runs/NAME: what is
finished there is not trained again, what was interrupted goes on. BLEU is of
test 2016, with five beams: detokenized with capitals, and as papers count it,
in small letters after Moses's tokenizer, against the published references in
FOLDER/tok.
"""

import functools
import gzip
import json
import pathlib
import subprocess
import sys

import click
import rich.table
import sacrebleu
import sacremoses

CHANGES = {
    "recipe": (),
    "bpe": ("--tokenizer", "bpe"),
    "4,000 pieces": ("--vocabulary-size", "4000"),
    "two vocabularies": ("--no-joint-vocabulary", "--vocabulary-size", "5000"),
    "two vocabularies, bpe": (
        *("--no-joint-vocabulary", "--vocabulary-size", "5000"),
        *("--tokenizer", "bpe"),
    ),
    "subword sampling": ("--subword-sampling", "0.4"),
    "dropout 0.4": ("--dropout", "0.4"),
    "locked dropout": ("--locked-dropout",),
    "word dropout": ("--word-dropout", "0.1"),
    "no label smoothing": ("--label-smoothing", "0"),
    "layer normalisation": ("--cell", "layer_norm_gru"),
    "lstm": ("--cell", "lstm"),
    "two layers": ("--num-layers", "2", "--residual"),
    "conditional": ("--query", "conditional"),
    "input feeding": ("--query", "current"),
    "no attention": ("--attention", "none"),
    "wider": ("--units", "512"),
    "smaller batches": ("--tokens-per-batch", "600"),
    "lower learning rate": ("--learning-rate", "0.002"),
    "averaged weights": ("--ema-momentum", "0.999"),
    "16 epochs": ("--epochs", "16"),
    "16 epochs, dropout 0.35": ("--epochs", "16", "--dropout", "0.35"),
}
DATASET = "multi30k_translate/en_de"
COLUMNS = "parameters", "minutes", "validation", "cased", "lowercased"


@click.command()
@click.argument("folder", type=click.Path(path_type=pathlib.Path))
@click.argument("names", nargs=-1, type=click.Choice(list(CHANGES)))
@click.option("--manual-dir", type=pathlib.Path, required=True)
@click.option("--data-dir", required=True)
def main(folder, names, manual_dir, data_dir):
    """Trains, scores, and prints a table."""
    folder.mkdir(parents=True, exist_ok=True)
    data = "--manual-dir", str(manual_dir.resolve()), "--data-dir", data_dir
    table = rich.table.Table("change", *COLUMNS, box=None)
    for name in names or CHANGES:
        run_dir = train(folder, name, data)
        row = score(run_dir, manual_dir)
        table.add_row(name, *(f"{row[column]:,.6g}" for column in COLUMNS))
    rich.print(table)


def train(folder, name, data):
    """Trains what is not trained, and gives the folder of the run."""
    slug = name.replace(",", "").replace(" ", "_")
    run_dir = folder / "runs" / slug
    if not (run_dir / "evaluation.json").exists():
        resume = ["--resume"] if (run_dir / "settings.json").exists() else []
        subprocess.run(
            [
                *(sys.executable, "-m", "s2s_keras.cli", "train"),
                *("--name", slug, "--dataset", DATASET),
                *("--dtype", "mixed_bfloat16", *data, *CHANGES[name], *resume),
            ],
            cwd=folder,
            check=True,
        )
    return run_dir


def score(run_dir, manual_dir):
    from s2s_keras import TextTranslator
    from s2s_keras.training.log import read_rows

    model = TextTranslator.from_preset(run_dir)
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    return {
        "parameters": model.translator.count_params(),
        "minutes": evaluation["training_cpu_minutes"],
        "validation": max(float(row["val_bleu"]) for row in read_rows(run_dir)),
        "cased": evaluation["bleu"],
        "lowercased": score_lowercased(
            evaluation["translations"], manual_dir / "tok"
        ),
    }


def score_lowercased(translations, folder):
    """BLEU as papers on Multi30k count it."""
    path = folder / "test_2016_flickr.lc.norm.tok.de.gz"
    references = gzip.decompress(path.read_bytes()).decode().splitlines()
    bleu = sacrebleu.BLEU(tokenize="none", force=True)
    return bleu.corpus_score(
        [_tokenize(text) for text in translations], [references]
    ).score


@functools.cache
def _moses():
    return (
        sacremoses.MosesPunctNormalizer("de"),
        sacremoses.MosesTokenizer("de"),
    )


def _tokenize(text):
    normalizer, tokenizer = _moses()
    text = normalizer.normalize(text.lower())
    return tokenizer.tokenize(text, return_str=True)


if __name__ == "__main__":
    main()
