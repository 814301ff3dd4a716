"""The REST contract, of the endpoint and of any other server."""

import json
import os
import re
import urllib.parse

import contract
import pytest
from endpoint.conftest import ask

from s2s_keras.endpoint.manager import Manager

# Of a server that serves what `toy_model.py` writes, both versions, of which 1
# has the label `stable`; for example http://localhost:8501
OTHER_SERVER = os.environ.get("S2S_KERAS_SERVING_URL")

CASES = pytest.mark.parametrize(
    "case", contract.CASES, ids=[case.name for case in contract.CASES]
)


@CASES
def test_the_endpoint(case, toy):
    case.check(*toy.ask(case.method, case.path, case.content))


@CASES
@pytest.mark.skipif(not OTHER_SERVER, reason="needs S2S_KERAS_SERVING_URL")
def test_another_server(case):
    if case.ours_alone:
        pytest.skip("the endpoint alone answers so")
    url = urllib.parse.urlsplit(OTHER_SERVER)
    case.check(
        *ask(url.hostname, url.port, case.method, case.path, case.content)
    )


def form(value):
    """Keeps the types of an answer, not its values."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return [form(item) for item in value[:1]]
    return type(value)


def test_recorded_answers(shared_data, toy_path, serve):
    """Answers of the real server to requests for models of its own."""
    recorded = shared_data.parent / "serving" / "contract.json"
    if not recorded.exists():
        pytest.skip(f"needs {recorded}")
    served = {
        name: serve(Manager(toy_path, name, all_versions=True))
        for name in ("nmt", "core", "fastwp")
    }
    served["half"] = served["nmt"]  # which it does not serve
    for case in json.loads(recorded.read_text()):
        name = re.match("/v1/models/([a-z]+)", case["path"])
        body = case["body"]
        if name and name[1] == "fastwp":
            body["signature_name"] = "words"
        if case["case"] == "columnar scalar":  # that model took any rank
            body["signature_name"] = "flat"
        content = body.encode() if isinstance(body, str) else json.dumps(body)
        status, text = served[name[1] if name else "nmt"].ask(
            case["method"], case["path"], content
        )
        answer = json.loads(text)
        assert status == case["status"], case["case"]
        if status != 200 or case["method"] == "GET":
            assert answer == case["answer"]
        else:
            assert form(answer) == form(case["answer"])
