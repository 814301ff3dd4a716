"""Everything that can be said of a model's translations of one corpus."""

from typing import Any
from typing import NamedTuple

from s2s_keras.studies.faults import NUM_SAMPLES
from s2s_keras.studies.faults import compare
from s2s_keras.studies.faults import count_faults
from s2s_keras.studies.faults import find_worst
from s2s_keras.studies.length import score_by_length
from s2s_keras.studies.report import write_report
from s2s_keras.training.evaluation import read_pairs
from s2s_keras.training.evaluation import score_translations


class Examination(NamedTuple):
    """What was found.

    Attributes:
        summary: A dictionary that can be written as JSON: the scores with
            their intervals, `by_length`, `faults`, `worst`, and
            `against_baseline` where there is one.
        worst: The `Translation` of each of `summary["worst"]`.
    """

    summary: Any
    worst: Any


def examine(models, pairs, num_beams=None, bucket_width=10, num_worst=5):
    """Translates a corpus, scores the result and looks for what is wrong.

    Args:
        models: Dictionary of `TextTranslator`s: `model`, and maybe
            `baseline`.
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        num_beams: Integer, or `None` for the models' own.
        bucket_width: Integer. Words between a bucket's shortest and longest.
        num_worst: Integer. How many of the worst sentences to keep.

    Returns:
        `Examination`.
    """
    sources, references = read_pairs(pairs)
    translations = {
        name: model.translate(sources, num_beams=num_beams)
        for name, model in models.items()
    }
    texts = {
        name: [str(item) for item in items]
        for name, items in translations.items()
    }
    scores = score_translations(texts["model"], references, NUM_SAMPLES)
    worst = find_worst(texts["model"], references, num_worst)
    summary = scores._asdict() | {
        "by_length": score_by_length(texts, sources, references, bucket_width),
        "faults": count_faults(sources, texts["model"], references),
        "worst": [
            {
                "source": sources[i],
                "translation": texts["model"][i],
                "reference": references[i],
                "chrf": chrf,
            }
            for i, chrf in worst
        ],
    }
    if "baseline" in models:
        summary["against_baseline"] = compare(
            texts["model"], texts["baseline"], references
        )
    return Examination(summary, [translations["model"][i] for i, _ in worst])


def write_page(found, path, title):
    """Writes an `Examination` as one HTML page.

    Args:
        found: `Examination`.
        path: `pathlib.Path` of the page.
        title: String.
    """
    summary = found.summary
    tables = {
        "Scores": [
            {
                "score": name,
                "value": summary[key],
                "95% interval": f"± {summary[f'{key}_interval']:.2f}",
                "signature": summary[f"{key}_signature"],
            }
            for name, key in (("BLEU", "bleu"), ("chrF", "chrf"))
        ],
        "By length": summary["by_length"],
        "What goes wrong": [
            {"share": name.replace("_", " "), "value": f"{share:.4f}"}
            for name, share in summary["faults"].items()
        ],
    }
    if "against_baseline" in summary:
        tables["Against the baseline"] = [
            {"score": name, **row}
            for name, row in summary["against_baseline"].items()
        ]
    sentences = [
        (
            f"Sentence with chrF {row['chrf']:.1f}",
            {name: text for name, text in row.items() if name != "chrf"},
            translation,
        )
        for row, translation in zip(summary["worst"], found.worst, strict=True)
    ]
    write_report(path, title, tables, sentences)
