"""What is wrong with translations, that one score does not tell."""

import difflib

from s2s_keras.text.words import split_words
from s2s_keras.training.evaluation import make_bleu

NUM_SAMPLES = 1000


def count_faults(sources, translations, references):
    """Counts what is missing, too much, or not translated at all.

    Words are what `split_words` finds. Each translation's words are matched
    with its reference's: words for which the other side has nothing are
    dropped or added, words for which it has others are neither.

    Args:
        sources: List of strings.
        translations: List of strings.
        references: List of strings.

    Returns:
        A dictionary of shares: `empty` and `copied` of all translations;
        `repeated`, words that repeat the one before, of the translations'
        words, and `repeated_in_references` of theirs; `dropped`, of the
        references' words; `added`, of the translations' words; and
        `length_ratio`, the translations' words to the references'.
    """
    ours = [split_words(text) for text in translations]
    theirs = [split_words(text) for text in references]
    num_ours, num_theirs = (
        max(1, sum(map(len, side))) for side in (ours, theirs)
    )
    dropped, added = 0, 0
    for words, expected in zip(ours, theirs, strict=True):
        counts = _count_unmatched(words, expected)
        dropped, added = dropped + counts[0], added + counts[1]
    copied = [
        bool(text.strip())
        and source.strip() == text.strip() != reference.strip()
        for source, text, reference in zip(
            sources, translations, references, strict=True
        )
    ]
    return {
        "empty": sum(not words for words in ours) / max(1, len(ours)),
        "copied": sum(copied) / max(1, len(ours)),
        "repeated": sum(map(_count_repeated, ours)) / num_ours,
        "repeated_in_references": sum(map(_count_repeated, theirs))
        / num_theirs,
        "dropped": dropped / num_theirs,
        "added": added / num_ours,
        "length_ratio": num_ours / num_theirs,
    }


def _count_repeated(words):
    return sum(a == b for a, b in zip(words, words[1:], strict=False))


def _count_unmatched(words, expected):
    """Words of `expected` that are dropped, and words that are added."""
    dropped, added = 0, 0
    matcher = difflib.SequenceMatcher(None, expected, words, autojunk=False)
    for _, start, end, our_start, our_end in matcher.get_opcodes():
        surplus = (end - start) - (our_end - our_start)
        dropped, added = dropped + max(0, surplus), added + max(0, -surplus)
    return dropped, added


def compare(translations, baseline, references):
    """Tests whether two systems' BLEU and chrF differ.

    Args:
        translations: List of strings.
        baseline: List of strings, the translations of the other system.
        references: List of strings.

    Returns:
        A dictionary from `bleu` and `chrf` to dictionaries of `baseline`, its
        score, and `p_value`, by paired bootstrap; 1 where the scores are equal
        or there is but one sentence.

    Reference:
        [Koehn, 2004](https://aclanthology.org/W04-3250), Section 4.
    """
    import sacrebleu
    from sacrebleu.significance import PairedTest

    test = PairedTest(
        [("baseline", baseline), ("system", translations)],
        {"BLEU": make_bleu(references), "chrF2": sacrebleu.CHRF()},
        [references],
        test_type="bs",
        n_samples=NUM_SAMPLES,
    )
    _, results = test()
    found = {}
    for name, key in (("bleu", "BLEU"), ("chrf", "chrF2")):
        theirs, ours = results[key]
        # Where samples do not differ, sacreBLEU finds that the systems do.
        unknown = ours.score == theirs.score or len(references) < 2
        found[name] = {
            "baseline": float(theirs.score),
            "p_value": 1.0 if unknown else float(ours.p_value),
        }
    return found


def sort_by_chrf(translations, references):
    """Positions of the translations and their chrF, worst first.

    Args:
        translations: List of strings.
        references: List of strings.

    Returns:
        A list of tuples of a position and its chrF.
    """
    import sacrebleu

    chrf = sacrebleu.CHRF()
    scores = [
        chrf.sentence_score(text, [reference]).score
        for text, reference in zip(translations, references, strict=True)
    ]
    order = sorted(range(len(scores)), key=scores.__getitem__)
    return [(i, scores[i]) for i in order]
