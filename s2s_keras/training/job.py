"""The main job: read, tokenize, build, fit, score, save, export."""

import math
import pathlib
import shutil
import sys
import time
from typing import Any
from typing import NamedTuple

import keras
import tensorflow as tf

from s2s_keras.data.batching import make_batches
from s2s_keras.data.batching import tokenize_pairs
from s2s_keras.data.corpora import load_some
from s2s_keras.data.variation import Variation
from s2s_keras.models.ensemble import make_ensemble
from s2s_keras.models.text_translator import TextTranslator
from s2s_keras.models.translator import Translator
from s2s_keras.presets import MODEL
from s2s_keras.progress import status
from s2s_keras.text.normalization import normalize_text
from s2s_keras.text.tokenizer import SentencePieceTokenizer
from s2s_keras.threads import count_cores
from s2s_keras.training.distillation import add_translations
from s2s_keras.training.evaluation import TranslationScore
from s2s_keras.training.log import BACKUP
from s2s_keras.training.log import BEST
from s2s_keras.training.log import LOG
from s2s_keras.training.log import SETTINGS
from s2s_keras.training.log import TAUGHT
from s2s_keras.training.log import TEACHERS
from s2s_keras.training.log import read_rows
from s2s_keras.training.losses import TokenCrossEntropy
from s2s_keras.training.metrics import Perplexity
from s2s_keras.training.metrics import TokenAccuracy
from s2s_keras.training.optimizers import FusedAdam
from s2s_keras.training.pictures import EpochPictures
from s2s_keras.training.resuming import Backup
from s2s_keras.training.resuming import BestWeights
from s2s_keras.training.resuming import Patience
from s2s_keras.training.resuming import count_saved
from s2s_keras.training.resuming import forget_unsaved
from s2s_keras.training.resuming import is_over
from s2s_keras.training.sampling import ScheduledSampling
from s2s_keras.training.settings import Settings
from s2s_keras.training.side_by_side import OUTPUT
from s2s_keras.training.side_by_side import train_side_by_side

COMPILED_SHAPES = 8  # of training and of validation batches
MOST_VARIANTS = 8  # of the corpus that are kept in memory
NUM_SAMPLES = 3  # sentences of which pictures are made


class Corpora(NamedTuple):
    """The three datasets of (source_text, target_text) of a run."""

    train: Any
    validation: Any
    test: Any


def load_split(settings, split):
    """Loads one split of a run's data set."""
    return load_some(
        settings.dataset,
        split,
        source=settings.source,
        target=settings.target,
        data_dir=settings.data_dir,
        manual_dir=settings.manual_dir,
    )


def load_corpora(settings):
    """Loads a run's three splits."""
    return Corpora(
        load_split(settings, settings.split),
        load_split(settings, settings.validation_split),
        load_split(settings, settings.test_split),
    )


def train_tokenizers(settings, pairs):
    """Trains the source and the target tokenizer, one for both if joint."""
    sides = _read_sides(pairs)
    if settings.joint_vocabulary:
        sides = [sides[0] + sides[1]]
    with status("Learning the vocabulary"):
        tokenizers = [
            SentencePieceTokenizer.train(
                texts, settings.vocabulary_size, settings.tokenizer, name=name
            )
            for texts, name in zip(
                sides, ("source_tokenizer", "target_tokenizer"), strict=False
            )
        ]
    return tokenizers[0], tokenizers[-1]


def _read_sides(pairs):
    """Normalised source and target texts, two lists of strings."""
    batches = pairs.batch(1024).map(
        lambda *sides: [normalize_text(side) for side in sides]
    )
    sides = [], []
    for batch in batches.as_numpy_iterator():
        for side, texts in zip(sides, batch, strict=True):
            side.extend(text.decode() for text in texts)
    return sides


