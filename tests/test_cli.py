import io
import json
import pathlib

import click
import pytest
import tensorflow as tf
from click.testing import CliRunner
from laws import make_text_translator
from laws import variant

from s2s_keras import cli
from s2s_keras import threads
from s2s_keras.cli import main
from s2s_keras.export import edge
from s2s_keras.export import serving
from s2s_keras.export.edge_loop import LiteRTTranslator
from s2s_keras.options import make_settings
from s2s_keras.training import job
from s2s_keras.training.settings import SYNTHETIC
from s2s_keras.training.settings import Settings

LINES = "one\teins\ntwo\tzwei\n" * 10


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    make_text_translator(num_beams=2).save(path)
    return str(path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, text=None):
        return CliRunner().invoke(main, arguments, input=text)

    return invoke


def expect_refusal(result, *words):
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr


def test_train_does_the_whole_job(run, monkeypatch):
    monkeypatch.setattr("sys.argv", ["s2s-keras", "train", "--resume"])
    pathlib.Path("train.tsv").write_text(LINES)
    result = run(
        *("train", "--dataset", "train.tsv", "--name", "numbers", "--json"),
        *("--validation-split", "train[:5]", "--test-split", "train[:3]"),
        *("--vocabulary-size", "300", "--units", "8", "--epochs", "1"),
    )
    assert result.exit_code == 0, result.output
    assert "BLEU" in result.stderr and "chrF" in result.stderr
    assert result.stderr.count("reference ") == 2  # the worst and the best
    assert json.loads(result.stdout)["version"] == "exported/numbers/1"
    run_dir = pathlib.Path("runs", "numbers")
    assert (run_dir / "model.keras").exists()
    assert not (run_dir / "backup").exists()
    assert Settings.load(run_dir / "settings.json").units == 8
    evaluation = json.loads((run_dir / "evaluation.json").read_text())
    assert len(evaluation["translations"]) == 3
    assert evaluation["run"]["seed"] == 0
    assert evaluation["run"]["train"].startswith("20 pairs, SHA-256 ")
    assert evaluation["run"]["command"] == "s2s-keras train"
    page = (run_dir / "report.html").read_text()
    for part in (evaluation["run"]["train"], "BLEU by length", "Learning"):
        assert part in page
    assert len(list((run_dir / "pictures").glob("epoch_01_*.png"))) == 3
    assert (run_dir / "pictures" / "curves.png").exists()
    assert pathlib.Path("exported", "numbers", "1").is_dir()
    again = run("train", "--dataset", "train.tsv", "--name", "numbers")
    expect_refusal(again, "runs/numbers exists", "--name", "--resume")
    resumed = run(
        *("train", "--dataset", "train.tsv", "--name", "numbers", "--resume")
    )
    expect_refusal(resumed, "finished already")


TINY = (
    *("train", "--dataset", "train.tsv", "--name", "numbers", "--epochs", "1"),
    *("--validation-split", "train[:5]", "--test-split", "train[:3]"),
    *("--units", "8", "--embedding-dim", "8"),
)


