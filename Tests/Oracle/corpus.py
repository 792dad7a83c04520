"""Manifests made by hand."""

import gzip
import json
import random

from model import Case, Object, Raw, Style, build, pairs

CASES = {}
LARGE = set()


def add(id, rows, large=False, **options):
    """A manifest of rows, which may be given by a function where they are many."""
    assert id not in CASES, id
    CASES[id] = lambda: build(id, rows() if callable(rows) else rows, **options)
    if large:
        LARGE.add(id)


def text(id, content, large=False, **options):
    """A manifest by its text, which may be given by a function where it is long."""
    assert id not in CASES, id

    def make():
        made = content() if callable(content) else content
        return Case(id, made.encode("utf-8", "surrogatepass") if isinstance(made, str) else made, **options)

    CASES[id] = make
    if large:
        LARGE.add(id)


URL = "https://example.com/cat.jpg"
ROW = {"row_data": URL}
DATE, SPLIT, TRAIN = "cmdate0000000000000000001", "cmsplit000000000000000001", "cmsplittrain0000000000001"
TAG, SCORE, VECTOR = "cmtag00000000000000000001", "cmscore000000000000000001", "cmvector00000000000000001"
SITE, NORTH, HOLLOW = "cmsite0000000000000000001", "cmsitenorth00000000000001", "cmhollow00000000000000001"

# MARK: keys

add("url", [ROW])
add("url-upper-scheme", [{"row_data": "HTTPS://example.com/cat.jpg"}, {"row_data": "Http://example.com/a.png"}])
add("url-http-gs", [{"row_data": "http://example.com/a"}, {"row_data": "gs://bucket/a.jpg"}])
add("url-other-scheme", [{"row_data": "ftp://example.com/a.jpg"}, {"row_data": "azure://a/b.png"}, {"row_data": "data:image/png;base64,AAAA"}])
add("url-with-unicode", [{"row_data": "https://example.com/Köln/\U0001f408.jpg?a=b&c=%20"}])
text("url-escaped-slashes", r'[{"row_data": "https:\/\/example.com\/cat.jpg"}, {"row_data": "\u0068ttps://example.com/a.jpg"}]')
add("url-spaces", [{"row_data": " https://example.com/a.jpg"}, {"row_data": "https://example.com/a.jpg "}])
add("s3", [{"row_data": "s3://bucket/a.jpg"}])
add("s3-single-slash", [{"row_data": "s3:/bucket/a.jpg"}, {"row_data": "S3://bucket/a.jpg"}, {"row_data": "s3"}])
text("s3-escaped", r'[{"row_data": "s3:\/\/bucket\/a.jpg"}, {"row_data": "\u00733://bucket/a.jpg"}]')
add("s3-string", ["s3://bucket/a.jpg"])
for name, value in {
    "external_id": "cat-1", "global_key": "cats/1", "media_type": "IMAGE", "metadata_fields": [], "metadata": [],
    "attachments": [], "embeddings": [], "media_attributes": {"height": 10}, "created_at": "2024-05-01T10:20:30Z",
    "updated_at": "2024-05-01T10:20:30Z", "uid": "cmuid00000000000000000001", "dataset_id": "another",
}.items():
    add(f"key-{name}", [{"row_data": URL, name: value}])
    add(f"null-{name}", [{"row_data": URL, name: None}])
    for kind, odd in {"true": True, "false": False, "zero": 0, "number": 12, "empty": "", "text": "x", "object": {"a": 1},
                      "hollow": {}, "list": [1], "bare": []}.items():
        add(f"odd-{name}-{kind}", [{"row_data": URL, name: odd}])
for kind in ["IMAGE", "VIDEO", "TEXT", "DOCUMENT", "PDF", "AUDIO", "HTML", "GEOSPATIAL_TILE", "TMS_GEO", "CONVERSATIONAL",
             "SIMPLE_TILE", "DICOM", "POINT_CLOUD", "LLM_PROMPT_CREATION", "MODEL_CHAT_EVALUATION", "image", "Image",
             "JPEG", "", "unknown"]:
    add(f"media-type-{kind or 'empty'}", [{"row_data": URL, "media_type": kind}])
add("media-type-of-watch", [ROW, {"row_data": URL, "media_type": "VIDEO"}, "photo.jpg"], media_type="IMAGE")
add("all-keys", [{
    "row_data": URL, "external_id": "e", "global_key": "g", "media_type": "IMAGE",
    "attachments": [{"type": "IMAGE", "value": URL, "name": "n"}], "metadata_fields": [{"name": "tag", "value": "t"}],
    "embeddings": [{"embedding_id": "x", "vector": [0.5, 1]}], "media_attributes": {}, "created_at": "2024-01-01",
    "updated_at": "2024-01-01", "uid": "u", "dataset_id": "d"}])
for name in ["rowdata", "Row_Data", "externalId", "globalKey", "mediaType", "metadataFields", "data", "url", "name", "type",
             "version", "conversational_data", "attachment", "metadata field", "", " row_data", "row_data ", "row\u00e9"]:
    add(f"unknown-key-{name or 'empty'}", [{"row_data": URL, name: "x"}, ROW])
    add(f"unknown-null-key-{name or 'empty'}", [{"row_data": URL, name: None}])
add("unknown-keys-only", [{"a": 1}, {"b": None}, {}])
text("escaped-keys", r'[{"\u0072ow_data": "https://example.com/a.jpg", "global\u005fkey": "g", "ext\u0065rnal_id": "e"}]')
text("key-with-nul", r'[{"row_data": "x", "row_data\u0000": "y"}]')
text("key-lone-surrogate", r'[{"row_data": "x", "\ud800": null}, {"row_data": "x", "\ud800": 1}]')

# MARK: row_data

for name, value in {
    "null": None, "empty": "", "zero": 0, "number": 7, "float": 1.5, "true": True, "false": False, "object": {"a": 1},
    "hollow": {}, "list": [1, 2], "bare": [], "space": " ", "newline": "\n", "text": "Just a text.", "nul": "a\0b",
    "long-word": "a" * 5000, "name": "photo", "dots": "...", "slash": "/", "dot": ".", "dotdot": "..", "root-file": "/photo.jpg",
    "tilde": "~/photo.jpg", "colon": "a: b", "json": "{\"a\": 1}", "html": "<p>hi</p>", "sentence": "I saw cat.jpg",
    "sentence-end": "He looked at the picture named cat.jpg", "sentence-dot": "The end.", "extension": ".jpg", "two-lines": "photo.jpg\nphoto.jpg",
    "carriage": "photo.jpg\r", "tab": "photo.jpg\t", "windows": "C:\\photos\\cat.jpg", "unicode": "h\u00e9llo \U0001f600",
    "scheme": "file.jpg://x", "question": "photo.jpg?x=1", "fragment": "photo.jpg#x", "price": "It is 3.50", "version": "v1.2.mp4",
    "domain": "example.com/cat.jpg", "protocol-relative": "//example.com/cat.jpg", "email": "a@b.txt",
}.items():
    for operation in ("create", "upsert", "update"):
        row = {"row_data": value} if operation != "update" else {"key": {"global_key": "g"}, "row_data": value}
        if operation == "create" or name in ("null", "empty", "zero", "number", "true", "false", "object", "hollow", "list", "bare", "text", "root-file"):
            add(f"row-data-{name}-{operation}", [row], operation=operation)
