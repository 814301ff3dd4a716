"""Data sets of TensorFlow Datasets (TFDS): builders, languages, pairs."""

import difflib
import importlib
import os
from typing import NamedTuple

import tensorflow as tf

from s2s_keras.data.downloads import download_and_prepare
from s2s_keras.data.splits import parse_split
from s2s_keras.data.splits import slice_splits


def load_tfds_set(
    dataset, split, source, target, *, data_dir, manual_dir, download
):
    """Loads sentence pairs from a data set, as `load_corpus` describes it."""
    parse_split(split)
    builder = _find_builder(dataset, data_dir)
    schema = _read_schema(builder)
    languages = _choose_languages(schema, source, target)
    if download:
        builder = _prepare(builder, manual_dir)
    return _select_pairs(_read_builder(builder, split), schema, *languages)


def load_tfds_alignment(dataset, split, data_dir):
    """Loads the word links of a data set that has them, as lines `0-0 1-2`.

    Raises:
        ValueError: If the data set has no feature `alignment`.
    """
    builder = _find_builder(dataset, data_dir)
    if "alignment" not in builder.info.features:
        raise ValueError(
            "`dataset` should have a feature 'alignment'. Received: "
            f"dataset={dataset!r} with {list(builder.info.features)}"
        )
    examples = _read_builder(_prepare(builder, manual_dir=None), split)
    return [
        example["alignment"].decode()
        for example in examples.as_numpy_iterator()
    ]


def tfds_languages(dataset, source, target, data_dir):
    """Returns the languages `(source, target)` of `load_tfds_set`."""
    schema = _read_schema(_find_builder(dataset, data_dir))
    return _choose_languages(schema, source, target)


class _Schema(NamedTuple):
    """Where a data set keeps the texts of its languages."""

    fields: dict  # Language to feature; empty where any language may occur.
    preferred: tuple  # Source and target language, or empty.
    variable: str | None = None  # Feature whose rows choose their languages.


def _import_tfds():
    """Imports TFDS, which is slow, and registers the builders of s2s_keras."""
    import tensorflow_datasets as tfds

    for name in ("clause_grammar", "multi30k_translate", "tatoeba_translate"):
        importlib.import_module(f"s2s_keras.data.{name}")
    return tfds


def _find_builder(dataset, data_dir):
    tfds = _import_tfds()
    try:
        return tfds.builder(dataset, data_dir=data_dir)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{_explain_unknown(tfds, dataset, error)}. "
            f"Received: dataset={dataset!r}"
        ) from error


def _explain_unknown(tfds, dataset, error):
    name, _, config = dataset.split(":")[0].partition("/")
    names = tfds.list_builders(with_community_datasets=False)
    if name not in names:
        close_names = difflib.get_close_matches(name, names)
        return (
            "`dataset` should be a name of TensorFlow Datasets"
            f"{f' (close ones: {close_names})' if close_names else ''}, "
            "a path that ends in .tsv or .tsv.gz, or a pair of paths"
        )
    configs = sorted(tfds.builder_cls(name).builder_configs)
    if configs and config not in configs:
        return f"`dataset` should be {name!r} with a config of {configs}"
    reason = " ".join(str(error).split())
    return f"`dataset` should be one that can be opened ({reason})"


def _read_schema(builder):
    import tensorflow_datasets as tfds

    features = dict(getattr(builder.info.features, "items", dict)())
    for name, feature in features.items():
        if isinstance(feature, tfds.features.TranslationVariableLanguages):
            languages = feature.languages or ()
            return _Schema({lang: name for lang in languages}, (), name)
    texts = [
        name
        for name, feature in features.items()
        if isinstance(feature, tfds.features.Text)
    ]
    if len(texts) < 2:
        raise ValueError(
            "`dataset` should hold texts in at least two languages. Received: "
            f"dataset={builder.name!r}, with the texts {texts}"
        )
    return _read_text_schema(builder, texts)


