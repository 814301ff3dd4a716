"""Sentence pairs with word links, to judge attention by."""

import gzip
import pathlib
from typing import NamedTuple

from s2s_keras.data.clause_grammar.grammar import word_tokens
from s2s_keras.data.corpora import corpus_languages
from s2s_keras.data.corpora import load_corpus
from s2s_keras.data.tfds_sets import load_tfds_alignment


class AlignedPair(NamedTuple):
    """A sentence pair, its words and the links between them.

    Attributes:
        source_text: The source sentence.
        target_text: The target sentence.
        source_words: List of the source words that links count.
        target_words: List of the target words that links count.
        links: Set of (source index, target index).
    """

    source_text: str
    target_text: str
    source_words: list
    target_words: list
    links: frozenset


def load_aligned_pairs(dataset, split, links=None, data_dir=None):
    """Loads sentence pairs with their word links.

    Args:
        dataset: A corpus as `load_corpus` takes it.
        split: Name of a split, its slice or a sum.
        links: Path of a file with a line of links `0-0 1-2` for each pair,
            source first, counting words between spaces; gzipped where its
            name ends in `.gz`; may hold `{split}`. `None` for the gold links
            that `"clause_grammar/en_de"` brings.
        data_dir: Folder where TFDS keeps prepared data sets.

    Returns:
        A list of `AlignedPair`.

    Raises:
        ValueError: If there are no links, not as many lines of them as pairs,
            or if they do not fit the pairs.
    """
    if (
        links is None
        and corpus_languages(dataset, data_dir=data_dir)[0] is None
    ):
        raise ValueError(
            "`links` should name a file where `dataset` names files. "
            f"Received: links=None, dataset={dataset!r}"
        )
    corpus = load_corpus(dataset, split, data_dir=data_dir)
    pairs = [
        tuple(text.decode() for text in pair)
        for pair in corpus.as_numpy_iterator()
    ]
    if links is None:
        lines = load_tfds_alignment(dataset, split, data_dir)
        split_words = word_tokens
    else:
        lines = _read_lines(str(links).replace("{split}", split))
        split_words = str.split
    if len(lines) != len(pairs):
        raise ValueError(
            "`links` should hold a line for each pair. Received: "
            f"{len(lines)} lines, {len(pairs)} pairs"
        )
    return [
        _make_pair(*pair, line, split_words)
        for pair, line in zip(pairs, lines, strict=True)
    ]


def _read_lines(path):
    content = pathlib.Path(path).read_bytes()
    if path.endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode().splitlines()


def _make_pair(source_text, target_text, line, split_words):
    words = split_words(source_text), split_words(target_text)
    links = frozenset(
        tuple(map(int, link.split("-")))
        for link in line.split()
        if link != "-"  # a pair without links
    )
    for source, target in links:
        if source >= len(words[0]) or target >= len(words[1]):
            raise ValueError(
                "`links` should count the words of their pair. Received: "
                f"{source}-{target} for {source_text!r} and {target_text!r}"
            )
    return AlignedPair(source_text, target_text, *words, links)
