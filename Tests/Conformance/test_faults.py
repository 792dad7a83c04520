"""Faults as the official SDK meets them."""

import json
import time
import urllib.error

import pytest
import requests
from conftest import DATASET
from lbox.exceptions import (
    ApiLimitError,
    AuthenticationError,
    InternalServerError,
    LabelboxError,
    NetworkError,
    OperationNotAllowedException,
    ValidationFailedError,
)

HEADERS = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}


def call(sim, query="{ user { id } }"):
    return requests.post(sim.endpoint, headers=HEADERS, json={"query": query})


def test_rate_limit_is_a_fixed_window(start):
    sim = start("--requests-per-minute", "3")
    client = sim.client()
    for _ in range(3):
        client.get_dataset(DATASET)
    with pytest.raises(ApiLimitError):
        client.get_dataset(DATASET)
    with pytest.raises(ApiLimitError):
        client.upload_data(b"x", filename="x.txt")
    answer = call(sim)
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["message"].startswith("You have exceeded")
    state = sim.state()["requests"]
    assert state["refused_by_rate_limit"] == 3 and state["busiest_minute"] == 6
    assert state["by_operation"]["uploadFile"] == 1


def test_retry_after_may_be_left_out(start):
    sim = start("--requests-per-minute", "0", "--no-retry-after")
    answer = call(sim)
    assert answer.status_code == 429 and "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    "kind, error",
    [
        ("429", ApiLimitError),
        ("401", AuthenticationError),
        ("426", OperationNotAllowedException),
        ("complexity", ValidationFailedError),
        ("413", LabelboxError),
        ("html", LabelboxError),
        ("truncated", LabelboxError),
        ("reset", NetworkError),
        ("lost", NetworkError),
    ],
)
def test_what_the_sdk_does_not_retry(sim, client, kind, error):
    sim.fault(**{f"_{kind}": 1})
    with pytest.raises(error):
        client.get_user()
    sim.post("/_sim/reset-faults")
    assert client.get_user()
    assert sim.state()["faults"] == {kind: 1}


@pytest.mark.parametrize("kind", ["500", "502", "503", "520", "graphql-502", "lost-502"])
def test_what_the_sdk_retries(sim, client, kind):
    sim.post("/_sim/faults", {"rates": {kind: 1}, "count": 2})
    assert client.get_user().email == "importer@example.com"
    assert sim.state()["faults"] == {kind: 2}


def submit(sim, client, key="a"):
    def upload(name, value):
        return client.upload_data(json.dumps(value).encode(), filename=name, content_type="application/json")

    row = {"id": {"type": "AUTO", "value": ""}, "payload": {"row_data": "https://example.com/a.jpg", "global_key": key, "dataset_id": DATASET}}
    chunk = upload("json_import.json", [row])
    return upload("manifest.json", {"source": "SDK", "item_count": 1, "chunk_uris": [chunk]})


UPSERT = "mutation($m: String!) { upsertDataRows(data: {manifestUri: $m}) { id status } }"


def wait(sim):
    for _ in range(100):
        if sim.state()["tasks"]["by_status"].get("IN_PROGRESS", 0) == 0:
            return
        time.sleep(0.05)
    raise AssertionError("the tasks do not end")


@pytest.mark.parametrize("kind, rows", [("reset", 0), ("lost", 1)])
def test_a_reset_submit_took_effect_or_did_not(sim, client, kind, rows):
    manifest = submit(sim, client)
    sim.fault(operations=["upsertDataRows"], count=1, **{f"_{kind}": 1})
    with pytest.raises(NetworkError):
        client.execute(UPSERT, {"m": manifest})
    wait(sim)
    state = sim.state()
    assert len(sim.rows()) == rows
    assert state["submits"] == {"received": 1, "accepted": rows, "distinct": 1, "max_arrivals_of_one": 1}


