"""What a run that was killed goes on from."""

import math
import os
import pathlib

import keras

from s2s_keras.training.log import BACKUP
from s2s_keras.training.log import BEST
from s2s_keras.training.log import LOG
from s2s_keras.training.log import read_rows

WEIGHTS = ".weights.h5"


def count_saved(run_dir):
    """How many epochs a run's backup has."""
    saved = pathlib.Path(run_dir, BACKUP).glob(f"[0-9]*{WEIGHTS}")
    return max((int(path.name.split(".")[0]) for path in saved), default=0)


def forget_unsaved(run_dir):
    """Takes those epochs out of a run's log that its backup does not have.

    A run that was killed before it saved what it had logged trains it again.
    """
    log = pathlib.Path(run_dir, LOG)
    if log.exists():
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[: 1 + count_saved(run_dir)]))


def _save_weights(model, path):
    """Saves a model's weights whole or, when killed, not at all."""
    new = path.with_name(f"new{WEIGHTS}")
    model.save_weights(new)
    os.replace(new, path)


class Backup(keras.callbacks.Callback):
    """Saves an epoch when the next one begins: it is scored and logged then.

    `fit` gets what `count_saved` tells as its `initial_epoch`. Of what Keras's
    `BackupAndRestore` writes, a run that is killed meanwhile may find weights
    and epoch that do not belong together. This one comes behind
    `SwapEMAWeights`, which puts the weights back that are trained.

    Args:
        run_dir: Folder of the run.
    """

    def __init__(self, run_dir):
        super().__init__()
        self.run_dir = run_dir
        self.folder = pathlib.Path(run_dir, BACKUP)

    def on_train_begin(self, logs=None):
        epochs = count_saved(self.run_dir)
        if epochs:
            self.model.optimizer.build(self.model.trainable_variables)
            self.model.load_weights(self.folder / f"{epochs}{WEIGHTS}")

    def on_epoch_begin(self, epoch, logs=None):
        before = count_saved(self.run_dir)
        if epoch > before:
            self.folder.mkdir(exist_ok=True)
            _save_weights(self.model, self.folder / f"{epoch}{WEIGHTS}")
            (self.folder / f"{before}{WEIGHTS}").unlink(missing_ok=True)


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the best validation BLEU.

    Among equals, as where sentences are too short for a BLEU above 0, the
    smallest loss decides. A run that is killed while it writes has the weights
    of before.

    Args:
        run_dir: Folder of the run, with the log of the epochs before.
    """

    def __init__(self, run_dir):
        super().__init__()
        self.run_dir = pathlib.Path(run_dir)

    def on_epoch_end(self, epoch, logs=None):
        before = map(_quality, read_rows(self.run_dir))
        if _quality(logs) > max(before, default=(-math.inf, -math.inf)):
            _save_weights(self.model, self.run_dir / BEST)


class Patience(keras.callbacks.Callback):
    """Stops a run when neither validation BLEU nor loss gets better.

    The loss tells of learning as long as BLEU is that of gibberish. Epochs of
    before the run was killed count.

    Args:
        patience: Integer. Epochs without a better one of either.
        run_dir: Folder of the run, with the log of the epochs before.
    """

    def __init__(self, patience, run_dir):
        super().__init__()
        self.patience = patience
        self.run_dir = run_dir

    def on_epoch_end(self, epoch, logs=None):
        rows = read_rows(self.run_dir)
        before = [row for row in rows if int(row["epoch"]) < epoch]
        if _is_out_of_patience(self.patience, [*before, logs]):
            self.model.stop_training = True


def is_over(settings, run_dir):
    """Whether a run has had all epochs, or those that its patience allows."""
    rows = read_rows(run_dir)
    all_of_them = len(rows) >= settings.epochs
    return all_of_them or _is_out_of_patience(settings.patience, rows)


def _quality(row):
    """What makes an epoch better: its BLEU, then its loss."""
    return float(row["val_bleu"]), -float(row["val_loss"])


def _is_out_of_patience(patience, rows):
    best_bleu, best_loss, waited = -math.inf, math.inf, 0
    for row in rows:
        bleu, loss = float(row["val_bleu"]), float(row["val_loss"])
        better = bleu > best_bleu or loss < best_loss
        waited = 0 if better else waited + 1
        best_bleu, best_loss = max(best_bleu, bleu), min(best_loss, loss)
    return waited >= max(1, patience)