def compile_translator(translator, settings, steps):
    """Compiles for `steps` updates of warm-up and cosine decay."""
    warmup_steps = min(settings.warmup_steps, steps // 2)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup_steps),
        alpha=0.02,
        warmup_target=settings.learning_rate,
        warmup_steps=warmup_steps,
    )
    translator.compile(
        optimizer=FusedAdam(
            schedule,
            beta_2=0.98,
            global_clipnorm=1.0,
            use_ema=settings.ema_momentum > 0,
            ema_momentum=settings.ema_momentum or 0.99,
        ),
        loss=TokenCrossEntropy(settings.label_smoothing, settings.consistency),
        weighted_metrics=[TokenAccuracy(), Perplexity()],
        jit_compile=settings.jit_compile,
    )


def make_callbacks(settings, run_dir, text_translator, validation_pairs):
    """Resuming, scoring, choosing the best epoch, stopping, logging."""
    run_dir = pathlib.Path(run_dir)
    averaging = []
    if settings.ema_momentum:
        averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    sampling = []
    if settings.sampling_rate:
        last = settings.epochs - 1
        sampling = [
            ScheduledSampling(
                lambda epoch: (
                    settings.sampling_rate * (epoch / last if last else 1)
                )
            )
        ]
    return [
        *sampling,
        *averaging,
        Backup(run_dir),
        NoDivergence(),
        TranslationScore(text_translator, validation_pairs),
        CpuMinutes(),
        BestWeights(run_dir),
        Patience(settings.patience, run_dir),
        keras.callbacks.CSVLogger(run_dir / LOG, append=True),
        EpochPictures(
            text_translator, validation_pairs.take(NUM_SAMPLES), run_dir
        ),
        keras.callbacks.TensorBoard(run_dir / "tensorboard"),
    ]


class NoDivergence(keras.callbacks.Callback):
    """Ends a run that has nothing left to learn with.

    `TerminateOnNaN` does not see what the last update did to validation.
    """

    def on_epoch_end(self, epoch, logs=None):
        losses = logs["loss"], logs["val_loss"]
        if not all(map(math.isfinite, losses)):
            raise ValueError(
                "Losses should be finite; a smaller --learning-rate helps. "
                f"Received: {losses} in epoch {epoch + 1}"
            )


class CpuMinutes(keras.callbacks.Callback):
    """Logs the processor time of each epoch, its validation included."""

    def on_train_begin(self, logs=None):
        self.since = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        now = time.process_time()
        logs["cpu_minutes"] = (now - self.since) / 60
        self.since = now


def train(settings, corpora, run_dir):
    """Trains a model as the settings say, and gives the best one back.

    A run that was killed goes on from its last whole epoch when it is started
    again with the same settings and folder. Where there are several GPUs, each
    takes its share of every batch. Teachers that have to be trained come first,
    in folders of their own in the run's `teachers`.

    Args:
        settings: `Settings`.
        corpora: `Corpora`.
        run_dir: Existing folder for backups, logs and the best weights.

    Returns:
        The trained `TextTranslator`.
    """
    train_pairs = _training_pairs(settings, corpora, run_dir)
    keras.utils.set_random_seed(settings.seed)
    tokenizers = train_tokenizers(settings, corpora.train)
    if not is_over(settings, run_dir):
        _fit(settings, tokenizers, train_pairs, corpora.validation, run_dir)
    best = _build(settings, tokenizers)
    best.load_weights(pathlib.Path(run_dir, BEST))
    return _with_text(settings, best, tokenizers)


