"""A site whose daemon was killed with work in every phase, and how all of it must end."""

import collections
import http.client
import json
import pathlib
import shutil
import sqlite3
import subprocess
import urllib.parse

import dropped
from site_of_run import Failed, Site


def row(name, **more):
    return {"row_data": f"https://example.com/{name}.jpg", "external_id": name, **more}


def manifest(*rows):
    return json.dumps(list(rows)).encode()


# What has ended before the kill: history.
EARLIER = {
    "a/done.json": manifest(row("done 1"), row("done 2"), {"row_data": "cat.jpg", "external_id": "cat"}),
    "a/partly.json": manifest(row("good"), row("poison-row"), row("bad", attachments=[{"type": "NONE SUCH", "value": "x"}])),
    "a/wrong.json": b'[{"row_data": "https://example.com/wrong.jpg"},, {}]',
    **{f"a/few-{n}.json": manifest(row(f"few {n}")) for n in range(8)},
}
EARLIER_MEDIA = {"a/cat.jpg": dropped.image("cat"), "loose.jpg": dropped.image("loose")}

# Each of these is in another phase when the daemon is killed.
FLYING = {"b/flying.json": manifest(*(row(f"flying {n}") for n in range(3)))}
WAITING = {"b/waiting.json": manifest({"row_data": "late.jpg", "external_id": "late"}, row("beside late"))}
DOUBTED = {"b/doubted.json": manifest(*(row(f"doubted {n}") for n in range(3)))}
CLOSING = {"b/closing.json": b'[{"row_data": '}
SUBMITTING = {"b/submitting.json": manifest(*(row(f"submitting {n}") for n in range(3)))}
# So large that it is still being read, and wrong at its end, so that nothing of it is sent.
CLAIMED = {"b/claimed.json": b"[" + b",".join(json.dumps(row(f"never {n}")).encode() for n in range(40_000)) + b", oh]"}
LATE = {"b/late.jpg": dropped.image("late")}

MANIFESTS = {**EARLIER, **FLYING, **WAITING, **DOUBTED, **CLOSING, **SUBMITTING, **CLAIMED}
REJECTED = {"a/wrong.json", "b/closing.json", "b/claimed.json"}
STATES = {name: "rejected" if name in REJECTED else "complete" for name in MANIFESTS} | {
    "a/partly.json": "complete_with_errors"}
ROWS = {"done 1", "done 2", "cat", "good", "loose.jpg", "late", "beside late", *(f"few {n}" for n in range(8))} | {
    f"{word} {n}" for word in ("flying", "doubted", "submitting") for n in range(3)}
# What was not handed over when the daemon was killed: the rows that wait for a file, in one call.
CALLS_LEFT = 1

LIMIT = 60


