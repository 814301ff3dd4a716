"""Scores of translations, by sacreBLEU, after and while a model trains."""

import json
from typing import NamedTuple

import keras

from s2s_keras.text.words import bleu_tokenizer


class Evaluation(NamedTuple):
    """Scores of a set of translations, detokenized and cased.

    Attributes:
        bleu: BLEU, 0 to 100.
        bleu_interval: Half of its 95% interval by bootstrap; 0 without.
        bleu_signature: sacreBLEU's account of how BLEU was computed.
        chrf: chrF, 0 to 100.
        chrf_interval: Half of its 95% interval by bootstrap; 0 without.
        chrf_signature: sacreBLEU's account of how chrF was computed.
        translations: The translated texts, in order.
    """

    bleu: float
    bleu_interval: float
    bleu_signature: str
    chrf: float
    chrf_interval: float
    chrf_signature: str
    translations: list[str]


def score_translations(translations, references, num_bootstrap=1):
    """Scores translations against one reference each.

    Args:
        translations: List of strings.
        references: List of strings.
        num_bootstrap: Integer. Samples for the intervals; 1 for none.

    Returns:
        `Evaluation`.

    Reference:
        [Post, 2018](https://arxiv.org/abs/1804.08771).
    """
    import sacrebleu

    scores = {}
    for name, metric in (
        ("bleu", make_bleu(references)),
        ("chrf", sacrebleu.CHRF()),
    ):
        score, interval = score_corpus(
            metric, translations, references, num_bootstrap
        )
        scores[name] = score
        scores[f"{name}_interval"] = interval
        scores[f"{name}_signature"] = str(metric.get_signature())
    return Evaluation(**scores, translations=translations)


def make_bleu(references):
    """SacreBLEU's BLEU, which knows scripts that are written without spaces.

    Args:
        references: List of strings, which tell the script.

    Returns:
        A metric of sacreBLEU, whose signature says how it splits.
    """
    import sacrebleu

    return sacrebleu.BLEU(tokenize=bleu_tokenizer(references))


def score_corpus(metric, translations, references, num_bootstrap):
    """A score and half of its 95% interval, by a metric of sacreBLEU."""
    _score_in_floats(metric)
    score = metric.corpus_score(
        translations, [references], n_bootstrap=num_bootstrap
    )
    report = score.format(
        signature=str(metric.get_signature()), is_json=True, width=2
    )
    return score.score, json.loads(report).get("confidence_var", 0.0)


def _score_in_floats(metric):
    """Mends samples of which some hold no right word at all.

    SacreBLEU scores these with a float and others with NumPy's float32, of
    which it cannot take the mean.
    """
    compute = type(metric)._compute_score_from_stats

    def compute_in_floats(stats):
        score = compute(metric, stats)
        score.score = float(score.score)
        return score

    metric._compute_score_from_stats = compute_in_floats


def read_pairs(pairs):
    """Reads a dataset of text pairs into two lists of strings."""
    sources, references = [], []
    for source, reference in pairs.as_numpy_iterator():
        sources.append(source.decode(errors="replace"))
        references.append(reference.decode(errors="replace"))
    return sources, references


def evaluate(text_translator, pairs, num_beams=None, batch_size=64):
    """Translates a corpus and scores the result.

    Args:
        text_translator: `TextTranslator`.
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        num_beams: Integer, or `None` for the model's own.
        batch_size: Integer. Sentences that are translated together.

    Returns:
        `Evaluation`.
    """
    sources, references = read_pairs(pairs)
    translations = text_translator.translate(
        sources, num_beams=num_beams, batch_size=batch_size
    )
    return score_translations([item.text for item in translations], references)


class TranslationScore(keras.callbacks.Callback):
    """Translates validation sentences after each epoch and logs the scores.

    Adds `val_bleu` and `val_chrf` to the logs, so that callbacks that come
    later in the list can watch them: for example
    `EarlyStopping(monitor="val_bleu", mode="max")`.

    Args:
        text_translator: `TextTranslator` around the model that trains.
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).
        num_beams: Integer. Width of the beam; greedy search is quickest.
    """

    def __init__(self, text_translator, pairs, num_beams=1):
        super().__init__()
        self.text_translator = text_translator
        self.pairs = pairs.cache()
        self.num_beams = num_beams

    def on_epoch_end(self, epoch, logs=None):
        scores = evaluate(self.text_translator, self.pairs, self.num_beams)
        if logs is not None:
            logs["val_bleu"] = scores.bleu
            logs["val_chrf"] = scores.chrf
