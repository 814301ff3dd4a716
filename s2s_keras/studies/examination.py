"""Everything that can be said of a model's translations of one corpus."""

from typing import Any
from typing import NamedTuple

from s2s_keras.plotting import plot_learning_curves
from s2s_keras.studies.faults import NUM_SAMPLES
from s2s_keras.studies.faults import compare
from s2s_keras.studies.faults import count_faults
from s2s_keras.studies.faults import sort_by_chrf
from s2s_keras.studies.length import plot_length
from s2s_keras.studies.length import score_by_length
from s2s_keras.studies.report import write_report
from s2s_keras.training.evaluation import read_pairs
from s2s_keras.training.evaluation import score_translations


class Examination(NamedTuple):
    """What was found.

    Attributes:
        summary: A dictionary that can be written as JSON: the scores with
            their intervals, `by_length`, `faults`, `worst` and `best`
            sentences, and `against_baseline` where there is one.
        shown: The `Translation` of each of the worst and the best sentences.
    """

    summary: Any
    shown: Any


def examine(models, pairs, num_beams=None, bucket_width=10, num_shown=5):
    """Translates a corpus, scores the result and looks for what is wrong.

    Args:
        models: Dictionary of `TextTranslator`s: `model`, and maybe
            `baseline`.
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        num_beams: Integer, or `None` for the models' own.
        bucket_width: Integer. Words between a bucket's shortest and longest.
        num_shown: Integer. How many of the worst, and of the best, sentences
            to keep.

    Returns:
        `Examination`.
    """
    sources, references = read_pairs(pairs)
    translations = {
        name: model.translate(sources, num_beams=num_beams, verbose=True)
        for name, model in models.items()
    }
    texts = {
        name: [str(item) for item in items]
        for name, items in translations.items()
    }
    scores = score_translations(texts["model"], references, NUM_SAMPLES)
    ranked = sort_by_chrf(texts["model"], references)
    num_shown = min(num_shown, len(ranked) // 2)
    extremes = {
        "worst": ranked[:num_shown],
        "best": ranked[len(ranked) - num_shown :][::-1],
    }
    summary = scores._asdict() | {
        "by_length": score_by_length(texts, sources, references, bucket_width),
        "faults": count_faults(sources, texts["model"], references),
    }
    for name, found in extremes.items():
        summary[name] = [
            {
                "source": sources[i],
                "translation": texts["model"][i],
                "reference": references[i],
                "chrf": chrf,
            }
            for i, chrf in found
        ]
    if "baseline" in models:
        summary["against_baseline"] = compare(
            texts["model"], texts["baseline"], references
        )
    shown = [
        translations["model"][i]
        for found in extremes.values()
        for i, _ in found
    ]
    return Examination(summary, shown)


def write_page(found, path, title, run=None, rows=()):
    """Writes an `Examination` as one HTML page.

    Args:
        found: `Examination`.
        path: `pathlib.Path` of the page.
        title: String.
        run: What `describe_run` returned, or `None`.
        rows: The rows of a training run's log.
    """
    summary = found.summary
    tables = {
        "Scores": [
            {
                "score": name,
                "value": summary[key],
                "± (95%)": summary[f"{key}_interval"],
                "signature": summary[f"{key}_signature"],
            }
            for name, key in (("BLEU", "bleu"), ("chrF", "chrf"))
        ],
        "What goes wrong": [
            {"share": name.replace("_", " "), "per cent": 100 * share}
            for name, share in summary["faults"].items()
        ],
        "By length": summary["by_length"],
    }
    if "against_baseline" in summary:
        tables["Against the baseline"] = [
            {"score": name, **row}
            for name, row in summary["against_baseline"].items()
        ]
    if run is not None:
        tables["The run"] = [
            {"what": name, "value": value} for name, value in run.items()
        ]
    pictures = {"BLEU by length": plot_length(summary["by_length"])}
    if rows:
        pictures["Learning"] = plot_learning_curves(rows)
    write_report(path, title, tables, pictures, _sentences(found))


def _sentences(found):
    """Headings, texts and translations of what is shown."""
    rows = [
        (f"The {name}, chrF {row['chrf']:.1f}", row)
        for name in ("worst", "best")
        for row in found.summary[name]
    ]
    return [
        (heading, {k: v for k, v in row.items() if k != "chrf"}, translation)
        for (heading, row), translation in zip(rows, found.shown, strict=True)
    ]
