from s2s_keras.export.versions import list_versions


def test_two_folders_of_one_version(tmp_path):
    for name in ("010", "10", "0010", "9"):
        (tmp_path / name).mkdir()
    assert list_versions(tmp_path) == ["9", "10"]


def test_versions_are_numbers_of_64_bits(tmp_path):
    for name in ("1", "²", "-3", str(2**63 - 1), str(2**63)):
        (tmp_path / name).mkdir()
    assert list_versions(tmp_path) == ["1", str(2**63 - 1)]
