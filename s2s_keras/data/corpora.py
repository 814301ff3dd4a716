"""Parallel text from TensorFlow Datasets or from files."""

import os

from s2s_keras.data.text_files import find_splits
from s2s_keras.data.text_files import load_text_files
from s2s_keras.data.tfds_sets import load_tfds_set
from s2s_keras.data.tfds_sets import tfds_languages


def load_corpus(
    dataset,
    split="train",
    *,
    source=None,
    target=None,
    data_dir=None,
    manual_dir=None,
    download=True,
):
    """Loads sentence pairs as a `tf.data.Dataset`, in the corpus's own order.

    A corpus is a data set of TensorFlow Datasets (TFDS) or text files in
    UTF-8, gzipped where their name ends in `.gz`. Files hold a sentence, or a
    pair of them, a line; they are read into memory. Their lines pass as they
    are, apart from Windows line ends and a byte order mark; an empty line of
    one of two files stays, as an empty sentence.

    Args:
        dataset: One of
            - a TFDS name with its configuration, such as
              `"ted_hrlr_translate/pt_to_en"`, `"multi30k_translate/en_de"` or
              `"clause_grammar/en_de"`;
            - the path of a TSV file, `"corpus.tsv"`, with source and target
              separated by a tab;
            - two paths of files whose lines correspond, source first: a tuple,
              a list or one string with a comma, `"train.en,train.de"`.

            Paths may hold the placeholder `{split}`, which the name of the
            split replaces. Without it the only split is `"train"`.
        split: Name of a split, its slice (`"train[:10%]"`, `"train[100:200]"`)
            or a sum (`"train+validation"`), as TFDS understands them.
        source: Language to translate from. Defaults to the data set's own
            choice. Only for TFDS: files are given in the wanted order.
        target: Language to translate to. Where only one of the two is given,
            the other language of the pair takes the other side. Both are
            needed where the data set prefers no pair (`"ted_multi_translate"`).
        data_dir: Folder where TFDS keeps prepared data sets. Defaults to TFDS's
            own. Only for TFDS.
        manual_dir: Folder with files that TFDS would download, under the names
            that its checksums list. What it holds is not downloaded. Only for
            TFDS.
        download: Whether TFDS may download and prepare what `data_dir` lacks.

    Returns:
        A dataset of `(source_text, target_text)`, two scalar string tensors.
        Its cardinality is known, except for data sets whose rows lack some
        languages; there, rows without one of the two are skipped.

    Raises:
        ValueError: If a data set, configuration, split or language is unknown,
            if files do not hold pairs of text in UTF-8, or if an option does
            not apply.
        FileNotFoundError: If a file or folder is missing.
        ConnectionError: If data has to be downloaded and its host cannot be
            reached.

    Example:

    >>> pairs = load_corpus("multi30k_translate/en_de", "train[:10%]")
    >>> reverse = load_corpus("multi30k_translate/en_de", source="de")
    >>> pairs = load_corpus("data/{split}.en.gz,data/{split}.de.gz", "test")
    """
    paths = _file_paths(dataset)
    if paths is not None:
        _refuse_options(
            source=source,
            target=target,
            data_dir=data_dir,
            manual_dir=manual_dir,
        )
        return load_text_files(paths, split)
    if manual_dir is not None and not download:
        raise ValueError(
            "`manual_dir` should be left out where `download=False`, which "
            f"prepares nothing. Received: manual_dir={manual_dir!r}"
        )
    return load_tfds_set(
        dataset,
        split,
        source,
        target,
        data_dir=data_dir,
        manual_dir=manual_dir,
        download=download,
    )


def load_some(dataset, split, **options):
    """Loads sentence pairs as `load_corpus` does, but not none.

    Args:
        dataset: A corpus as `load_corpus` takes it.
        split: Name of a split.
        **options: Keyword arguments of `load_corpus`.

    Returns:
        A dataset of `(source_text, target_text)`.

    Raises:
        ValueError: If there is no pair.
    """
    pairs = load_corpus(dataset, split, **options)
    for _ in pairs.take(1):
        return pairs
    raise ValueError(
        "`split` should hold a sentence pair at least. "
        f"Received: split={split!r} of {dataset!r}"
    )


def corpus_languages(dataset, source=None, target=None, *, data_dir=None):
    """Names the languages that `load_corpus` would load, without loading them.

    Args:
        dataset: A corpus as `load_corpus` takes it.
        source: Language to translate from. Only for TFDS.
        target: Language to translate to. Only for TFDS.
        data_dir: Folder where TFDS keeps prepared data sets. Only for TFDS.

    Returns:
        A tuple `(source, target)`, which is `(None, None)` for files.

    Raises:
        ValueError: If the data set, its configuration or a language is unknown.

    Example:

    >>> corpus_languages("ted_hrlr_translate/pt_to_en")
    ('pt', 'en')
    """
    if _file_paths(dataset) is not None:
        _refuse_options(source=source, target=target, data_dir=data_dir)
        return None, None
    return tfds_languages(dataset, source, target, data_dir)


def _file_paths(dataset):
    """Returns one path (TSV) or two, or `None` if `dataset` names no files."""
    paths = dataset
    if isinstance(dataset, str) and not _is_tsv(dataset):
        if "," not in dataset:
            return None
        paths = dataset.split(",")
    elif isinstance(dataset, (str, os.PathLike)):
        return [os.path.expanduser(dataset)]
    if not _is_pair(paths):
        raise ValueError(
            "`dataset` should be a name of TensorFlow Datasets, a TSV path or "
            f"a pair of paths. Received: dataset={dataset!r}"
        )
    return [os.path.expanduser(path) for path in paths]


def _is_tsv(name):
    path = os.path.expanduser(name)
    if os.path.isfile(path):
        return True
    if "," in path:
        return "{split}" in path and bool(find_splits(path))
    return path.removesuffix(".gz").endswith(".tsv")


def _is_pair(paths):
    return (
        isinstance(paths, (tuple, list))
        and len(paths) == 2
        and all(isinstance(path, (str, os.PathLike)) for path in paths)
    )


def _refuse_options(**options):
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"`{name}` should be left out where `dataset` names files, "
                "which are read as they are, source first. "
                f"Received: {name}={value!r}"
            )
