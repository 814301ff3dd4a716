"""The command `s2s-keras train`: the whole job."""

import contextlib
import dataclasses
import pathlib
import shlex
import shutil
import sys
import time

import click

from s2s_keras.memory import keep_freed_memory
from s2s_keras.options import make_settings
from s2s_keras.options import settings_options
from s2s_keras.presets import MODEL
from s2s_keras.progress import status
from s2s_keras.records import json_option
from s2s_keras.records import to_json
from s2s_keras.studies.commands import echo_examination
from s2s_keras.training.log import BACKUP
from s2s_keras.training.log import SETTINGS
from s2s_keras.training.log import TAUGHT
from s2s_keras.training.log import TEACHERS
from s2s_keras.training.log import read_rows
from s2s_keras.training.settings import Settings


@click.command()
@settings_options
@click.option("--name", help="Name of the model; that of the data set else.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@json_option
def train(name, resume, **options):
    """Do the whole job: train, score, save, export, show translations.

    Without options it learns the synthetic English-German set that comes with
    the package. Logs and the model go to runs/NAME, the servable model to
    exported/NAME.
    """
    settings = make_settings(options)
    name = name or options["preset"] or _name_of(settings)
    if pathlib.Path(name).is_absolute() or ".." in pathlib.Path(name).parts:
        raise ValueError(
            f"--name should lead to a folder in `runs`. Received: {name}"
        )
    run_dir = pathlib.Path("runs", name)
    _check_run(run_dir, settings, resume)
    keep_freed_memory()
    from s2s_keras.export.serving import export
    from s2s_keras.training import job

    corpora = job.load_corpora(settings)
    (run_dir / BACKUP).mkdir(parents=True, exist_ok=resume)
    settings.save(run_dir / SETTINGS)
    with contextlib.nullcontext() if resume else _removed_if_idle(run_dir):
        text_translator = _train(settings, corpora, run_dir)
    evaluation = _report(text_translator, settings, corpora, run_dir)
    with status("Exporting, and checking what was exported"):
        version = export(text_translator, pathlib.Path("exported", name))
    click.echo(f"Exported {version}")
    shutil.rmtree(run_dir / BACKUP)
    return {"model": run_dir / MODEL, "version": version, **evaluation}


@contextlib.contextmanager
def _removed_if_idle(run_dir):
    """Lets a command be given again if it fails before anything is learned."""
    try:
        yield
    except Exception:
        kept = [run_dir / name for name in (MODEL, TAUGHT, TEACHERS)]
        if not read_rows(run_dir) and not any(path.exists() for path in kept):
            shutil.rmtree(run_dir)
        raise


def _train(settings, corpora, run_dir):
    """Trains and saves, or loads what was saved before the run was killed."""
    from s2s_keras.models.text_translator import TextTranslator
    from s2s_keras.training import job

    if (run_dir / MODEL).exists():
        return TextTranslator.from_preset(run_dir)
    started = time.monotonic()
    text_translator = job.train(settings, corpora, run_dir)
    minutes = (time.monotonic() - started) / 60
    text_translator.save_to_preset(run_dir)
    click.echo(f"Trained in {minutes:.1f} minutes. Saved {run_dir / MODEL}")
    return text_translator


def _name_of(settings):
    """A folder name like `clause_grammar_en_de` for the data set."""
    dataset = settings.dataset.split(",")[0].replace("{split}", "")
    words = "".join(c if c.isalnum() else " " for c in dataset).split()
    if settings.source or settings.target:
        words += [settings.source or "", settings.target or ""]
    return "_".join(filter(None, words))


def _check_run(run_dir, settings, resume):
    """Makes sure that a run overwrites nothing, or can go on."""
    if not resume:
        if run_dir.exists():
            raise FileExistsError(
                f"The folder {run_dir} exists and is left as it is. Give "
                "another --name, or --resume to go on with an interrupted run."
            )
        return
    if (run_dir / MODEL).exists() and not (run_dir / BACKUP).exists():
        raise FileExistsError(f"The run in {run_dir} is finished already.")
    if not (run_dir / SETTINGS).exists():
        raise FileNotFoundError(
            f"--resume needs an interrupted run. There is none in {run_dir}."
        )
    before = Settings.load(run_dir / SETTINGS)
    changed = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in dataclasses.asdict(before).items()
        if value != getattr(settings, name)
    ]
    if changed:
        raise ValueError(
            f"--resume needs the options of the interrupted run in {run_dir}, "
            f"which had {', '.join(changed)}."
        )


def _report(text_translator, settings, corpora, run_dir):
    """Scores the test split, and writes a page about the run."""
    from s2s_keras.studies.examination import examine
    from s2s_keras.studies.examination import write_page
    from s2s_keras.training.log import count_cpu_minutes
    from s2s_keras.training.log import describe_run

    found = examine({"model": text_translator}, corpora.test)
    rows = read_rows(run_dir)
    arguments = [text for text in sys.argv[1:] if text != "--resume"]
    command = shlex.join(["s2s-keras", *arguments])
    run = describe_run(command, settings, corpora)
    evaluation = {
        "training_cpu_minutes": round(count_cpu_minutes(run_dir), 1),
        "run": run,
        **found.summary,
    }
    (run_dir / "evaluation.json").write_text(to_json(evaluation) + "\n")
    write_page(found, run_dir / "report.html", run_dir.name, run, rows)
    echo_examination(found.summary)
    click.echo(f"\nWrote {run_dir / 'report.html'}")
    return evaluation
