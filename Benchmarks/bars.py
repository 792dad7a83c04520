"""Each bar: what is measured, against what, and what it has to be.

A function takes the bench and returns lines of the table; in a quick run it works on a tenth, which is enough to see that it works
and too little to be believed.
"""

import dataclasses
import datetime
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import peers
import production
from site_of_bench import Failed, Site, cpu_seconds, until

MIB = 1 << 20
# What a row of 200 bytes takes until it is in results, on both sides: about as much was seen.
BYTES_OF_A_ROW = 1_000


@dataclasses.dataclass
class Line:
    """A row of the table; `bar` is None for what is only told."""

    group: str
    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    bar: str | None = None
    passed: bool | None = None


def at_least(group, what, ours, unit, peer, theirs, times):
    ratio = ours / theirs
    return Line(group, what, ours, unit, peer, theirs, ratio, f"≥ {times:g} ×", ratio >= times)


def at_most(group, what, ours, unit, peer, theirs, times, name=None):
    ratio = ours / theirs
    return Line(group, what, ours, unit, peer, theirs, ratio, f"≤ {name or f'{times:g}'} ×", ratio <= times)


def within(group, what, ours, unit, most):
    return Line(group, what, ours, unit, bar=f"≤ {most:g} {unit}", passed=ours <= most)


def over(group, what, ours, unit, least):
    return Line(group, what, ours, unit, bar=f"≥ {least:g} {unit}", passed=ours >= least)


def told(group, what, ours, unit):
    return Line(group, what, ours, unit)


class Bench:
    def __init__(self, programs, python, folder, quick, repetitions):
        self.programs = programs
        self.python = python
        self.folder = folder
        self.quick = quick
        self.repetitions = repetitions

    def some(self, number):
        return number // 10 if self.quick else number

    def path(self, name):
        return os.path.join(self.folder, name)

    def median(self, runs):
        """Of each figure."""
        return {name: statistics.median(run[name] for run in runs) for name in runs[0]}

    def alternate(self, *works):
        """Each in turn, as often as asked; the medians of each."""
        runs = [[] for _ in works]
        for _ in range(self.repetitions):
            for work, found in zip(works, runs):
                found.append(work())
        return [self.median(found) for found in runs]


# MARK: rows


def import_rows(bench, manifest, name, rows, limit):
    """One manifest of URL rows, from the moment it is there to the end of its results."""
    copy = bench.path("moving-" + name)
    shutil.copyfile(manifest, copy)
    with Site(bench.programs, watch="    settle: 1s\n    linger: 0s") as site:
        shutil.move(copy, site.root / name)
        site.start()
        start, before = time.monotonic(), site.use()[0]
        simulator = cpu_seconds(site.simulator.pid)
        site.put(name, site.root / name)
        status = site.wait(name, limit)
        seconds = time.monotonic() - start
        cpu, peak, _ = site.use()
        if status["rows"]["created"] != rows:
            raise Failed(f"{status['rows']}")
        server = site.server()
        return {"seconds": seconds, "cpu": cpu - before, "peak": peak, "requests": server["requests"]["total"],
                "simulator": cpu_seconds(site.simulator.pid) - simulator}


def sdk_rows(bench, rows):
    with Site(bench.programs) as site:
        found = peers.sdk(bench.python, site, "rows", rows)
        found["requests"] = site.server()["requests"]["total"]
        return found


def million(bench):
    group, count, theirs = "1,000,000 URL rows", bench.some(1_000_000), bench.some(100_000)
    manifest = bench.path("million.ndjson")
    production.rows(manifest, count)
    ours, sdk = bench.alternate(
        lambda: import_rows(bench, manifest, "million.ndjson", count, 600), lambda: sdk_rows(bench, theirs))
    os.unlink(manifest)
    per = count / theirs
    yield at_least(group, "rows a second", count / ours["seconds"], "rows/s", "SDK", theirs / sdk["seconds"], 50)
    yield at_most(group, "client CPU", ours["cpu"], "s", "SDK, scaled", sdk["cpu"] * per, 1 / 80, "1/80")
    yield within(group, "peak memory", ours["peak"] / MIB, "MiB", 64)
    yield told(group, "peak memory of the SDK for a tenth", sdk["peak"] / MIB, "MiB")
    yield told(group, "requests for 1,000 rows", ours["requests"] * 1000 / count, "")
    yield told(group, "requests of the SDK for 1,000 rows", sdk["requests"] * 1000 / theirs, "")
    yield told(group, "CPU of labelbox-sim meanwhile", ours["simulator"], "s")