@pytest.mark.slow
def test_a_run_that_was_trained_but_not_exported_goes_on(run, monkeypatch):
    monkeypatch.setattr(serving, "verify", lambda *_: None)
    pathlib.Path("train.tsv").write_text(LINES)
    pathlib.Path("exported").touch()
    options = (*TINY, "--vocabulary-size", "300")
    expect_refusal(run(*options), "exported/numbers")
    pathlib.Path("exported").unlink()
    log = pathlib.Path("runs", "numbers", "log.csv").read_text()
    result = run(*options, "--resume")
    assert result.exit_code == 0, result.output
    assert "Trained in" not in result.stderr
    assert pathlib.Path("runs", "numbers", "log.csv").read_text() == log
    assert pathlib.Path("exported", "numbers", "1").is_dir()
    expect_refusal(run(*options, "--resume"), "finished already")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--vocabulary-size", "1"), ["ocabulary"]),
        (("--num-beams", "0"), ["`num_beams` should lie in [1, inf)"]),
        (("--dtype", "bfloat16"), ["'mixed_bfloat16'"]),
        (("--dtype", "float16"), ["'mixed_float16'"]),
        (("--test-split", "train[:0]"), ["split='train[:0]'"]),
        (("--name", "/numbers"), ["in `runs`", "/numbers"]),
        (("--name", "a/../../numbers"), ["in `runs`"]),
        pytest.param(
            ("--vocabulary-size", "300", "--learning-rate", "1e30"),
            ["a smaller --learning-rate", "nan"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cannot_be_trained_leaves_no_folder(run, options, words):
    pathlib.Path("train.tsv").write_text(LINES)
    expect_refusal(run(*TINY, *options), *words)
    assert not pathlib.Path("runs", "numbers").exists()


@pytest.mark.parametrize(
    ("file", "text", "is_kept"),
    [
        ("log.csv", "", False),
        ("log.csv", "epoch,loss\n", False),
        ("tensorboard/train/events", "events", False),
        ("log.csv", "epoch,loss\n0,1\n", True),
        ("taught.json", "{}", True),
        ("teachers/0/output.txt", "", True),
    ],
)
def test_a_run_that_fails_keeps_what_was_learned(
    run, monkeypatch, file, text, is_kept
):
    def train(settings, corpora, run_dir):
        path = run_dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        raise ValueError("It fails.")

    monkeypatch.setattr(job, "train", train)
    pathlib.Path("train.tsv").write_text(LINES)
    expect_refusal(run(*TINY), "It fails.")
    assert pathlib.Path("runs", "numbers").exists() == is_kept


def test_nothing_to_evaluate_is_one_clear_error(run, model):
    pathlib.Path("train.tsv").write_text(LINES)
    result = run(
        *("evaluate", "--model", model, "--dataset", "train.tsv"),
        *("--split", "train[:0]"),
    )
    expect_refusal(result, "split='train[:0]' of 'train.tsv'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("noise", 1.0), ("dropout", -0.1), ("epochs", 0), ("teachers", -1)),
        ("sampling_rate", 2.0),
    ],
)
def test_settings_lie_within_bounds(name, value):
    with pytest.raises(ValueError, match=f"`{name}`.* {name}={value}"):
        Settings(**{name: value})


def test_consistency_needs_a_dropout():
    with pytest.raises(ValueError, match="Received: consistency=1.0, dropout"):
        Settings(consistency=1.0, dropout=0.0)
    Settings(consistency=1.0, dropout=0.0, word_dropout=0.1)


def test_resume_wants_the_same_settings(run):
    run_dir = pathlib.Path("runs", "numbers")
    run_dir.mkdir(parents=True)
    Settings(dataset="train.tsv", units=8).save(run_dir / "settings.json")
    result = run(
        *("train", "--dataset", "train.tsv", "--name", "numbers", "--resume")
    )
    expect_refusal(result, "had --units 8")


def test_resume_wants_a_run(run):
    result = run("train", "--name", "numbers", "--resume")
    expect_refusal(result, "There is none in runs/numbers")
    assert not pathlib.Path("runs").exists()


def test_the_synthetic_set_has_settings_of_its_own():
    assert make_settings({}) == SYNTHETIC
    assert make_settings({"units": 7}).epochs == SYNTHETIC.epochs
    assert make_settings({"dataset": "a.tsv"}) == Settings(dataset="a.tsv")


def test_a_preset_keeps_its_splits_for_its_own_data():
    preset = {"preset": "bahdanau_tiny_grammar_en_de", "validation_split": "v"}
    assert make_settings(preset).split == "train[:50%]"
    other = make_settings({**preset, "dataset": "a.tsv"})
    assert (other.split, other.validation_split) == ("train", "v")
    assert other.units == Settings.from_preset(preset["preset"]).units


def test_a_preset_does_without_its_teacher():
    settings = make_settings({"preset": "bahdanau_small_en_es", "teacher": ""})
    assert settings.teacher is None and not settings.teachers
    assert settings.least_score is None


def test_every_setting_is_an_option(run):
    text = run("train", "--help").output
    for name in Settings.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in text


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ("no_such_set/en_de", ["no_such_set/en_de"]),
        ("missing.tsv", ["missing.tsv"]),
        ("a.en,a.de", ["a.en"]),
    ],
)
def test_a_missing_data_set_is_one_clear_error(run, dataset, words):
    expect_refusal(run("train", "--dataset", dataset), *words)
    assert not pathlib.Path("runs").exists()


def test_translate_arguments(run, model):
    expected = make_text_translator(num_beams=2).translate(["one", "two three"])
    result = run("translate", "--model", model, "one", "two three")
    assert result.exit_code == 0, result.output
    assert result.stdout == "".join(f"{item}\n" for item in expected)


