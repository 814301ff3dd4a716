"""Does BLEU fall with the length of the sentence?"""

import collections

from s2s_keras.text.words import split_words
from s2s_keras.training.evaluation import make_bleu
from s2s_keras.training.evaluation import score_corpus

MIN_SENTENCES = 30  # a bucket with fewer is joined to the one before it
NUM_BOOTSTRAP = 1000


def bucket_by_length(sources, width, min_sentences=MIN_SENTENCES):
    """Groups sentences by their number of words.

    Args:
        sources: List of strings.
        width: Integer. Words between a bucket's shortest and longest.
        min_sentences: Integer. Too small a bucket joins its shorter
            neighbour, or the longer one if it has none.

    Returns:
        A list of lists of positions in `sources`, shortest first.
    """
    by_length = collections.defaultdict(list)
    for i, source in enumerate(sources):
        num_words = len(split_words(source))
        by_length[max(0, num_words - 1) // width].append(i)
    buckets = []
    for key in sorted(by_length, reverse=True):
        if buckets and len(buckets[-1]) < min_sentences:
            buckets[-1] += by_length[key]
        else:
            buckets.append(by_length[key])
    if len(buckets) > 1 and len(buckets[-1]) < min_sentences:
        shortest = buckets.pop()
        buckets[-1] += shortest
    return buckets[::-1]


def score_by_length(translations, sources, references, width):
    """Scores each bucket of lengths.

    Args:
        translations: Dictionary from a model's name to its list of strings.
        sources: List of strings.
        references: List of strings.
        width: Integer. Words between a bucket's shortest and longest.

    Returns:
        A list of dictionaries, one for a model and a bucket: `model`, the
        sources' `min_words`, `max_words` and `mean_words`, `sentences`,
        `bleu`, and half of its 95% interval by bootstrap, `bleu_interval`.
    """
    rows = []
    for bucket in bucket_by_length(sources, width):
        lengths = [len(split_words(sources[i])) for i in bucket]
        for model, texts in translations.items():
            bleu, interval = score_corpus(
                make_bleu(references),
                [texts[i] for i in bucket],
                [references[i] for i in bucket],
                NUM_BOOTSTRAP,
            )
            rows.append(
                {
                    "model": model,
                    "min_words": min(lengths),
                    "max_words": max(lengths),
                    "mean_words": round(sum(lengths) / len(lengths), 2),
                    "sentences": len(bucket),
                    "bleu": round(bleu, 2),
                    "bleu_interval": round(interval, 2),
                }
            )
    return rows


def describe_row(row):
    """A row of `score_by_length`, in one line."""
    return (
        "{model:10} {min_words:4} to {max_words:3} words  "
        "{sentences:5} sentences  BLEU {bleu:5.2f} ± {bleu_interval:.2f}"
    ).format(**row)


def plot_length(rows):
    """Draws BLEU against length, a line for each model.

    Args:
        rows: What `score_by_length` returned.

    Returns:
        The Matplotlib figure.
    """
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7, 4.5), layout="constrained").add_subplot()
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        axes.errorbar(
            [row["mean_words"] for row in mine],
            [row["bleu"] for row in mine],
            yerr=[row["bleu_interval"] for row in mine],
            marker="o",
            capsize=3,
            label=model,
        )
    axes.set_xlabel("words in the source sentence")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    return axes.figure
