"""Runs the comparison: the corpus made by hand, and as many generated manifests as are asked for."""

import argparse
import gc
import json
import multiprocessing
import os
import queue
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import quoteattr

import corpus
import differences
import generator
import shrink
from compare import Comparison
from model import MEDIA
from tool import Tool

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCS = ROOT / "docs" / "manifests.md"
HEADING = "## Differences from the official SDK\n"


class Bench:
    """A folder with media, the tool and the SDK in it."""

    def __init__(self, tool, mutation=None):
        # In memory where there is such a place: thousands of small files are written and synced.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = tempfile.mkdtemp(prefix="datarowd-oracle.", dir=memory)
        self.folder = os.path.join(self.root, "drop")
        for name, content in MEDIA.items():
            path = Path(self.folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        state = os.path.join(self.root, "state")
        os.mkdir(state)
        fixture = HERE / "ontology.json"
        self.tool = Tool(tool, self.folder, state, str(fixture), mutation)
        os.chdir(self.folder)
        self.comparison = Comparison(self.tool, json.loads(fixture.read_text())["data"])

    def close(self):
        self.tool.close()
        os.chdir("/")
        shutil.rmtree(self.root, ignore_errors=True)


def case_named(name):
    """A case by its id: one of the corpus, or `SEED-NUMBER` of the generator."""
    if name in corpus.NAMES:
        return corpus.case(name)
    seed, number = name.rsplit("-", 1)
    return generator.case(int(seed), int(number))


def worker(tool, mutation, names, results):
    """Compares cases until there are no more."""
    try:
        bench = Bench(tool, mutation)
        try:
            while True:
                try:
                    name = names.get(timeout=1)
                except queue.Empty:
                    continue
                if name is None:
                    break
                case = case_named(name)
                start = time.monotonic()
                # Looking for garbage among millions of rows takes longer than comparing them.
                (gc.disable if len(case.content) > 5_000_000 else gc.enable)()
                verdict = bench.comparison.run(case)
                seconds = time.monotonic() - start
                smaller = None
                if verdict.unexplained and mutation is None and case.rows is not None:
                    smaller = shrink.shrink(case, bench.comparison)
                results.put((verdict, seconds, smaller, case.content[:2000] if verdict.unexplained else b""))
        finally:
            bench.close()
    except BaseException:
        results.put(traceback.format_exc())
    results.put(None)


def compare(tool, names, jobs, mutation=None, stop_at=None):
    """Verdicts of the cases, in no order; ends early after `stop_at` that are unexplained."""
    context = multiprocessing.get_context("fork")
    waiting, results = context.Queue(), context.Queue()
    for name in names:
        waiting.put(name)
    for _ in range(jobs):
        waiting.put(None)
    workers = [context.Process(target=worker, args=(tool, mutation, waiting, results)) for _ in range(jobs)]
    for process in workers:
        process.start()
    running, found, bad = jobs, [], 0
    try:
        while running:
            result = results.get()
            if result is None:
                running -= 1
            elif isinstance(result, str):
                raise SystemExit(f"the comparison broke:\n{result}")
            else:
                found.append(result)
                bad += bool(result[0].unexplained)
                if stop_at and bad >= stop_at:
                    break
    finally:
        # What was not asked for must not keep the process from ending.
        waiting.cancel_join_thread()
        for process in workers:
            process.terminate() if running else None
            process.join()
    return found


def table_is_in_docs():
    """Whether docs/manifests.md has the table of differences.py."""
    text = DOCS.read_text()
    return differences.markdown() in text.split(HEADING, 1)[1] if HEADING in text else False


def write_docs():
    before, after = DOCS.read_text().split(HEADING, 1)
    lines = after.split("\n")
    first = next(n for n, line in enumerate(lines) if line.startswith("|"))
    last = next((n for n in range(first, len(lines)) if not lines[n].startswith("|")), len(lines))
    DOCS.write_text(before + HEADING + "\n".join(lines[:first]) + "\n" + differences.markdown() + "\n".join(lines[last:]))


def self_test(tool, seed, jobs):
    """Each mutation of the tool's output must be noticed."""
    import subprocess

    names = [name for name in corpus.NAMES if not corpus.is_large(name)] + [f"{seed}-{n}" for n in range(300)]
    mutations = subprocess.run([tool, "--list-mutations"], capture_output=True, text=True, check=True).stdout.split()
    missed = []
    for mutation in mutations:
        found = compare(tool, names, jobs, mutation, stop_at=1)
        bad = [verdict for verdict, *_ in found if verdict.unexplained]
        print(f"{mutation}: " + (f"noticed in {bad[0].case}: {bad[0].unexplained[0][:150]}" if bad else "NOT NOTICED"))
        if not bad:
            missed.append(mutation)
    print(f"{len(mutations) - len(missed)} of {len(mutations)} mutations noticed")
    return [("mutation " + name, name in missed) for name in mutations]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default=str(ROOT / ".build/release/prepare-rows"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--generated-only", action="store_true")
    parser.add_argument("--junit")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--list", action="store_true", help="prints the ids of the corpus")
    options = parser.parse_args()
    if options.write_docs:
        return write_docs()
    if options.list:
        return print("\n".join(corpus.NAMES))
    tool = str(Path(options.tool).resolve())
    if not os.access(tool, os.X_OK):
        sys.exit(f"run: no tool at {tool}: build it with swift build -c release --product prepare-rows")
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    start = time.monotonic()
    if options.self_test:
        return finish(self_test(tool, seed, options.jobs), options.junit)
    # The large ones first, so that no process is left alone with them.
    by_hand = [] if options.generated_only else sorted(corpus.NAMES, key=lambda name: not corpus.is_large(name))
    names = options.case or by_hand + [f"{seed}-{number}" for number in range(options.count)]
    found = compare(tool, names, options.jobs)
    tests = report(found, seed, names, whole=not options.case and not options.generated_only)
    print(f"in {time.monotonic() - start:.0f} s")
    finish(tests, options.junit)


def report(found, seed, names, whole):
    """Prints what came of it; the tests that it stands for, with whether each failed."""
    verdicts = [verdict for verdict, *_ in found]
    explained = Counter()
    cases = Counter()
    for verdict in verdicts:
        explained.update(verdict.explained)
        cases.update(verdict.explained.keys())
    for verdict, seconds, smaller, content in found:
        if verdict.unexplained:
            print(f"\nUNEXPLAINED in {verdict.case}:")
            for line in verdict.unexplained[:5]:
                print(f"  {line}")
            print(f"  made smaller: {smaller}" if smaller else f"  {content!r}")
            print(f"  again: Tests/Oracle/run --case {verdict.case}")
    kinds = Counter(verdict.kind for verdict in verdicts)
    print(f"\nseed {seed}")
    print(f"{len(verdicts)} manifests ({sum(1 for v in verdicts if v.case in corpus.NAMES)} made by hand), "
          f"{sum(v.rows for v in verdicts)} rows")
    print(f"manifests: {kinds['equal']} equal, {kinds['both refused']} refused by both, "
          f"{kinds['explained']} with explained differences, {kinds['unexplained']} with unexplained ones")
    print(f"rows: {sum(v.equal for v in verdicts)} equal, {sum(v.refused for v in verdicts)} refused by both")
    for entry in differences.TABLE:
        print(f"  {entry.id}: {explained[entry.id]} in {cases[entry.id]} manifests")
    slow = sorted(((seconds, verdict.case) for verdict, seconds, *_ in found), reverse=True)[:3]
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for seconds, name in slow))
    tests = [("manifests: no unexplained differences", kinds["unexplained"] > 0)]
    if whole:
        tests += [(f"difference {e.id} is exercised", explained[e.id] == 0) for e in differences.TABLE]
        tests.append(("the table stands in docs/manifests.md", not table_is_in_docs()))
        tests.append(("every case was compared", len(verdicts) != len(names)))
        tests.append(("the corpus has 300 manifests", len(corpus.NAMES) < 300))
    return tests


def finish(tests, junit):
    for name, failed in tests:
        if failed:
            print(f"failed: {name}")
    if junit:
        Path(junit).write_text("<testsuite>" + "".join(
            f"<testcase classname=\"oracle\" name={quoteattr(name)}>{'<failure/>' if failed else ''}</testcase>"
            for name, failed in tests) + "</testsuite>\n")
    sys.exit(any(failed for _, failed in tests))


if __name__ == "__main__":
    main()