add("no-row-data", [{"external_id": "x"}, {"global_key": "x"}, {}])
add("no-row-data-attachments", [{"attachments": [{"type": "IMAGE", "value": URL}]}])
add("text-64k", [{"row_data": "a" * 65_536}, {"row_data": "ä" * 32_768}])
add("text-over-64k", [{"row_data": "a" * 65_537}, {"row_data": "ä" * 32_769}, {"row_data": "\U0001f600" * 20_000, "external_id": "e"}])
text("text-over-64k-escapes", lambda: '[{"row_data": "' + r"\u00e9\n\"" * 25_000 + '"}, {"row_data": "' + r"\ud83d\ude00" * 20_000 + '"}]')
text("text-over-64k-surrogate", lambda: '[{"row_data": "' + r"\ud800 " * 40_000 + '"}]')
text("text-64k-of-escapes", lambda: '[{"row_data": "' + r"\u0061" * 65_536 + '"}]')
add("text-1mb", [{"row_data": "lorem ipsum " * 90_000}])
add("pdf-text-layer", [{"row_data": {"pdf_url": "https://example.com/a.pdf", "text_layer_url": "https://example.com/a.json"}, "media_type": "PDF", "global_key": "p"}])
add("pdf-extra", [{"row_data": {"pdf_url": "gs://a/a.pdf", "text_layer_url": None, "textLayer": [[1, [2.5, {}]]]}}])
add("conversation", [{"row_data": {"type": "application/vnd.labelbox.conversational", "version": 1, "messages": [
    {"messageId": "m1", "timestampUsec": 1530718491, "content": "Hi", "user": {"userId": "u", "name": "N"}, "align": "left", "canLabel": False}]},
    "media_type": "CONVERSATIONAL"}])
add("conversation-model", [{"row_data": {"type": "application/vnd.labelbox.conversational", "version": 1, "messages": [], "modelOutputs": [{"title": "A", "content": "x", "modelConfigName": "c"}]}}])
add("model-chat-evaluation", [{"row_data": {"type": "application/vnd.labelbox.conversational.model-chat-evaluation", "draft": True, "rootMessageIds": ["r"],
    "actors": {"a": {"role": "human", "metadata": {"name": "N"}}}, "messages": {"r": {"actorId": "a", "content": [{"type": "text", "content": "?"}], "childMessageIds": []}}, "version": 2,
    "globalMessageEvaluations": None}, "media_type": "LLM_PROMPT_RESPONSE_CREATION"}])
add("tiled-imagery", [{"row_data": {"tileLayerUrl": "https://example.com/{z}/{x}/{y}.png", "bounds": [[19.405, -99.21], [19.40, -99.20]], "minZoom": 12, "maxZoom": 20, "epsg": "EPSG4326", "alternativeLayers": [{"tileLayerUrl": "x", "name": "s"}]}, "media_type": "TMS_GEO"}])
add("geotiff", [{"row_data": {"tileLayerUrl": "https://example.com/a.geotiff", "minZoom": 1.5, "epsg": "SIMPLE", "bounds": None}}])
add("object-with-path", [{"row_data": {"pdf_url": "doc.pdf"}}, {"row_data": ["photo.jpg"]}])
add("object-with-nulls", [{"row_data": {"a": None, "b": [None, {"c": None}]}, "media_attributes": {"x": None}}])
text("object-duplicates", '[{"row_data": {"a": 1, "a": 2, "b": {"c": 1, "c": {"d": 1, "d": 2}}}}]')
add("llm", [{"row_data": {"prompt": "Say", "responses": ["A", "B"]}, "media_type": "LLM_PROMPT_RESPONSE_CREATION"}])
add("video-object", [{"row_data": {"video": [{"frame": 1, "url": URL}]}}])

# MARK: the older shapes

MESSAGES = [{"messageId": "1", "timestampUsec": 5, "content": "c", "user": {"userId": "u", "name": "n"}, "align": "left", "canLabel": True}]
add("legacy-conversation", [{"conversationalData": MESSAGES, "externalId": "e", "type": "application/vnd.labelbox.conversational", "version": 1}])
add("legacy-conversation-plain", [{"conversationalData": MESSAGES}])
add("legacy-conversation-both-names", [{"conversationalData": MESSAGES, "externalId": "e", "external_id": "f"}, {"conversationalData": MESSAGES, "external_id": "f", "externalId": None}])
add("legacy-conversation-row-data", [{"conversationalData": MESSAGES, "row_data": URL}, {"row_data": "photo.jpg", "conversationalData": MESSAGES}])
add("legacy-conversation-media", [{"conversationalData": MESSAGES, "media_type": "CONVERSATIONAL", "attachments": [{"type": "IMAGE", "value": URL}], "metadata_fields": [{"name": "tag", "value": "x"}], "global_key": "g"}])
add("legacy-conversation-global-key", [{"conversationalData": MESSAGES, "globalKey": "g"}])
for name, value in {"null": None, "empty": "", "bare": [], "hollow": {}, "false": False, "true": True, "zero": 0, "one": 1, "text": "x",
                    "object": {"a": 1}, "strings": ["x"], "mixed": [MESSAGES[0], 1], "lists": [[]], "objects": [{}], "nulls": [None]}.items():
    add(f"legacy-conversation-{name}", [{"conversationalData": value}, ROW])
    add(f"legacy-conversation-{name}-beside", [{"conversationalData": value, "row_data": URL}])
for key in ["messageID", "text", "", "user", "align", "canLabel", "timestampUsec"]:
    add(f"legacy-message-{key or 'empty'}", [{"conversationalData": [{key: None}]}])
for name, value in {"null": None, "number": 2.5, "object": {}, "empty": "", "false": False}.items():
    add(f"legacy-type-{name}", [{"conversationalData": MESSAGES, "type": value, "version": value}])
    add(f"legacy-external-id-{name}", [{"conversationalData": MESSAGES, "externalId": value}])
