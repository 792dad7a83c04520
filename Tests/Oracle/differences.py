"""The deliberate differences from the SDK, and how each is recognized.

The table of `docs/manifests.md` is written from this one, and a difference that is not here fails the comparison.
"""

import hashlib
import json
import math
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


def dropped(d):
    """Whether the SDK leaves the row out and says nothing."""
    return d.kind == "rejects" and repr(d.theirs) == "nothing"


def missing_file(d):
    return d.kind == "rejects" and d.code == "media_missing" and not os.path.exists(content(d)) and (
        is_path(content(d)) or isinstance(d.source, str))


def file_by_name(d):
    text = content(d)
    if text is None or is_path(text) or not os.path.exists(text) or isinstance(d.source, str):
        return False
    if d.kind == "accepts":
        return os.path.isdir(text)
    return d.kind == "value" and (
        d.path[-1] == "row_data" and d.ours == text and type(d.theirs).__name__ == "Upload"
        or d.path[-1] == "external_id" and repr(d.ours) == "nothing" and d.theirs == text)


def file_url(d):
    text = content(d) or ""
    if not text.startswith("file:"):
        return False
    if d.kind == "rejects":
        return d.code.startswith("media_") or d.code == "invalid_path"
    if d.kind == "accepts":
        return d.reason == "dropped"
    return d.kind == "value" and (
        d.path[-1] == "row_data" and d.theirs == text and type(d.ours).__name__ == "Upload"
        or d.path[-1] == "external_id" and repr(d.theirs) == "nothing")


def outside(d):
    if d.kind != "rejects" or not is_path(content(d)):
        return False
    try:
        real = os.path.realpath(content(d))
    except ValueError:
        return False
    if d.code == "media_path_outside":
        return not real.startswith(os.getcwd() + "/")
    return d.code in ("media_is_directory", "media_not_a_regular_file") and not os.path.isfile(real)


def has_constant(text):
    """Whether Python reads a `NaN` or an infinity in a text."""
    found = []
    for part in text.split("\n") if is_lines(text) else [text]:
        try:
            json.loads(part, parse_constant=found.append)
        except ValueError:
            pass
    return bool(found)


def is_lines(text):
    try:
        json.loads(text)
        return False
    except ValueError:
        return True


def is_rows(text, count):
    """Whether a text is so many JSON values, with a line break before each but the first."""
    decoder, at, found = json.JSONDecoder(), 0, 0
    while True:
        start = at
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at == len(text):
            return found == count
        if found and "\n" not in text[start:at] and "\r" not in text[start:at]:
            return False
        try:
            _, at = decoder.raw_decode(text, at)
        except ValueError:
            return False
        found += 1


def is_infinite(value):
    try:
        return not math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def not_a_number(d):
    if d.kind == "manifest":
        return has_constant(d.theirs)
    if d.kind != "rejects" or d.code not in ("invalid_metadata_value", "invalid_embedding_vector"):
        return False
    # The SDK sends it, and it is no JSON.
    return d.theirs is not None and any(is_infinite(n) for n in sent_numbers(d.theirs))


def sent_numbers(value):
    """The numbers in what the SDK sends."""
    if type(value).__name__ == "Number":
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from sent_numbers(member)
    elif isinstance(value, list):
        for element in value:
            yield from sent_numbers(element)


def early_year(d):
    if d.kind != "value" or "metadata_fields" not in d.path or not isinstance(d.theirs, str):
        return False
    year, hyphen, rest = d.theirs.partition("-")
    return 0 < len(year) < 4 and d.ours == year.zfill(4) + hyphen + rest


def targets(row):
    """What a row is called, or is for."""
    if not isinstance(row, dict):
        return set()
    found = [("global_key", row.get("global_key"))]
    if isinstance(row.get("key"), dict):
        found += row["key"].items()
    return {(kind, value) for kind, value in found if isinstance(value, str) and value}


def one_key_twice(d):
    return d.kind == "rejects" and d.code == "duplicate_global_key" and any(
        targets(row) & targets(d.source) for row in d.rows[:d.row])


def upsert_key(d):
    return d.kind == "value" and d.operation == "upsert" and (
        d.path == ("id", "type") and (d.ours, d.theirs) == ("GKEY", "AUTO")
        or d.path == ("id", "value") and d.theirs == "" and d.ours == d.source.get("global_key"))


def hollow_update(d):
    return d.kind == "rejects" and d.operation in ("upsert", "update") and d.code in ("empty_row_data", "invalid_row_data") and (
        isinstance(d.source, dict) and not (isinstance(d.source.get("row_data"), (str, dict, list)) and d.source["row_data"]))