class Scene:
    """The site after the kill; it serves until a daemon has changed something on the server."""

    def __init__(self, programs, variant):
        self.variant = variant
        self.site = Site(programs)
        self.older = self.site.root / "older.sqlite"
        self.base = self.site.root / "base"
        try:
            self.set_up()
        except BaseException:
            self.site.close()
            raise

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        try:
            connection.request("POST", path, json.dumps(body))
            if connection.getresponse().status != 200:
                raise Failed(f"{path} is refused")
        finally:
            connection.close()

    def fault(self, kind, operations, **more):
        self.post("/_sim/faults", {"rates": {kind: 1}, "operations": operations, "delay_ms": 600_000, **more})

    def drop(self, files):
        for name, data in files.items():
            # By a rename, so that each is taken at once.
            temporary = self.site.fs / "making"
            temporary.write_bytes(data)
            target = self.site.drop / name
            target.parent.mkdir(exist_ok=True)
            temporary.rename(target)

    def phases(self):
        """What is in which phase, as the ledger has it."""
        db = sqlite3.connect(f"file:{self.site.state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
        try:
            found = collections.Counter()
            for table in ("imports", "submissions", "media"):
                for phase, count in db.execute(f"SELECT phase, count(*) FROM {table} GROUP BY phase"):
                    found[table, phase] = count
            return found
        except sqlite3.DatabaseError:
            # Also damage that a daemon had no reason to meet.
            return collections.Counter()
        finally:
            db.close()

    def reach(self, table, phase):
        def look():
            if self.site.ended() is not None:
                raise Failed(f"the daemon ended by itself: {self.site.ended()}")
            return self.phases()[table, phase]

        self.site.until(look, LIMIT, f"{table} are in phase {phase}")

    def set_up(self):
        site = self.site
        self.drop(EARLIER_MEDIA)
        self.drop(EARLIER)
        site.start()
        site.until(lambda: self.is_drained(EARLIER), LIMIT, "everything has ended")
        self.keep_older()
        failed = site.state / "failed" / "drop"
        failed.rename(failed.parent / "away")
        failed.write_text("in the way")
        # What is asked after is answered too late, so that nothing moves on.
        self.fault("slow", ["user", "dataRowsForGlobalKeys"])
        self.drop(WAITING)
        self.reach("media", "awaited")
        self.drop(FLYING)
        self.reach("submissions", "submitted")
        self.fault("lost", ["upsertDataRows"], count=1)
        self.drop(DOUBTED)
        self.reach("submissions", "ambiguous")
        self.drop(CLOSING)
        self.reach("imports", "closing")
        self.fault("slow", ["upsertDataRows"], count=1)
        self.drop(SUBMITTING)
        site.until(lambda: "submitting 2" in self.names(), LIMIT, "the call has arrived")
        self.reach("submissions", "submitting")
        self.drop(CLAIMED)
        self.reach("imports", "claimed")
        site.daemon.kill()
        site.daemon.wait()
        failed.unlink()
        (failed.parent / "away").rename(failed)
        self.post("/_sim/reset-faults", {})
        if self.variant == "file":
            self.put_log_away(site.state / "ledger.sqlite")
        self.calls = self.submits()["received"]
        shutil.copytree(site.fs, self.base)

    def put_log_away(self, ledger):
        """Has everything in the file and nothing in the log, as after many commits."""
        subprocess.run(
            [pathlib.Path(self.site.programs.daemon).parent / "ledger-torture", ledger, "--put-log-away"], check=True)

    def keep_older(self):
        copy = self.site.root / "copy"
        copy.mkdir()
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            shutil.copy(self.site.state / name, copy / name)
        self.put_log_away(copy / "ledger.sqlite")
        (copy / "ledger.sqlite").rename(self.older)

    def restore(self):
        """Puts everything back as it was after the kill; the server must not have changed since."""
        shutil.rmtree(self.site.fs)
        shutil.copytree(self.base, self.site.fs)
        (self.site.fs / "key").chmod(0o600)
        self.drop(LATE)

    # MARK: looking

    def names(self):
        return [row["external_id"] for row in self.site.rows()]

    def submits(self):
        return self.site.server()["submits"]

    def is_drained(self, manifests=MANIFESTS):
        for name in manifests:
            status = self.site.status(name)
            if status is None or status["finished_at"] is None:
                return False
        loose = self.site.loose()
        return bool(loose) and all((self.site.status(name) or {}).get("finished_at") for name in loose)

    def is_closed(self):
        """Whether nothing is left to be put away."""
        phases = self.phases()
        return bool(phases) and all(
            phase in ("closed", "settled", "uploaded", "failed") for _, phase in phases)

    def wrong(self):
        """What is not as it must be in the end."""
        found = []
        counts = collections.Counter(self.names())
        for name in sorted(counts.keys() | ROWS):
            if name not in ROWS:
                found.append(f"row {name!r} was never dropped")
            elif counts[name] != 1:
                found.append(f"row {name!r} is on the server {counts[name]} times")
        found += self.sent_again()
        for name, state in STATES.items():
            status = self.site.status(name)
            if status["state"] != state:
                found.append(f"{name} ends {status['state']}: {status['state_reason']}")
            elif status["results_file"]:
                self.results(name, status, found)
        for row in self.site.rows():
            content = {"cat": EARLIER_MEDIA["a/cat.jpg"], "late": LATE["b/late.jpg"]}.get(row["external_id"])
            if content and self.site.get(urllib.parse.urlparse(row["payload"]["row_data"]).path) != content:
                found.append(f"row {row['external_id']!r} has other bytes")
        claimed = list((self.site.drop / ".datarowd" / "claimed").glob("*"))
        if claimed:
            found.append(f"left among the claims: {claimed}")
        return found

    def sent_again(self):
        submits = self.submits()
        if submits["max_arrivals_of_one"] > 1 or submits["received"] > self.calls + CALLS_LEFT:
            return [f"{submits['received'] - self.calls} calls were made where {CALLS_LEFT} was left to be made"]
        return []

    def results(self, name, status, found):
        lines = [json.loads(line) for line in open(status["results_file"])]
        ids = {row["external_id"]: row["id"] for row in self.site.rows()}
        if [line["row"] for line in lines] != list(range(len(json.loads(MANIFESTS[name])))):
            found.append(f"{name}: has results of rows {[line['row'] for line in lines]}")
        for line in lines:
            if line["outcome"] in ("created", "already_present") and line["data_row_id"] != ids.get(line["external_id"]):
                found.append(f"{name}: {line} names another row")