TILE = {"tileLayerUrl": "https://example.com/{z}/{x}/{y}.png", "bounds": [[1, 2], [3, 4]], "minZoom": 1, "maxZoom": 2, "epsg": "EPSG4326"}
add("legacy-tile", [TILE])
add("legacy-tile-row-data", [{**TILE, "row_data": URL}])
add("legacy-tile-names", [{**TILE, "row_data": "x", "externalId": "e", "global_key": "g", "key": None, "anything": [1], "nothing": None}])
add("legacy-tile-attachments", [{**TILE, "row_data": "x", "attachments": [{"type": "IMAGE", "value": URL}]}, {**TILE, "row_data": "x", "attachments": [{"type": "NO", "value": URL}]}])
add("legacy-tile-conversation", [{**TILE, "conversationalData": MESSAGES}, {**TILE, "conversationalData": 5}])
add("legacy-tile-null", [{"tileLayerUrl": None, "row_data": URL}, {"tileLayerUrl": None, "bounds": [], "row_data": URL}])
add("legacy-tile-path", [{**TILE, "row_data": "photo.jpg"}, {"tileLayerUrl": "", "row_data": "photo.jpg"}])
add("legacy-tile-metadata", [{**TILE, "row_data": "x", "metadata_fields": "x", "embeddings": 5, "external_id": "e"}])
add("legacy-tile-upsert", [{**TILE, "key": {"global_key": "g"}}, TILE], operation="upsert")
add("legacy-tile-derive", [{**TILE, "row_data": "x"}], global_key="derive")
add("legacy-conversation-upsert", [{"conversationalData": MESSAGES, "key": {"id": "i"}}, {"conversationalData": MESSAGES}], operation="upsert")

# MARK: attachments

for kind in ["AUDIO", "VIDEO", "IMAGE", "IMAGE_OVERLAY", "HTML", "RAW_TEXT", "TEXT_URL", "PDF_URL", "CAMERA_IMAGE"]:
    add(f"attachment-{kind}", [{"row_data": URL, "attachments": [{"type": kind, "value": "https://example.com/a"}, {"value": "x", "name": "n", "type": kind}]}])
for kind in ["image", "Image", "TEXT", "PDF", "IMAGE ", "", None, 1, True, [], {}, ["IMAGE"], "__class__"]:
    add(f"attachment-type-{json.dumps(kind)}", [{"row_data": URL, "attachments": [{"type": kind, "value": "x"}]}, ROW])
for value in ["", None, 1, 0, False, True, [], {}, ["x"], " ", "photo.jpg", "a\0b", "x" * 70_000]:
    add(f"attachment-value-{json.dumps(value)[:20]}", [{"row_data": URL, "attachments": [{"type": "RAW_TEXT", "value": value}]}, ROW])
for name, value in {"missing-type": {"value": "x"}, "missing-value": {"type": "IMAGE"}, "hollow": {}, "null": None, "text": "IMAGE",
                    "list": ["type", "value"], "number": 1, "extra": {"type": "IMAGE", "value": "x", "more": {"a": [1]}},
                    "name-null": {"type": "IMAGE", "value": "x", "name": None}, "name-number": {"type": "IMAGE", "value": "x", "name": 5}}.items():
    add(f"attachment-{name}", [{"row_data": URL, "attachments": [value]}, ROW])
    add(f"attachment-second-{name}", [{"row_data": URL, "attachments": [{"type": "HTML", "value": "x"}, value]}])
add("attachment-duplicate-keys", [pairs(row_data=URL, attachments=[Object([("type", "NO"), ("type", "IMAGE"), ("value", ""), ("value", "x")])]),
                                  pairs(row_data=URL, attachments=[Object([("type", "IMAGE"), ("type", "NO"), ("value", "x")])])])
text("attachment-escaped", r'[{"row_data": "x", "attachments": [{"t\u0079pe": "\u0049MAGE", "valu\u0065": "x"}]}]')
add("attachment-key-of-list", [{"row_data": URL, "attachments": "typevalue"}, {"row_data": URL, "attachments": {"type": "IMAGE", "value": "x"}}])
add("attachments-many", [{"row_data": URL, "attachments": [{"type": "IMAGE", "value": f"https://example.com/{n}"} for n in range(500)]}])

# MARK: metadata fields


def field(**members):
    return [{"row_data": URL, "metadata_fields": [members]}, ROW]


for name, value in {"tag": "text", "captureDateTime": "2024-05-01T10:20:30Z", "split": "train", "score": 1.5, "site": "north", "wann / when": "2024-05-01"}.items():
    add(f"metadata-{name.split()[0]}", field(name=name, value=value))
add("metadata-site-quoted", field(name="site", value="s\u00fcd \"9\""))
add("metadata-option-id-by-name", field(name="split", value=TRAIN))
add("metadata-option-of-another-by-name", field(name="split", value=NORTH))
add("metadata-field-id-as-option", field(name="split", value=TAG))
add("metadata-enum-by-id", field(schema_id=SPLIT, value=TRAIN))
add("metadata-enum-by-id-and-name", field(schema_id=SPLIT, value="train"))
add("metadata-enum-by-id-of-another", field(schema_id=SPLIT, value=NORTH))
add("metadata-option-as-schema", field(schema_id=TRAIN, value=TRAIN))
add("metadata-option-name-as-field", field(name="train", value="x"))
add("metadata-both-agree", field(schema_id=TAG, name="tag", value="x"))
add("metadata-both-differ", field(schema_id=SCORE, name="tag", value=1))
add("metadata-both-unknown-name", field(schema_id=SCORE, name="no such", value=1))
add("metadata-both-unknown-id", field(schema_id="cmnone0000000000000000001", name="tag", value="x"))
add("metadata-hollow-enum", field(name="hollow", value="x"))
add("metadata-hollow-enum-by-id", field(schema_id=HOLLOW, value=TRAIN))
add("metadata-embedding", field(name="vector", value=[0.5] * 128))
add("metadata-embedding-by-id", field(schema_id=VECTOR, value=[1]))
add("metadata-embedding-text", field(name="vector", value="x"))
add("metadata-number-by-id", field(schema_id=SCORE, value=2))
add("metadata-own-tag-by-id", field(schema_id="cmtagown00000000000000001", value=2))
add("metadata-unknown-name", field(name="no such", value=2))
add("metadata-name-case", field(name="Tag", value="x"))
add("metadata-name-space", field(name=" tag ", value="x"))
add("metadata-short-id", field(schema_id="short", value="x"))
add("metadata-long-id", field(schema_id=TAG + "x", value="x"))
for kind, odd in {"null": None, "number": 1, "true": True, "list": [], "object": {}, "empty": ""}.items():
    add(f"metadata-name-{kind}", field(name=odd, value="x"))
    add(f"metadata-id-{kind}", field(schema_id=odd, value="x"))
    add(f"metadata-name-{kind}-with-id", field(name=odd, schema_id=TAG, value="x"))
    add(f"metadata-id-{kind}-with-name", field(name="tag", schema_id=odd, value="x"))
    add(f"metadata-text-{kind}", field(name="tag", value=odd))
    add(f"metadata-date-{kind}", field(name="captureDateTime", value=odd))
    add(f"metadata-number-{kind}", field(name="score", value=odd))
    add(f"metadata-option-{kind}", field(name="split", value=odd))
    add(f"metadata-option-by-id-{kind}", field(schema_id=SPLIT, value=odd))
