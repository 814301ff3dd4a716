"""Versions that come, go and fail while requests flow."""

import os
import pathlib
import shutil
import threading
import time

import pytest
import toy_model

from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.manager import Manager
from s2s_keras.endpoint.manager import Spec


class FakeServable:
    def __init__(self, path):
        if not (pathlib.Path(path) / "saved_model.pb").exists():
            raise OSError("half-written")
        self.is_closed = False

    def acquire(self):
        return not self.is_closed

    def retire(self, on_close):
        self.is_closed = True
        on_close()


def write(path, *versions):
    for version in versions:
        (path / str(version)).mkdir(parents=True)
        (path / str(version) / "saved_model.pb").touch()


class UsedServable(FakeServable):
    """Is in use until `end` is called."""

    def retire(self, on_close):
        self.end = on_close


def make(path, load=FakeServable, **options):
    manager = Manager(path, "toy", load=load, **options)
    manager.poll()
    return manager


def states(manager):
    return {version: s.state for version, s in manager.states.items()}


def test_the_highest_version_is_loaded(tmp_path):
    write(tmp_path, 1, 2, 10)
    for name in ("a", "1a", "-1", "\u0663", "12.tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "13").touch()
    assert list(make(tmp_path).servables) == [10]


def test_zeros_before_a_version(tmp_path):
    write(tmp_path, "00000009", "00000010")
    manager = make(tmp_path, labels={"stable": 9})
    assert set(manager.servables) == {9, 10}
    assert manager.acquire(Spec("toy", label="stable"))[0] == 9
    assert states(manager) == {9: "AVAILABLE", 10: "AVAILABLE"}


def test_all_versions(tmp_path):
    write(tmp_path, 1, 2)
    assert set(make(tmp_path, all_versions=True).servables) == {1, 2}


def test_a_label_keeps_its_version(tmp_path):
    write(tmp_path, 1, 2, 3)
    manager = make(tmp_path, labels={"stable": 1})
    assert set(manager.servables) == {1, 3}
    assert manager.acquire(Spec("toy", label="stable"))[0] == 1
    assert manager.acquire(Spec("toy"))[0] == 3


def test_a_label_of_a_version_that_is_not_there(tmp_path):
    write(tmp_path, 1)
    manager = make(tmp_path, labels={"stable": 7})
    with pytest.raises(Failure, match=r"Specific\(toy, 7\)") as error:
        manager.acquire(Spec("toy", label="stable"))
    assert error.value.status == 404


def test_a_new_version_takes_over(tmp_path):
    write(tmp_path, 1)
    manager = make(tmp_path)
    old = manager.servables[1]
    write(tmp_path, 2)
    manager.poll()
    assert list(manager.servables) == [2] and old.is_closed
    assert states(manager) == {1: "END", 2: "AVAILABLE"}


def test_a_version_that_fails_leaves_the_old_one(tmp_path):
    write(tmp_path, 1)
    manager = make(tmp_path)
    (tmp_path / "2").mkdir()
    manager.poll()
    assert list(manager.servables) == [1]
    assert not manager.servables[1].is_closed
    assert states(manager) == {1: "AVAILABLE", 2: "END"}
    assert "half-written" in manager.states[2].message


def test_a_version_is_tried_again_when_its_files_change(tmp_path):
    write(tmp_path, 1)
    manager = make(tmp_path)
    (tmp_path / "2").mkdir()
    manager.poll()
    tries = []
    load = manager._load
    manager._load = lambda path: tries.append(path) or load(path)
    manager.poll()
    assert not tries
    (tmp_path / "2" / "saved_model.pb").touch()
    manager.poll()
    assert tries == [tmp_path / "2"]
    assert states(manager) == {1: "END", 2: "AVAILABLE"}


def test_a_version_that_is_gone(tmp_path):
    write(tmp_path, 1, 2)
    manager = make(tmp_path)
    shutil.rmtree(tmp_path / "2")
    manager.poll()
    assert list(manager.servables) == [1]
    shutil.rmtree(tmp_path / "1")
    manager.poll()
    assert not manager.servables


def retire_in_use(tmp_path):
    """A manager whose second version is gone, and that one, still in use."""
    write(tmp_path, 1, 2)
    manager = make(tmp_path, UsedServable)
    old = manager.servables[2]
    shutil.rmtree(tmp_path / "2")
    manager.poll()
    return manager, old


def test_a_version_that_comes_back_while_its_past_is_in_use(tmp_path):
    manager, old = retire_in_use(tmp_path)
    assert states(manager) == {1: "AVAILABLE", 2: "UNLOADING"}
    write(tmp_path, 2)
    manager.poll()
    old.end()
    assert states(manager) == {1: "UNLOADING", 2: "AVAILABLE"}


def test_why_a_version_did_not_come_back_stays_known(tmp_path):
    manager, old = retire_in_use(tmp_path)
    (tmp_path / "2").mkdir()
    manager.poll()
    old.end()
    assert "half-written" in manager.states[2].message


def test_the_last_that_works_stays(tmp_path):
    write(tmp_path, 1)
    manager = make(tmp_path)
    shutil.rmtree(tmp_path / "1")
    (tmp_path / "2").mkdir()
    manager.poll()
    assert list(manager.servables) == [1]


def test_a_folder_that_cannot_be_listed(tmp_path):
    write(tmp_path / "model", 1)
    manager = make(tmp_path / "model")
    shutil.rmtree(tmp_path / "model")
    manager.poll()
    assert list(manager.servables) == [1]


def wait_for(condition):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about")


def test_no_request_fails_while_versions_change(toy_path, tmp_path, serve):
    path = tmp_path / toy_model.NAME
    path.mkdir()
    shutil.copytree(toy_path / "1", path / "1")
    served = serve(Manager(path))
    first = served.endpoint.manager.servables[1]
    stop, answers = threading.Event(), []

    def ask():
        while not stop.is_set():
            answers.append(served.predict("a", signature="which"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(answers) > 10)
        shutil.copytree(toy_path / "2", path / ".2")
        os.rename(path / ".2", path / "2")
        wait_for(lambda: served.status() == {1: "END", 2: "AVAILABLE"})
        count = len(answers)
        wait_for(lambda: len(answers) > count + 10)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in answers} == {200}
    assert answers[0][1] == {"predictions": [1]}
    assert answers[-1][1] == {"predictions": [2]}
    assert first.session is None


def test_a_session_is_closed_after_its_last_request(toy_path, tmp_path, serve):
    path = tmp_path / toy_model.NAME
    path.mkdir()
    shutil.copytree(toy_path / "1", path / "1")
    served = serve(Manager(path))
    manager = served.endpoint.manager
    _, servable = manager.acquire(Spec(toy_model.NAME))  # a request begins
    shutil.copytree(toy_path / "2", path / ".2")
    os.rename(path / ".2", path / "2")
    wait_for(lambda: served.status() == {1: "UNLOADING", 2: "AVAILABLE"})
    outputs = servable.run(
        servable.signature("serving_default"), {"text": [b"still here"]}
    )
    assert outputs["translation"].tolist() == [b"STILL HERE"]
    servable.release()  # the request ends
    assert servable.session is None
    assert served.status() == {1: "END", 2: "AVAILABLE"}


def remove_variables(version):
    shutil.rmtree(version / "variables")


def remove_graph(version):
    (version / "saved_model.pb").unlink()


def cut_graph(version):
    content = (version / "saved_model.pb").read_bytes()
    (version / "saved_model.pb").write_bytes(content[: len(content) // 2])


def cut_variables(version):
    for file in (version / "variables").glob("variables.data*"):
        file.write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [remove_variables, remove_graph, cut_graph, cut_variables]
)
def test_half_written_versions_do_no_harm(damage, toy_path, tmp_path):
    path = tmp_path / toy_model.NAME
    path.mkdir()
    shutil.copytree(toy_path / "1", path / "1")
    manager = Manager(path)
    manager.poll()
    shutil.copytree(toy_path / "2", tmp_path / "2")
    damage(tmp_path / "2")
    os.rename(tmp_path / "2", path / "2")
    manager.poll()
    assert states(manager) == {1: "AVAILABLE", 2: "END"}
    assert manager.states[2].message
    shutil.rmtree(path / "2")
    shutil.copytree(toy_path / "2", path / "2")
    manager.poll()
    assert states(manager) == {1: "END", 2: "AVAILABLE"}
    manager.close()
