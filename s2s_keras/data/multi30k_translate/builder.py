"""Builder of Multi30k, image captions in English, German and French."""

import gzip
import itertools

import tensorflow_datasets as tfds

_BASE_URL = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/"
)

_FILE_STEMS = {
    "train": "train",
    "validation": "val",
    "test": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
    "test_2017_mscoco": "test_2017_mscoco",
}

_DESCRIPTION = """
Captions of images (task 1 of the WMT multimodal translation task), written in
English and translated into German and French. `test` is the test set of 2016.

Multi30k derives from Flickr30k, whose terms allow non-commercial research and
education only; so they do for models trained on these captions.
"""

_LICENSE = "Non-commercial research and education only, as for Flickr30k."

_CITATION = """
@inproceedings{elliott-etal-2016-multi30k,
  title = "{M}ulti30{K}: Multilingual {E}nglish-{G}erman Image Descriptions",
  author = "Elliott, Desmond and Frank, Stella and Sima'an, Khalil
    and Specia, Lucia",
  booktitle = "Proceedings of the 5th Workshop on Vision and Language",
  year = "2016",
  pages = "70--74",
  doi = "10.18653/v1/W16-3210",
}
@inproceedings{elliott-etal-2017-findings,
  title = "Findings of the Second Shared Task on Multimodal Machine
    Translation and Multilingual Image Description",
  author = "Elliott, Desmond and Frank, Stella and Barrault, Lo{\\"i}c
    and Bougares, Fethi and Specia, Lucia",
  booktitle = "Proceedings of the Second Conference on Machine Translation",
  year = "2017",
  pages = "215--233",
  doi = "10.18653/v1/W17-4718",
}
"""


class Multi30kConfig(tfds.core.BuilderConfig):
    """One direction of Multi30k, named after its languages.

    Args:
        language_pair: Source and target language, such as `("en", "de")`.
        **kwargs: Further arguments of `tfds.core.BuilderConfig`.
    """

    def __init__(self, *, language_pair, **kwargs):
        source, target = language_pair
        super().__init__(
            name=f"{source}_{target}",
            description=f"Image captions, from {source} to {target}.",
            **kwargs,
        )
        self.language_pair = language_pair


class Multi30kTranslate(tfds.core.GeneratorBasedBuilder):
    """Image captions in English, German and French (Multi30k, task 1).

    The configurations are `en_de`, `de_en`, `en_fr`, `fr_en`, `de_fr` and
    `fr_de`; the splits are `train`, `validation`, `test` (Flickr, 2016),
    `test_2017_flickr` and `test_2017_mscoco`. Examples keep the order of the
    published files, each line stripped of surrounding white space.

    Without network, pass a folder with the published files (`train.en.gz`,
    `val.en.gz`, `test_2016_flickr.en.gz` and so on) as
    `tfds.download.DownloadConfig(manual_dir=...)`. A folder that holds any
    file of the two languages is taken as the only source: the splits are those
    whose two files it holds, and `train` must be one of them. To add a split
    later, prepare the data set again in another `data_dir`.

    The captions are for non-commercial research and education only.

    Example:

    >>> from s2s_keras.data.multi30k_translate import Multi30kTranslate
    >>> builder = Multi30kTranslate(config="en_de")
    >>> builder.download_and_prepare()
    >>> train = builder.as_dataset(split="train", as_supervised=True)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        Multi30kConfig(language_pair=language_pair)
        for language_pair in itertools.permutations(("en", "de", "fr"), 2)
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Optional, where there is no network: the `.gz` files of "
        "github.com/multi30k/dataset, folder data/task1/raw."
    )

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.Translation(
                languages=self.builder_config.language_pair
            ),
            supervised_keys=self.builder_config.language_pair,
            homepage="https://github.com/multi30k/dataset",
            citation=_CITATION,
            license=_LICENSE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        split_files = self._select_split_files(dl_manager)
        paths = dl_manager.download(
            {
                split: [_BASE_URL + name for name in names]
                for split, names in split_files.items()
            }
        )
        return {
            split: self._generate_examples(*pair)
            for split, pair in paths.items()
        }

    def _generate_examples(self, source_path, target_path):
        source, target = self.builder_config.language_pair
        source_lines = _read_lines(source_path)
        target_lines = _read_lines(target_path)
        for index, (source_text, target_text) in enumerate(
            zip(source_lines, target_lines, strict=True)
        ):
            yield index, {source: source_text, target: target_text}

    def _select_split_files(self, dl_manager):
        """Returns the two file names of each split that can be had."""
        languages = self.builder_config.language_pair
        split_files = {
            split: [f"{stem}.{lang}.gz" for lang in languages]
            for split, stem in _FILE_STEMS.items()
        }
        names = set(itertools.chain.from_iterable(split_files.values()))
        held = names & _manual_file_names(dl_manager)
        if not held:
            return split_files
        if not held.issuperset(split_files["train"]):
            raise FileNotFoundError(
                f"`manual_dir` should hold {split_files['train']} to build "
                f"{self.name}/{self.builder_config.name}. Received: manual_dir="
                f"{str(dl_manager.manual_dir)!r}, which holds {sorted(held)}"
            )
        return {
            split: names
            for split, names in split_files.items()
            if held.issuperset(names)
        }


def _manual_file_names(dl_manager):
    try:
        return {path.name for path in dl_manager.manual_dir.iterdir()}
    except AssertionError:  # TFDS says so where the folder is absent or empty.
        return set()


def _read_lines(path):
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    # `splitlines` would also split at the U+0085 or U+2028 within a line.
    return [line.strip() for line in text.removesuffix("\n").split("\n")]
