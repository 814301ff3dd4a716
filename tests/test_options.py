import zipfile

import pytest

from s2s_keras.options import load_model


def test_a_zip_archive_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ValueError, match="should be a `.keras` file") as info:
        load_model(path)
    assert str(path) in str(info.value) and "config.json" in str(info.value)
