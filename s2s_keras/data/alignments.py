"""Sentence pairs with word links, to judge attention by."""

import re
from typing import NamedTuple

from s2s_keras.data.clause_grammar.grammar import word_tokens
from s2s_keras.data.corpora import corpus_languages
from s2s_keras.data.corpora import load_corpus
from s2s_keras.data.text_files import read_lines
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
            name ends in `.gz`; may hold `{split}`, without which it has the
            links of just these pairs. `None` for the gold links that
            `"clause_grammar/en_de"` brings.
        data_dir: Folder where TFDS keeps prepared data sets.

    Returns:
        A list of `AlignedPair`.

    Raises:
        ValueError: If there are no links, not as many lines of them as pairs,
            if a line holds something else, or if they do not fit the pairs.
    """
    if (
        links is None
        and corpus_languages(dataset, data_dir=data_dir)[0] is None
    ):
        raise ValueError(
            "`links` should name a file where `dataset` names files. "
            f"Received: links=None, dataset={dataset!r}"
        )
    if links is None:
        path = dataset
        lines = load_tfds_alignment(dataset, split, data_dir)
        split_words = word_tokens
    else:
        path = str(links)
        lines = _read_links(path, split)
        split_words = str.split
    corpus = load_corpus(dataset, split, data_dir=data_dir)
    pairs = [
        tuple(text.decode() for text in pair)
        for pair in corpus.as_numpy_iterator()
    ]
    if len(lines) != len(pairs):
        raise ValueError(
            "`links` should hold a line for each pair. Received: "
            f"{len(lines)} lines, {len(pairs)} pairs"
        )
    place = f"{path}, {split!r}"
    return [
        _make_pair(*pair, _parse_links(line, place, number), split_words)
        for number, (pair, line) in enumerate(zip(pairs, lines, strict=True), 1)
    ]


def _read_links(path, split):
    """Lines of a file, or of a split of files, sliced as their pairs are."""
    if "{split}" not in path:
        return [line.decode() for line in read_lines(path)]
    corpus = load_corpus((path, path), split)
    return [line.decode() for line, _ in corpus.as_numpy_iterator()]


def _parse_links(line, place, number):
    links = [link for link in line.split() if link != "-"]  # "-": no links
    for link in links:
        if not re.fullmatch(r"\d+-\d+", link):
            raise ValueError(
                "`links` should hold links like '0-0 1-2', or '-' for none. "
                f"Received: {link!r} in line {number} of {place}"
            )
    return frozenset(tuple(map(int, link.split("-"))) for link in links)


def _make_pair(source_text, target_text, links, split_words):
    words = split_words(source_text), split_words(target_text)
    for source, target in links:
        if source >= len(words[0]) or target >= len(words[1]):
            raise ValueError(
                "`links` should count the words of their pair. Received: "
                f"{source}-{target} for {source_text!r} and {target_text!r}"
            )
    return AlignedPair(source_text, target_text, *words, links)
