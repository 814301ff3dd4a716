"""Text files, gzipped or not, that hold sentence pairs."""

import codecs
import glob
import gzip
import os
import re
import zlib

import tensorflow as tf

from s2s_keras.data.splits import parse_split
from s2s_keras.data.splits import slice_splits

_PLACEHOLDER = "{split}"


def load_text_files(paths, split):
    """Loads sentence pairs from a TSV file or a pair of files.

    Args:
        paths: List of one path (TSV) or two, which may hold `{split}`.
        split: Name of a split, its slice or a sum.

    Returns:
        A dataset of `(source_text, target_text)`, two scalar string tensors.

    Raises:
        ValueError: If the files do not hold pairs of text in UTF-8 or `split`
            is unknown.
        FileNotFoundError: If a file is missing.
    """
    pairs = _read_splits(paths, split)
    sources, targets = [], []
    for part in slice_splits(split, _make_infos(pairs)):
        source_lines, target_lines = pairs[part.splitname]
        sources += source_lines[part.from_ : part.to]
        targets += target_lines[part.from_ : part.to]
    # Without a dtype, empty lists would turn into numbers.
    return tf.data.Dataset.from_tensor_slices(
        (tf.constant(sources, tf.string), tf.constant(targets, tf.string))
    )


def _read_splits(paths, split):
    """Returns the lines of each split, empty for those not in `split`."""
    parse_split(split)
    # Of a pair, one file is enough: reading then misses the other.
    names = sorted(set().union(*map(find_splits, paths)))
    if not names:
        raise FileNotFoundError(
            f"`dataset` should name files that exist. Received: {paths}"
        )
    wanted = _mentioned_names(split, names)
    return {
        name: _read_split(paths, name) if name in wanted else ([], [])
        for name in names
    }


def _mentioned_names(split, names):
    if not isinstance(split, str):  # An instruction of TFDS hides its names.
        return names
    mentioned = [part.split("[")[0].strip() for part in split.split("+")]
    return names if "all" in mentioned else mentioned


def _make_infos(pairs):
    import tensorflow_datasets as tfds

    return {
        name: tfds.core.SplitInfo(
            name=name, shard_lengths=[len(sources)], num_bytes=0
        )
        for name, (sources, _) in pairs.items()
    }


def find_splits(path):
    """Finds the splits that a path stands for.

    Args:
        path: String, which may hold `{split}`.

    Returns:
        The set of names for which it exists; of `"train"` without `{split}`.
    """
    if _PLACEHOLDER not in path:
        return {"train"}
    first, *others = map(re.escape, path.split(_PLACEHOLDER))
    pattern = first + r"(?P<split>[\w-]+)" + r"(?P=split)".join(others)
    candidates = glob.glob("*".join(map(glob.escape, path.split(_PLACEHOLDER))))
    matches = (re.fullmatch(pattern, candidate) for candidate in candidates)
    return {match["split"] for match in matches if match}


def _read_split(paths, name):
    paths = [path.replace(_PLACEHOLDER, name) for path in paths]
    return _read_tsv(*paths) if len(paths) == 1 else _read_pair(*paths)


def _read_pair(source_path, target_path):
    sources, targets = read_lines(source_path), read_lines(target_path)
    if len(sources) != len(targets):
        raise ValueError(
            "A pair of files should have the same number of lines. Received: "
            f"{source_path!r} with {len(sources)} and {target_path!r} with "
            f"{len(targets)}"
        )
    return sources, targets


def _read_tsv(path):
    pairs = [line.split(b"\t") for line in read_lines(path)]
    for number, pair in enumerate(pairs, 1):
        if len(pair) != 2:
            raise ValueError(
                "Each line of a TSV file should hold exactly one tab. "
                f"Received: {len(pair) - 1} in line {number} of {path!r}"
            )
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def read_lines(path):
    """Reads the lines of a file, gzipped where its name ends in `.gz`.

    Args:
        path: String.

    Returns:
        List of bytes, without line ends and byte order mark.

    Raises:
        ValueError: If the file is no text in UTF-8, or broken.
        FileNotFoundError: If there is none.
    """
    data = _read_bytes(path)
    _check_utf8(data, path)
    lines = data.removeprefix(codecs.BOM_UTF8).split(b"\n")
    if not lines[-1]:  # What follows the last line end is no line.
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def _check_utf8(data, path):
    start = data.find(b"\0")  # as in UTF-16
    try:
        data.decode()
    except UnicodeDecodeError as error:
        start = error.start
    if start >= 0:
        number = data.count(b"\n", 0, start) + 1
        raise ValueError(
            "Files should hold text in UTF-8, not in UTF-16 or another "
            f"encoding. Received: the byte {data[start]:#04x} in line {number} "
            f"of {path!r}"
        )


def _read_bytes(path):
    if not os.path.isfile(path):
        raise FileNotFoundError(
            "`dataset` or `links` should name files that exist. "
            f"Received: {path!r}"
        )
    with open(path, "rb") as file:
        data = file.read()
    if not path.endswith(".gz"):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            "A file named .gz should be a whole gzip file. "
            f"Received: {path!r} ({error})"
        ) from error