def test_translate_standard_input_line_by_line(run, model):
    arguments = run("translate", "--model", model, "one", "", "two three")
    lines = run("translate", "--model", model, text="one\n\ntwo three\n")
    assert lines.stdout == arguments.stdout


@pytest.mark.parametrize(
    ("data", "lines", "said"),
    [
        ("\ufeffé\r\n\nb".encode(), ["é", "", "b"], ""),
        (b"one\rline\r\nb", ["one\rline", "b"], ""),
        (b"a\n\xe9 b\nc\n", ["a", "\ufffd b", "c"], "lines: 1, the first 2."),
    ],
)
def test_standard_input_is_utf8(monkeypatch, capsys, data, lines, said):
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(data), "ascii")
    )
    assert cli._read_standard_input() == lines
    assert capsys.readouterr().err.strip().endswith(said)


def test_translate_with_another_beam(run, model):
    expected = make_text_translator().translate("one two", num_beams=1)
    result = run("translate", "--model", model, "--beams", "1", "one two")
    assert result.stdout == f"{expected}\n"


def test_translate_draws_the_attention(run, model):
    command = ("translate", "--model", model, "--attention", "a.png")
    assert run(*command, "one two").exit_code == 0
    assert pathlib.Path("a.png").read_bytes().startswith(b"\x89PNG")
    expect_refusal(run(*command, "one two"), "a.png exists")
    expect_refusal(
        run("translate", "--model", model, "--attention", "b.png", "a", "b"),
        "Received: 2",
    )


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("no/a.png", ["a folder that exists", "no/a.png"]),
        ("a.foo", ["'svg'", "a.foo"]),
        ("a", ["'svg'", "a"]),
    ],
)
def test_where_a_picture_goes_is_checked_first(run, model, file, words):
    command = ("translate", "--model", "none", "--attention", file, "one")
    expect_refusal(run(*command), *words)


def test_only_attention_can_be_drawn(run, tmp_path):
    path = tmp_path / "plain.keras"
    make_text_translator(variant(attention="none")).save(path)
    command = ("translate", "--model", str(path), "--attention", "a.png", "one")
    expect_refusal(run(*command), "without: ", "plain.keras")


def test_what_was_translated_is_told_before_it_is_drawn(
    run, model, monkeypatch
):
    def fail(*args):
        raise OSError("The disk is full.")

    monkeypatch.setattr(cli, "_draw_attention", fail)
    result = run("translate", "--model", model, "--attention", "a.png", "one")
    expect_refusal(result, "The disk is full.")
    assert result.stdout


def test_where_a_report_goes_is_checked_first(run):
    result = run("evaluate", "--model", "none", "--report", "no/r.html")
    expect_refusal(result, "a folder that exists", "no/r.html")


def test_evaluate(run, model):
    pathlib.Path("test.tsv").write_text(LINES)
    command = ("evaluate", "--model", model, "--dataset", "{split}.tsv")
    result = run(*command, "--beams", "1", "--shown", "1")
    assert result.exit_code == 0, result.output
    for part in ("BLEU", "nrefs:1", "1 to   1 words", "dropped", "reference"):
        assert part in result.stdout, part


