"""What a run that was killed goes on from."""

import json
import pathlib

import keras

from s2s_keras.training.log import BACKUP
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


class Patience(keras.callbacks.EarlyStopping):
    """Stops as `EarlyStopping`, with the epochs of before counted in.

    Args:
        patience: Integer. Epochs without a better validation BLEU.
        run_dir: Folder of the run, with the log of these epochs.
    """

    def __init__(self, patience, run_dir):
        super().__init__(monitor="val_bleu", mode="max", patience=patience)
        self.run_dir = run_dir

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for row in read_rows(self.run_dir):
            scores = {self.monitor: float(row[self.monitor])}
            self.on_epoch_end(int(row["epoch"]), scores)


def is_over(settings, run_dir):
    """Whether a run has had all epochs, or those that its patience allows."""
    scores = [float(row["val_bleu"]) for row in read_rows(run_dir)]
    if not scores:
        return False
    waited = len(scores) - 1 - scores.index(max(scores))
    all_of_them = len(scores) >= settings.epochs
    return all_of_them or waited >= max(1, settings.patience)
