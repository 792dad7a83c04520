"""Validates against docs/schemas, as long as it is asked: validate.py SCHEMAS PORT-FILE

A request is a line of JSON on a connection of its own: ["ROOT"] for all that a run of datarowd left, ["LINES", "SCHEMA"] for a
file of JSON lines. The answer is what is wrong, and nothing when all is right. One process for all tests, since
loading the validator takes as long as a whole test."""

import json
import os
import pathlib
import socketserver
import sys
import traceback

import jsonschema
import referencing
import yaml

schemas = pathlib.Path(sys.argv[1])
documents = {path.name: json.loads(path.read_text()) for path in schemas.glob("*.json")}
registry = referencing.Registry().with_resources(
    (document.get("$id", name), referencing.Resource.from_contents(document)) for name, document in documents.items()
)
validators = {}


def validator(kind):
    if kind not in validators:
        document = documents[f"{kind}.schema.json"]
        jsonschema.Draft202012Validator.check_schema(document)
        validators[kind] = jsonschema.Draft202012Validator(document, registry=registry)
    return validators[kind]


def first_error(kind, place, value):
    for error in validator(kind).iter_errors(value):
        yield f"{place}: {error.json_path}: {error.message[:300]}"
        return


def check_lines(path, kind):
    for number, line in enumerate(path.open(newline="\n")):
        yield from first_error(kind, f"{path}:{number + 1}", json.loads(line))


def check_run(root):
    yield from first_error("config", "datarowd.yaml", yaml.safe_load((root / "datarowd.yaml").read_text()))
    for path in [*(root / "state" / "status").rglob("*.status.json"), *(root / "seen").glob("*.status.json")]:
        yield from first_error("manifest-status", path, json.loads(path.read_text()))
    for path in [root / "state" / "status" / "datarowd.json", *(root / "seen").glob("*.daemon.json")]:
        if path.exists():
            yield from first_error("daemon-status", path, json.loads(path.read_text()))
    for path in (root / "state" / "results").rglob("*.results.ndjson"):
        yield from check_lines(path, "results-line")


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            place, *kind = json.loads(self.rfile.readline())
            problems = list(check_lines(pathlib.Path(place), *kind) if kind else check_run(pathlib.Path(place)))
            text = "\n".join(problems[:20]) + (f"\n{len(problems)} problems" if problems else "")
        except Exception:
            text = traceback.format_exc()
        self.wfile.write(text.encode())


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64


with Server(("127.0.0.1", 0), Handler) as server:
    temporary = f"{sys.argv[2]}.new"
    pathlib.Path(temporary).write_text(str(server.server_address[1]))
    os.rename(temporary, sys.argv[2])
    server.serve_forever()
