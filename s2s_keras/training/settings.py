"""Everything that decides what a training run does, as one record."""

import dataclasses
import json
import pathlib

import keras

from s2s_keras.models.architecture import AT_LEAST_0
from s2s_keras.models.architecture import AT_LEAST_1
from s2s_keras.models.architecture import SHARE
from s2s_keras.models.architecture import Architecture
from s2s_keras.models.architecture import option
from s2s_keras.presets import PRESETS

SHARED_WITH_TEACHERS = (
    "dataset",
    "source",
    "target",
    "split",
    "validation_split",
    "test_split",
    "data_dir",
    "manual_dir",
    "dtype",
    "jit_compile",
)


@dataclasses.dataclass(frozen=True)
class Settings(Architecture):
    """Settings of a training run: what to build, and how to train it.

    Each is an option of `s2s-keras train`.

    The defaults suit some ten thousand real sentence pairs; `SYNTHETIC` suits
    the synthetic set that comes with the package.
    """

    dataset: str = option(
        "clause_grammar/en_de",
        "TFDS name, a .tsv path or two comma-separated paths; paths may hold "
        "{split}.",
    )
    source: str | None = option(None, "Source language of a TFDS set.")
    target: str | None = option(None, "Target language of a TFDS set.")
    split: str = option("train", "Split to train on.")
    validation_split: str = option("validation", "Split to choose by.")
    test_split: str = option("test", "Split to score at the end.")
    data_dir: str | None = option(None, "Where TFDS keeps prepared sets.")
    manual_dir: str | None = option(None, "Folder of downloaded files.")

    tokenizer: str = option(
        "unigram", "SentencePiece kind.", ("unigram", "bpe")
    )
    vocabulary_size: int = option(
        8000, "Pieces of a vocabulary, at most.", bounds=AT_LEAST_1
    )

    subword_sampling: float = option(
        0.0,
        "Subword regularisation: alpha at which pieces are drawn; 0 takes the "
        "best.",
        bounds=AT_LEAST_0,
    )
    noise: float = option(
        0.0,
        "Share of pairs joined, in capitals, with other names and numbers, "
        "misspelt, uncapitalised, unaccented or unpunctuated.",
        bounds=SHARE,
    )

    teacher: str | None = option(
        None,
        "Model whose translations of the training split are learned from, too; "
        "with --teachers, a preset; '' for none where a preset has one.",
    )
    teachers: int = option(
        0,
        "Models of the preset --teacher that are trained first, to translate "
        "together.",
        bounds=AT_LEAST_0,
    )
    least_score: float | None = option(
        None,
        "Score below which a translation of the teacher is not learned from; "
        "the pair itself comes twice.",
    )

    epochs: int = option(
        8, "Passes over the training split.", bounds=AT_LEAST_1
    )
    tokens_per_batch: int = option(
        1200,
        "Pairs of a batch times its longest side in tokens.",
        bounds=AT_LEAST_1,
    )
    learning_rate: float = option(
        4e-3, "Peak of the cosine schedule.", bounds=AT_LEAST_0
    )
    warmup_steps: int = option(
        300, "Steps to reach the peak.", bounds=AT_LEAST_0
    )
    label_smoothing: float = option(
        0.1, "Probability spread evenly.", bounds=SHARE
    )
    consistency: float = option(
        0.0,
        "Strength of the pull between two readings of each sentence, under "
        "different dropout.",
        bounds=AT_LEAST_0,
    )
    sampling_rate: float = option(
        0.0,
        "Share of known tokens replaced by own predictions in the last epoch; "
        "grows from 0.",
        bounds=SHARE,
    )
    ema_momentum: float = option(
        0.0, "Momentum of averaged weights; 0 does not average.", bounds=SHARE
    )
    jit_compile: bool = option(
        False,
        "Compile with XLA, for GPUs; batches are padded to few shapes.",
    )
    patience: int = option(
        5,
        "Epochs without a better validation BLEU or loss before stopping.",
        bounds=AT_LEAST_0,
    )
    max_len: int = option(
        100,
        "Pairs with more tokens on a side are not learned from, nor do they "
        "count in the validation loss.",
        bounds=AT_LEAST_1,
    )
    seed: int = option(0, "Seed of weights, dropout and order.")

    num_beams: int = option(
        5, "Width of the beam after training.", bounds=AT_LEAST_1
    )
    length_penalty: float = option(
        1.0, "Strength of the length penalty.", bounds=AT_LEAST_0
    )

    def __post_init__(self):
        super().__post_init__()
        if self.teachers and self.teacher not in PRESETS:
            raise ValueError(
                "`teachers` needs a `teacher` that is a preset, one of "
                f"{list(PRESETS)}; a model that is there teaches with "
                f"`teachers` 0. Received: teacher={self.teacher!r}, "
                f"teachers={self.teachers}"
            )
        if self.least_score is not None and not self.teacher:
            raise ValueError(
                "`least_score` chooses among a teacher's translations, and "
                f"there is no `teacher`. Received: {self.least_score}"
            )
        dropouts = self.dropout, self.recurrent_dropout, self.word_dropout
        if self.consistency and not any(dropouts):
            raise ValueError(
                "`consistency` needs a dropout that tells two readings apart. "
                f"Received: consistency={self.consistency}, dropout=0, "
                "recurrent_dropout=0, word_dropout=0"
            )
        if keras.dtype_policies.get(self.dtype).variable_dtype == "float16":
            raise ValueError(
                "`dtype` should have weights that small updates change, as in "
                f"'mixed_float16'. Received: dtype={self.dtype!r}"
            )

    @classmethod
    def from_preset(cls, name):
        """The settings of a preset, by its name."""
        preset = PRESETS[name]
        return cls(**preset["architecture"], **preset["training"])

    def of_teacher(self, number):
        """The settings of a teacher that is trained for this run.

        It is made as its preset says, of the data and in the types of this run.

        Args:
            number: Integer below `teachers`.

        Returns:
            `Settings`.
        """
        shared = {name: getattr(self, name) for name in SHARED_WITH_TEACHERS}
        seed = self.teachers * self.seed + number
        preset = Settings.from_preset(self.teacher)
        return dataclasses.replace(preset, **shared, seed=seed)

    def save(self, path):
        """Writes the settings as JSON."""
        text = json.dumps(dataclasses.asdict(self), indent=2)
        pathlib.Path(path).write_text(text + "\n")

    @classmethod
    def load(cls, path):
        """Reads settings that `save` wrote."""
        return cls(**json.loads(pathlib.Path(path).read_text()))


SYNTHETIC = Settings(
    split="train[:35%]",
    vocabulary_size=1500,
    embedding_dim=128,
    units=128,
    dropout=0.0,
    epochs=1,
    tokens_per_batch=1280,
    learning_rate=0.01,
    warmup_steps=100,
)
