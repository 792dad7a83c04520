"""A stand-in for Labelbox, a daemon that listens, and folders of their own."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

DATASET = "cmpage00000000000000000001"


class Failed(Exception):
    """What the page did not keep."""


class Scene:
    """Runs `labelbox-sim` and `datarowd` with two watches, `cats` and `dogs`; a context manager."""

    def __init__(self, programs, task_delay="300ms", requests_per_minute=1200, listen="127.0.0.1:0", options=(), speed=None, root=None):
        self.programs = pathlib.Path(programs).resolve()
        self.root = pathlib.Path(root or tempfile.mkdtemp(prefix="datarowd-page-"))
        self.state = self.root / "state"
        # How many times as fast the daemon's clocks run, and the library that makes them.
        self.speed = speed
        self.daemon = None
        self.log = self.root / "datarowd.log"
        for watch in ("cats", "dogs"):
            (self.root / watch).mkdir()
        (self.root / "key").write_text("test-key\n")
        (self.root / "key").chmod(0o600)
        port = self.root / "port"
        self.simulator = self.spawn(
            ["labelbox-sim", "--port", "0", "--port-file", port, "--dataset", f"{DATASET}:page", "--task-delay", task_delay,
             "--work-folder", self.root / "uploads", *options], self.root / "labelbox-sim.log")
        self.until(lambda: port.exists() and port.read_text(), 30, "labelbox-sim listens")
        self.simulator_port = int(port.read_text())
        self.settings = f"""
labelbox:
  endpoint: http://127.0.0.1:{port.read_text().strip()}/graphql
  api_key_file: {self.root}/key
  requests_per_minute: {requests_per_minute}
state_directory: {self.state}
http: {{ listen: "{listen}" }}
log: {{ format: text }}
defaults: {{ settle: 0s, linger: 0s, media_grace: 1s, dataset: {DATASET} }}
watches:
  - {{ name: cats, path: {self.root}/cats }}
  - {{ name: dogs, path: {self.root}/dogs, media_wait: 1h }}
"""

    def spawn(self, words, log, environment=None):
        """A program that ends with this one."""
        with open(log, "ab") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.programs / words[0], *map(str, words[1:])], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "NOTIFY_SOCKET"} | (environment or {}))

    def start(self):
        """Starts the daemon; returns when it is ready."""
        (self.root / "datarowd.yaml").write_text(self.settings)
        self.log.write_text("")
        self.started_at = time.time()
        clocks = {}
        if self.speed:
            times, shim = self.speed
            clocks = {"LD_PRELOAD": str(shim), "FAILPOINTS_SPEED": str(times), "FAILPOINTS_SINCE": str(time.time_ns())}
        self.daemon = self.spawn(["datarowd", "--config", self.root / "datarowd.yaml"], self.log, clocks)
        self.until(lambda: " Ready " in self.log.read_text() or self.daemon.poll() is not None, 30, "datarowd is ready")
        if self.daemon.poll() is not None:
            raise Failed(f"the daemon ended with {self.daemon.returncode}: {self.log.read_text()}")
        if found := re.search(r"Listening .*?address=([^ \n]+):(\d+)", self.log.read_text()):
            self.host, self.port = found[1].strip('"['), int(found[2].strip('"'))

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.daemon, self.simulator):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def until(self, look, limit, fact):
        """Looks every few milliseconds until there is an answer."""
        deadline = time.monotonic() + limit
        while not (answer := look()):
            if time.monotonic() > deadline:
                raise Failed(f"not within {limit} s: {fact}")
            time.sleep(0.02)
        return answer

    # MARK: Dropping

    def drop(self, watch, name, data):
        """Puts a file in by a rename, so that it is whole from the first moment."""
        data = data if isinstance(data, bytes) else data.encode()
        path = self.root / watch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        making = self.root / "making"
        making.write_bytes(data)
        os.rename(making, path)

    @staticmethod
    def rows(count, of="row"):
        return "".join(json.dumps({"row_data": f"https://images.example/{of}/{n}.jpg", "external_id": f"{of} {n}"}) + "\n" for n in range(count))

    # MARK: Asking

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, method="GET", headers=None, body=None):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers or {}, body=body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def simulated(self, path):
        """What the stand-in answers on its own pages."""
        connection = http.client.HTTPConnection("127.0.0.1", self.simulator_port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def resident(self):
        """The daemon's memory, in bytes."""
        return int(pathlib.Path(f"/proc/{self.daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def page(self):
        return json.loads(self.ask("/page.json")[2])