def _read_text_schema(builder, texts):
    for sides in (("src", "dst"), ("source_sentence", "target_sentence")):
        if set(sides) <= set(texts):
            languages = _side_languages(builder.builder_config, sides)
            return _Schema(dict(zip(languages, sides, strict=True)), languages)
    keys = tuple(builder.info.supervised_keys or ())
    are_texts = len(keys) == 2 and all(key in texts for key in keys)
    return _Schema({text: text for text in texts}, keys if are_texts else ())


def _side_languages(config, sides):
    """Names the languages of features that are named after sides."""
    if "src" in sides and hasattr(config, "src_lang"):  # mtnt
        return config.src_lang, config.dst_lang
    if "src" not in sides and hasattr(config, "language"):  # tatoeba, bucc
        return config.language, "en"
    return sides  # Read from disk, without the code of its configuration.


def _choose_languages(schema, source, target):
    """Checks the two languages and fills in those that are `None`."""
    for name, language in (("source", source), ("target", target)):
        is_known = language in schema.fields or not schema.fields
        if language is not None and not is_known:
            raise ValueError(
                f"`{name}` should be one of {sorted(schema.fields)}. "
                f"Received: {name}={language!r}"
            )
    chosen_source = source or _other_language(schema, target)
    chosen_target = target or _other_language(schema, chosen_source, -1)
    if None in (chosen_source, chosen_target) or chosen_source == chosen_target:
        raise ValueError(
            "`source` and `target` should be two languages, both given, among "
            f"{sorted(schema.fields) or 'those of the data set'}. "
            f"Received: source={source!r}, target={target!r}"
        )
    return chosen_source, chosen_target


def _other_language(schema, language, step=1):
    """Returns the first preferred language but `language`, from either end."""
    candidates = schema.preferred
    if not candidates and language and len(schema.fields) == 2:
        candidates = tuple(schema.fields)
    others = [other for other in candidates[::step] if other != language]
    return others[0] if others else None


def _prepare(builder, manual_dir):
    """Returns the builder, or one like it, of a data set that is prepared."""
    if manual_dir is not None and not os.path.isdir(manual_dir):
        raise FileNotFoundError(
            "`manual_dir` should be a folder that exists. "
            f"Received: manual_dir={manual_dir!r}"
        )
    if builder.is_prepared():
        return builder
    if builder.data_path.exists():
        raise ValueError(
            "`data_dir` should hold whole data sets. Received: an incomplete "
            f"one, {builder.data_dir!r}; remove it to have it built anew"
        )
    try:
        download_and_prepare(builder, manual_dir)
    except OSError:
        if not builder.is_prepared():  # by somebody else, in the meantime
            raise
        return _import_tfds().builder_from_directory(builder.data_dir)
    return builder


def _read_builder(builder, split):
    if builder.info.splits:  # Known once prepared.
        slice_splits(split, builder.info.splits)
    try:
        return builder.as_dataset(split=split)
    except AssertionError as error:  # TFDS says so where data is missing.
        raise FileNotFoundError(
            f"`data_dir` should hold {builder.info.full_name!r}, prepared, "
            "where `download=False`. "
            f"Received: data_dir={str(builder.data_dir_root)!r}"
        ) from error


def _select_pairs(examples, schema, source, target):
    if schema.variable is None:
        return examples.map(
            lambda example: (
                tf.strings.strip(example[schema.fields[source]]),
                tf.strings.strip(example[schema.fields[target]]),
            )
        )

    def first(example, language):
        texts = example[schema.variable]
        is_wanted = texts["language"] == language
        return tf.boolean_mask(texts["translation"], is_wanted)[:1]

    pairs = examples.map(lambda row: (first(row, source), first(row, target)))
    pairs = pairs.filter(lambda left, right: tf.size(left) + tf.size(right) > 1)
    return pairs.map(
        lambda left, right: (
            tf.strings.strip(left[0]),
            tf.strings.strip(right[0]),
        )
    )
