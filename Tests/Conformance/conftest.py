"""A simulator for each test, and the official SDK pointed at it."""

import json
import os
import subprocess
import urllib.request

import labelbox
import pytest

DATASET = "cmdset0000000000000000001"


class Simulator:
    """A running labelbox-sim."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [os.environ["LABELBOX_SIM"], "--port", "0", "--dataset", f"{DATASET}:default", "--task-delay", "50ms", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.endpoint = line.removeprefix("listening on ").strip()
        self.base = self.endpoint.removesuffix("/graphql")

    def client(self, key="test-key"):
        return labelbox.Client(api_key=key, endpoint=self.endpoint)

    def get(self, path):
        with urllib.request.urlopen(self.base + path) as response:
            return response.read()

    def post(self, path, body=None):
        request = urllib.request.Request(self.base + path, data=json.dumps(body or {}).encode(), method="POST")
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def state(self):
        return json.loads(self.get("/_sim/state"))

    def rows(self, dataset=DATASET):
        return [json.loads(line) for line in self.get(f"/_sim/rows?dataset={dataset}").decode().splitlines()]

    def fault(self, operations=None, count=None, **rates):
        body = {"rates": {kind.removeprefix("_").replace("_", "-"): rate for kind, rate in rates.items()}}
        if operations:
            body["operations"] = operations
        if count is not None:
            body["count"] = count
        self.post("/_sim/faults", body)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0


@pytest.fixture
def start():
    """Starts simulators with arguments of their own, and stops them."""
    running = []

    def begin(*arguments):
        simulator = Simulator(*arguments)
        running.append(simulator)
        return simulator

    yield begin
    for simulator in running:
        simulator.stop()


@pytest.fixture
def sim(start):
    return start()


@pytest.fixture
def client(sim):
    return sim.client()


@pytest.fixture
def dataset(client):
    return client.get_dataset(DATASET)


@pytest.fixture(autouse=True)
def no_remembered_results():
    """The SDK remembers result files by task id, and each simulator counts its tasks from 1."""
    from labelbox.schema.task import Task

    Task._fetch_remote_json.cache_clear()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The SDK sleeps for seconds between polls and retries; here a moment will do."""
    import time

    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.06)))