add("metadata-no-value", field(name="tag"))
add("metadata-no-name", field(value="x"))
add("metadata-hollow", field())
add("metadata-extra", field(name="tag", value="x", more=1, kind="string"))
add("metadata-schemaId", field(schemaId=TAG, value="x"))
for name, value in {"text": "x", "number": 1, "list": [], "null": None}.items():
    add(f"metadata-entry-{name}", [{"row_data": URL, "metadata_fields": [value]}])
add("metadata-object", [{"row_data": URL, "metadata_fields": {"name": "tag", "value": "x"}}])
add("metadata-many", [{"row_data": URL, "metadata_fields": [{"name": "tag", "value": "a"}, {"name": "tag", "value": "b"}, {"name": "split", "value": "test"}, {"schema_id": DATE, "value": "2024-01-01"}]}])
add("metadata-one-bad", [{"row_data": URL, "metadata_fields": [{"name": "tag", "value": "a"}, {"name": "split", "value": "no"}]}, ROW])
add("metadata-text-long", field(name="tag", value="x" * 5000))
for number, value in enumerate(["1", " 1 ", "1_000", "1__0", "_1", "0x10", "1e5", "1E400", "-1e400", "inf", "-Infinity", "nan", "+1", "--1", "1.", ".5", ".", "", " ", "\u0661\u0662",
                                "1\u00a0", "\uff11", "0001", "-0", "1e", "e5", "1,5", "true", "\t1\n", "1\x1c", "12345678901234567890", "1_0.0_1e1_0", "\u2007" + "1", "1\0", "infinity", "1e-400"]):
    add(f"metadata-number-string-{number}", field(name="score", value=value))
for number, value in enumerate(["1e400", "-1e400", "12345678901234567890", "0.1000000000000000055511151231257827", "-0", "-0.0", "1e5", "1E+5", "1e-7", "1.0", "100000000000000000000000", "1e22", "1e23", "5e-324", "1e-400", "0e0", "3.14159265358979323846"]):
    add(f"metadata-number-written-{number}", field(name="score", value=Raw(value)))
for number, value in enumerate([
        "2024-05-01T10:20:30Z", "2024-05-01T10:20:30+02:00", "2024-05-01T10:20:30-0230", "2024-05-01T10:20:30+02", "2024-05-01T10:20:30", "2024-05-01T10:20:30.999Z",
        "2024-05-01 10:20:30", "2024-05-01", "2024-05", "2024", "20240501", "20240501T102030Z", "202405", "2024-W18-3", "2024W183", "2024-W18", "2024-122", "2024122",
        "2024-05-01T10", "2024-05-01T10:20", "2024-05-01T1020", "2024-05-01T24:00:00", "2024-05-01T24:00:01", "2024-05-01T10:60", "2024-05-01T10:20:60", "2024-13-01",
        "2024-02-30", "2023-02-29", "2024-02-29", "1900-02-29", "2024-05-01T10:20:30,5Z", "2024-05-01t10:20:30z", "2024-05-01T10:20:30 Z", " 2024-05-01", "2024-05-01 ",
        "May 1 2024", "01/05/2024", "1714558830", "0001-01-01", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59-01:00", "0000-01-01", "10000-01-01", "", "T10:20:30",
        "2024-05-01T10:20:30+24:00", "2024-05-01T10:20:30+23:59", "2024-05-01T10:20:30-00:00", "2024-05-01T10:20:30+00:60", "2024-W53-1", "2020-W53-5", "2024-W00-1", "2024-366", "2023-366", "2024-000",
        "2024-5-1", "2024-05-01T1:2:3", "2024-05-01T10:2030", "2024-0501", "202405-01", "2024-05-01T10:20:30.1234567890123Z", "2024-05-01T10.5", "2024-05-01T10:20.5", "\u0662\u0660\u0662\u0664-01-01",
        "2024-05-01X10:20:30", "2024-05-0110:20:30", "2024-05-01TT10:20:30", "2024-05-01T", "2024-05-01T10:20:30+", "2024-05-01T10:20:30ZZ", "2024-05-01T10:20:30.Z", "2024-05-01\u00e910:20:30",
        "2024-05-01T24:00:00.0", "2024-05-01T24", "2024-05-01T24:00", "9999-12-31T24:00", "2024-W18-8", "2024-W18-0", "2024W18", "2024-W1", "2024-05-01T10:20:30-23:59", "0001-01-01T00:00:00-01:00", "-2024-01-01", "+2024-01-01", "2024-05-01T-1:00"]):
    add(f"metadata-date-{number}", field(name="captureDateTime", value=value))
add("metadata-raw", [{"row_data": URL, "metadata": [{"schemaId": TAG, "value": "x"}]}, {"row_data": URL, "metadata": "anything"}])
add("metadata-duplicate-keys", [pairs(row_data=URL, metadata_fields=[Object([("name", "no"), ("name", "tag"), ("value", 1), ("value", "x")])])])
add("metadata-by-path", [{"row_data": "photo.jpg", "metadata_fields": [{"name": "split", "value": "valid"}]}])

# MARK: embeddings

for name, value in {
    "plain": {"embedding_id": "e", "vector": [0.5, -1, 2]}, "no-id": {"vector": [1]}, "no-vector": {"embedding_id": "e"}, "hollow": {},
    "empty-vector": {"embedding_id": "e", "vector": []}, "extra": {"embedding_id": "e", "vector": [1], "more": 1}, "null": None, "text": "x", "list": [], "number": 1,
    "clusters": {"embedding_id": "e", "vector": [1], "clusters": [1, 2]}, "clusters-null": {"embedding_id": "e", "vector": [1], "clusters": None},
    "clusters-bare": {"embedding_id": "e", "vector": [1], "clusters": []}, "clusters-float": {"embedding_id": "e", "vector": [1], "clusters": [1.0]},
    "clusters-half": {"embedding_id": "e", "vector": [1], "clusters": [1.5]}, "clusters-text": {"embedding_id": "e", "vector": [1], "clusters": ["7"]},
    "clusters-true": {"embedding_id": "e", "vector": [1], "clusters": [True, False]}, "clusters-object": {"embedding_id": "e", "vector": [1], "clusters": {}},
    "clusters-string": {"embedding_id": "e", "vector": [1], "clusters": "12"}, "clusters-texts": {"embedding_id": "e", "vector": [1], "clusters": [" 7 ", "1_0", "7.0", "+3", "-3", "007"]},
    "clusters-bad-text": {"embedding_id": "e", "vector": [1], "clusters": ["x"]}, "clusters-e": {"embedding_id": "e", "vector": [1], "clusters": [Raw("1e2")]},
    "clusters-null-entry": {"embedding_id": "e", "vector": [1], "clusters": [None]}, "clusters-negative": {"embedding_id": "e", "vector": [1], "clusters": [-1, Raw("-0"), Raw("-0.0")]},
    "clusters-huge": {"embedding_id": "e", "vector": [1], "clusters": [12345678901234567890123]}, "clusters-big-float": {"embedding_id": "e", "vector": [1], "clusters": [Raw("1e20")]},
    "id-null": {"embedding_id": None, "vector": [1]}, "id-number": {"embedding_id": 5, "vector": [1]}, "id-empty": {"embedding_id": "", "vector": [1]},
    "vector-text": {"embedding_id": "e", "vector": "12"}, "vector-null": {"embedding_id": "e", "vector": None}, "vector-object": {"embedding_id": "e", "vector": {"1": 2}},
    "vector-texts": {"embedding_id": "e", "vector": ["1", " 2.5 ", "1_0", "1e3", "-.5", "5."]}, "vector-bad-text": {"embedding_id": "e", "vector": ["x"]}, "vector-nan": {"embedding_id": "e", "vector": ["nan"]},
    "vector-inf": {"embedding_id": "e", "vector": ["inf"]}, "vector-true": {"embedding_id": "e", "vector": [True, False]}, "vector-null-entry": {"embedding_id": "e", "vector": [None]},
    "vector-nested": {"embedding_id": "e", "vector": [[1]]}, "vector-range": {"embedding_id": "e", "vector": [Raw("1e400")]}, "vector-digits": {"embedding_id": "e", "vector": [Raw("0.10000000000000000555"), Raw("1e5"), Raw("-0")]},
    "vector-big-int": {"embedding_id": "e", "vector": [Raw("9" * 400)]}, "vector-text-range": {"embedding_id": "e", "vector": ["1e400"]}, "camel": {"embeddingId": "e", "vector": [1]},
    "unicode-digits": {"embedding_id": "e", "vector": ["\u0661"]}, "vector-empty-text": {"embedding_id": "e", "vector": [""]}, "id-surrogate": {"embedding_id": Raw(r'"\ud800"'), "vector": [1]},
}.items():
    add(f"embedding-{name}", [{"row_data": URL, "embeddings": [value]}, ROW])
