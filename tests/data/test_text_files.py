import gzip
import pathlib

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from s2s_keras.data.corpora import load_corpus


def read(pairs):
    return list(pairs.as_numpy_iterator())


def write(path, data):
    is_gzip = path.name.endswith(".gz")
    path.write_bytes(gzip.compress(data) if is_gzip else data)
    return str(path)


@pytest.fixture
def numbered(tmp_path):
    """Splits `train` and `test`, of 10 and 4 numbered pairs, as a pattern."""
    for split, length in (("train", 10), ("test", 4)):
        for lang in ("en", "de"):
            lines = [f"{split} {lang} {i}\n" for i in range(length)]
            write(tmp_path / f"{split}.{lang}.gz", "".join(lines).encode())
    folder = tmp_path / "{split}"
    return f"{folder}.en.gz,{folder}.de.gz"


def test_a_file_pair_a_tuple_and_a_tsv_are_one_corpus(tmp_path):
    source = write(tmp_path / "train.en", b"one\ntwo\n")
    target = write(tmp_path / "train.de.gz", b"eins\nzwei\n")
    tsv = write(tmp_path / "train.tsv.gz", b"one\teins\ntwo\tzwei\n")
    plain_tsv = write(tmp_path / "pairs.txt", b"one\teins\ntwo\tzwei")
    expected = [(b"one", b"eins"), (b"two", b"zwei")]
    for dataset in (
        (source, pathlib.Path(target)),
        [source, target],
        f"{source},{target}",
        tsv,
        pathlib.Path(tsv),
        plain_tsv,
    ):
        assert read(load_corpus(dataset)) == expected


def test_slices_of_files_are_those_of_the_whole(numbered):
    whole = read(load_corpus(numbered, "train"))
    assert whole[3] == (b"train en 3", b"train de 3")
    assert read(load_corpus(numbered, "train[:20%]")) == whole[:2]
    assert read(load_corpus(numbered, "train[3:5]")) == whole[3:5]
    assert read(load_corpus(numbered, "train[-1:]")) == whole[-1:]
    test = read(load_corpus(numbered, "test"))
    assert read(load_corpus(numbered, "test+train[8:]")) == test + whole[8:]
    assert read(load_corpus(numbered, "all")) == test + whole
    instruction = tfds.core.ReadInstruction("train", from_=8)
    assert read(load_corpus(numbered, instruction)) == whole[8:]


def test_files_of_other_splits_are_not_read(tmp_path):
    write(tmp_path / "train.tsv", b"broken")
    write(tmp_path / "test.tsv", b"a\tb\n")
    pattern = str(tmp_path / "{split}.tsv")
    assert read(load_corpus(pattern, "test[:1]+test")) == [(b"a", b"b")] * 2


def test_elements_are_scalar_strings_of_known_cardinality(numbered):
    for split, length in (("test", 4), ("test[:0%]", 0), ("train[5:]", 5)):
        pairs = load_corpus(numbered, split)
        assert pairs.cardinality() == length
        assert pairs.element_spec == (tf.TensorSpec([], tf.string),) * 2


def test_only_line_ends_and_byte_order_mark_are_taken_off(tmp_path):
    raw = b"\xef\xbb\xbfa\xc3\xbf\r\n\r\n b\rc\xe2\x80\xa8d\x0c\xc2\x85 \nlast"
    path = write(tmp_path / "raw.en", raw)
    sources = [source for source, _ in read(load_corpus((path, path)))]
    assert sources == [
        b"a\xc3\xbf",
        b"",
        b" b\rc\xe2\x80\xa8d\x0c\xc2\x85 ",
        b"last",
    ]


@pytest.mark.parametrize(
    "data, length",
    [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2)],
)
def test_a_line_end_closes_a_line(tmp_path, data, length):
    path = write(tmp_path / "some.en", data)
    assert load_corpus((path, path)).cardinality() == length


def test_split_placeholder_may_occur_twice(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "other").mkdir()
    write(tmp_path / "test" / "test.tsv", b"a\tb\n")
    write(tmp_path / "other" / "test.tsv", b"c\td\n")
    pattern = str(tmp_path / "{split}" / "{split}.tsv")
    assert read(load_corpus(pattern, "test")) == [(b"a", b"b")]
    with pytest.raises(ValueError, match=r"one of \['test'\]"):
        load_corpus(pattern, "other")
    write(tmp_path / "test" / "test2017.tsv", b"e\tf\n")
    pattern = str(tmp_path / "{split}" / "{split}2017.tsv")
    assert read(load_corpus(pattern, "test")) == [(b"e", b"f")]


def test_a_tsv_may_have_a_comma_in_its_path(tmp_path):
    (tmp_path / "a,b").mkdir()
    write(tmp_path / "a,b" / "test.tsv", b"a\tb\n")
    for name in ("{split}.tsv", "{split}.tsv,c"):
        if name.endswith("c"):
            write(tmp_path / "a,b" / "test.tsv,c", b"a\tb\n")
        pattern = str(tmp_path / "a,b" / name)
        assert read(load_corpus(pattern, "test")) == [(b"a", b"b")]


def test_files_of_different_length_are_refused(tmp_path):
    source = write(tmp_path / "a.en", b"1\n2\n3\n")
    target = write(tmp_path / "a.de", b"1\n2\n")
    with pytest.raises(
        ValueError, match="^A pair.*a.en' with 3 and .*a.de' with 2$"
    ):
        load_corpus((source, target))


@pytest.mark.parametrize("line", [b"none", b"", b"1\t2\t3"])
def test_tsv_lines_without_exactly_one_tab_are_refused(tmp_path, line):
    path = write(tmp_path / "bad.tsv", b"a\tb\n" + line + b"\nc\td\n")
    message = f"^Each line.*{line.count(9)} in line 2 of .*bad.tsv'$"
    with pytest.raises(ValueError, match=message):
        load_corpus(path)


@pytest.mark.parametrize(
    ("data", "received"),
    [
        ("a\tb\né\tè\n".encode("latin-1"), "0xe9 in line 2"),
        ("a\tb\n".encode("utf-16"), "0xff in line 1"),
        ("a\tb\n".encode("utf-16-le"), "0x00 in line 1"),
    ],
)
def test_what_is_no_utf8_is_refused(tmp_path, data, received):
    path = write(tmp_path / "odd.tsv.gz", data)
    with pytest.raises(ValueError, match=f"UTF-8.*{received} of .*odd.tsv.gz"):
        load_corpus(path)


def test_missing_and_broken_files_are_named(tmp_path, numbered):
    with pytest.raises(FileNotFoundError, match="missing.tsv"):
        load_corpus(str(tmp_path / "missing.tsv"))
    with pytest.raises(FileNotFoundError, match="none.{split}.tsv"):
        load_corpus(str(tmp_path / "none.{split}.tsv"))
    (tmp_path / "test.de.gz").unlink()
    with pytest.raises(FileNotFoundError, match="test.de.gz"):
        load_corpus(numbered, "test")
    (tmp_path / "test.de.gz").write_bytes(b"not gzip")
    with pytest.raises(ValueError, match="whole gzip file.*test.de.gz"):
        load_corpus(numbered, "test")


@pytest.mark.parametrize(
    "split, message",
    [
        ("dev", r"one of \['test', 'train'\].*Received: split='dev'"),
        ("train[:20]", "within their length.*Received: split='train"),
        ("train[", r"Received: split='train\['"),
        (None, "Received: split=None"),
    ],
)
def test_unknown_splits_of_files_are_refused(numbered, split, message):
    with pytest.raises(ValueError, match=message):
        load_corpus(numbered, split)
