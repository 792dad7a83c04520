"""Plays tests, a sentence each, in scenes that are set once for several of them."""

import argparse
import concurrent.futures
import re
import sys
import time
import traceback
import xml.sax.saxutils


def main(name, *modules):
    """Plays the groups of tests of these modules, and ends the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, help="the folder with the release build")
    parser.add_argument("--only", default="", help="tests whose sentence holds this")
    parser.add_argument("--junit-xml")
    options = parser.parse_args()
    start, results = time.monotonic(), []

    def play(module, number):
        try:
            # A group is a scene and the tests that are played in it, one after the other.
            with list(module.groups(options.programs))[number] as tests:
                for sentence, test in tests:
                    if options.only in sentence:
                        results.append((module.__name__, sentence, outcome(module.__name__, sentence, test)))
        except Exception as error:
            traceback.print_exc()
            results.append((module.__name__, "its scene can be set", f"{type(error).__name__}: {error}"))

    # They mostly wait, so they are played beside one another.
    with concurrent.futures.ThreadPoolExecutor() as stages:
        for module in modules:
            for number, _ in enumerate(module.groups(options.programs)):
                stages.submit(play, module, number)
    failed = sum(failure is not None for *_, failure in results)
    if options.junit_xml:
        with open(options.junit_xml, "w") as out:
            out.write("<testsuite>")
            for room, sentence, failure in results:
                # What a terminal showed may hold what XML may not.
                shown = re.sub(r"[^\x09\x0a\x20-\ud7ff]", "?", failure or "")
                what = f"<failure message={xml.sax.saxutils.quoteattr(shown)}/>" if failure else ""
                out.write(f"<testcase classname=\"{name}.{room}\" name={xml.sax.saxutils.quoteattr(sentence)}>{what}</testcase>")
            out.write("</testsuite>")
    print(f"{len(results) - failed} passed, {failed} failed in {time.monotonic() - start:.0f} s")
    sys.exit(1 if failed or not results else 0)


def outcome(room, sentence, test):
    """Plays a test; returns why it failed."""
    failure = None
    try:
        test()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        if not isinstance(error, AssertionError):
            traceback.print_exc()
    print(f"{'FAILED' if failure else 'passed'}  {room}: {sentence}", flush=True)
    if failure:
        print(f"        {failure[:3000]}", flush=True)
    return failure