def _fit(settings, tokenizers, train_pairs, validation_pairs, run_dir):
    """Trains the epochs that the run has not had yet."""
    forget_unsaved(run_dir)
    order = settings.seed + len(read_rows(run_dir))
    strategy = _distribution()
    train_batches, validation_batches = (
        make_batches(
            tokenize_pairs(
                pairs,
                *tokenizers,
                settings.max_len,
                settings.max_len,
                variation,
            ),
            tokens_per_batch=settings.tokens_per_batch,
            shuffle_seed=seed,
            num_devices=strategy.num_replicas_in_sync,
            num_copies=2 if settings.consistency else 1,
            num_shapes=COMPILED_SHAPES if settings.jit_compile else None,
        )
        for pairs, seed, variation in (
            (train_pairs, order, _variation(settings)),
            (validation_pairs, None, None),
        )
    )
    with strategy.scope():
        translator = _build(settings, tokenizers)
        compile_translator(
            translator, settings, settings.epochs * len(train_batches)
        )
    translator.summary()
    translator.fit(
        train_batches,
        validation_data=validation_batches,
        epochs=settings.epochs,
        initial_epoch=count_saved(run_dir),
        shuffle=False,  # the batches come shuffled
        verbose="auto" if sys.stdout.isatty() else 2,
        callbacks=make_callbacks(
            settings,
            run_dir,
            _with_text(settings, translator, tokenizers),
            validation_pairs,
        ),
    )


def _training_pairs(settings, corpora, run_dir):
    """The training split, and what a teacher makes of it where there is one."""
    if not settings.teacher:
        return corpora.train
    return add_translations(
        corpora.train,
        lambda: _find_teacher(settings, corpora, run_dir),
        pathlib.Path(run_dir, TAUGHT),
        settings.least_score,
    )


def _find_teacher(settings, corpora, run_dir):
    """Loads the model that teaches, or trains the ones that do together."""
    if not settings.teachers:
        return TextTranslator.from_preset(settings.teacher)
    folders = [
        pathlib.Path(run_dir, TEACHERS, str(number))
        for number in range(settings.teachers)
    ]
    waiting = []
    for number, folder in enumerate(folders):
        if not (folder / MODEL).exists():
            folder.mkdir(parents=True, exist_ok=True)
            settings.of_teacher(number).save(folder / SETTINGS)
            waiting.append(folder)
    _train_all(waiting, corpora)
    return make_ensemble(list(map(TextTranslator.from_preset, folders)))


def _train_all(run_dirs, corpora):
    """Side by side, where there are several cores, and no GPU to fight for."""
    one_by_one = tf.config.list_physical_devices("GPU") or count_cores() == 1
    if len(run_dirs) > 1 and not one_by_one:
        outputs = run_dirs[0].parent / "*" / OUTPUT
        print(f"Teachers learn side by side: see {outputs}", flush=True)
        train_side_by_side(run_dirs)
    else:
        for run_dir in run_dirs:
            print(f"A teacher learns in {run_dir}", flush=True)
            train_alone(run_dir, corpora)


def train_alone(run_dir, corpora=None):
    """Trains the run that is set up in a folder, and saves the model there.

    Args:
        run_dir: Folder with the settings, as `Settings.save` writes them.
        corpora: `Corpora`, or `None` to load those of the settings.
    """
    settings = Settings.load(run_dir / SETTINGS)
    corpora = corpora or load_corpora(settings)
    train(settings, corpora, run_dir).save_to_preset(run_dir)
    shutil.rmtree(run_dir / BACKUP, ignore_errors=True)


def _variation(settings):
    if not (settings.subword_sampling or settings.noise):
        return None
    return Variation(
        min(settings.epochs, MOST_VARIANTS),
        settings.subword_sampling,
        settings.noise,
        settings.seed,
    )


def _distribution():
    """The caller's strategy, or all GPUs where there are several."""
    strategy = tf.distribute.get_strategy()
    several = len(tf.config.list_logical_devices("GPU")) > 1
    if several and not tf.distribute.has_strategy():
        strategy = tf.distribute.MirroredStrategy()
    return strategy


def _build(settings, tokenizers):
    return Translator.from_architecture(
        settings, *(tokenizer.vocabulary_size for tokenizer in tokenizers)
    )


def _with_text(settings, translator, tokenizers):
    text_translator = TextTranslator(
        translator,
        *tokenizers,
        num_beams=settings.num_beams,
        length_penalty=settings.length_penalty,
        name="text_translator",
    )
    # Sentences that are learned from are translated whole.
    text_translator.max_source_len = max(
        text_translator.max_source_len, settings.max_len
    )
    return text_translator
