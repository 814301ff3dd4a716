"""What a training run was, and what its log says."""

import csv
import hashlib
import importlib.metadata
import json
import pathlib
import platform

BACKUP = "backup"  # folder that is there until all of a run is done
BEST = "best.weights.h5"  # weights of the best epoch
LOG = "log.csv"  # a row for each epoch
SETTINGS = "settings.json"
TAUGHT = "taught.json"  # what teachers said
TEACHERS = "teachers"  # folder of the runs of those that were trained for it
PACKAGES = ("s2s-keras", "keras", "tensorflow", "tensorflow-text")


def read_rows(run_dir):
    """The rows of a run's log, one an epoch; none if it did not start yet."""
    log_path = pathlib.Path(run_dir, LOG)
    if not log_path.exists():
        return []
    with log_path.open() as log:
        return list(csv.DictReader(log))


def count_cpu_minutes(run_dir):
    """The processor time of a run's epochs, and of its teachers."""
    run_dir = pathlib.Path(run_dir)
    rows = read_rows(run_dir)
    minutes = sum(float(row["cpu_minutes"]) for row in rows)
    if (run_dir / TAUGHT).exists():
        minutes += json.loads((run_dir / TAUGHT).read_text())["cpu_minutes"]
    return minutes + sum(map(count_cpu_minutes, run_dir.glob(f"{TEACHERS}/*")))


def describe_run(command, settings, corpora):
    """What another needs to know to repeat a run.

    Args:
        command: String, as it was typed.
        settings: `Settings`.
        corpora: `Corpora`.

    Returns:
        A dictionary of strings and numbers.
    """
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    data = {
        split: fingerprint(pairs) for split, pairs in corpora._asdict().items()
    }
    return {
        "command": command,
        "seed": settings.seed,
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.machine()}, {platform.system()}",
        **data,
    }


def fingerprint(pairs):
    """Tells one corpus from another.

    Args:
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text).

    Returns:
        String: how many pairs there are, and SHA-256 of all lines
        `source_text<tab>target_text`.
    """
    digest, count = hashlib.sha256(), 0
    for sources, targets in pairs.batch(1024).as_numpy_iterator():
        for pair in zip(sources, targets, strict=True):
            digest.update(b"\t".join(pair) + b"\n")
            count += 1
    return f"{count} pairs, SHA-256 {digest.hexdigest()}"