add("embedding-two", [{"row_data": URL, "embeddings": [{"embedding_id": "a", "vector": [1.5]}, {"vector": [2.5], "embedding_id": "b", "clusters": [3]}]}])
add("embedding-2048", [{"row_data": URL, "embeddings": [{"embedding_id": "a", "vector": [n / 7 for n in range(2048)]}]}])
add("embedding-object", [{"row_data": URL, "embeddings": {"embedding_id": "a", "vector": [1]}}])
add("embedding-duplicate-keys", [pairs(row_data=URL, embeddings=[Object([("vector", "x"), ("vector", [1]), ("embedding_id", 1), ("embedding_id", "e")])])])

# MARK: rows that are no objects, files

add("string-rows", ["photo.jpg", "sub/deep.mp4", "./doc.pdf", "with space.png", "gr\u00fcn \u26f0.jpg", "same.jpeg", "photo.jpg"])
add("string-and-objects", ["photo.jpg", ROW, "doc.pdf", {"row_data": "photo.jpg"}])
add("string-no-extension", ["noextension", "vector.svg"])
add("string-missing", ["nothere.jpg", "nothere"])
add("string-missing-beside", ["nothere.jpg", "photo.jpg", ROW])
add("string-empty", ["", ROW])
add("string-address", [URL, ROW])
add("string-folder", ["sub"])
add("string-folder-slash", ["sub/"])
add("string-nul", ["a\0b.jpg", "photo.jpg"])
add("string-upsert", ["photo.jpg"], operation="upsert")
add("string-update", ["photo.jpg"], operation="update")
add("string-absolute", ["@FOLDER@/photo.jpg"])
add("path-absolute", [{"row_data": "@FOLDER@/sub/deep.mp4"}, {"row_data": "@FOLDER@/sub/deep.mp4", "external_id": "e"}])
add("path-file-url", [{"row_data": "file:///@FOLDER@/photo.jpg"}, {"row_data": "file:photo.jpg"}, {"row_data": "file:with%20space.png", "external_id": "e"}, {"row_data": "file:nothere.jpg"}, {"row_data": "file://elsewhere/photo.jpg"}, {"row_data": "file:"}])
add("string-file-url", ["file:photo.jpg", "photo.jpg"])
add("path-parent", [{"row_data": "sub/../photo.jpg"}, {"row_data": "./sub/../photo.jpg"}])
add("path-outside", [{"row_data": "../../../../../../etc/passwd"}, {"row_data": "/etc/passwd"}, {"row_data": "/dev/null"}])
add("path-double-slash", [{"row_data": "sub//deep.mp4"}, {"row_data": ".//photo.jpg"}])
add("path-folder", [{"row_data": "./sub"}, {"row_data": "sub/"}])
add("path-by-name", [{"row_data": "noextension"}, {"row_data": "vector.svg"}, {"row_data": "noextension", "external_id": "e"}])
add("path-folder-by-name", [{"row_data": "sub"}, {"row_data": "."}, {"row_data": ".."}])
add("path-upper", [{"row_data": "UPPER.JPG"}, {"row_data": "upper.jpg"}])
add("path-null-external-id", [{"row_data": "photo.jpg", "external_id": None}])
add("path-empty-external-id", [{"row_data": "photo.jpg", "external_id": ""}])
add("path-derive", [{"row_data": "photo.jpg"}, "photo.jpg", {"row_data": "photo.jpg"}, {"row_data": "same.jpeg"}], global_key="derive")
add("path-upsert", [{"row_data": "photo.jpg"}, {"key": {"id": "i"}, "row_data": "photo.jpg"}], operation="upsert")
add("path-update", [{"key": {"id": "i"}, "row_data": "photo.jpg"}], operation="update")
text("path-escapes", r'[{"row_data": "gr\u00fcn \u26f0.jpg"}, {"row_data": "sub\/deep.mp4"}, {"row_data": "photo\u002ejpg"}, "\u0070hoto.jpg"]')
text("path-lone-surrogate", r'[{"row_data": "\ud800.jpg"}, {"row_data": "x"}]')
for name in ["photo.jpg", "same.jpeg", "with space.png", "doc.pdf", "page.html", "table.csv", "data.json", "empty.txt", "loud.mp3", "loud.wav", "scan.tif", "old.bmp", "clip.webm", "clip.mov",
             "clip.avi", "moving.gif", "modern.webp", "slice.dcm", "cloud.las", "sub/notes.txt", "page.jpg", "really-a-jpeg.png", "empty.png"]:
    add(f"file-{name}", [{"row_data": name}])
for kind, odd in {"null": None, "number": 5, "zero": 0, "true": True, "false": False, "list": [], "filled-list": [ROW]}.items():
    add(f"row-{kind}", [odd, ROW])
    add(f"row-{kind}-alone", [odd])
add("row-number-upsert", [5, ROW], operation="upsert")
add("nested-list", [[ROW], [ROW]])

# MARK: upsert and update

