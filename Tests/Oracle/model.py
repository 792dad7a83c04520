"""What a case is, and how JSON is written that no serializer would write."""

import gzip
import json
import re
from dataclasses import dataclass, field


SURROGATE = re.compile("[\ud800-\udfff]")


class Raw(str):
    """A piece of JSON that is written as it stands."""


class Object(list):
    """An object as pairs, so that keys may repeat."""


def pairs(**members):
    return Object(members.items())


@dataclass(frozen=True)
class Style:
    """How the text is laid out."""

    ascii: bool = True
    comma: str = ", "
    colon: str = ": "
    line: str = ""


def emit(value, style=Style()):
    """JSON text of a value in which objects may be dicts or `Object`s, and anything may be `Raw`."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, (dict, Object)):
        members = value.items() if isinstance(value, dict) else value
        return "{" + style.comma.join(emit(k, style) + style.colon + emit(v, style) for k, v in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + (style.comma + style.line).join(emit(element, style) for element in value) + "]"
    # A surrogate without its partner can only be written as an escape.
    is_lone = isinstance(value, str) and SURROGATE.search(value) is not None
    return json.dumps(value, ensure_ascii=style.ascii or is_lone)


@dataclass
class Case:
    """One manifest, and the watch that it is dropped in."""

    id: str
    content: bytes
    suffix: str = ".json"
    operation: str = "create"
    global_key: str = "off"
    media_type: str | None = None
    # What it was made of, where it can be made smaller: rows, a header (None for a list) and a style.
    rows: list | None = None
    header: Object | None = None
    style: Style = field(default_factory=Style)

    @property
    def layout(self):
        return "lines" if ".jsonl" in self.suffix or ".ndjson" in self.suffix else "document"


def document(rows, header=None, style=Style()):
    """The text of a list of rows, or of an envelope."""
    text = emit(list(rows), style)
    if header is None:
        return text
    return "{" + "".join(emit(k, style) + style.colon + emit(v, style) + style.comma for k, v in header) + '"rows"' + style.colon + text + "}"


def build(id, rows, *, suffix=".json", header=None, style=Style(), **options):
    """A case made of rows."""
    if ".jsonl" in suffix or ".ndjson" in suffix:
        text = "".join(emit(row, style) + "\n" for row in rows)
    else:
        text = document(rows, header, style)
    content = text.encode("utf-8", "surrogatepass")
    if suffix.endswith(".gz"):
        content = gzip.compress(content, 1, mtime=0)
    return Case(id, content, suffix, rows=list(rows), header=header, style=style, **options)


# Files that lie beside every manifest: name and content.
MEDIA = {
    "photo.jpg": b"\xff\xd8\xff\xe0 a photo",
    "same.jpeg": b"\xff\xd8\xff\xe0 a photo",
    "with space.png": b"\x89PNG\r\n\x1a\n a picture",
    "gr\u00fcn \u26f0.jpg": b"\xff\xd8\xff\xe0 a mountain",
    "sub/deep.mp4": b"\x00\x00\x00\x18ftypmp42 a film",
    "sub/notes.txt": "T\u00e4xt".encode(),
    "doc.pdf": b"%PDF-1.7 a paper",
    "page.html": b"<!doctype html><p>hello",
    "table.csv": b"a,b\n1,2\n",
    "data.json": b"{}",
    "empty.txt": b"",
    "loud.mp3": b"ID3 a song",
    "loud.wav": b"RIFF\x00\x00\x00\x00WAVE a sound",
    "scan.tif": b"II*\x00 a scan",
    "old.bmp": b"BM a bitmap",
    "clip.webm": b"\x1aE\xdf\xa3 a clip",
    "clip.mov": b"\x00\x00\x00\x14ftypqt   a clip",
    "clip.avi": b"RIFF\x00\x00\x00\x00AVI  a clip",
    "moving.gif": b"GIF89a a picture",
    "modern.webp": b"RIFF\x00\x00\x00\x00WEBP a picture",
    "UPPER.JPG": b"\xff\xd8\xff\xe0 a loud photo",
    "slice.dcm": bytes(128) + b"DICM",
    "cloud.las": b"LASF points",
    "noextension": b"what is it",
    "page.jpg": b"<!doctype html><html><p>not found</p></html>",
    "really-a-jpeg.png": b"\xff\xd8\xff\xe0 a photo by another name",
    "empty.png": b"",
    "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
}
