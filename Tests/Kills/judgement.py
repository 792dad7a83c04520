"""What must be so when everything has ended, however often the daemon was killed."""

import collections
import hashlib
import pathlib
import urllib.parse

import oracle
from production import CREATED
from site_of_run import Failed


def is_drained(site, production):
    """Whether everything has ended and is put away, by its statuses."""
    if set(site.files(site.drop)) - {".datarowd/lock"}:
        return False
    for name in production.manifests:
        status = site.status(name)
        if status is None or status["finished_at"] is None:
            return False
    return len(loose_lines(site)) >= len(production.loose) and not oracle.ledger_troubles(site)


def loose_lines(site):
    lines = []
    for name in site.loose():
        status = site.status(name)
        if status and status["finished_at"]:
            lines += oracle.results(status)
    return lines


def judge(site, production):
    """Raises `Failed` with all that is wrong."""
    rows = site.rows()
    wrong = [
        *of_server(site, production, rows), *of_results(site, production, {row["external_id"]: row for row in rows}),
        *of_files(site, production), *oracle.ledger_troubles(site)]
    if wrong:
        raise Failed("; ".join(wrong[:10]) + (f"; and {len(wrong) - 10} more" if len(wrong) > 10 else ""))


def of_server(site, production, rows):
    counts = collections.Counter(row["external_id"] for row in rows)
    wanted = {row.name: row for row in production.rows()}
    for name, count in counts.items():
        if name not in wanted:
            yield f"row {name!r} is on the server, and was never dropped"
        elif count > 1:
            yield f"row {name!r} is on the server {count} times"
    for name, row in wanted.items():
        there = counts[name] > 0
        if there != (row.fate == CREATED):
            yield f"row {name!r}, to be {row.fate}, is {'there' if there else 'lost'}"
    for row in rows:
        want, found = wanted.get(row["external_id"]), row["payload"]["row_data"]
        if want is None:
            continue
        if isinstance(want.content, bytes):
            if site.get(urllib.parse.urlparse(found).path) != want.content:
                yield f"row {want.name!r} has other bytes"
        elif found != want.content:
            yield f"row {want.name!r} has {found!r}"
    server = site.server()
    # One that was refused may come again as it was, one that was accepted may not.
    if server["submits"]["accepted"] > server["submits"]["distinct"]:
        yield f"{server['submits']['accepted']} submissions were accepted, of {server['submits']['distinct']}"
    # A row that was handed over again though it was there failed by its key.
    if server["tasks"]["rows_failed_by_key"]:
        yield f"{server['tasks']['rows_failed_by_key']} rows were handed over again although they were there"


def of_results(site, production, there):
    for name, rows in production.manifests.items():
        lines = oracle.results(site.status(name))
        if [line["row"] for line in lines] != list(range(len(rows))):
            yield f"{name} has {len(rows)} rows and {len(lines)} results"
            continue
        for row, line in zip(rows, lines):
            if line["outcome"] != row.fate:
                yield f"{name}: row {row.name!r}, to be {row.fate}, is {line}"
            elif row.fate == CREATED and line["data_row_id"] != there.get(row.name, {}).get("id"):
                yield f"{name}: {line} names another row"
    found = sorted(line["external_id"] for line in loose_lines(site))
    if found != sorted(production.loose):
        yield f"results of loose media are {found[:20]} and not {sorted(production.loose)[:20]}"


def of_files(site, production):
    places = collections.defaultdict(list)
    for name, path in site.files(site.fs).items():
        if name.endswith(".datarowd-tmp") or pathlib.PurePath(name).parts[:2] == ("state", "work") \
                or "/.datarowd/claimed/" in name:
            yield f"{name} is left over"
        # Where all rows of a file failed, what is told of them has its very bytes.
        if name.endswith((".failed.ndjson", ".failed.json")):
            continue
        places[hashlib.sha256(path.read_bytes()).hexdigest()].append(name)
    for digest, names in production.files.items():
        if len(places[digest]) != len(names):
            yield f"{' and '.join(names)}: found as {places[digest] or 'nothing'}"
