"""The official SDK's own preparation, its uploads recorded instead of sent.

Nothing of it is copied: `Dataset.create_data_rows` and `Dataset.upsert_data_rows` run as they are, down to the call that
would go over the network. Its thread pools are replaced by a loop: it hands rows on in the order in which its
threads happen to finish, and a comparison needs to know which row is which.
"""

import copy
import gzip
import hashlib
import io
import json
import logging
import mimetypes
import os
import warnings
from concurrent.futures import Future

import labelbox
import labelbox.schema.dataset
import labelbox.schema.internal.descriptor_file_creator
from labelbox.schema.identifiable import GlobalKey, UniqueId

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
# The SDK asks Python, and Python asks the machine; here it answers from its own table alone.
mimetypes.init(files=[])

DATASET = "cmdset0000000000000000001"


class Loop:
    """Runs what it is given at once."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


for module in (labelbox.schema.dataset, labelbox.schema.internal.descriptor_file_creator):
    module.ThreadPoolExecutor = Loop
    module.as_completed = lambda futures: futures


class RecordingClient(labelbox.Client):
    """Answers from a fixture, and keeps what would be uploaded."""

    def __init__(self, ontology):
        super().__init__(api_key="none", endpoint="https://api.invalid/graphql")
        self.ontology = ontology
        self.uploads = {}

    def upload_data(self, content, filename=None, content_type=None, sign=False):
        url = f"https://upload.invalid/{len(self.uploads)}"
        self.uploads[url] = (content, filename, content_type)
        return url

    def execute(self, query=None, params=None, **_):
        if "customMetadataOntology" in query:
            return copy.deepcopy(self.ontology)
        if "UpsertDataRowsPyApi" in query:
            self.manifest = json.loads(self.uploads[params["manifestUri"]][0])
            return {"upsertDataRows": dict.fromkeys(
                ["id", "createdAt", "updatedAt", "name", "status", "completionPercentage", "result", "errors", "type", "metadata"])}
        raise AssertionError(f"the SDK asked for something else: {query}")

    def get_user(self):
        return None


class Number(str):
    """A number as it was written."""


class Unreadable(Exception):
    """The manifest's text is no JSON to Python."""


class Refused(Exception):
    """The SDK raised an error."""


def text_of(case, lenient=False):
    """The text as `open(path, encoding="utf-8")` reads it, or `gzip.open`.

    `lenient`: a byte order mark is skipped.
    """
    try:
        content = case.content
        if case.suffix.endswith(".gz"):
            content = gzip.decompress(content) if lenient is False else gzip.GzipFile(fileobj=io.BytesIO(content)).read()
        text = content.decode("utf-8-sig" if lenient else "utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None
    except Exception as error:  # zlib.error
        raise Unreadable(f"{type(error).__name__}: {error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text, layout, **hooks):
    """Rows and header of a manifest, as `json.load` has them; the header is None for a mere list."""
    try:
        if layout == "lines":
            return [json.loads(line, **hooks) for line in text.split("\n") if line.strip(" \t")], None
        whole = json.loads(text, **hooks)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__}: {str(error)[:200]}") from None
    if isinstance(whole, list):
        return whole, None
    if isinstance(whole, dict) and isinstance(whole.get("rows"), list):
        header = {key: value for key, value in whole.items() if key != "rows" and value is not None}
        return whole["rows"], header
    raise Unreadable(f"neither a list of rows nor an envelope, but a {type(whole).__name__}")


EXACT = {"parse_float": Number, "parse_int": Number, "parse_constant": Number}


class SDK:
    """The SDK in one folder, to which paths are relative: the working directory."""

    def __init__(self, ontology):
        self.ontology = ontology
        self.client = RecordingClient(ontology)

    @staticmethod
    def item(row, header, operation):
        """A row as a script would hand it to the SDK: with the envelope's defaults, and its key as an object."""
        # The SDK changes the rows that it is given, but nothing inside of them.
        row = dict(row) if isinstance(row, dict) else row
        defaults = (header or {}).get("defaults") or {}
        if isinstance(row, str) and defaults and operation == "create" and os.path.exists(row):
            row = {"row_data": row}
        if isinstance(row, dict):
            # Tiled imagery of the older shape goes out as it came.
            if operation in ("create", "upsert") and row.get("tileLayerUrl") is None:
                for key, value in defaults.items():
                    if value is not None and row.get(key) is None:
                        row[key] = value
            key = row.get("key")
            if isinstance(key, dict) and operation != "create":
                named = {k: v for k, v in key.items() if v is not None}
                if len(named) == 1 and all(isinstance(v, str) and v for v in named.values()):
                    if "id" in named:
                        row["key"] = UniqueId(named["id"])
                    elif "global_key" in named:
                        row["key"] = GlobalKey(named["global_key"])
        return row

    def call(self, items, operation):
        """What the SDK would send for these items: for each of the payloads the number of its item.

        Items that it leaves out silently are missing. Raises `Refused`.
        """
        self.client.uploads.clear()
        dataset = labelbox.Dataset(self.client, {
            "id": DATASET, "name": "", "description": "", "updatedAt": None, "createdAt": None, "rowCount": 0})
        numbers = range(len(items))
        if operation == "create":
            order = [n for n in numbers if isinstance(items[n], dict)]
            order += [n for n in numbers if isinstance(items[n], str) and os.path.exists(items[n])]
        else:
            order = list(numbers)
        try:
            (dataset.create_data_rows if operation == "create" else dataset.upsert_data_rows)(items)
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {str(error)[:300]}") from None
        sent = []
        for url in self.client.manifest["chunk_uris"]:
            sent += json.loads(self.client.uploads[url][0], **EXACT)
        assert len(sent) == len(order) == self.client.manifest["item_count"], "the SDK sends other rows than it was given"
        return {number: self.named(row) for number, row in zip(order, sent)}

    def named(self, row):
        """The row, with what was uploaded in place of its address."""
        payload = row["payload"] if set(row) == {"id", "payload"} else row
        url = payload.get("row_data")
        if isinstance(url, str) and url in self.client.uploads:
            content, name, kind = self.client.uploads[url]
            payload["row_data"] = Upload(hashlib.sha256(content).hexdigest(), name, kind)
        return row


class Upload(tuple):
    """An uploaded file in a row: digest, name, content type."""

    def __new__(cls, digest, name, kind, is_text=False):
        made = super().__new__(cls, (digest, name, kind))
        made.is_text = is_text
        return made
