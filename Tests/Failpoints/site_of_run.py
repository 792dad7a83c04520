"""A drop folder, a state folder, a simulator and a daemon of one run's own."""

import glob
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import dropped

KEY = "test-key"
# Clocks run so many times as fast: what waits for a minute ends in three seconds.
SPEED = 60


class Failed(Exception):
    """What a run did not keep."""


class Programs:
    """Where the programs and the shim are."""

    def __init__(self, folder, shim):
        self.daemon = os.path.join(folder, "datarowd")
        self.simulator = os.path.join(folder, "labelbox-sim")
        # Changes a ledger as a mistake would have.
        self.planter = os.path.join(folder, "ledger-torture")
        self.shim = shim


class Site:
    def __init__(self, programs, options=(), speed=SPEED, grace="0s"):
        # In memory where that is to be had: the disk's own slowness tells nothing here.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="datarowd-fp-", dir=memory))
        self.programs = programs
        self.speed = speed
        self.fs = self.root / "fs"
        self.drop = self.fs / "drop"
        self.state = self.fs / "state"
        self.log = self.root / "datarowd.log"
        self.clear_file = self.root / "clear"
        self.since = time.time_ns()
        self.boot = self.root / "boot-id"
        self.boot.write_text("first\n")
        self.daemon = None
        self.ends = []
        self.drop.mkdir(parents=True)
        (self.fs / "key").write_text(KEY + "\n")
        os.chmod(self.fs / "key", 0o600)
        port = self.root / "port"
        self.simulator = self.spawn(
            [programs.simulator, "--port", "0", "--port-file", port, "--api-key", KEY, "--dataset",
             f"{dropped.DATASET}:one", "--task-delay", "10ms", "--work-folder", self.root / "labelbox", *options],
            self.root / "labelbox-sim.log", {})
        self.until(lambda: port.exists(), 30, "labelbox-sim has a port")
        self.port = int(port.read_text())
        (self.fs / "datarowd.yaml").write_text(f"""
labelbox:
  endpoint: http://127.0.0.1:{self.port}/graphql
  api_key_file: {self.fs}/key
  requests_per_minute: 100000
  connect_timeout: 5m
  stall_timeout: 20m
state_directory: {self.state}
log: {{ level: debug, format: text }}
watches:
  - name: drop
    path: {self.drop}
    dataset: {dropped.DATASET}
    settle: 0s
    rescan: 60s
    media_grace: {grace}
    linger: 0s
""")

    # MARK: processes

    def spawn(self, words, log, environment):
        variables = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "NOTIFY_SOCKET"}
        with open(log, "ab") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**variables, **{k: str(v) for k, v in environment.items()}})

    def start(self, **environment):
        """Starts the daemon with fast clocks; `environment` says what is to fail."""
        clocks = {"LD_PRELOAD": self.programs.shim, "FAILPOINTS_SPEED": self.speed, "FAILPOINTS_SINCE": self.since,
                  "FAILPOINTS_BOOT_ID": self.boot}
        if environment:
            environment |= {"FAILPOINTS_ROOT": self.fs, "FAILPOINTS_CLEAR": self.clear_file}
        self.started_at = len(self.logged())
        self.daemon = self.spawn(
            ["env", *(f"{k}={v}" for k, v in (clocks | environment).items()), self.programs.daemon, "--config",
             self.fs / "datarowd.yaml"], self.log, {})

    def ended(self):
        """How the daemon ended: a code, or less than zero for a signal; None while it runs."""
        return self.daemon.poll()

    def is_ready(self):
        """Whether the daemon that was started last has said that it is ready."""
        return " Ready " in self.logged()[self.started_at:]

    def stop(self):
        # Before that the signal is not caught yet.
        self.until(lambda: self.is_ready() or self.ended() is not None, 15, "the daemon is ready")
        self.daemon.send_signal(signal.SIGTERM)
        try:
            return self.daemon.wait(25)
        except subprocess.TimeoutExpired:
            raise Failed("the daemon does not stop") from None

    def close(self, keep=False):
        for process in (self.daemon, self.simulator):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)

    def until(self, look, limit, fact):
        """Looks every few milliseconds until there is an answer."""
        deadline = time.monotonic() + limit
        while not (answer := look()):
            if time.monotonic() > deadline:
                raise Failed(f"not within {limit} s: {fact}")
            time.sleep(0.005)
        return answer

    # MARK: looking

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 200:
                raise Failed(f"{path} answers {answer.status}")
            return data
        finally:
            connection.close()

    def rows(self):
        return [json.loads(line) for line in self.get(f"/_sim/rows?dataset={dropped.DATASET}").splitlines()]

    def server(self):
        return json.loads(self.get("/_sim/state"))

    def status(self, manifest):
        try:
            return json.loads((self.state / "status" / "drop" / f"{manifest}.status.json").read_bytes())
        except FileNotFoundError:
            return None
        except json.JSONDecodeError:
            # A loss of power may leave an empty one, until it is written anew.
            return None

    def loose(self):
        """The names of the manifests that stand for loose media."""
        folder = self.state / "status" / "drop"
        return sorted(os.path.basename(p)[: -len(".status.json")] for p in glob.glob(f"{folder}/loose-*.status.json"))

    def files(self, folder):
        """All files beneath a folder, by their path in it."""
        return {str(p.relative_to(folder)): p for p in sorted(pathlib.Path(folder).rglob("*")) if p.is_file()}

    def logged(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""
