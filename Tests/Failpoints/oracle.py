"""What must be so in the end, whatever failed on the way: the same as after an undisturbed run."""

import collections
import gzip
import json
import pathlib
import sqlite3
import urllib.parse

import dropped
from site_of_run import Failed


def is_drained(site, may_fail=()):
    """Whether everything has ended and is put away; media of rows that failed may stay."""
    for manifest in dropped.ENDS:
        status = site.status(manifest)
        if status is None or status["finished_at"] is None:
            return False
    seen = collections.Counter()
    for name in site.loose():
        status = site.status(name)
        if status is None or status["finished_at"] is None:
            return False
        seen.update(line.get("external_id") for line in results(status))
    if not all(seen[name] for name in dropped.LOOSE):
        return False
    stays = {".datarowd/lock"} | {name for name in dropped.MEDIA if set(dropped.ROWS_OF_MEDIA[name]) & set(may_fail)}
    return not set(site.files(site.drop)) - stays


def results(status):
    if not status["results_file"]:
        return []
    try:
        return [json.loads(line) for line in open(status["results_file"])]
    except FileNotFoundError:
        return []


class Check:
    def __init__(self, site, leaves_work=False):
        self.site = site
        self.wrong = []
        # What could not be removed may be left over.
        self.leaves_work = leaves_work

    def expect(self, condition, message):
        if not condition:
            self.wrong.append(message)

    def run(self, may_fail=()):
        """Everything; `may_fail` are external ids that may have failed, with the words why, and be on no server."""
        self.may_fail = set(may_fail)
        rows = self.site.rows()
        self.server(rows)
        self.manifests({row["id"]: row for row in rows})
        self.files()
        self.ledger()
        if self.wrong:
            raise Failed("; ".join(self.wrong))

    def server(self, rows):
        counts = collections.Counter(row["external_id"] for row in rows)
        for name, count in counts.items():
            self.expect(name in dropped.ROWS, f"row {name!r} was never dropped")
            self.expect(count == 1, f"row {name!r} is on the server {count} times")
        for name, content in dropped.ROWS.items():
            if counts[name] == 0 and name not in self.may_fail:
                self.wrong.append(f"row {name!r} is lost")
        for row in rows:
            content, found = dropped.ROWS.get(row["external_id"]), row["payload"]["row_data"]
            if isinstance(content, bytes):
                served = self.site.get(urllib.parse.urlparse(found).path)
                self.expect(served == content, f"row {row['external_id']!r} has other bytes")
            elif content is not None:
                self.expect(found == content, f"row {row['external_id']!r} has {found!r}")
        most = self.site.server()["submits"]["max_arrivals_of_one"]
        self.expect(most <= 1, f"a submission arrived {most} times")

    def manifests(self, there):
        for name, (state, outcomes) in dropped.ENDS.items():
            status = self.site.status(name)
            lines = results(status)
            found = [line["outcome"] for line in lines]
            allowed = outcomes
            if outcomes and self.may_fail:
                allowed = [
                    "failed" if got == "failed" and line["external_id"] in {None, *self.may_fail} else want
                    for got, want, line in zip(found, outcomes, lines)]
            self.expect(found == (allowed or []), f"{name}: outcomes are {found}")
            self.expect([line["row"] for line in lines] == list(range(len(found))), f"{name}: rows are not in order")
            if allowed == outcomes:
                self.expect(status["state"] == state, f"{name}: ends {status['state']}")
            self.expect("tried again" not in status["state_reason"], f"{name}: {status['state_reason']}")
            self.lines(name, lines, there)
            self.failed(name, lines, status)
        for name in self.site.loose():
            lines = results(self.site.status(name))
            for line in lines:
                self.expect(
                    line["outcome"] == "created" or line["external_id"] in self.may_fail,
                    f"{name}: {line['external_id']} is {line['outcome']}")
            self.lines(name, lines, there)

    def lines(self, name, lines, there):
        for line in lines:
            if line["outcome"] != "created":
                continue
            row = there.get(line["data_row_id"])
            self.expect(row is not None, f"{name}: names a row that is not there: {line}")
            if row:
                self.expect(row["global_key"] == line["global_key"], f"{name}: {line} names another row")

    def failed(self, name, lines, status):
        wanted = sorted(
            line["row"] for line in lines if line["outcome"] in ("failed", "rejected"))
        path = status["failed_rows_file"]
        if not wanted:
            return self.expect(path is None, f"{name}: has failed rows, and none failed")
        if path is None:
            return self.wrong.append(f"{name}: has no file of failed rows")
        data = pathlib.Path(path).read_bytes()
        rows = json.loads(data)["rows"] if path.endswith(".json") else [json.loads(x) for x in data.splitlines()]
        dropped_rows = rows_of(name)
        self.expect(rows == [dropped_rows[n] for n in wanted], f"{name}: failed rows are {str(rows)[:200]}")

    def files(self):
        places = collections.defaultdict(list)
        for name, path in self.site.files(self.site.fs).items():
            if name.endswith(".datarowd-tmp"):
                self.wrong.append(f"{name} is left over")
            elif pathlib.PurePath(name).parts[:2] == ("state", "work") and self.leaves_work:
                continue
            elif pathlib.PurePath(name).parts[:2] == ("state", "work") or "/.datarowd/claimed/" in name:
                self.wrong.append(f"{name} is left over")
            else:
                places[dropped.digest(path.read_bytes())].append(name)
        wanted = collections.defaultdict(list)
        for name, data in dropped.FILES.items():
            wanted[dropped.digest(data)].append(name)
        for digest, names in wanted.items():
            found = places[digest]
            self.expect(len(found) == len(names), f"{' and '.join(names)}: found as {found or 'nothing'}")

    def ledger(self):
        """Nothing is open in it."""
        self.wrong += ledger_troubles(self.site)


# Phases in which nothing more is to be done.
FINAL = {"imports": {"closed"}, "submissions": {"settled"}, "media": {"failed", "uploaded"}}


def ledger_troubles(site):
    """What is wrong in the ledger, or has not ended."""
    wrong = []
    db = sqlite3.connect(f"file:{site.state}/ledger.sqlite?mode=ro", uri=True, timeout=10)
    try:
        answer = db.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            wrong.append(f"the ledger is damaged: {answer}")
        for table, final in FINAL.items():
            for phase, count in db.execute(f"SELECT phase, count(*) FROM {table} GROUP BY phase").fetchall():
                if phase not in final:
                    wrong.append(f"the ledger has {count} {table} in phase {phase}")
    except sqlite3.OperationalError as error:
        wrong.append(f"the ledger cannot be read: {error}")
    finally:
        db.close()
    return wrong


def rows_of(name):
    """The rows of a manifest as they were written."""
    data = dropped.MANIFESTS[name]
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    if ".ndjson" in name:
        return [json.loads(line) for line in data.splitlines()]
    document = json.loads(data)
    return document["rows"] if isinstance(document, dict) else document