@pytest.mark.slow
def test_evaluate_against_a_baseline(run, model):
    other = make_text_translator(variant(attention="none"))
    other.save("other.keras")
    said = [f"{text}\t{other.translate(text)}\n" for text in ("one", "two")]
    pathlib.Path("test.tsv").write_text(10 * "".join(said))
    command = ("evaluate", "--model", model, "--dataset", "{split}.tsv")
    command += (
        "--baseline",
        "other.keras",
        "--json",
        "--report",
        "report.html",
    )
    result = run(*command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    against = found["against_baseline"]["chrf"]
    assert against["baseline"] == pytest.approx(100)
    assert found["chrf"] < 50 and against["p_value"] < 0.05
    assert len(found["worst"]) == len(found["best"]) == 5
    page = pathlib.Path("report.html").read_text()
    assert found["worst"][0]["source"] in page
    assert 'class="attention"' in page
    expect_refusal(run(*command), "report.html exists")


@pytest.mark.slow
def test_export(run, model, monkeypatch):
    monkeypatch.setattr(serving, "verify", lambda *_: None)
    options = ("--beams", "1", "--weights", "int8")
    result = run("export", "--model", model, *options, "served/numbers")
    assert result.stdout == "served/numbers/1\n", result.output
    version = pathlib.Path("served/numbers/1")
    assert (version / "saved_model.pb").exists()
    settings = json.loads((version / "assets.extra/settings.json").read_text())
    assert settings["num_beams"] == 1 and settings["weights"] == "int8"
    (data,) = (version / "variables").glob("variables.data-*")
    parameters = settings["parameters"]  # in rows of a few, each with a scale
    assert parameters < data.stat().st_size < 3 * parameters


@pytest.mark.slow
def test_export_litert(run, model, monkeypatch):
    monkeypatch.setattr(edge, "_verify", lambda *_: None)
    command = ("export-litert", "--model", model, "--weights", "int8")
    result = run(*command, "--beams", "1", "edge")
    assert result.stdout == "edge\n", result.output
    settings = json.loads(pathlib.Path("edge/settings.json").read_text())
    assert settings["weights"] == "int8"
    assert LiteRTTranslator("edge")._model.num_beams == 1
    expect_refusal(run(*command, "edge"), "edge exists and is left as it is")


@pytest.mark.parametrize(
    "command",
    [
        ("translate", "one"),
        ("evaluate",),
        ("export", "served"),
        ("export-litert", "edge"),
        ("pack", "packed"),
    ],
)
def test_without_a_model_it_says_how_to_get_one(run, command):
    name, *arguments = command
    result = run(name, "--model", "none", *arguments)
    expect_refusal(result, "model.keras", "s2s-keras train")


@pytest.mark.slow
def test_a_packed_model_translates(run, model):
    result = run("pack", "--model", model, "packed")
    assert result.stdout == "packed/model.keras\n", result.output
    result = run("translate", "--model", "packed", "one", "two")
    assert len(result.stdout.splitlines()) == 2
    again = run("pack", "--model", model, "packed")
    expect_refusal(again, "is left as it is")


def test_a_text_is_split_into_sentences(run, model):
    texts = "One. Two three!", "ONE TWO."
    translator = make_text_translator(num_beams=2)
    first, second, third = map(
        str, translator.translate(["One.", "Two three!", "One two."])
    )
    result = run("translate", "--model", model, *texts)
    assert result.stdout == f"{first} {second}\n{third.upper()}\n"


def commands(group=main, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_that_ends_speaks_json():
    silent = {
        name
        for name, command in commands()
        if not any("--json" in option.opts for option in command.params)
    }
    assert silent == {"serve"}


def test_json_is_all_of_standard_output(run, model):
    pathlib.Path("served", "1").mkdir(parents=True)
    for arguments in (
        ("pack", "--model", model, "packed"),
        ("ensemble", model, model, "together"),
        ("serve-config", "served"),
        ("presets",),
    ):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)
        assert result.stderr


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("bahdanau_small_en_es", " --dtype mixed_bfloat16"),
        ("distilled_base_multi30k_en_de", ""),
        ("bahdanau_small_grammar_en_de", ""),
    ],
)
def test_a_preset_tells_what_trains_it(run, name, dtype):
    lines = run("presets", name).stdout.splitlines()
    assert lines[-1].split(maxsplit=1) == [
        "command",
        f"s2s-keras train --preset {name}{dtype}",
    ]


def test_translate_for_machines(run, model):
    plain = run("translate", "--model", model, "one", "two three")
    result = run("translate", "--model", model, "--json", "one", "two three")
    records = json.loads(result.stdout)
    assert [record["source"] for record in records] == ["one", "two three"]
    translations = [record["translation"] for record in records]
    assert translations == plain.stdout.splitlines()


def test_traceback_on_request(run):
    result = run("--traceback", "translate", "--model", "none", "one")
    assert isinstance(result.exception, FileNotFoundError)


@pytest.mark.parametrize(
    ("cores", "environment", "expected"),
    [(2, {}, [1]), (8, {}, []), (2, {"TF_NUM_INTRAOP_THREADS": "2"}, [])],
)
def test_few_cores_share_batches_and_not_operations(
    monkeypatch, cores, environment, expected
):
    calls = []
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "count_cores", lambda: cores)
    monkeypatch.setattr(
        tf.config.threading, "set_intra_op_parallelism_threads", calls.append
    )
    threads.one_thread_an_operation(4)
    assert calls == expected