# Content types that datarowd's fixed table has otherwise than Python's: SDK's, datarowd's.
TYPES = {
    (None, "application/octet-stream"), ("audio/x-wav", "audio/wav"), ("application/vnd.las", "application/octet-stream"),
}

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
        "outside", "a path that leads out of the watched folder and its `media_roots`, or to what is no file",
        "uploads whatever is there, and fails where that is a folder", "fails the row",
        "who may drop a manifest may not read all of the machine by it", outside),
    Entry(
        "string-item", "a string item that can be no file: an address, nothing, a NUL in it",
        "leaves it out silently", "rejects the row", "a row that vanishes is missed too late",
        lambda d: dropped(d) and isinstance(d.source, str)
        and d.code in ("address_as_path", "s3_address", "invalid_path", "empty_row_data")),
    Entry(
        "string-upsert", "string items in an upsert", "a `TypeError`", "files, as on create",
        "they can mean nothing else",
        lambda d: d.kind == "accepts" and isinstance(d.source, str) and d.reason.startswith("TypeError")),
    Entry(
        "no-row", "items that are neither objects nor strings", "leaves them out silently", "rejects the row",
        "a row that vanishes is missed too late",
        lambda d: dropped(d) and d.code == "invalid_row" and not isinstance(d.source, (str, dict))),
    Entry(
        "order", "strings and objects mixed in one list", "sends the objects first", "keeps the order",
        "so that row numbers mean the same everywhere", lambda d: d.kind == "mixed"),
    Entry(
        "digits", "numbers", "reads them as floats and prints them anew: 20 digits become 17, `1e400` becomes `Infinity`",
        "keeps the digits", "what you wrote is what you mean",
        lambda d: d.kind == "value" and type(d.ours).__name__ == type(d.theirs).__name__ == "Number"
        and is_float_alike(d.ours, d.theirs)),
    Entry(
        "long-integer", "an integer of more than 4,300 digits", "cannot be read by Python", "keeps the digits",
        "what you wrote is what you mean", lambda d: d.kind == "reads" and "integer string conversion" in d.reason),
    Entry(
        "not-a-number", "`NaN`, `Infinity`; in metadata and vectors also strings and numbers that become one of these",
        "sent as such, which is no JSON", "malformed; in metadata and vectors the row is rejected",
        "the server would refuse the whole chunk", not_a_number),
    Entry(
        "early-year", "a metadata date before the year 1000", "the year without zeros (`1-01-01T…`)", "four digits",
        "ISO 8601 has four", early_year),
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
        lambda d: d.kind == "rejects" and d.code in ("invalid_external_id", "invalid_global_key")),
    Entry(
        "one-key-twice", "two rows of a manifest for one global key, or for one data row", "sends both; the server refuses one, or "
        "applies them in any order", "rejects the later", "which of them is meant is not known, but where they stand", one_key_twice),
    Entry(
        "update-key", "a row without `key` in an update", "there is no update but upsert, which creates it",
        "rejected", "an update creates nothing",
        lambda d: d.kind == "rejects" and d.operation == "update" and d.code == "missing_key"
        and not (isinstance(d.source, dict) and d.source.get("key"))),
    Entry(
        "upsert-key", "a row of an upsert with a `global_key` and no `key`", "creates it, and fails where the key is in use",
        "updates the row that has the key, or creates it", "so that a changed manifest can be dropped again as it is", upsert_key),
    Entry(
        "hollow-update", "an upsert or update with a `row_data` that is empty, a number or a truth value", "sent",
        "rejected", "there is no such row; the SDK's own `DataRow.update` refuses it too", hollow_update),
    Entry(
        "content-type", "the content type of an uploaded file", "as Python guesses on that machine; none if it does not know",
        "by a fixed table, and always one", "the result must not depend on the machine",
        lambda d: d.kind == "value" and d.path[-1] == "type" and (d.theirs, d.ours) in TYPES),
    Entry(
        "media-judged", "a file that is not what its name says (a page called `.jpg`), is empty, or larger than Labelbox takes",
        "uploads it", "fails the row, and says what the file is", "the server's refusal comes late and without a reason",
        lambda d: d.kind == "rejects" and d.code in ("media_type_mismatch", "media_empty", "media_too_large")
        and os.path.exists(content(d))),
    Entry(
        "true-type", "the content type of a file of another format than its name says, of the same kind",
        "the name's", "the file's own", "Labelbox compares with the content",
        lambda d: d.kind == "value" and d.path[-1] == "type" and isinstance(d.theirs, str) and isinstance(d.ours, str)
        and d.theirs.split("/")[0] == d.ours.split("/")[0] in ("image", "video", "audio")),
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
        "many-keys", "a row with more than 1,024 keys", "takes them, if all but the known ones are null", "rejects the row",
        "a row has some twenty; a bound keeps memory bounded",
        lambda d: d.kind == "rejects" and d.code == "too_many_keys"),
    Entry(
        "depth", "more than 64 levels of lists and objects in a row", "takes some 1,000", "the manifest is malformed",
        "no media type comes near; a bound keeps memory bounded",
        lambda d: d.kind == "manifest" and d.code == "nested_too_deeply"),
    Entry(
        "byte-order-mark", "a byte order mark at the start of the file", "cannot be read by `json.load`", "skipped",
        "some editors write it", lambda d: d.kind == "reads" and "BOM" in d.reason),
    Entry(
        "rows-over-lines", "a row over several lines of a `.jsonl`", "cannot be read line by line", "read",
        "it is clear what is meant",
        lambda d: d.kind == "reads" and d.case.layout == "lines" and is_rows(d.theirs, d.ours)),
    Entry(
        "derived-key", "a row without `global_key`, with `global_key: derive`", "sends none", "derives one",
        "so that a row is never imported twice",
        lambda d: d.kind == "value" and d.case.global_key == "derive" and d.path[-1] == "global_key"
        and repr(d.theirs) == "nothing" and re.fullmatch("dr1-[0-9a-f]{64}", str(d.ours)) is not None),
]

# Rules of the service that the SDK does not know, by datarowd's code: rows that the SDK sends and the server refuses.
SERVICE_RULES: dict[str, str] = {}


def markdown():
    """The table as docs/manifests.md has it."""
    lines = ["| case | the SDK | datarowd | why | test |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {e.case} | {e.sdk} | {e.datarowd} | {e.why} | `{e.id}` |" for e in TABLE]
    return "\n".join(lines) + "\n"
