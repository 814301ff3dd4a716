import gzip
import io
import zipfile

import pytest
import tensorflow_datasets as tfds

from s2s_keras.data.tatoeba_translate import TatoebaTranslate
from s2s_keras.data.tatoeba_translate import builder as builder_module

HELD_OUT = {
    "validation": [("Where?", "¿Dónde?")],
    "test": [("Good morning.", "Buenos días."), ("No.", "No.")],
}
TRAIN = [("Yes.", "Sí."), ("I slept.", "No hay pan.")]
# Linked to a held-out pair: by a sentence, and by way of another pair.
LINKED = [("Where is it?", "¿Dónde?"), ("Where is it?", "¿Dónde está?")]


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """Held-out lists of the small corpus in place of the true ones."""
    for split, pairs in HELD_OUT.items():
        lines = map(builder_module.hash_pair, pairs)
        (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    monkeypatch.setattr(builder_module, "_HELD_OUT", tmp_path)


def split_all(*more):
    held_out = [pair for pairs in HELD_OUT.values() for pair in pairs]
    return builder_module.split_pairs([*LINKED, *TRAIN, *held_out[::-1], *more])


def test_held_out_pairs_and_what_is_linked_to_them_are_left_out(lists):
    assert split_all() == {"train": TRAIN, **HELD_OUT}


def test_the_same_word_in_both_languages_is_no_link(lists):
    pair = ("Buenos días.", "Good morning.")
    assert split_all(pair)["train"] == [*TRAIN, pair]


def test_a_corpus_without_the_held_out_pairs_is_refused(lists):
    with pytest.raises(ValueError, match="without 1 of 1"):
        builder_module.split_pairs(TRAIN)


def test_an_archive_is_read():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("spa-eng/spa.txt", "Go.\tVe.\nHi.\tHola.\tCC-BY\n")
    assert builder_module._read_archive(data.getvalue()) == [
        ("Go.", "Ve."),
        ("Hi.", "Hola."),
    ]


@pytest.mark.parametrize("config", ["en_es", "es_en"])
def test_splits_come_from_a_manual_folder(config, tmp_path):
    manual_dir = tmp_path / "manual"
    manual_dir.mkdir()
    for stem in ("train", "valid", "test"):
        for lang in ("en", "es"):
            lines = "".join(f"{lang} {stem} {i}\n" for i in range(2)).encode()
            path = manual_dir / f"{stem}.{lang}.gz"
            path.write_bytes(gzip.compress(lines))
    builder = TatoebaTranslate(config=config, data_dir=tmp_path / "data")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
    )
    source, target = config.split("_")
    for split, stem in (("train", "train"), ("validation", "valid")):
        pairs = builder.as_dataset(split=split, as_supervised=True)
        assert list(pairs.as_numpy_iterator()) == [
            (f"{source} {stem} {i}".encode(), f"{target} {stem} {i}".encode())
            for i in range(2)
        ]


def test_the_description_tells_the_licence_and_whom_to_name():
    description = TatoebaTranslate(config="en_es").info.description
    for words in ("CC BY 2.0 FR", "Tatoeba", "manythings.org/anki"):
        assert words in description


def test_the_lists_split_the_corpus_as_it_was_split(shared_data):
    folder = shared_data / "tatoeba_en_es"
    splits = {
        split: [
            *zip(
                *(
                    builder_module._read_lines(folder / f"{stem}.{lang}.gz")
                    for lang in ("en", "es")
                ),
                strict=True,
            )
        ]
        for split, stem in builder_module._FILE_STEMS.items()
    }
    together = sum(splits.values(), [])
    assert builder_module.split_pairs(together) == splits