def test_a_lost_answer_and_a_retry_make_two_tasks(sim, client):
    manifest = submit(sim, client)
    sim.fault(operations=["upsertDataRows"], count=1, _lost_502=1)
    client.execute(UPSERT, {"m": manifest})
    wait(sim)
    state = sim.state()
    assert state["submits"]["max_arrivals_of_one"] == 2 and state["tasks"]["total"] == 2
    assert state["tasks"]["rows_created"] == 1 and state["tasks"]["rows_failed"] == 1


def test_faults_may_be_for_some_operations_only(sim, client):
    sim.fault(operations=["uploadFile"], _401=1)
    assert client.get_user()
    with pytest.raises(AuthenticationError):
        client.upload_data(b"x", filename="x.txt")


def test_the_same_seed_gives_the_same_faults(start):
    def outcomes(seed):
        sim = start("--fault", "500=0.3", "--fault", "429=0.2", "--fault-seed", seed)
        return [call(sim).status_code for _ in range(40)]

    first = outcomes("7")
    assert first == outcomes("7") != outcomes("8")
    assert {200, 429, 500} == set(first)


def test_slow_answers(sim):
    sim.post("/_sim/faults", {"rates": {"slow": 1}, "count": 1, "delay_ms": 400})
    begun = time.monotonic()
    assert call(sim).status_code == 200 and time.monotonic() - begun >= 0.35


def test_too_many_aliases(start):
    sim = start("--complexity", "3")
    query = lambda count: "{" + " ".join(f"a{n}: user {{ id }}" for n in range(count)) + "}"
    assert "errors" not in call(sim, query(3)).json()
    [error] = call(sim, query(4)).json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED" and "complexity" in error["message"]


def test_too_long_requests(start):
    sim = start("--max-request-bytes", "1000")
    assert call(sim).status_code == 200
    try:
        assert call(sim, "{ user { id } }" + " " * 2000).status_code == 413
    except requests.ConnectionError:
        pass  # the server may hang up while the request is still being sent


def test_a_fault_that_does_not_exist_is_refused(sim):
    with pytest.raises(urllib.error.HTTPError) as refused:
        sim.post("/_sim/faults", {"rates": {"tsunami": 1}})
    assert refused.value.code == 400 and b"tsunami" in refused.value.read()


def test_a_wrong_length_is_refused(sim):
    form = {
        "operations": (None, json.dumps({
            "query": "mutation($file: Upload!, $n: Int!) { uploadFile(file: $file, contentLength: $n) { url } }",
            "variables": {"file": None, "n": 4},
        })),
        "map": (None, '{"1": ["variables.file"]}'),
        "1": ("a.txt", b"12345"),
    }
    answer = requests.post(sim.endpoint, headers={"Authorization": "Bearer test-key"}, files=form).json()
    assert answer["data"] == {"uploadFile": None} and "5 bytes" in answer["errors"][0]["message"]


def test_several_files_in_one_request(sim):
    form = {
        "operations": (None, json.dumps({
            "query": "mutation($a: Upload!, $b: Upload!) { x: uploadFile(file: $a, contentLength: 3) { url } "
            "y: uploadFile(file: $b, contentLength: 0) { url filename } }",
            "variables": {"a": None, "b": None},
        })),
        "map": (None, '{"0": ["variables.a"], "1": ["variables.b"]}'),
        "0": ("a.txt", b"abc"),
        "1": ("b.txt", b""),
    }
    data = requests.post(sim.endpoint, headers={"Authorization": "Bearer test-key"}, files=form).json()["data"]
    assert requests.get(data["x"]["url"]).content == b"abc"
    assert requests.get(data["y"]["url"]).content == b""


def test_chunked_requests(sim):
    body = json.dumps({"query": "{ user { id } }"}).encode()
    answer = requests.post(sim.endpoint, headers=HEADERS, data=iter([body[:5], body[5:]]))
    assert answer.json()["data"]["user"]["id"]


def test_the_request_log(sim, client):
    client.get_user()
    entries = json.loads(sim.get("/_sim/requests?last=1"))["requests"]
    assert [(entry["operations"], entry["outcome"]) for entry in entries] == [(["user"], "200")]
