"""The deliberate differences from the SDK, and how each is recognized.

The table of `docs/manifests.md` is written from this one, and a difference that is not here fails the comparison.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Callable

# Endings of names that make a text a path to datarowd, as docs/manifests.md lists them.
EXTENSIONS = set(
    "jpg jpeg png bmp gif webp tif tiff heic mp4 m4v mov avi mkv webm mp3 wav m4a flac ogg aac txt pdf html htm json csv "
    "ntf nitf dcm geotiff las laz pcd ply".split())


@dataclass(frozen=True)
class Entry:
    """One deliberate difference: what a reader of the docs is told, and how it is recognized."""

    id: str
    case: str
    sdk: str
    datarowd: str
    why: str
    matches: Callable


def content(difference):
    """The string that holds or names a row's content."""
    source = difference.source
    if isinstance(source, dict):
        source = source.get("row_data")
    return source if isinstance(source, str) else None


def is_path(text):
    """Whether a text is a path to datarowd, as docs/manifests.md says."""
    if text is None or "\n" in text or "\r" in text:
        return False
    if text.startswith(("/", "./", "../", "file:")):
        return True
    return "://" not in text and "." in text and text.rsplit(".", 1)[1].lower() in EXTENSIONS


def is_float_alike(left, right):
    try:
        return float(left) == float(right)
    except (ValueError, TypeError, OverflowError):
        return False


def missing_file(d):
    return d.kind == "rejects" and d.code.startswith("media_") and not os.path.isfile(content(d) or "") and (
        is_path(content(d)) or isinstance(d.source, str))


def file_by_name(d):
    text = content(d)
    if text is None or is_path(text) or not os.path.exists(text):
        return False
    if d.kind == "accepts":
        return os.path.isdir(text)
    return d.kind == "value" and d.path[-1] in ("row_data", "external_id")


def file_url(d):
    text = content(d) or ""
    if not text.startswith("file:"):
        return False
    if d.kind == "rejects":
        return d.code.startswith("media_") or d.code == "invalid_path"
    return d.kind == "value" and d.path[-1] in ("row_data", "external_id")


def not_a_number(d):
    return d.kind == "manifest" and re.search(rb"\b(NaN|Infinity)\b", d.case.content) is not None and d.code in (
        "unexpected_character", "unexpected_byte", "invalid_number", "malformed")


CODES_OF_NAMES = {"invalid_external_id", "invalid_global_key"}

TABLE = [
    Entry(
        "missing-file", "a path whose file is not there",
        "leaves a string item out silently; sends the path of a `row_data` as text", "waits, then fails the row",
        "nobody wants a text \"cat.jpg\"", missing_file),
    Entry(
        "file-by-name", "text that happens to be a file's name in the working directory", "uploads that file",
        "decides by the string alone", "the result must not depend on where a program was started", file_by_name),
    Entry("file-url", "`file:` URLs", "text", "paths", "what else could they be", file_url),
    Entry(
        "order", "strings and objects mixed in one list", "sends the objects first", "keeps the order",
        "so that row numbers mean the same everywhere", lambda d: d.kind == "mixed"),
    Entry(
        "digits", "numbers", "reads them as floats and prints them anew", "keeps the digits",
        "what you wrote is what you mean",
        lambda d: d.kind == "value" and type(d.ours).__name__ == type(d.theirs).__name__ == "Number"
        and is_float_alike(d.ours, d.theirs)),
    Entry(
        "not-a-number", "`NaN`, `Infinity`", "sent as such, which is no JSON", "malformed",
        "the server would refuse the whole chunk", not_a_number),
    Entry(
        "empty-list", "an empty list", "starts a task with no rows", "complete at once, no task",
        "a task costs requests and tells nothing", lambda d: d.kind == "empty"),
    Entry(
        "row-alone", "one row that is wrong", "refuses the whole call", "rejects that row",
        "a million rows should not fail for one; `on_invalid_row: reject` if they should", lambda d: d.kind == "whole"),
    Entry(
        "absolute-path", "`external_id` of a file given by an absolute path", "the absolute path", "its last part",
        "paths of your machines are nobody's business",
        lambda d: d.kind == "value" and d.path[-1] == "external_id" and str(d.theirs).startswith("/")
        and d.ours == os.path.basename(d.theirs)),
    Entry(
        "names", "`external_id` or `global_key` of a wrong type, or a key that Labelbox would refuse", "sent",
        "rejected, with the place", "the server's refusal comes late and without one",
        lambda d: d.kind == "rejects" and d.code in CODES_OF_NAMES),
    Entry(
        "long-text", "text over 64 KiB", "sent, and refused by the server", "uploaded as a file",
        "it can simply be done",
        lambda d: d.kind == "value" and d.path[-1] == "row_data" and getattr(d.ours, "is_text", False)
        and isinstance(d.theirs, str) and len(d.theirs.encode("utf-8", "replace")) > 65_536
        and d.ours[0] == hashlib.sha256(re.sub("[\ud800-\udfff]", "\ufffd", d.theirs).encode()).hexdigest()),
    Entry(
        "large-row", "a row over 10,000,000 bytes", "sent alone, and fails", "rejected with its size",
        "the same end, sooner", lambda d: d.kind == "rejects" and d.code == "row_too_large"),
    Entry(
        "derived-key", "a row without `global_key`, with `global_key: derive`", "sends none", "derives one",
        "so that a row is never imported twice",
        lambda d: d.kind == "value" and d.case.global_key == "derive" and d.path == ("payload", "global_key")
        and re.fullmatch("dr1-[0-9a-f]{64}", str(d.ours)) is not None),
]

# Rules of the service that the SDK does not know, by datarowd's code: rows that the SDK sends and the server refuses.
SERVICE_RULES: dict[str, str] = {}


def markdown():
    """The table as docs/manifests.md has it."""
    lines = ["| case | the SDK | datarowd | why | test |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {e.case} | {e.sdk} | {e.datarowd} | {e.why} | `{e.id}` |" for e in TABLE]
    return "\n".join(lines) + "\n"
