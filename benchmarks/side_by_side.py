"""What `training.py` and `translation.py` have in common.

Each system is a program in `systems/`, which runs in a process of its own, with
the same number of threads, on the same sentences cut into the same pieces. It
gets a folder with these, the number of updates it is to train for, and what to
report: "training" or "translation"; OpenNMT-py also the number of epochs and
"quality".
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import click

SYSTEMS = pathlib.Path(__file__).with_name("systems")
VOCABULARY_SIZE = 8000
BATCH_SIZE = 128
# Without this, Intel's library takes a slow path on other makers' processors.
MKL_SHIM = "int mkl_serv_intel_cpu_true(void) { return 1; }"
# What `s2s_keras.keep_freed_memory` sets, for peers, too.
KEEP_FREED_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
    "TF_CPU_ALLOCATOR_USE_BFC": "true",
}


def options(command):
    """The options that both commands take."""
    for option in (
        click.option(
            "--output", help="JSON file; that of the command's name else."
        ),
        click.option(
            "--threads", default=os.cpu_count(), show_default="all cores"
        ),
        click.option("--system", "only", multiple=True, help="These alone."),
        click.option("--peers", help="Python of the peers' environment."),
        click.option("--manual-dir"),
        click.option("--data-dir"),
        click.option(
            "--dataset",
            default="multi30k_translate/en_de",
            show_default=True,
        ),
    ):
        command = option(command)
    return command


def choose(systems, only, peers):
    """The systems that are asked for, or all that can run here."""
    return only or [name for name in systems if peers or not needs_peers(name)]


def needs_peers(system):
    return system.startswith(("opennmt_py", "pytorch"))


def prepare(folder, dataset, num_updates, **places):
    """Writes the same pieces and batches for all systems."""
    import numpy as np

    from s2s_keras import SentencePieceTokenizer
    from s2s_keras import load_corpus
    from s2s_keras import make_batches
    from s2s_keras import tokenize_pairs
    from s2s_keras.training.evaluation import read_pairs

    corpus = load_corpus(dataset, "train", **places)
    sides = dict(zip(("source", "target"), read_pairs(corpus), strict=True))
    tokenizers = {}
    for side, texts in sides.items():
        tokenizer = SentencePieceTokenizer.train(texts, VOCABULARY_SIZE)
        tokenizers[side] = tokenizer
        (folder / f"{side}.model").write_bytes(tokenizer.proto)
        vocabulary = tokenizer.id_to_piece(range(4, tokenizer.vocabulary_size))
        (folder / f"{side}.vocabulary").write_text(
            "".join(
                f"{piece}\t1\n"
                for piece in map(bytes.decode, vocabulary.numpy())
                if len(piece.split()) == 1  # as their reader splits lines
            )
        )
        write_pieces(folder / f"{side}.txt", tokenizer, texts)
    sides = read_pairs(load_corpus(dataset, "test", **places))
    pairs = sorted(zip(*sides, strict=True), key=lambda pair: len(pair[0]))
    test, references = zip(*pairs, strict=True)
    (folder / "test.json").write_text(json.dumps(test))
    (folder / "references.json").write_text(json.dumps(references))
    write_pieces(folder / "test.txt", tokenizers["source"], test)
    batches = make_batches(
        tokenize_pairs(corpus, *tokenizers.values()),
        batch_size=BATCH_SIZE,
        shuffle_seed=0,
    )
    arrays = {}
    for i, batch in enumerate(batches.repeat().take(num_updates)):
        inputs, label_ids, _ = batch
        arrays[f"source_ids_{i}"] = inputs["source_ids"]
        arrays[f"target_ids_{i}"] = inputs["target_ids"]
        arrays[f"label_ids_{i}"] = label_ids
    np.savez(folder / "batches.npz", **arrays)


def write_pieces(path, tokenizer, texts):
    pieces = tokenizer.id_to_piece(tokenizer.tokenize(texts)).to_list()
    lines = [b" ".join(line).decode() for line in pieces]
    path.write_text("\n".join(lines) + "\n")


def run(system, folder, num_updates, task, threads, peers):
    """Runs one system; gives what it reported."""
    name, *variants = system.split("+")
    environment = with_threads(threads)
    if "mkl" in variants:
        environment["LD_PRELOAD"] = build_shim(folder)
    if "keep" in variants:
        environment |= KEEP_FREED_MEMORY
    result = subprocess.run(
        [
            peers if needs_peers(name) else sys.executable,
            SYSTEMS / f"{name}.py",
            *(folder, str(num_updates), task, *variants),
        ],
        capture_output=True,
        text=True,
        env=environment,
    )
    if result.returncode:
        raise click.ClickException(f"{system}:\n{result.stderr[-2000:]}")
    report = json.loads(result.stdout.splitlines()[-1])
    click.echo(f"{system} is done.", err=True)
    return report


def with_threads(threads):
    """The environment in which every system has so many threads."""
    return os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def build_shim(folder):
    source, library = (pathlib.Path(folder, f"shim.{end}") for end in "cs")
    source.write_text(MKL_SHIM)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", library, source], check=True
    )
    return str(library)


def in_folder(function):
    """Calls `function` with a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        return function(pathlib.Path(folder))
