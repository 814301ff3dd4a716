import copy

import pytest
from laws import make_text_translator

from s2s_keras.export import verification
from s2s_keras.export import warmup

NUM_BEAMS = 2


@pytest.fixture(scope="module")
def model():
    return make_text_translator(num_beams=NUM_BEAMS)


@pytest.fixture(scope="module")
def answers(model):
    """What a good export answers to the warm-up requests."""
    answers = {
        name: []
        for name in ("serving_default", "translate", "n_best", "paragraphs")
    }
    for texts in warmup.make_texts(model):
        best = [item.text for item in model.translate(texts)]
        for name in ("serving_default", "translate"):
            answers[name].append({"translation": list(best)})
        several = [text for text in best for _ in range(NUM_BEAMS)]
        answers["n_best"].append({"translations": several})
        paragraphs = model.translate_paragraphs(texts)
        answers["paragraphs"].append({"translation": paragraphs})
    return answers


@pytest.mark.parametrize(
    "wrong", [None, "serving_default", "translate", "n_best", "paragraphs"]
)
def test_a_model_that_answers_otherwise_is_refused(
    model, answers, wrong, monkeypatch
):
    found = copy.deepcopy(answers)
    monkeypatch.setattr(
        verification, "_answer_in_a_fresh_process", lambda _: found
    )
    if wrong is None:
        verification.verify("path", model)
        return
    (texts,) = found[wrong][-1].values()
    texts[0] += "?"
    with pytest.raises(RuntimeError, match=f"{wrong!r} should answer as"):
        verification.verify("path", model)


@pytest.mark.slow
def test_a_model_that_cannot_run_is_refused(model, tmp_path):
    with pytest.raises(
        RuntimeError, match="run without s2s_keras(.|\\n)*Error"
    ):
        verification.verify(tmp_path, model)