def touch_memory(count):
    """Writes to so many bytes in memory once, at most half of what is free, and gives them back.

    A virtual machine's memory comes from its host when it is first written to, at less than a gigabyte a second on some: that
    would be counted as datarowd's time, and only where a run needs more memory than those before it.
    """
    with open("/proc/meminfo") as info:
        free = int(re.search(r"MemAvailable:\s+(\d+)", info.read())[1]) * 1024
    if not os.access("/dev/shm", os.W_OK):
        return
    block = b"\xff" * MIB
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        for _ in range(min(count, free // 2) // MIB):
            file.write(block)


def scaling(bench):
    group, count = "10,000,000 rows against 1,000,000", bench.some(10_000_000)
    found = {}
    for number in (count // 10, count):
        name = f"rows-{number}.ndjson"
        manifest = bench.path(name)
        production.rows(manifest, number)
        touch_memory(number * BYTES_OF_A_ROW)
        found[number] = import_rows(bench, manifest, name, number, 3600)
        os.unlink(manifest)
    small, large = found[count // 10], found[count]
    yield at_most(group, "time", large["seconds"], "s", "a tenth of the rows", small["seconds"], 10.5)
    yield at_most(group, "peak memory", large["peak"] / MIB, "MiB", "a tenth of the rows", small["peak"] / MIB, 1.1)
    yield told(group, "client CPU", large["cpu"], "s")


def scan(bench):
    group, count = "reading a manifest, on one core", bench.some(2_000_000)
    work = bench.path("scan")
    os.makedirs(work, exist_ok=True)

    def time_of(name, **how):
        path = bench.path(name)
        production.rows(path, count, **how)
        if name.endswith(".gz"):
            plain = path.removesuffix(".gz") + ".plain"
            os.rename(path, plain)
            with open(plain, "rb") as source, gzip.open(path, "wb", 6) as packed:
                shutil.copyfileobj(source, packed, 1 << 20)
            os.unlink(plain)
        done = subprocess.run(
            [f"{bench.programs}/scan-rows", path, work, str(max(3, bench.repetitions))], capture_output=True, text=True, check=True)
        os.unlink(path)
        return json.loads(done.stdout)

    for what, name, how in (
            ("lines", "scan.ndjson", {}), ("a list", "scan.json", {"layout": "list"}),
            ("lines without keys", "keyless.ndjson", {"has_keys": False})):
        found = time_of(name, **how)
        def rate(part, found=found):
            return found["bytes"] / found[part] / 1e9

        if how.get("has_keys", True):
            yield over(group, f"pass 1 of {what}: syntax, rules, count", rate("check"), "GB/s", 1)
            yield told(group, f"pass 1 of {what}, and the file's SHA-256", rate("pass1"), "GB/s")
            yield told(group, f"reading alone, of {what}", rate("read"), "GB/s")
        yield over(group, f"pass 2 of {what}" + ("" if how.get("has_keys", True) else ", which get keys"),
                   rate("pass2"), "GB/s", 0.5)
    found = time_of("packed.ndjson.gz")
    unpacking = found["check"]
    yield at_most(group, "pass 1 of compressed lines", unpacking, "s", "zlib alone", found["read"], 2.5)


# MARK: media


def media(bench, count, size, parallel, limit):
    """Files for which an album stands, from the moment that it is there until all are rows; the files lie there already."""
    source = bench.path(f"media-{size}")
    if not os.path.isdir(source):
        production.files(source, count, size)

    def ours():
        # The last connection is never for uploads, so one more makes them as many as curl's; 20 is the most there may be.
        with Site(bench.programs, ["--discard-media"], watch="    settle: 1s\n    linger: 0s",
                  labelbox=f"  max_connections: {min(20, parallel + 1)}", memory=False) as site:
            os.rename(source, site.drop / "album")
            manifest = site.root / "album.json"
            manifest.write_text(json.dumps([{"row_data": f"album/{n:05}.jpg", "external_id": str(n)} for n in range(count)]))
            site.start()
            # Past `settle`, so that only the work is measured.
            time.sleep(3)
            before = site.use()[0]
            start = time.time()
            site.put("album.json", manifest)
            status = site.wait("album.json", limit)
            cpu, peak, _ = site.use()
            uploaded = last_upload(site, count) - start
            until(lambda: not any((site.drop / "album").glob("*.jpg")), limit, "all files have left")
            site.stop()
            put_back(site, source)
            if status["rows"]["created"] != count:
                raise Failed(f"{status['rows']}")
            server = site.server()
            return {"seconds": uploaded, "cpu": cpu - before, "peak": peak, "requests": server["requests"]["total"]}

    def curl():
        with Site(bench.programs, ["--discard-media"], memory=False) as site:
            return peers.curl(site, sorted(os.path.join(source, name) for name in os.listdir(source)), parallel)

    def sdk():
        with Site(bench.programs, ["--discard-media"], memory=False) as site:
            found = peers.sdk(bench.python, site, "files", source)
            found["requests"] = site.server()["requests"]["total"]
            return found

    return ours, curl, sdk, source


def last_upload(site, count):
    """When labelbox-sim had the last of the files: a status is written once a second, and would tell up to a second later."""
    if (files := site.server()["uploads"]["files"]) != count + 2:
        raise Failed(f"{files} uploads for {count} files, a chunk of rows and a list of chunks")
    requests = json.loads(site.get(f"/_sim/requests?last={count + 100}"))["requests"]
    uploads = sorted((request for request in requests if "uploadFile" in request["operations"]), key=lambda it: it["time"])
    return max(
        datetime.datetime.fromisoformat(request["time"]).timestamp() + request["duration_ms"] / 1000
        for request in uploads[:-2])


def put_back(site, source):
    """The files, wherever the daemon has put them."""
    for folder, _, names in os.walk(site.root):
        if any(name.endswith(".jpg") for name in names):
            os.rename(folder, source)
            return
    raise Failed("the media is gone")


def large_media(bench):
    size = (256 << 20) // (10 if bench.quick else 1)
    group = f"8 files of {size >> 20} MiB"
    ours, curl, sdk, source = media(bench, 8, size, 8, 600)
    mine, theirs = bench.alternate(ours, curl)
    total = 8 * size / 1e6
    yield at_least(group, "throughput", total / mine["seconds"], "MB/s", "curl --parallel", total / theirs["seconds"], 0.95)
    yield at_most(group, "client CPU", mine["cpu"], "s", "curl --parallel", theirs["cpu"], 1.3)
    yield within(group, "peak memory", mine["peak"] / MIB, "MiB", 64)
    found = sdk()
    yield told(group, "peak memory of the SDK", found["peak"] / MIB, "MiB")
    yield told(group, "client CPU of the SDK", found["cpu"], "s")
    shutil.rmtree(source)


def small_media(bench):
    count, size = bench.some(2_000), 100_000
    group = f"{count:,} files of 100 KB"
    ours, curl, sdk, source = media(bench, count, size, 20, 600)
    mine, theirs = bench.alternate(ours, curl)
    yield at_least(group, "files a second", count / mine["seconds"], "files/s", "curl --parallel", count / theirs["seconds"], 0.95)
    found = sdk()
    yield at_most(group, "client CPU", mine["cpu"], "s", "SDK", found["cpu"], 1 / 5, "1/5")
    yield told(group, "requests for 1,000 files", mine["requests"] * 1000 / count, "")
    yield told(group, "requests of the SDK for 1,000 files", found["requests"] * 1000 / count, "")
    shutil.rmtree(source)


# MARK: many manifests


def one_row(n, prefix="one"):
    return json.dumps([{"row_data": f"https://storage.example.com/{prefix}/{n}.jpg", "global_key": f"{prefix}/{n}"}])


def many_manifests(bench):
    count = bench.some(10_000)
    group = f"{count:,} manifests of one row"
    runs = []
    for _ in range(bench.repetitions):
        with Site(bench.programs, watch="    settle: 1s") as site:
            making = site.root / "making"
            making.mkdir()
            for n in range(count):
                (making / f"{n:05}.json").write_text(one_row(n))
            site.start()
            start, before = time.monotonic(), site.use()[0]
            for n in range(count):
                site.put(f"{n:05}.json", making / f"{n:05}.json")
            folder = site.state / "status"
            until(lambda: is_done(site, count), 600, "all are complete", 0.1)
            seconds = time.monotonic() - start
            written = sum(1 for _ in (folder / "drop").glob("*.status.json"))
            if written != count:
                raise Failed(f"{written} statuses for {count} manifests")
            cpu, peak, _ = site.use()
            runs.append({"seconds": seconds, "cpu": cpu - before, "peak": peak,
                         "requests": site.server()["requests"]["total"]})
    found = bench.median(runs)
    yield within(group, "requests", found["requests"], "", 60)
    yield within(group, "time until all statuses say complete", found["seconds"], "s", 15)
    yield told(group, "client CPU", found["cpu"], "s")
    yield told(group, "peak memory", found["peak"] / MIB, "MiB")


def is_done(site, count):
    """By the daemon's own status, and then by every file's."""
    try:
        status = json.loads((site.state / "status" / "datarowd.json").read_bytes())
    except FileNotFoundError:
        return False
    if status["watches"][0]["imports"]["complete"] < count:
        return False
    return all('"state": "complete"' in path.read_text() for path in (site.state / "status" / "drop").glob("*.status.json"))


def latency(bench):
    count = bench.some(1_000)
    group = "one manifest of one row, linger 0"
    with Site(bench.programs, watch="    settle: 0s\n    linger: 0s") as site:
        making = site.root / "one.json"
        site.start()
        took = []
        for n in range(count):
            making.write_text(one_row(n, "latency"))
            before = accepted(site)
            start = time.monotonic()
            site.put(f"{n}.json", making)
            until(lambda before=before: accepted(site) > before, 30, "it is submitted", 0.0005)
            took.append((time.monotonic() - start) * 1000)
    took.sort()
    yield within(group, "from rename to submit, p99", took[int(len(took) * 0.99)], "ms", 100)
    yield told(group, "from rename to submit, p50", took[len(took) // 2], "ms")


def accepted(site):
    return site.server()["submits"]["received"]


# MARK: at rest


def idle(bench):
    count, seconds = bench.some(10_000), 60 if not bench.quick else 10
    group = f"idle for {seconds} s with {count:,} files archived"
    with Site(bench.programs) as site:
        making = site.root / "making"
        making.mkdir()
        for n in range(count):
            (making / f"{n:05}.json").write_text(one_row(n))
        for n in range(count):
            site.put(f"{n:05}.json", making / f"{n:05}.json")
        site.start()
        until(lambda: is_done(site, count), 600, "all are complete", 0.2)
        # Back-offs and last writes end.
        time.sleep(15)
        before = site.use()
        time.sleep(seconds)
        after = site.use()
    yield within(group, "wake-ups", after[2] - before[2], "", 60 if not bench.quick else 10)
    yield within(group, "CPU", after[0] - before[0], "s", 0.05)


def start_up(bench):
    finished, waiting = bench.some(1_000_000), bench.some(100_000)
    group = f"start with {finished:,} finished rows in the ledger and {waiting:,} files that wait"
    manifests = 1_000
    with Site(bench.programs, watch="    settle: 1s") as site:
        for n in range(manifests):
            production.rows(site.root / "some.ndjson", finished // manifests, prefix=f"start/{n}")
            site.put(f"{n}.ndjson", site.root / "some.ndjson")
        site.start()
        until(lambda: is_done(site, manifests), 900, "all are complete", 0.2)
        site.stop()
        (site.root / "datarowd.log").unlink()
        for n in range(waiting):
            (site.drop / f"{n:06}.json").write_text(one_row(n, "waiting"))
        seconds = site.start()
    yield within(group, "ready", seconds, "s", 3)


# MARK: the simulator


def simulator(bench):
    """What it could take if nobody was slower: it must not be what is measured."""
    group = "labelbox-sim itself"
    size, folder = 256 << 20, bench.path("ceiling")
    production.files(folder, 4, size // (10 if bench.quick else 1))
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    total = sum(os.path.getsize(path) for path in paths)
    with Site(bench.programs, ["--discard-media"], memory=False) as site:
        found = peers.curl(site, paths, 4)
    shutil.rmtree(folder)
    yield told(group, "uploads that it takes from curl", total / found["seconds"] / 1e6, "MB/s")


BARS = {
    "simulator": simulator, "million": million, "scaling": scaling, "scan": scan, "large-media": large_media,
    "small-media": small_media, "manifests": many_manifests, "latency": latency, "idle": idle, "start": start_up,
}
