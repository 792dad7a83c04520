"""The fixed import: what is dropped, and what must have become of it in the end."""

import gzip
import hashlib
import json
import pathlib

DATASET = "cmdset0000000000000000001"


def image(name):
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + name.encode() * 40 + b"\xff\xd9"


# A text that is too long to travel in its row, and so is uploaded.
LONG_TEXT = "All work and no play. " * 3200


def url(name):
    return f"https://example.com/{name}.jpg"


def row(name, **more):
    return {"row_data": url(name), "external_id": name, **more}


# Media, by path in the drop folder. The twin has the content of another file, which is then uploaded once.
MEDIA = {
    "cat.jpg": image("cat"),
    "album/dog.jpg": image("dog"),
    "album/twin.jpg": image("cat"),
    "loose-1.jpg": image("loose 1"),
    "loose-2.jpg": image("loose 2"),
}

# Manifests, by path; the last row of `list.json` breaks a rule, `poison-row` is refused by the simulator.
MANIFESTS = {
    "list.json": json.dumps(
        [
            row("list 1"),
            "cat.jpg",
            {"row_data": LONG_TEXT, "external_id": "long"},
            row("list 2", attachments=[{"type": "NONE SUCH", "value": "x"}]),
        ]
    ).encode(),
    "lines.ndjson.gz": gzip.compress(
        "".join(json.dumps(row(f"line {n}")) + "\n" for n in range(5)).encode(), mtime=0
    ),
    "envelope.json": json.dumps(
        {
            "defaults": {"media_type": "IMAGE"},
            "rows": [row("in envelope"), {"row_data": url("poison-row"), "external_id": "poisoned"}],
        }
    ).encode(),
    "album/album.json": json.dumps(
        [
            {"row_data": "dog.jpg", "external_id": "dog"},
            {"row_data": "twin.jpg", "external_id": "twin"},
            {"row_data": "dog.jpg", "external_id": "dog again"},
        ]
    ).encode(),
    "wrong.json": b'[{"row_data": "https://example.com/wrong.jpg"},, {}]',
}

FILES = {**MEDIA, **MANIFESTS}

# The rows that the server must have, each once: external id to the address it was dropped with, or a hash of its content.
ROWS = {
    "list 1": url("list 1"),
    "cat.jpg": MEDIA["cat.jpg"],
    "long": LONG_TEXT.encode(),
    **{f"line {n}": url(f"line {n}") for n in range(5)},
    "in envelope": url("in envelope"),
    "dog": MEDIA["album/dog.jpg"],
    "twin": MEDIA["album/twin.jpg"],
    "dog again": MEDIA["album/dog.jpg"],
    "loose-1.jpg": MEDIA["loose-1.jpg"],
    "loose-2.jpg": MEDIA["loose-2.jpg"],
}

# Which rows stand for a media file.
ROWS_OF_MEDIA = {
    "cat.jpg": ["cat.jpg"],
    "album/dog.jpg": ["dog", "dog again"],
    "album/twin.jpg": ["twin"],
    "loose-1.jpg": ["loose-1.jpg"],
    "loose-2.jpg": ["loose-2.jpg"],
}

# State, and outcome of each row, by manifest. Loose media stands for itself: how many manifests are made for it is open.
ENDS = {
    "list.json": ("complete_with_errors", ["created", "created", "created", "rejected"]),
    "lines.ndjson.gz": ("complete", ["created"] * 5),
    "envelope.json": ("complete_with_errors", ["created", "failed"]),
    "album/album.json": ("complete", ["created"] * 3),
    "wrong.json": ("rejected", None),
}
LOOSE = {"loose-1.jpg": "created", "loose-2.jpg": "created"}

# Rows that failed, as they were written, by the file that has them.
FAILED = {
    "list.json.failed.ndjson": ["list 2"],
    "envelope.json.failed.json": ["poisoned"],
}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def place(folder: pathlib.Path):
    """Puts everything into a drop folder."""
    for name, data in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
