"""labelbox-sim and datarowd side by side, and what each of them uses."""

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

DATASET = "cmdset0000000000000000001"
KEY = "test-key"
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measurement that came to nothing."""


def until(look, limit, fact, pause=0.02):
    deadline = time.monotonic() + limit
    while not (answer := look()):
        if time.monotonic() > deadline:
            raise Failed(f"not within {limit} s: {fact}")
        time.sleep(pause)
    return answer


def cpu_seconds(pid):
    """Of all its threads, those that have ended too."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_bytes(pid):
    """The largest resident size that it ever had."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def wake_ups(pid):
    """How often its threads went from waiting to running."""
    return sum(
        int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", path.read_text(), re.M)[1])
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"))


class Site:
    """Folders in memory, a simulator, and a daemon that is started when the drop folder is as it should be."""

    def __init__(self, programs, simulator=(), watch="", labelbox="", memory=True):
        place = "/dev/shm" if memory and os.access("/dev/shm", os.W_OK) else None
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="datarowd-bench-", dir=place))
        self.programs = programs
        self.drop = self.root / "drop"
        self.state = self.root / "state"
        self.drop.mkdir()
        (self.root / "key").write_text(KEY + "\n")
        os.chmod(self.root / "key", 0o600)
        self.daemon = None
        port = self.root / "port"
        self.simulator = self.spawn(
            [f"{programs}/labelbox-sim", "--port-file", port, "--api-key", KEY, "--dataset", f"{DATASET}:bench",
             "--task-delay", "10ms", "--work-folder", self.root / "labelbox", *simulator], "labelbox-sim.log")
        until(port.exists, 30, "labelbox-sim listens")
        self.port = int(port.read_text())
        self.endpoint = f"http://127.0.0.1:{self.port}/graphql"
        (self.root / "datarowd.yaml").write_text(f"""
labelbox:
  endpoint: {self.endpoint}
  api_key_file: {self.root}/key
  requests_per_minute: 100000
{labelbox}
state_directory: {self.state}
log: {{ format: text }}
watches:
  - name: drop
    path: {self.drop}
    dataset: {DATASET}
{watch}
""")

    def spawn(self, words, log):
        variables = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "NOTIFY_SOCKET"}
        with open(self.root / log, "ab") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=variables)

    def start(self):
        """Starts the daemon; returns when it was ready, in seconds."""
        begin = time.monotonic()
        self.daemon = self.spawn([f"{self.programs}/datarowd", "--config", self.root / "datarowd.yaml"], "datarowd.log")
        until(lambda: " Ready " in self.logged() or self.daemon.poll() is not None, 60, "datarowd is ready", 0.005)
        if self.daemon.poll() is not None:
            raise Failed(f"datarowd ended with {self.daemon.returncode}: {self.logged()[-500:]}")
        return time.monotonic() - begin

    def logged(self):
        log = self.root / "datarowd.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(60)
        if code != 0:
            raise Failed(f"datarowd ended with {code}: {self.logged()[-500:]}")

    def close(self):
        for process in (self.daemon, self.simulator):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def put(self, name, source):
        """Moves a finished file in, as a producer should."""
        os.rename(source, self.drop / name)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def server(self):
        return json.loads(self.get("/_sim/state"))

    def status(self, manifest):
        try:
            return json.loads((self.state / "status" / "drop" / f"{manifest}.status.json").read_bytes())
        except FileNotFoundError:
            return None

    def wait(self, manifest, limit):
        """Its status, once it has ended."""
        def look():
            status = self.status(manifest)
            return status if status and status["finished_at"] else None
        return until(look, limit, f"{manifest} is done")

    def use(self):
        """CPU seconds, peak bytes and wake-ups of the daemon so far."""
        return cpu_seconds(self.daemon.pid), peak_bytes(self.daemon.pid), wake_ups(self.daemon.pid)
