"""Validates against docs/schemas what a run of datarowd left, or lines of JSON: validate.py SCHEMAS ROOT | LINES SCHEMA"""

import json
import pathlib
import sys

import jsonschema
import referencing
import yaml

schemas, root = map(pathlib.Path, sys.argv[1:3])
documents = {path.name: json.loads(path.read_text()) for path in schemas.glob("*.json")}
registry = referencing.Registry().with_resources(
    (document.get("$id", name), referencing.Resource.from_contents(document)) for name, document in documents.items()
)
counts = {}
problems = []


def validator(name):
    jsonschema.Draft202012Validator.check_schema(documents[name])
    return jsonschema.Draft202012Validator(documents[name], registry=registry)


if len(sys.argv) > 3:
    judge = validator(f"{sys.argv[3]}.schema.json")
    for number, line in enumerate(root.open(newline="\n")):
        for error in judge.iter_errors(json.loads(line)):
            sys.exit(f"line {number + 1}: {error.json_path}: {error.message[:300]}")
    sys.exit(0)

VALIDATORS = {
    kind: validator(f"{kind}.schema.json") for kind in ("manifest-status", "daemon-status", "results-line", "config")
}


def check(kind, place, value):
    counts[kind] = counts.get(kind, 0) + 1
    for error in VALIDATORS[kind].iter_errors(value):
        problems.append(f"{place}: {error.json_path}: {error.message[:300]}")
        break


check("config", "datarowd.yaml", yaml.safe_load((root / "datarowd.yaml").read_text()))
for path in (root / "state" / "status").rglob("*.status.json"):
    check("manifest-status", path, json.loads(path.read_text()))
for path in (root / "seen").glob("*.status.json"):
    check("manifest-status", path, json.loads(path.read_text()))
for path in [root / "state" / "status" / "datarowd.json", *(root / "seen").glob("*.daemon.json")]:
    if path.exists():
        check("daemon-status", path, json.loads(path.read_text()))
for path in (root / "state" / "results").rglob("*.results.ndjson"):
    for number, line in enumerate(path.open(newline="\n")):
        check("results-line", f"{path}:{number + 1}", json.loads(line))

for problem in problems[:20]:
    print(problem)
if problems:
    sys.exit(f"{len(problems)} problems in {counts}")
