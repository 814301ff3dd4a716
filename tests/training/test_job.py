import csv
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from laws import make_text_translator

from s2s_keras import AttentionDecoder
from s2s_keras import BahdanauAttention
from s2s_keras import Encoder
from s2s_keras import ScheduledSampling
from s2s_keras import TokenAccuracy
from s2s_keras import TokenCrossEntropy
from s2s_keras import Translator
from s2s_keras.cli import main
from s2s_keras.conventions import END_ID
from s2s_keras.conventions import START_ID
from s2s_keras.data.variation import Variation
from s2s_keras.export import serving
from s2s_keras.training import job
from s2s_keras.training.log import read_rows
from s2s_keras.training.settings import Settings

SMALL = {
    "vocabulary_size": 400,
    "embedding_dim": 16,
    "units": 16,
    "epochs": 2,
    "tokens_per_batch": 512,
}


def reversal_data(random, num_pairs, length=6, num_symbols=10):
    """Sequences of symbols and their reversals."""
    symbols = random.integers(4, 4 + num_symbols, (num_pairs, length))
    end = np.full((num_pairs, 1), END_ID)
    source_ids = np.concatenate([symbols, end], axis=1).astype("int32")
    label_ids = np.concatenate([symbols[:, ::-1], end], axis=1).astype("int32")
    start = np.full((num_pairs, 1), START_ID)
    target_ids = np.concatenate([start, label_ids[:, :-1]], axis=1)
    inputs = {"source_ids": source_ids, "target_ids": target_ids}
    return inputs, label_ids


@pytest.mark.slow
def test_learns_to_reverse_a_short_sequence():
    translator = Translator(
        Encoder(14, 32, 32, cell="lstm"),
        AttentionDecoder(14, 32, 64, BahdanauAttention(32), cell="lstm"),
    )
    translator.compile(
        keras.optimizers.Adam(4e-3, global_clipnorm=1.0),
        TokenCrossEntropy(),
        weighted_metrics=[TokenAccuracy()],
    )
    random = np.random.default_rng(0)
    inputs, label_ids = reversal_data(random, 5000)
    translator.fit(inputs, label_ids, batch_size=100, epochs=6, verbose=0)
    inputs, label_ids = reversal_data(random, 500)
    scores = translator.evaluate(inputs, label_ids, verbose=0, return_dict=True)
    assert scores["token_accuracy"] >= 0.99
    found = translator.search(
        inputs["source_ids"], np.full(500, 10, "int32"), num_beams=3
    )
    ids = np.array(found.ids)[:, 0, : label_ids.shape[1]]
    assert (ids == label_ids).all(axis=1).mean() >= 0.95


@pytest.mark.slow
def test_xla_compiles_a_run_of_few_shapes(corpus, tmp_path, monkeypatch):
    asked, make_batches = [], job.make_batches

    def spy(*args, **kwargs):
        asked.append(kwargs["num_shapes"])
        return make_batches(*args, **kwargs)

    monkeypatch.setattr(job, "make_batches", spy)
    changes = {"epochs": 1, "tokens_per_batch": 4096, "jit_compile": True}
    settings = Settings(dataset=corpus, **SMALL | changes)
    text_translator = job.train(settings, job.load_corpora(settings), tmp_path)
    assert len(text_translator.translate(["one two"])) == 1
    assert asked == [job.COMPILED_SHAPES] * 2  # training and validation
    (row,) = read_rows(tmp_path)
    assert 1 < float(row["perplexity"]) < 1000
    assert 1 < float(row["val_perplexity"]) < 1000


def test_only_training_text_varies_and_all_pairs_come_twice(
    corpus, tmp_path, monkeypatch
):
    variations, copies = [], []
    tokenize_pairs, make_batches = job.tokenize_pairs, job.make_batches

    def spy_on_pairs(*args):
        variations.append(args[-1])
        return tokenize_pairs(*args)

    def spy_on_batches(*args, **kwargs):
        copies.append(kwargs["num_copies"])
        if len(copies) == 2:
            raise InterruptedError
        return make_batches(*args, **kwargs)

    monkeypatch.setattr(job, "tokenize_pairs", spy_on_pairs)
    monkeypatch.setattr(job, "make_batches", spy_on_batches)
    changes = {"noise": 0.2, "subword_sampling": 0.3, "consistency": 2.0}
    settings = Settings(dataset=corpus, **SMALL, **changes, seed=5)
    with pytest.raises(InterruptedError):
        job.train(settings, job.load_corpora(settings), tmp_path)
    assert variations == [Variation(2, 0.3, 0.2, 5), None]
    assert copies == [2, 2]
    translator = Translator.from_architecture(settings, 400)
    job.compile_translator(translator, settings, steps=10)
    assert translator.loss.consistency == 2


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_settings_say_whether_xla_compiles(jit_compile):
    settings = Settings(**SMALL, jit_compile=jit_compile)
    translator = Translator.from_architecture(settings, 400)
    job.compile_translator(translator, settings, steps=10)
    assert translator.jit_compile is jit_compile