add("upsert-auto", [ROW, {"key": None, "row_data": URL}], operation="upsert")
add("upsert-keys", [{"key": {"global_key": "g"}, "row_data": URL, "global_key": "h"}, {"key": {"id": "i"}, "external_id": "e"}], operation="upsert")
add("upsert-own-key", [{"global_key": "g", "row_data": URL}, {"global_key": "h", "external_id": "e", "key": None}], operation="upsert")
add("upsert-key-only", [{"key": {"id": "i"}}, ROW], operation="upsert")
add("upsert-nothing", [{}, ROW], operation="upsert")
add("upsert-without-row-data", [{"external_id": "e"}, {"global_key": "g"}, {"attachments": [{"type": "IMAGE", "value": "x"}]}, {"dataset_id": "d"}], operation="upsert")
add("upsert-metadata", [{"key": {"id": "i"}, "metadata_fields": [{"name": "tag", "value": "x"}, {"name": "split", "value": "test"}]}], operation="upsert")
add("upsert-null-fields", [{"key": {"id": "i"}, "external_id": None, "global_key": None, "row_data": None}, ROW], operation="upsert")
add("upsert-derive", [ROW, ROW, {"key": {"id": "i"}, "row_data": URL}, {"key": {"global_key": "g"}, "row_data": URL}], operation="upsert", global_key="derive")
for kind, odd in {"text": "x", "number": 5, "zero": 0, "false": False, "true": True, "list": ["id"], "bare": [], "hollow": {}, "both": {"id": "a", "global_key": "b"}, "other": {"uid": "a"},
                  "null-inside": {"id": None}, "one-null": {"id": "a", "global_key": None}, "empty-id": {"id": ""}, "number-id": {"id": 5}, "empty-text": "", "extra": {"id": "a", "more": 1}}.items():
    for operation in ("create", "upsert", "update"):
        add(f"match-{kind}-{operation}", [{"key": odd, "row_data": URL}, {**({} if operation == "create" else {"key": {"id": "z"}}), **ROW}], operation=operation)
add("match-create", [{"key": {"id": "i"}, "row_data": URL}, {"key": {"global_key": "g"}, "row_data": URL}])
add("update-plain", [{"key": {"id": "i"}, "row_data": URL}, {"key": {"global_key": "g"}, "external_id": "e"}], operation="update")
add("update-no-key", [ROW, {"key": None, "row_data": URL}], operation="update")
add("update-derive", [{"key": {"global_key": "g"}, "external_id": "e"}], operation="update", global_key="derive")
add("match-key-edges", [{"key": {"global_key": "g" * 200}, "external_id": "e"}, {"key": {"global_key": "ein Schl\u00fcssel"}, "external_id": "e"}], operation="upsert")
text("match-escaped", r'[{"k\u0065y": {"\u0069d": "\u0061\"\\b"}, "row_data": "x"}]', operation="upsert")
text("match-duplicate", r'[{"key": {"id": "a", "id": "b"}, "row_data": "x"}]', operation="upsert")

# MARK: names

for name, key in {"200": "k" * 200, "201": "k" * 201, "one": "k", "leading": " k", "trailing": "k ", "double": "a  b", "single": "a b", "tab": "a\tb", "newline": "a\nb", "unicode": "\u00e9\U0001f408",
                  "200-astral": "\U0001f408" * 200, "slash": "a/b#c?d", "nul": "a\0b", "nbsp": "\u00a0a", "zero-width": "\u200ba", "empty": "", "space": " "}.items():
    add(f"global-key-{name}", [{"row_data": URL, "global_key": key}])
    add(f"external-id-{name}", [{"row_data": URL, "external_id": key}])
    add(f"match-global-key-{name}", [{"key": {"global_key": key}, "external_id": "e"}], operation="upsert")
add("global-key-twice", [{"row_data": URL, "global_key": "a"}, {"row_data": URL + "2", "global_key": "a"}])
add("global-key-mixed", [{"row_data": URL, "global_key": "a"}, ROW, ROW], global_key="derive")
add("derive-many", [{"row_data": f"https://example.com/{n % 7}"} for n in range(100)], global_key="derive")
add("derive-null", [{"row_data": URL, "global_key": None}], global_key="derive")

# MARK: JSON

text("empty-list", "[]")
text("empty-list-spaces", " \n[ \t]\r\n ")
text("empty-lines", "", suffix=".jsonl")
text("blank-lines", "\n\n\r\n  \n", suffix=".jsonl")
text("empty-file", "")
text("spaces-only", "   ")
for number, broken in enumerate([
        "[", "]", "[{]", '[{"row_data": "x"]', '[{"row_data": "x"}', '[{"row_data": "x"},]', '[,{"row_data": "x"}]', '[{"row_data": "x",}]', '[{"row_data" "x"}]', '[{"row_data": }]', "[{'row_data': 'x'}]",
        '[{row_data: "x"}]', '[{"row_data": "x"}] x', '[{"row_data": "x"}][]', '[{"row_data": "x"}] // comment', '[{"row_data": "x"} /* */]', '[{"row_data": tru}]', '[{"row_data": True}]', '[{"row_data": undefined}]',
        '[{"row_data": "x}]', '[{"row_data": "\\x"}]', '[{"row_data": "\\u12"}]', '[{"row_data": "\\u12G4"}]', '[{"row_data": "a\nb"}]', '[{"row_data": "a\tb"}]', '[{"row_data": "a\0b"}]', '[{"row_data": "x"}]\0', '\0[{"row_data": "x"}]',
        '[{"row_data": 01}]', '[{"row_data": {"a": 1.}}]', '[{"row_data": {"a": .5}}]', '[{"row_data": {"a": +1}}]', '[{"row_data": {"a": 1e}}]', '[{"row_data": {"a": 0x10}}]', '[{"row_data": {"a": -}}]', '[{"row_data": {"a": --1}}]', '[{"row_data": {"a": 1_0}}]',
        '[{"row_data": {"a": 00}}]', '[{"row_data": {"a": -01}}]', '[{"row_data": {"a": 1e5.5}}]', '[{"row_data": "x"} {"row_data": "y"}]', '{"row_data": "x"}', '"x"', "5", "null", "true", '{"rows": {}}', '{"rows": null}', "{}", '{"rows": []} []', '[{"row_data": "x"}}', "\u00a0[]", "[]\u2028", "[\u3000]", "\x0b[]", "[\x0c]"]):
    text(f"broken-{number}", broken)
for name, constant in {"nan": "NaN", "infinity": "Infinity", "minus": "-Infinity"}.items():
    text(f"constant-{name}", '[{"row_data": {"a": %s}}]' % constant)
    text(f"constant-{name}-row-data", '[{"row_data": %s}]' % constant)
    text(f"constant-{name}-vector", '[{"row_data": "x", "embeddings": [{"embedding_id": "e", "vector": [%s]}]}]' % constant)
