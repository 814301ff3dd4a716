import socket
import time

import pytest

from s2s_keras.data.corpora import corpus_languages
from s2s_keras.data.corpora import load_corpus
from s2s_keras.data.downloads import probe_host


def read(pairs):
    return list(pairs.as_numpy_iterator())


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def find_no_address(*args, **kwargs):
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", find_no_address)
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


def test_a_host_without_an_address_is_an_error():
    assert "no network" in str(probe_host("https", "example.org"))
    assert probe_host("file", "example.org") is None


def test_the_first_hop_is_probed(monkeypatch):
    monkeypatch.undo()
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert probe_host("http", address) is None
        monkeypatch.setenv("http_proxy", f"http://{address}")
        assert probe_host("http", "nowhere.invalid") is None
        monkeypatch.setenv("http_proxy", address)
        assert probe_host("http", "nowhere.invalid") is None
        monkeypatch.setenv("no_proxy", "nowhere.invalid")
        error = probe_host("http", "nowhere.invalid")
        assert isinstance(error, ConnectionError)
        monkeypatch.delenv("no_proxy")
        monkeypatch.setenv("http_proxy", f"socks5h://{address}")
        assert probe_host("http", "nowhere.invalid") is None
    assert isinstance(probe_host("http", "nowhere.invalid"), ConnectionError)
    monkeypatch.delenv("http_proxy")
    assert isinstance(probe_host("http", address), ConnectionError)


def test_without_network_one_error_says_what_to_pass(tmp_path):
    start = time.monotonic()
    with pytest.raises(ConnectionError) as info:
        load_corpus("multi30k_translate/en_de", data_dir=tmp_path)
    assert time.monotonic() - start < 20
    message = str(info.value)
    assert "\n" not in message
    assert "raw.githubusercontent.com" in message
    assert "'train.en.gz', 'train.de.gz', 'val.en.gz'" in message
    assert f"Received: data_dir={str(tmp_path)!r}, manual_dir=None" in message
    assert not list(tmp_path.glob("multi30k_translate/en_de/*"))


def test_without_network_only_missing_files_are_asked_for(tmp_path):
    manual_dir = tmp_path / "manual"
    manual_dir.mkdir()
    with pytest.raises(ConnectionError, match="tatoeba.fra-eng.fra") as info:
        load_corpus(
            "tatoeba/tatoeba_fr",
            data_dir=tmp_path / "data",
            manual_dir=manual_dir,
        )
    assert "deu" not in str(info.value)


@pytest.mark.parametrize(
    "dataset, split, folder",
    [
        ("tatoeba/tatoeba_fr", "train", "tfds_manual"),
        ("flores/neen", "test", "tfds_manual"),
        ("multi30k_translate/en_de", "test", "multi30k"),
    ],
)
def test_real_builders_build_without_network(
    dataset, split, folder, tmp_path, shared_data
):
    def load(split, **options):
        return load_corpus(dataset, split, data_dir=tmp_path, **options)

    whole = load(split, manual_dir=shared_data / folder)
    pairs = read(whole)
    assert len(pairs) == whole.cardinality() > 900
    assert all(text == text.strip() for pair in pairs for text in pair)
    assert read(load(f"{split}[:10]", download=False)) == pairs[:10]
    source, target = corpus_languages(dataset)
    reverse = load(split, source=target, target=source)
    assert read(reverse) == [pair[::-1] for pair in pairs]
    with pytest.raises(ValueError, match=r"`split` should be one of \['"):
        load("unknown")


def test_french_is_asked_for_where_the_folder_lacks_it(tmp_path, shared_data):
    with pytest.raises(FileNotFoundError, match="train.fr.gz"):
        load_corpus(
            "multi30k_translate/en_fr",
            data_dir=tmp_path,
            manual_dir=shared_data / "multi30k",
        )