@pytest.mark.slow
def test_train_gives_the_best_epochs_model(corpus, tmp_path, monkeypatch):
    def keep_the_first(self, epoch, logs=None):
        if epoch == 0:
            self.model.save_weights(self.run_dir / "best.weights.h5")

    monkeypatch.setattr(job.BestWeights, "on_epoch_end", keep_the_first)
    settings = Settings(dataset=corpus, **SMALL)
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    corpora = job.load_corpora(settings)
    text_translator = job.train(settings, corpora, run_dir)
    assert len(text_translator.translate(["one two"])) == 1
    assert corpora.test.cardinality() == 20
    rows = list(csv.DictReader((run_dir / "log.csv").open()))
    assert len(rows) == 2
    assert {"val_bleu", "val_perplexity", "token_accuracy"} <= set(rows[0])
    assert sum(float(row["cpu_minutes"]) for row in rows) > 0
    returned = text_translator.translator.get_weights()
    text_translator.translator.load_weights(run_dir / "best.weights.h5")
    best = text_translator.translator.get_weights()
    for found, expected in zip(returned, best, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert list((run_dir / "tensorboard").rglob("events*"))


@pytest.mark.slow
def test_averaged_weights_are_what_is_kept(corpus, tmp_path):
    kept = []
    for name, momentum in (("plain", 0.0), ("averaged", 0.9)):
        (tmp_path / name).mkdir()
        changes = {"epochs": 1, "ema_momentum": momentum}
        settings = Settings(dataset=corpus, **SMALL | changes)
        model = job.train(settings, job.load_corpora(settings), tmp_path / name)
        kept.append(model.translator.trainable_weights)
    for one, other in zip(*kept, strict=True):
        assert not np.array_equal(one, other), one.path
    plain, averaged = (
        list(csv.DictReader((tmp_path / name / "log.csv").open()))
        for name in ("plain", "averaged")
    )
    # The same updates, looked at through other weights.
    assert plain[0]["loss"] == averaged[0]["loss"]
    assert plain[0]["val_loss"] != averaged[0]["val_loss"]


def test_the_schedule_warms_up_and_decays():
    settings = Settings(learning_rate=0.01, warmup_steps=10)
    translator = Translator(
        Encoder(14, 4, 4), AttentionDecoder(14, 4, 8, BahdanauAttention(4))
    )
    job.compile_translator(translator, settings, steps=100)
    rate = translator.optimizer._learning_rate
    rates = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    assert rates[0] == 0
    assert rates[1] == pytest.approx(0.005)
    assert rates[2] == pytest.approx(0.01, rel=1e-3)
    assert rates[2] > rates[3] > rates[4] > 0


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("joint", [True, False])
def test_builds_what_the_settings_say(corpus, dtype, joint):
    settings = Settings(
        dataset=corpus,
        dtype=dtype,
        joint_vocabulary=joint,
        cell="lstm",
        num_layers=2,
        **SMALL,
    )
    tokenizers = job.train_tokenizers(
        settings, job.load_corpora(settings).train
    )
    assert (tokenizers[0] is tokenizers[1]) == joint
    translator = Translator.from_architecture(
        settings, *(tokenizer.vocabulary_size for tokenizer in tokenizers)
    )
    shared = translator.encoder.embedding is translator.decoder.embedding
    assert shared == joint
    assert len(translator.decoder.stack.cells) == 2
    assert translator.decoder.compute_dtype == dtype.removeprefix("mixed_")


@pytest.mark.parametrize(("max_len", "expected"), [(100, 256), (300, 300)])
def test_what_is_learned_from_is_not_cut(max_len, expected):
    whole = make_text_translator()
    tokenizers = whole.source_tokenizer, whole.target_tokenizer
    text_translator = job._with_text(
        Settings(max_len=max_len), whole.translator, tokenizers
    )
    assert text_translator.max_source_len == expected


def test_sampling_grows_to_the_rate_of_the_settings(tmp_path):
    settings = Settings(sampling_rate=0.4, epochs=5)
    callbacks = job.make_callbacks(settings, tmp_path, None, tf_pairs())
    (sampling,) = [c for c in callbacks if isinstance(c, ScheduledSampling)]
    rates = [sampling.schedule(epoch) for epoch in range(5)]
    np.testing.assert_allclose(rates, [0, 0.1, 0.2, 0.3, 0.4])
    settings = Settings(sampling_rate=0.4, epochs=1)
    sampling, *_ = job.make_callbacks(settings, tmp_path, None, tf_pairs())
    assert sampling.schedule(0) == 0.4
    without = job.make_callbacks(Settings(), tmp_path, None, tf_pairs())
    assert not any(isinstance(c, ScheduledSampling) for c in without)


def tf_pairs():
    return tf.data.Dataset.from_tensors(("one", "two"))


@pytest.mark.slow
def test_a_killed_run_goes_on(corpus, tmp_path, monkeypatch):
    settings = SMALL | {"epochs": 4}
    arguments = [
        *("train", "--name", "killed", "--dataset", corpus),
        *(
            f"--{name.replace('_', '-')}={value}"
            for name, value in settings.items()
        ),
    ]
    log = tmp_path / "runs" / "killed" / "log.csv"
    command = [sys.executable, "-m", "s2s_keras.cli", *arguments]
    with subprocess.Popen(command, cwd=tmp_path) as run:
        while not (log.exists() and len(log.read_text().splitlines()) > 2):
            assert run.poll() is None
            time.sleep(0.1)
        os.kill(run.pid, signal.SIGKILL)
    # The second epoch may have been logged, and not saved yet.
    before = log.read_text().splitlines()[:2]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving, "verify", lambda *_: None)
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1 and "--resume" in refused.output
    result = CliRunner().invoke(main, [*arguments, "--resume"])
    assert result.exit_code == 0, result.output
    after = log.read_text().splitlines()
    assert after[:2] == before  # with the processor time that it took
    assert [int(row["epoch"]) for row in csv.DictReader(after)] == [0, 1, 2, 3]
    assert (tmp_path / "runs" / "killed" / "model.keras").exists()
    assert (tmp_path / "exported" / "killed" / "1").is_dir()
