import csv

import keras
import numpy as np
import pytest

from s2s_keras.training.resuming import Backup
from s2s_keras.training.resuming import BestWeights
from s2s_keras.training.resuming import Patience
from s2s_keras.training.resuming import count_saved
from s2s_keras.training.resuming import forget_unsaved
from s2s_keras.training.resuming import is_over
from s2s_keras.training.settings import Settings


class Logs(keras.callbacks.Callback):
    """Logs one BLEU an epoch, and is killed before or after it logs one."""

    def __init__(self, path, scores, killed_at=None, logged=False):
        super().__init__()
        self.path, self.scores = path, scores
        self.killed_at, self.logged = killed_at, logged

    def on_epoch_end(self, epoch, logs=None):
        if epoch != self.killed_at or self.logged:
            logs |= {"val_bleu": self.scores[epoch], "val_loss": 1.0}
            append(self.path, epoch, self.scores[epoch])
        if epoch == self.killed_at:
            raise KeyboardInterrupt


def append(path, epoch, score, loss=1.0):
    is_new = not path.exists()
    with path.open("a") as log:
        writer = csv.writer(log)
        if is_new:
            writer.writerow(["epoch", "val_bleu", "val_loss"])
        writer.writerow([epoch, score, loss])


def epochs_of(path):
    with path.open() as log:
        return [int(row["epoch"]) for row in csv.DictReader(log)]


def fit(run_dir, scores, killed_at=None, patience=9, ema=False, logged=False):
    forget_unsaved(run_dir)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.1, use_ema=ema)
    model.compile(optimizer, "mse", run_eagerly=True)
    averaging = [keras.callbacks.SwapEMAWeights(True)] if ema else []
    model.fit(
        np.ones((8, 2)),
        np.ones((8, 1)),
        epochs=len(scores),
        initial_epoch=count_saved(run_dir),
        verbose=0,
        callbacks=[
            *averaging,
            Backup(run_dir),
            Logs(run_dir / "log.csv", scores, killed_at, logged),
            Patience(patience, run_dir),
        ],
    )
    return model.get_weights()


@pytest.mark.parametrize("ema", [False, True])
@pytest.mark.parametrize(
    "killed_at",
    [*(pytest.param(epoch, marks=pytest.mark.slow) for epoch in (0, 1)), 2],
)
def test_an_epoch_that_was_not_scored_comes_again(tmp_path, killed_at, ema):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = fit(tmp_path / "whole", [1, 2, 3], ema=ema)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "killed", [1, 2, 3], killed_at, ema=ema)
    found = fit(tmp_path / "killed", [1, 2, 3], ema=ema)
    assert epochs_of(tmp_path / "killed" / "log.csv") == [0, 1, 2]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    "killed_at",
    [*(pytest.param(epoch, marks=pytest.mark.slow) for epoch in (None, 2)), 3],
)
def test_patience_outlives_the_run(tmp_path, killed_at):
    scores = [5, 4, 3, 2, 1, 0, 0, 0]
    if killed_at:
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path, scores, killed_at, patience=3)
    fit(tmp_path, scores, patience=3)
    assert epochs_of(tmp_path / "log.csv") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], False),
        ([1], False),
        ([3, 2], False),
        ([3, 2, 1], True),
        ([1, 2, 3, 4], False),
        ([1, 2, 3, 4, 5], True),
    ],
)
def test_a_run_is_over_when_epochs_or_patience_are(tmp_path, scores, expected):
    for epoch, score in enumerate(scores):
        append(tmp_path / "log.csv", epoch, score)
    assert is_over(Settings(epochs=5, patience=2), tmp_path) == expected


@pytest.mark.parametrize(
    ("losses", "expected"),
    [([6, 5, 4], False), ([6, 5, 5], False), ([6, 6, 7], True)],
)
def test_a_smaller_loss_is_worth_waiting_for(tmp_path, losses, expected):
    for epoch, loss in enumerate(losses):
        append(tmp_path / "log.csv", epoch, [0.2, 0, 0][epoch], loss)
    assert is_over(Settings(epochs=5, patience=2), tmp_path) == expected


@pytest.mark.parametrize(
    "killed_at", [pytest.param(0, marks=pytest.mark.slow), 2]
)
def test_an_epoch_that_was_logged_but_not_saved_counts_once(
    tmp_path, killed_at
):
    scores = [5, 4, 3, 2, 1, 0]
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, scores, killed_at, patience=3, logged=True)
    assert epochs_of(tmp_path / "log.csv") == list(range(killed_at + 1))
    fit(tmp_path, scores, patience=3)
    assert epochs_of(tmp_path / "log.csv") == [0, 1, 2, 3]


def test_the_best_weights_are_there_whole_or_not_at_all(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    best, kept = BestWeights(tmp_path), []
    best.set_model(model)
    epochs = [
        (0.0, 9.0),
        (0.0, 8.0),
        (5.0, 8.5),
        (4.0, 7.0),
        (5.0, 8.5),
        (6, 9),
    ]
    for epoch, (bleu, loss) in enumerate(epochs):
        model.set_weights([weight + 1 for weight in model.get_weights()])
        best.on_epoch_end(epoch, {"val_bleu": bleu, "val_loss": loss})
        append(tmp_path / "log.csv", epoch, bleu, loss)
        kept.append((tmp_path / "best.weights.h5").read_bytes())
    assert kept[2] == kept[3] == kept[4] and len(set(kept)) == 4

    def be_killed(path):
        path.write_bytes(b"cut")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save_weights", be_killed)
    with pytest.raises(KeyboardInterrupt):
        best.on_epoch_end(6, {"val_bleu": 7.0, "val_loss": 1.0})
    assert (tmp_path / "best.weights.h5").read_bytes() == kept[-1]
    monkeypatch.undo()
    best.on_epoch_end(6, {"val_bleu": 7.0, "val_loss": 1.0})
    assert {path.name for path in tmp_path.iterdir()} == {
        *("best.weights.h5", "log.csv"),
    }


def test_a_resumed_run_forgets_what_was_logged_but_not_saved(tmp_path):
    log, backup = tmp_path / "log.csv", tmp_path / "backup"
    for epoch in (0, 1, 2):
        append(log, epoch, 1)
    backup.mkdir()
    (backup / "2.weights.h5").touch()
    (backup / "new.weights.h5").write_text("half of it")
    forget_unsaved(tmp_path)
    assert epochs_of(log) == [0, 1]
    (backup / "2.weights.h5").unlink()
    forget_unsaved(tmp_path)
    assert epochs_of(log) == []


def test_a_run_that_is_killed_while_it_saves_goes_on(tmp_path, monkeypatch):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = fit(tmp_path / "whole", [1, 2, 3])
    save_weights = keras.Model.save_weights

    def be_killed(model, path):
        save_weights(model, path)
        if model.optimizer.iterations.numpy() == 2:
            path.write_bytes(path.read_bytes()[:100])
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "save_weights", be_killed)
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path / "killed", [1, 2, 3])
    assert count_saved(tmp_path / "killed") == 1
    found = fit(tmp_path / "killed", [1, 2, 3])
    assert epochs_of(tmp_path / "killed" / "log.csv") == [0, 1, 2]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    files = {path.name for path in (tmp_path / "killed" / "backup").iterdir()}
    assert files == {"2.weights.h5"}
