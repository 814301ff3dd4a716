"""Everything that decides what a training run does, as one record."""

import dataclasses
import json
import pathlib


def _setting(default, help):
    return dataclasses.field(default=default, metadata={"help": help})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a training run. Each is an option of `s2s-keras train`.

    The defaults suit some ten thousand real sentence pairs; `SYNTHETIC` suits
    the synthetic set that comes with the package.
    """

    dataset: str = _setting(
        "clause_grammar/en_de",
        "TFDS name, a .tsv path or two comma-separated paths; paths may hold "
        "{split}.",
    )
    source: str | None = _setting(None, "Source language of a TFDS set.")
    target: str | None = _setting(None, "Target language of a TFDS set.")
    split: str = _setting("train", "Split to train on.")
    validation_split: str = _setting("validation", "Split to choose by.")
    test_split: str = _setting("test", "Split to score at the end.")
    data_dir: str | None = _setting(None, "Where TFDS keeps prepared sets.")
    manual_dir: str | None = _setting(None, "Folder of downloaded files.")

    tokenizer: str = _setting("unigram", "SentencePiece kind: unigram or bpe.")
    vocabulary_size: int = _setting(4000, "Pieces of a vocabulary, at most.")
    joint_vocabulary: bool = _setting(
        True, "One vocabulary, and one embedding, for both languages."
    )

    cell: str = _setting("gru", "Recurrent cell: gru or lstm.")
    num_layers: int = _setting(1, "Recurrent layers on each side.")
    embedding_dim: int = _setting(192, "Width of the embeddings.")
    units: int = _setting(320, "Width of decoder and memory.")
    dropout: float = _setting(0.15, "Dropped share of activations.")
    tie_embedding: bool = _setting(True, "Project logits by the embedding.")

    epochs: int = _setting(10, "Passes over the training split.")
    tokens_per_batch: int = _setting(1200, "Padded target tokens of a batch.")
    learning_rate: float = _setting(2e-3, "Peak of the cosine schedule.")
    warmup_steps: int = _setting(300, "Steps to reach the peak.")
    label_smoothing: float = _setting(0.1, "Probability spread evenly.")
    ema_momentum: float = _setting(
        0.0, "Momentum of averaged weights; 0 does not average."
    )
    patience: int = _setting(
        5, "Epochs without a better validation BLEU before stopping."
    )
    max_len: int = _setting(100, "Longer training pairs are dropped.")
    dtype: str = _setting("float32", "Keras dtype policy.")
    seed: int = _setting(0, "Seed of weights, dropout and order.")

    num_beams: int = _setting(5, "Width of the beam after training.")
    length_penalty: float = _setting(1.0, "Strength of the length penalty.")

    def save(self, path):
        """Writes the settings as JSON."""
        text = json.dumps(dataclasses.asdict(self), indent=2)
        pathlib.Path(path).write_text(text + "\n")

    @classmethod
    def load(cls, path):
        """Reads settings that `save` wrote."""
        return cls(**json.loads(pathlib.Path(path).read_text()))


SYNTHETIC = Settings(
    split="train[:50%]",
    vocabulary_size=1500,
    embedding_dim=128,
    units=128,
    dropout=0.0,
    epochs=1,
    tokens_per_batch=2048,
    learning_rate=5e-3,
    warmup_steps=100,
)