text("bom", '\ufeff[{"row_data": "x"}]')
text("bom-lines", '\ufeff{"row_data": "x"}\n{"row_data": "y"}\n', suffix=".jsonl")
text("bom-envelope", '\ufeff{"rows": [{"row_data": "x"}]}')
text("bom-twice", '\ufeff\ufeff[{"row_data": "x"}]')
text("bom-second-line", '{"row_data": "x"}\n\ufeff{"row_data": "y"}\n', suffix=".jsonl")
text("utf-16", '[{"row_data": "x"}]'.encode("utf-16"))
text("utf-32", '[{"row_data": "x"}]'.encode("utf-32"))
text("latin-1", '[{"row_data": "\u00e9"}]'.encode("latin-1"))
for number, bad in enumerate([b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff", b"\x80", b"\xe2\x82", b"\xf0\x82\x82\xac", b"\xf8\x88\x80\x80\x80"]):
    text(f"utf-8-{number}", b'[{"row_data": "' + bad + b'"}]')
text("crlf", '[\r\n  {"row_data": "x"},\r\n  {"row_data": "y\\r\\n"}\r\n]\r\n')
text("crlf-lines", '{"row_data": "x"}\r\n{"row_data": "y"}\r\n', suffix=".jsonl")
text("cr-lines", '{"row_data": "x"}\r{"row_data": "y"}\r', suffix=".ndjson")
text("cr-document", '[\r{"row_data": "x"}\r]\r')
text("lines-no-end", '{"row_data": "x"}\n{"row_data": "y"}', suffix=".ndjson")
text("lines-spaces", '  {"row_data": "x"}  \n\t{"row_data": "y"}\t\n', suffix=".jsonl")
text("lines-strings", '"photo.jpg"\n{"row_data": "x"}\n', suffix=".jsonl")
text("lines-odd", '5\n{"row_data": "x"}\nnull\n', suffix=".jsonl")
text("lines-comma", '{"row_data": "x"},\n{"row_data": "y"}\n', suffix=".jsonl")
text("lines-two-in-one", '{"row_data": "x"} {"row_data": "y"}\n', suffix=".jsonl")
text("lines-list", '[{"row_data": "x"}]\n', suffix=".jsonl")
text("lines-pretty", '{\n  "row_data": "x"\n}\n{"row_data": "y"}\n', suffix=".jsonl")
text("lines-cut", '{"row_data": "x"}\n{"row_da', suffix=".jsonl")
text("lines-bad-second", '{"row_data": "x"}\nnope\n', suffix=".jsonl")
text("lines-form-feed", '{"row_data": "x"}\x0c\n', suffix=".jsonl")
text("lines-separator", '{"row_data": "a\u2028b\u0085c"}\n', suffix=".jsonl")
text("lines-nul", '{"row_data": "x"}\n\0\n', suffix=".jsonl")
text("duplicate-keys", '[{"row_data": "x", "row_data": "y"}, {"external_id": "a", "row_data": "x", "external_id": "b"}, {"global_key": "a", "row_data": "z", "global_key": "b"}]')
text("duplicate-null-last", '[{"row_data": "y", "external_id": "a", "external_id": null}, {"row_data": "x", "row_data": null}]')
text("duplicate-null-first", '[{"row_data": null, "row_data": "x", "global_key": null, "global_key": "g"}]')
text("duplicate-paths", '[{"row_data": "photo.jpg", "row_data": "x"}, {"row_data": "x", "row_data": "photo.jpg"}]')
text("duplicate-attachments", '[{"row_data": "x", "attachments": 5, "attachments": []}, {"row_data": "x", "attachments": [], "attachments": 5}]')
text("duplicate-unknown", '[{"row_data": "x", "foo": 1, "foo": null}]')
text("duplicate-unknown-null-first", '[{"row_data": "x", "foo": null, "foo": 1}]')
text("duplicate-escaped", r'[{"row_data": "x", "row\u005fdata": "y"}, {"row\u005fdata": "y", "row_data": "x"}]')
text("duplicate-conversation", '[{"conversationalData": [], "conversationalData": null, "row_data": "x"}, {"row_data": "x", "tileLayerUrl": "t", "tileLayerUrl": null}]')
text("duplicate-legacy-type", '[{"row_data": "x", "type": 1, "type": null}, {"conversationalData": [], "type": 1, "type": null, "version": 2, "version": 3}]')
for depth in (10, 60, 62, 63, 64, 65, 100, 500):
    text(f"depth-{depth}", '[{"row_data": ' + "[" * depth + "]" * depth + "}]")
text("depth-100000", "[" * 100_000 + "]" * 100_000)
text("depth-objects", '[{"row_data": ' + '{"a":' * 60 + "1" + "}" * 60 + "}]")
for number, digits in enumerate(["1e400", "-1e400", "12345678901234567890", "123456789012345678901234567890.123456789", "-0", "-0.0", "0.0", "1e5", "1E5", "1e+5", "1.0e-5", "1e-400", "0.1", "0.1000000000000000055511151231257827021181583404541015625",
                                 "9007199254740993", "1.7976931348623157e308", "1.7976931348623159e308", "4.9e-324", "100000000000000000000.0", "1e0", "0e5", "1.10", "12e-1", "3.141592653589793238462643383279"]):
    text(f"number-{number}", '[{"row_data": {"a": [%s, {"b": %s}]}, "media_attributes": {"n": %s}}]' % (digits, digits, digits))
text("number-4300", '[{"row_data": {"a": %s}}]' % ("7" * 4300))
text("number-4301", '[{"row_data": {"a": %s}}, {"row_data": "x"}]' % ("7" * 4301))
text("number-long-fraction", '[{"row_data": {"a": 0.%s}}]' % ("3" * 10_000))
for number, inner in enumerate([r"\ud83d\ude00", r"\ud83d", r"\ude00", r"\ude00\ud83d", r"\ud83d\ud83d\ude00", r"\uD83D\uDE00", r"\u0000", r"\u001f\u007f\u0080\u009f", r"\ufffe\uffff", r"\/\b\f\n\r\t\"\\", r"\u2028\u2029", r"\ud800\u0061", r"\udbff\udfff"]):
    text(f"escape-{number}", '[{"row_data": "a%sb", "external_id": "%s", "global_key": "k%s", "media_attributes": {"%s": "%s"}}]' % ((inner,) * 5))
    text(f"escape-nested-{number}", '[{"row_data": {"%s": ["%s"]}, "attachments": [{"type": "RAW_TEXT", "value": "%s"}], "metadata_fields": [{"name": "tag", "value": "%s"}]}]' % ((inner,) * 4))
add("unicode-planes", [{"row_data": "".join(chr(plane * 0x10000 + 0x41) for plane in range(17)), "external_id": "\U0010ffff\ue000\ufdd0"}], style=Style(ascii=False))
add("unicode-all-bmp", [{"row_data": "".join(chr(n) for n in range(1, 0xd800))}, {"row_data": "".join(chr(n) for n in range(0xe000, 0x10000))}])
add("unicode-raw", [{"row_data": "e\u0301 \u00e9 \u200f\u202e\u0000", "external_id": "\U0001f468\u200d\U0001f469\u200d\U0001f467"}], style=Style(ascii=False))
add("keys-1000", [Object([("row_data", {"k%d" % n: n for n in range(2000)})] + [(f"u{n}", None) for n in range(1000)])])
add("keys-1100", [Object([("row_data", "x")] + [(f"u{n}", None) for n in range(1100)]), ROW])
add("keys-1100-row-data-last", [Object([(f"u{n}", None) for n in range(1100)] + [("row_data", "x")])])
add("keys-repeated-2000", [Object([("row_data", f"x{n}") for n in range(2000)])])
add("pretty", [{"row_data": URL, "attachments": [{"type": "IMAGE", "value": "x"}]}] * 3, style=Style(comma=",\n    ", colon=" : ", line="\n"))
add("compact", [{"row_data": URL, "metadata_fields": [{"name": "score", "value": 1.50}]}] * 3, style=Style(comma=",", colon=":"))

# MARK: envelopes


def envelope(id, rows, header, **options):
    add(id, rows, header=Object(header.items()), **options)


envelope("envelope", [ROW], {})
envelope("envelope-empty", [], {})
envelope("envelope-create", [ROW], {"operation": "create", "dataset_id": "cmdset0000000000000000001"})
envelope("envelope-upsert", [ROW, {"key": {"global_key": "g"}, "external_id": "e"}], {"operation": "upsert"})
envelope("envelope-update", [{"key": {"global_key": "g"}, "external_id": "e"}, ROW], {"operation": "update"})
envelope("envelope-nulls", [ROW], {"operation": None, "dataset_id": None, "defaults": None, "files": None})
envelope("envelope-operation-over-watch", [{"row_data": URL}], {"operation": "create"}, operation="upsert")
envelope("envelope-defaults", [ROW, {"row_data": URL, "media_type": "VIDEO", "external_id": "e"}, "photo.jpg", {"row_data": "photo.jpg"}], {"defaults": {
    "media_type": "IMAGE", "external_id": "default", "attachments": [{"type": "IMAGE", "value": "x"}], "metadata_fields": [{"name": "split", "value": "train"}, {"name": "score", "value": Raw("1e5")}],
    "embeddings": [{"embedding_id": "e", "vector": [1.5]}], "metadata": [], "media_attributes": {"a": 1}}})
envelope("envelope-defaults-null", [{"row_data": URL, "media_type": None}, {"row_data": URL, "external_id": ""}], {"defaults": {"media_type": "IMAGE", "external_id": None}})
envelope("envelope-defaults-tile", [{**TILE, "row_data": "x"}], {"defaults": {"media_type": "IMAGE"}})
envelope("envelope-defaults-conversation", [{"conversationalData": MESSAGES}, {"conversationalData": MESSAGES, "externalId": "e"}], {"defaults": {"external_id": "d", "media_type": "CONVERSATIONAL"}})
envelope("envelope-defaults-update", [{"key": {"id": "i"}, "external_id": "e"}], {"operation": "update", "defaults": {"media_type": "IMAGE"}})
envelope("envelope-defaults-upsert", [{"key": {"id": "i"}}, {"key": {"id": "i"}, "row_data": URL}, ROW], {"operation": "upsert", "defaults": {"media_type": "IMAGE", "metadata_fields": [{"name": "tag", "value": "x"}]}})
envelope("envelope-defaults-hollow", [ROW], {"defaults": {}})
envelope("envelope-defaults-of-watch", [ROW], {"defaults": {"media_type": "VIDEO"}}, media_type="IMAGE")
text("envelope-rows-first", '{"rows": [{"row_data": "x"}], "operation": "upsert", "defaults": {"media_type": "TEXT"}}')
text("envelope-spaces", ' {\n "rows" : [ {"row_data" : "x"} , "photo.jpg" ] \n} ')
text("envelope-escaped", r'{"\u0072ows": [{"row_data": "x"}]}')
text("envelope-gz", gzip.compress(b'{"rows": [{"row_data": "x"}]}', mtime=0), suffix=".json.gz")

# MARK: compressed

PLAIN = b'[{"row_data": "x"}, {"row_data": "photo.jpg"}]'
text("gz", gzip.compress(PLAIN, mtime=0), suffix=".json.gz")
text("gz-lines", gzip.compress(b'{"row_data": "x"}\n{"row_data": "y"}\n', mtime=0), suffix=".jsonl.gz")
text("gz-members", gzip.compress(PLAIN[:20], mtime=0) + gzip.compress(PLAIN[20:], mtime=0), suffix=".json.gz")
text("gz-garbage", gzip.compress(PLAIN, mtime=0) + b"garbage", suffix=".json.gz")
text("gz-zeros", gzip.compress(PLAIN, mtime=0) + bytes(100), suffix=".json.gz")
text("gz-newline", gzip.compress(PLAIN, mtime=0) + b"\n", suffix=".json.gz")
text("gz-cut", gzip.compress(PLAIN, mtime=0)[:-5], suffix=".json.gz")
text("gz-cut-early", gzip.compress(PLAIN, mtime=0)[:15], suffix=".json.gz")
text("gz-checksum", gzip.compress(PLAIN, mtime=0)[:-8] + b"\0\0\0\0" + gzip.compress(PLAIN, mtime=0)[-4:], suffix=".json.gz")
text("gz-plain", PLAIN, suffix=".json.gz")
text("gz-empty", b"", suffix=".json.gz")
text("gz-of-nothing", gzip.compress(b"", mtime=0), suffix=".json.gz")
text("gz-twice", gzip.compress(gzip.compress(PLAIN, mtime=0), mtime=0), suffix=".json.gz")
text("gz-bom", gzip.compress(b"\xef\xbb\xbf" + PLAIN, mtime=0), suffix=".json.gz")

# MARK: large

add("row-9mb", [{"row_data": {"text": "x" * 9_900_000}}, ROW], large=True)
add("row-10mb", [{"row_data": {"text": "x" * 10_000_000}}, ROW], large=True)
add("row-10mb-text", [{"row_data": "y" * 10_500_000}, ROW], large=True)
add("row-9mb-text", [{"row_data": "y" * 9_000_000}, ROW], large=True)
add("chunks", lambda: [{"row_data": {"text": "z" * 400_000, "n": n}, "global_key": f"k{n}"} for n in range(60)], large=True)
add("chunk-edge", lambda: [{"row_data": {"text": "z" * 4_999_000}}, {"row_data": {"text": "z" * 4_999_000}}, {"row_data": {"text": "z" * 4_999_900}}], large=True)
text("million-rows", lambda: "".join('{"row_data":"t%d"}\n' % n for n in range(1_000_000)), suffix=".jsonl", large=True)
add("rows-25000", lambda: [{"row_data": f"https://example.com/{n}.jpg", "external_id": str(n)} for n in range(25_000)] , large=True, global_key="derive")
add("rows-every-third-bad", lambda: [{"row_data": URL} if n % 3 else {"row_data": URL, "no": 1} for n in range(300)])

NAMES = CASES.keys()


def case(name):
    return CASES[name]()


def is_large(name):
    return name in LARGE
