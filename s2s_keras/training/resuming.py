"""What a run that was killed goes on from."""

import json
import math
import os
import pathlib

import keras

from s2s_keras.training.log import BACKUP
from s2s_keras.training.log import BEST
from s2s_keras.training.log import LOG
from s2s_keras.training.log import read_rows


def forget_unsaved(run_dir):
    """Takes those epochs out of a run's log that its backup does not have.

    A run that was killed before it saved what it had logged trains it again.
    A first backup that was not finished is removed.
    """
    log = pathlib.Path(run_dir, LOG)
    saved = pathlib.Path(run_dir, BACKUP, "training_metadata.json")
    if log.exists():
        epochs = json.loads(saved.read_text())["epoch"] if saved.exists() else 0
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[: 1 + epochs]))
    if not saved.exists():
        saved.with_name("latest.weights.h5").unlink(missing_ok=True)


class Backup(keras.callbacks.BackupAndRestore):
    """Saves an epoch when the next one begins: it is scored and logged then.

    It comes behind `SwapEMAWeights`, which puts the weights back that are
    trained.

    Args:
        folder: Where the last two states are kept.
    """

    def __init__(self, folder):
        super().__init__(
            folder, double_checkpoint=True, delete_checkpoint=False
        )

    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            super().on_epoch_end(epoch - 1)

    def on_epoch_end(self, epoch, logs=None):
        """Saves nothing yet."""


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights of the epoch with the best validation BLEU.

    A run that is killed while it writes them has those of before.

    Args:
        run_dir: Folder of the run, with the log of the epochs before.
    """

    def __init__(self, run_dir):
        super().__init__()
        self.run_dir = pathlib.Path(run_dir)

    def on_epoch_end(self, epoch, logs=None):
        before = [float(row["val_bleu"]) for row in read_rows(self.run_dir)]
        if logs["val_bleu"] > max(before, default=-math.inf):
            new = self.run_dir / f"new.{BEST}"
            self.model.save_weights(new)
            os.replace(new, self.run_dir / BEST)


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


def _is_out_of_patience(patience, rows):
    best_bleu, best_loss, waited = -math.inf, math.inf, 0
    for row in rows:
        bleu, loss = float(row["val_bleu"]), float(row.get("val_loss", "inf"))
        better = bleu > best_bleu or loss < best_loss
        waited = 0 if better else waited + 1
        best_bleu, best_loss = max(best_bleu, bleu), min(best_loss, loss)
    return waited >= max(1, patience)
