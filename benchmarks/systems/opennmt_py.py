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
dropout: [0.0]
label_smoothing: 0.1
optim: adam
learning_rate: 0.001
max_grad_norm: 1.0
batch_size: 128
batch_type: sents
bucket_size: 32768
num_workers: 0
train_steps: {updates}
report_every: {window}
valid_steps: 1000000
save_checkpoint_steps: {updates}
"""


def main(folder, updates, task, variants):
    config = pathlib.Path(folder, "opennmt.yaml")
    config.write_text(
        CONFIG.format(
            folder=folder,
            updates=updates,
            window=WINDOW,
            input_feed=int("input_feeding" in variants),
        )
    )
    output = call("onmt_train", "--config", config)
    if task == "training":
        rates = re.findall(r"\d+/ *(\d+) tok/s", output)
        print_report([float(rate) for rate in rates[WARM_UP // WINDOW :]])
    else:
        translate(pathlib.Path(folder), updates)


def translate(folder, updates):
    sentences = (folder / "test.txt").read_text().splitlines()
    reports = []
    for batch_size, num_beams, count in SEARCHES:
        lines = every(sentences, count)
        (folder / "source.part").write_text("\n".join(lines) + "\n")
        output = call(
            *("onmt_translate", "--report_time", "--gpu", "-1"),
            *("--model", folder / f"opennmt_step_{updates}.pt"),
            *("--src", folder / "source.part"),
            *("--output", folder / "target.part"),
            *("--batch_size", str(batch_size)),
            *("--beam_size", str(num_beams)),
            *("--length_penalty", "wu", "--alpha", "1.0"),
        )
        took = float(
            re.search(r"Total translation time \(s\): (\S+)", output)[1]
        )
        target = (folder / "target.part").read_text().split("\n")[:-1]
        num_tokens = sum(len(line.split()) + 1 for line in target)
        reports.append(
            report_search(batch_size, num_beams, len(lines), num_tokens, took)
        )
    print(json.dumps(reports))


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
