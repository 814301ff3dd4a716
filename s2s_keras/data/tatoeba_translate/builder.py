"""Builder of Tatoeba's English and Spanish sentences."""

import gzip
import hashlib
import io
import pathlib
import zipfile

import tensorflow_datasets as tfds

_URL = (
    "https://raw.githubusercontent.com/Hoangduc212001/hoang/"
    "2cfd26f9551f5c2d614e8000500891801840a438/spa-eng.zip"
)
_MEMBER = "spa-eng/spa.txt"
_HELD_OUT = pathlib.Path(__file__).parent
_FILE_STEMS = {"train": "train", "validation": "valid", "test": "test"}

_DESCRIPTION = """
Everyday sentences and their translations, written by the volunteers of Tatoeba
and paired by manythings.org/anki: the 118,964 pairs, of May 2018, of
TensorFlow's tutorials. No sentence of a split, in either language, occurs in
another one.

CC BY 2.0 FR; to be attributed to Tatoeba (tatoeba.org).
"""

_CITATION = """
@misc{tatoeba,
  title = "Tatoeba: a collection of sentences and translations",
  url = "https://tatoeba.org",
  note = "Selected by https://www.manythings.org/anki"
}
"""


class TatoebaTranslate(tfds.core.GeneratorBasedBuilder):
    """Tatoeba's English and Spanish sentences, of TensorFlow's tutorials.

    The configurations are `en_es` and `es_en`; the splits are `train`,
    `validation` and `test`. Held-out pairs are listed by their hashes; what
    has a sentence in common with them, even by way of other pairs, is left out
    of `train`.

    Without network, pass a folder with `spa-eng.zip`, or with the splits as
    `train.en.gz`, `train.es.gz`, `valid.en.gz` and so on, as
    `tfds.download.DownloadConfig(manual_dir=...)`.

    Example:

    >>> from s2s_keras.data.tatoeba_translate import TatoebaTranslate
    >>> builder = TatoebaTranslate(config="en_es")
    >>> builder.download_and_prepare()
    >>> train = builder.as_dataset(split="train", as_supervised=True)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=name) for name in ("en_es", "es_en")
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Optional, where there is no network: spa-eng.zip, or its splits."
    )

    def _info(self):
        languages = tuple(self.builder_config.name.split("_"))
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.Translation(languages=languages),
            supervised_keys=languages,
            homepage="https://www.manythings.org/anki",
            citation=_CITATION,
            license="CC BY 2.0 FR",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        splits = _read_split_files(dl_manager)
        if splits is None:
            path = pathlib.Path(dl_manager.download(_URL))
            splits = split_pairs(_read_archive(path.read_bytes()))
        return {
            split: self._generate_examples(pairs)
            for split, pairs in splits.items()
        }

    def _generate_examples(self, pairs):
        for index, (english, spanish) in enumerate(pairs):
            yield index, {"en": english, "es": spanish}


def _read_split_files(dl_manager):
    """Reads splits from the manual folder, or gives `None`."""
    try:
        folder = dl_manager.manual_dir
    except AssertionError:  # TFDS says so where the folder is absent or empty.
        return None
    files = {
        split: [folder / f"{stem}.{lang}.gz" for lang in ("en", "es")]
        for split, stem in _FILE_STEMS.items()
    }
    if not all(path.exists() for paths in files.values() for path in paths):
        return None
    return {
        split: list(zip(*map(_read_lines, paths), strict=True))
        for split, paths in files.items()
    }


def _read_lines(path):
    text = gzip.decompress(path.read_bytes()).decode()
    return text.removesuffix("\n").split("\n")


def _read_archive(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read(_MEMBER).decode()
    rows = [line.split("\t") for line in text.split("\n") if line]
    return [(row[0].strip(), row[1].strip()) for row in rows]


def hash_pair(pair):
    """Ten digits that stand for a pair of texts."""
    return hashlib.sha256("\t".join(pair).encode()).hexdigest()[:10]


def split_pairs(pairs):
    """Splits all pairs as the lists of hashes beside this file say.

    Args:
        pairs: List of pairs of texts.

    Returns:
        A dictionary of lists of pairs.
    """
    found = {hash_pair(pair): pair for pair in pairs}
    splits = {"train": []}
    for split in ("validation", "test"):
        lines = (_HELD_OUT / f"{split}.txt").read_text().split()
        missing = [line for line in lines if line not in found]
        if missing:
            raise ValueError(
                f"The corpus should hold all pairs of {split}. Received: one "
                f"without {len(missing)} of {len(lines)}"
            )
        splits[split] = [found[line] for line in lines]
    held_out = _close(pairs, splits["validation"] + splits["test"])
    splits["train"] = [
        pair for pair in pairs if held_out.isdisjoint(_mark(pair))
    ]
    return splits


def _close(pairs, held_out):
    """All sentences that can be reached from held-out pairs, by pairs."""
    sentences = set().union(*map(_mark, held_out))
    size = 0
    while size < len(sentences):
        size = len(sentences)
        for pair in map(_mark, pairs):
            if not sentences.isdisjoint(pair):
                sentences.update(pair)
    return sentences


def _mark(pair):
    """The sentences of a pair, with their language."""
    return set(zip(("en", "es"), pair, strict=True))
