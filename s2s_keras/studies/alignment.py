"""Does attention look where a human would?"""

import numpy as np


def read_links(translation, source_words, target_words):
    """Reads word links off the attention.

    The attention of a word's pieces is summed up; each target word is linked
    to the source word that it looked at most.

    Args:
        translation: `Translation` with attention.
        source_words: List of the source's words.
        target_words: List of the target's words.

    Returns:
        Set of (source index, target index), or `None` where the pieces do not
        spell the words, as when a character was normalised or cut off.
    """
    source = _word_of_pieces(translation.source_pieces, source_words)
    target = _word_of_pieces(translation.target_pieces, target_words)
    if source is None or target is None:
        return None
    if not source_words:
        return set()
    attention = target @ translation.attention @ source.T
    return {(int(row.argmax()), i) for i, row in enumerate(attention)}


def _word_of_pieces(pieces, words):
    """Which word each piece is of, `[words, pieces]`, in equal shares.

    A space of its own is of the word behind it; END is of no word.
    """
    spelt = [piece.replace("▁", "") for piece in pieces[:-1]]
    owners = [i for i, word in enumerate(words) for _ in word]
    if "".join(spelt) != "".join(words):
        return None
    shares = np.zeros((len(words), len(pieces)))
    position = 0
    for column, letters in enumerate(spelt):
        covered = owners[position : position + max(1, len(letters))]
        for owner in covered:
            shares[owner, column] += 1 / len(covered)
        position += len(letters)
    return shares


def alignment_error_rate(found, gold):
    """Alignment error rate of links, all gold links being sure.

    Args:
        found: List of sets of (source index, target index).
        gold: List of as many sets.

    Returns:
        Float, 0 where all links agree and 1 where none does.

    Reference:
        [Och and Ney, 2003](https://aclanthology.org/J03-1002/).
    """
    agreeing = sum(len(a & b) for a, b in zip(found, gold, strict=True))
    return 1 - 2 * agreeing / sum(map(len, [*found, *gold]))


def align_pairs(text_translator, pairs, partial_links=False):
    """Aligns sentence pairs by attention, and compares with their links.

    Args:
        text_translator: `TextTranslator` with attention.
        pairs: List of `AlignedPair`.
        partial_links: Boolean. Whether the links leave out words that they
            could have linked. Target words without a link are then not
            counted.

    Returns:
        A tuple of the alignment error rate, the number of pairs that counted,
        and the list of `Translation`s of all pairs.

    Raises:
        ValueError: If no pair that counts has a link.
    """
    translations = text_translator.score(
        [pair.source_text for pair in pairs],
        [pair.target_text for pair in pairs],
    )
    found, gold = [], []
    for pair, translation in zip(pairs, translations, strict=True):
        links = read_links(translation, pair.source_words, pair.target_words)
        if links is None:
            continue
        if partial_links:
            linked = {target for _, target in pair.links}
            links = {link for link in links if link[1] in linked}
        found.append(links)
        gold.append(pair.links)
    if not any(gold):
        raise ValueError(
            "`pairs` should hold links between words that the model's pieces "
            f"spell. Received: {len(pairs)} pairs, {len(found)} of them spelt, "
            "without a link"
        )
    return alignment_error_rate(found, gold), len(found), translations
