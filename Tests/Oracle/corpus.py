"""Manifests made by hand."""

from model import Case, Object, Raw, build

CASES = {}
LARGE = set()


def add(id, rows, large=False, **options):
    assert id not in CASES, id
    CASES[id] = lambda: build(id, rows() if callable(rows) else rows, **options)
    if large:
        LARGE.add(id)


def text(id, content, **options):
    assert id not in CASES, id
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    CASES[id] = lambda: Case(id, content, **options)


URL = "https://example.com/cat.jpg"
add("url", [{"row_data": URL}])
add("two-urls", [{"row_data": URL, "global_key": "a"}, {"row_data": URL, "external_id": "b"}])
add("text", [{"row_data": "hello"}])
add("string-path", ["photo.jpg", {"row_data": URL}, "sub/deep.mp4"])
add("path", [{"row_data": "photo.jpg", "external_id": "x"}, {"row_data": "doc.pdf"}])
add("missing", [{"row_data": "nothere.jpg"}, "nothere.jpg", "noextension.not"])
add("by-name", [{"row_data": "noextension"}, {"row_data": "sub"}])
add("object", [{"row_data": {"type": "x", "messages": [{"content": "é"}]}}])
add("bad-attachment", [{"row_data": URL, "attachments": [{"type": "IMAGES", "value": "x"}]}, {"row_data": URL}])
text("empty", "[]")

NAMES = CASES.keys()


def case(name):
    return CASES[name]()


def is_large(name):
    return name in LARGE
