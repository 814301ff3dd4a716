"""Trains OpenNMT-py's recurrent model, and translates with it.

By its own `onmt_train` and `onmt_translate`.
"""

import json
import pathlib
import re
import subprocess
import sys

from common import SEARCHES
from common import WARM_UP
from common import WINDOW
from common import every
from common import print_report
from common import report_search

BATCH_SIZE = 128
CONFIG = """
save_data: {folder}/opennmt
save_model: {folder}/opennmt
src_vocab: {folder}/source.vocabulary
tgt_vocab: {folder}/target.vocabulary
data:
  corpus:
    path_src: {folder}/source.txt
    path_tgt: {folder}/target.txt
encoder_type: brnn
decoder_type: rnn
rnn_type: GRU
bridge: true
global_attention: mlp
input_feed: {input_feed}
word_vec_size: 256
hidden_size: 512
layers: 1
dropout: [{dropout}]
label_smoothing: 0.1
optim: adam
learning_rate: 0.001
max_grad_norm: 1.0
batch_size: {batch_size}
batch_type: sents
bucket_size: 32768
num_workers: 0
train_steps: {updates}
report_every: {window}
valid_steps: 1000000
save_checkpoint_steps: {save_every}
"""


def main(folder, count, task, variants):
    folder = pathlib.Path(folder)
    if task == "quality":
        print(json.dumps(list(train_epochs(folder, count, variants))))
        return
    output = train(folder, variants, count, save_every=count)
    if task == "training":
        rates = re.findall(r"\d+/ *(\d+) tok/s", output)
        print_report([float(rate) for rate in rates[WARM_UP // WINDOW :]])
    else:
        translate(folder, count)


def train(folder, variants, updates, save_every, dropout=0.0):
    """Trains, saving now and then; gives what was printed."""
    config = folder / "opennmt.yaml"
    config.write_text(
        CONFIG.format(
            folder=folder,
            batch_size=BATCH_SIZE,
            updates=updates,
            window=WINDOW,
            input_feed=int("input_feeding" in variants),
            save_every=save_every,
            dropout=dropout,
        )
    )
    return call("onmt_train", "--config", config)


def train_epochs(folder, epochs, variants):
    """Trains with dropout; gives the minutes and translations of each epoch."""
    num_pairs = len((folder / "source.txt").read_text().split("\n")) - 1
    updates = num_pairs // BATCH_SIZE
    output = train(folder, variants, epochs * updates, updates, dropout=0.3)
    seconds = dict(re.findall(r"Step (\d+)/.* (\d+) sec;", output))
    lines = (folder / "test.txt").read_text().split("\n")[:-1]
    for step in range(updates, epochs * updates + 1, updates):
        target, took = search(folder, step, lines, 64, 5)
        yield {
            "minutes": int(seconds[str(step // WINDOW * WINDOW)]) / 60,
            "translations": join_pieces(target),
            "sentences_per_second": len(lines) / took,
        }


def translate(folder, step):
    sentences = (folder / "test.txt").read_text().splitlines()
    reports = []
    for batch_size, num_beams, count in SEARCHES:
        lines = every(sentences, count)
        target, took = search(folder, step, lines, batch_size, num_beams)
        num_tokens = sum(len(line.split()) + 1 for line in target)
        task = batch_size, num_beams, join_pieces(target)
        reports.append(report_search(*task, num_tokens, took))
    print(json.dumps(reports))


def join_pieces(lines):
    return [line.replace(" ", "").replace("▁", " ").strip() for line in lines]


def search(folder, step, lines, batch_size, num_beams):
    """Translates with the model of a step; gives the lines and the seconds."""
    (folder / "source.part").write_text("\n".join(lines) + "\n")
    output = call(
        *("onmt_translate", "--report_time", "--gpu", "-1"),
        *("--model", folder / f"opennmt_step_{step}.pt"),
        *("--src", folder / "source.part"),
        *("--output", folder / "target.part"),
        *("--batch_size", str(batch_size)),
        *("--beam_size", str(num_beams)),
        *("--length_penalty", "wu", "--alpha", "1.0"),
    )
    took = re.search(r"Total translation time \(s\): (\S+)", output)[1]
    target = (folder / "target.part").read_text().split("\n")[:-1]
    return target, float(took)


def call(program, *arguments):
    """Runs one of the programs beside this python; gives what it printed."""
    result = subprocess.run(
        [sys.executable, pathlib.Path(sys.executable).with_name(program)]
        + list(arguments),
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise RuntimeError(result.stderr)
    return result.stdout + result.stderr


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:])
