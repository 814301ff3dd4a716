import gzip
import hashlib
import shutil

import pytest
import tensorflow_datasets as tfds

from s2s_keras.data.multi30k_translate import Multi30kTranslate
from s2s_keras.data.multi30k_translate import builder as builder_module

STEMS = {
    "train": "train",
    "validation": "val",
    "test": "test_2016_flickr",
    "test_2017_flickr": "test_2017_flickr",
    "test_2017_mscoco": "test_2017_mscoco",
}


def write_lines(folder, name, lines):
    data = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    (folder / name).write_bytes(data)


@pytest.fixture
def manual_dir(tmp_path, monkeypatch):
    """Small files in place of the published ones, with their checksums."""
    folder = tmp_path / "manual"
    folder.mkdir()
    for split, stem in STEMS.items():
        for lang in ("en", "de"):
            lines = [f" {lang} {split} {i}\u2028x\x85y " for i in range(3)]
            write_lines(folder, f"{stem}.{lang}.gz", lines)
    url_infos = dict(Multi30kTranslate.url_infos)
    for url, info in url_infos.items():
        path = folder / info.filename
        if path.exists():
            data = path.read_bytes()
            url_infos[url] = type(info)(
                size=len(data),
                checksum=hashlib.sha256(data).hexdigest(),
                filename=info.filename,
            )
    monkeypatch.setattr(Multi30kTranslate, "url_infos", url_infos)
    return folder


def build(config, tmp_path, manual_dir):
    builder = Multi30kTranslate(config=config, data_dir=tmp_path / "data")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
    )
    return builder


def read(builder, split):
    pairs = builder.as_dataset(split=split, as_supervised=True)
    return [
        (source.decode(), target.decode())
        for source, target in pairs.as_numpy_iterator()
    ]


def test_pairs_are_the_stripped_lines_of_both_files_in_order(
    tmp_path, manual_dir
):
    builder = build("de_en", tmp_path, manual_dir)
    for split in STEMS:
        assert read(builder, split) == [
            (f"de {split} {i}\u2028x\x85y", f"en {split} {i}\u2028x\x85y")
            for i in range(3)
        ]


def test_every_direction_has_a_config():
    assert sorted(Multi30kTranslate.builder_configs) == [
        "de_en",
        "de_fr",
        "en_de",
        "en_fr",
        "fr_de",
        "fr_en",
    ]


def test_checksums_lie_beside_the_builder_and_cover_every_file():
    names = {info.filename for info in Multi30kTranslate.url_infos.values()}
    assert names == {
        f"{stem}.{lang}.gz"
        for stem in STEMS.values()
        for lang in ("en", "de", "fr")
    }
    assert all(
        url == builder_module._BASE_URL + info.filename
        for url, info in Multi30kTranslate.url_infos.items()
    )


def test_splits_are_those_of_the_manual_folder(tmp_path, manual_dir):
    (manual_dir / "test_2017_mscoco.de.gz").unlink()
    builder = build("en_de", tmp_path, manual_dir)
    assert set(builder.info.splits) == set(STEMS) - {"test_2017_mscoco"}


@pytest.mark.parametrize(
    "config, names", [("en_de", ["train.de.gz"]), ("en_fr", [])]
)
def test_manual_folder_without_train_is_refused(
    config, names, tmp_path, manual_dir
):
    for name in names:
        (manual_dir / name).unlink()
    with pytest.raises(FileNotFoundError, match="`manual_dir` should hold"):
        build(config, tmp_path, manual_dir)


def test_other_bytes_than_the_published_ones_are_refused(tmp_path, manual_dir):
    write_lines(manual_dir, "train.en.gz", ["changed"])
    with pytest.raises(Exception, match="wrong checksum"):
        build("en_de", tmp_path, manual_dir)


def test_files_of_different_length_are_refused(
    tmp_path, manual_dir, monkeypatch
):
    builder = Multi30kTranslate(config="en_de", data_dir=tmp_path)
    write_lines(manual_dir, "short.gz", ["one"])
    examples = builder._generate_examples(
        manual_dir / "train.en.gz", manual_dir / "short.gz"
    )
    with pytest.raises(ValueError, match="shorter"):
        list(examples)


def test_description_states_the_licence():
    info = Multi30kTranslate(config="en_de").info
    assert "non-commercial research" in info.description
    assert "Elliott" in info.citation


def test_published_files_build_without_network(tmp_path, shared_data):
    folder = tmp_path / "manual"
    shutil.copytree(
        shared_data / "multi30k", folder, ignore=shutil.ignore_patterns("tok")
    )
    builder = build("en_de", tmp_path, folder)
    assert {
        split: info.num_examples for split, info in builder.info.splits.items()
    } == {
        "train": 29000,
        "validation": 1014,
        "test": 1000,
        "test_2017_flickr": 1000,
    }
    lines = [
        gzip.decompress((folder / f"test_2016_flickr.{lang}.gz").read_bytes())
        for lang in ("en", "de")
    ]
    lines = [side.decode().rstrip("\n").split("\n") for side in lines]
    pairs = read(builder, "test")
    assert pairs[0] == tuple(side[0].strip() for side in lines)
    assert pairs[-1] == tuple(side[-1].strip() for side in lines)
