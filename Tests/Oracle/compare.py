"""Holds what datarowd makes of a manifest against what the SDK makes of it.

The SDK refuses whole calls; datarowd rejects rows. So, with A the rows that datarowd accepts:

- the SDK, called with A alone, accepts, and sends the same rows with the same meaning;
- each row that datarowd rejects, given to the SDK alone, is refused;
- where datarowd refuses the whole manifest, Python cannot read it, or the SDK refuses the call.

What is otherwise must be one of the differences of the table.
"""

import decimal
import json
import os
import random
from dataclasses import dataclass, field

import sdk as official
from differences import TABLE
from sdk import EXACT, Number, Refused, Unreadable, Upload

# Enough for exact comparison of any number that stands in a test.
CONTEXT = decimal.Context(prec=30_000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
# Of the rejected rows of one manifest, so many are given to the SDK alone.
REJECTED_ALONE = 200
# A call of the SDK holds some 4 KB a row.
ROWS_A_CALL = 20_000
# Of a manifest with more rows, the SDK is given so many, and the others must be what those are: the row in its wrapper.
MOST_ROWS = 30_000


@dataclass
class Difference:
    """One thing that is not the same on both sides."""

    # Of the row: accepts, rejects, value, number (not as it was written), fate (neither sent nor rejected).
    # Of the manifest: manifest (refused by us alone), reads (by Python alone), rows (another count), call (refused together),
    # mixed, whole, empty, disorder, derived.
    kind: str
    case: object = None
    row: int | None = None
    # The row as Python reads it, and as the SDK was given it.
    source: object = None
    # Where in the row, for a value.
    path: tuple = ()
    ours: object = None
    theirs: object = None
    # Why datarowd refuses, and the SDK.
    code: str = ""
    reason: str = ""
    explained: str | None = None
    operation: str = ""
    # All rows of the manifest, for one that is rejected.
    rows: list = field(default_factory=list, repr=False)

    def explain(self):
        self.explained = next((entry.id for entry in TABLE if entry.matches(self)), None)
        return self.explained

    def __str__(self):
        def short(value):
            text = repr(value)
            return text if len(text) <= 300 else text[:200] + f"… ({len(text)} characters)"

        where = "" if self.row is None else f" row {self.row}"
        where += "" if not self.path else " /" + "/".join(map(str, self.path))
        words = [f"{self.kind}{where}:"]
        if self.kind in ("value", "number"):
            words.append(f"datarowd {short(self.ours)}, SDK {short(self.theirs)}")
        if self.code:
            words.append(f"datarowd says {self.code};")
        if self.reason:
            words.append(f"the SDK says {self.reason}")
        if self.source is not None:
            words.append(f"source {short(self.source)}")
        return " ".join(words)


@dataclass
class Verdict:
    """What came of one case."""

    case: str
    rows: int = 0
    equal: int = 0
    refused: int = 0
    explained: dict = field(default_factory=dict)
    unexplained: list = field(default_factory=list)
    codes: set = field(default_factory=set)
    # What the manifest does with its rows.
    operation: str = ""

    def note(self, difference):
        difference.operation = self.operation
        identifier = difference.explain()
        if identifier is None:
            self.unexplained.append(str(difference))
        else:
            self.explained[identifier] = self.explained.get(identifier, 0) + 1
        return identifier

    @property
    def kind(self):
        if self.unexplained:
            return "unexplained"
        if self.explained:
            return "explained"
        return "both refused" if self.refused and not self.equal else "equal"


class Missing:
    def __repr__(self):
        return "nothing"


MISSING = Missing()


def same_number(ours, theirs):
    if ours == theirs:
        return True
    try:
        return decimal.Decimal(ours, CONTEXT) == decimal.Decimal(theirs, CONTEXT)
    except decimal.InvalidOperation:
        return False


def differences(ours, theirs, path=()):
    """Each place where two values do not mean the same, with both."""
    if isinstance(ours, Upload) or isinstance(theirs, Upload):
        if not (isinstance(ours, Upload) and isinstance(theirs, Upload)):
            yield path, ours, theirs
            return
        for name, left, right in zip(("sha256", "name", "type"), ours, theirs):
            # Without a type the SDK sends no name either.
            if left != right and not (name == "name" and theirs[2] is None):
                yield (*path, name), left, right
    elif isinstance(ours, Number) and isinstance(theirs, Number):
        if not same_number(ours, theirs):
            yield path, ours, theirs
    elif isinstance(ours, Number) or isinstance(theirs, Number) or type(ours) is not type(theirs):
        yield path, ours, theirs
    elif isinstance(ours, dict):
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            if key not in ours or key not in theirs:
                yield (*path, key), ours.get(key, MISSING), theirs.get(key, MISSING)
            else:
                yield from differences(ours[key], theirs[key], (*path, key))
    elif isinstance(ours, list):
        if len(ours) != len(theirs):
            yield path, ours, theirs
        else:
            for index, (left, right) in enumerate(zip(ours, theirs)):
                yield from differences(left, right, (*path, index))
    elif ours != theirs:
        yield path, ours, theirs


def numbers(value, found):
    """The numbers in a value, as they are written."""
    if isinstance(value, Number):
        found.append(str(value))
    elif isinstance(value, dict):
        for member in value.values():
            numbers(member, found)
    elif isinstance(value, list):
        for element in value:
            numbers(element, found)
    return found


def strings(value, found):
    if isinstance(value, str) and not isinstance(value, Number):
        found.append(value)
    elif isinstance(value, dict):
        for member in value.values():
            strings(member, found)
    elif isinstance(value, list):
        for element in value:
            strings(element, found)
    return found


class Comparison:
    """Compares cases in one folder."""

    def __init__(self, tool, ontology):
        self.tool = tool
        self.sdk = official.SDK(ontology)

    def run(self, case):
        verdict = Verdict(case.id)
        content = case.content.replace(b"@FOLDER@", os.getcwd().encode())
        if content != case.content:
            case = type(case)(**{**case.__dict__, "content": content})
        ours = self.tool.prepare(case)
        try:
            text = official.text_of(case)
            rows, header = official.parse(text, case.layout)
        except Unreadable as unreadable:
            if ours.get("refusal"):
                verdict.refused += 1
                verdict.codes.add(ours["refusal"]["code"])
                return verdict
            try:
                whole = official.text_of(case, lenient=True)
            except Unreadable:
                whole = ""
            if verdict.note(Difference("reads", case, reason=str(unreadable), ours=ours["rows"], theirs=whole)) is None:
                return verdict
            try:
                text = official.text_of(case, lenient=True)
                rows, header = official.parse(text, case.layout)
            except Unreadable:
                # Python has no word on its rows.
                return verdict
        operation = verdict.operation = (header or {}).get("operation") or case.operation
        defaults = (header or {}).get("defaults")
        if case.media_type and operation in ("create", "upsert"):
            header = {**(header or {}), "defaults": {"media_type": case.media_type, **{k: v for k, v in (defaults or {}).items() if v is not None}}}
        verdict.rows = len(rows)
        if operation not in ("create", "upsert", "update", "delete"):
            # Only envelopes name one, and only datarowd has those.
            if (ours.get("refusal") or {}).get("code") != "invalid_operation":
                verdict.note(Difference("manifest", case, source=rows[:3], theirs=text, code="operation taken"))
            verdict.refused += 1
            return verdict
        envelope = {"dataset_id", "operation", "defaults", "files", "rows"}
        if set(header or {}) - envelope and (ours.get("refusal") or {}).get("code") == "unknown_key":
            # Envelopes are datarowd's own, and so are their keys.
            verdict.refused += 1
            return verdict
        if ours.get("refusal"):
            verdict.codes.add(ours["refusal"]["code"])
            try:
                self.ask(rows, range(len(rows)), header, operation)
                verdict.note(Difference("manifest", case, source=rows[:3], theirs=text, code=ours["refusal"]["code"]))
            except Refused:
                verdict.refused += 1
            return verdict
        if ours["rows"] != len(rows):
            verdict.note(Difference("rows", case, ours=ours["rows"], theirs=len(rows)))
            return verdict
        self.compare(case, ours, text, rows, header, operation, verdict)
        return verdict

    def ask(self, rows, numbers, header, operation):
        """What the SDK sends for some of the rows, by their numbers."""
        numbers = list(numbers)
        sent = {}
        for start in range(0, max(len(numbers), 1), ROWS_A_CALL):
            part = numbers[start:start + ROWS_A_CALL]
            answer = self.sdk.call([self.sdk.item(rows[n], header, operation) for n in part], operation)
            sent |= {part[place]: row for place, row in answer.items()}
        return sent

    def compare(self, case, ours, text, rows, header, operation, verdict):
        rejected = {}
        for word in ours["rejected"] + ours["failed"]:
            rejected.setdefault(word["row"], word["code"])
            verdict.codes.add(word["code"])
        verdict.codes.update(word["code"] for word in ours["warnings"])
        accepted = ours["payloads"]
        if not ours["inOrder"]:
            verdict.note(Difference("disorder", case, reason="rows are sent out of order, or twice"))
        for number in range(len(rows)):
            if (number in accepted) == (number in rejected):
                verdict.note(Difference("fate", case, number, rows[number], reason="sent and rejected, or neither"))
        if not rows:
            verdict.note(Difference("empty", case))
        # The rows that datarowd accepts.
        refused_alone = {}
        if len(accepted) > MOST_ROWS:
            accepted = self.sample(rows, accepted, verdict)
        try:
            theirs = self.ask(rows, accepted, header, operation)
        except Refused as refusal:
            theirs = {}
            for number in accepted:
                try:
                    theirs |= self.ask(rows, [number], header, operation)
                except Refused as refusal_alone:
                    refused_alone[number] = str(refusal_alone)
            if not refused_alone:
                verdict.note(Difference("call", case, reason=f"{refusal} (of all rows together, though of none alone)"))
        if operation == "create" and any(isinstance(rows[n], str) for n in theirs) and list(theirs) != sorted(theirs):
            verdict.note(Difference("mixed", case))
        exact = None
        for number, payload in accepted.items():
            if number in refused_alone:
                verdict.note(Difference("accepts", case, number, rows[number], ours=payload, reason=refused_alone[number]))
            elif number not in theirs:
                verdict.note(Difference("accepts", case, number, rows[number], ours=payload, reason="dropped"))
            elif payload == theirs[number] and len(rows) > 10_000:
                verdict.equal += 1
            else:
                if exact is None:
                    exact = official.parse(text, case.layout, **EXACT)
                self.compare_row(case, number, rows[number], payload, theirs[number], exact, verdict)
        derived = [p["payload"]["global_key"] for p in accepted.values() if str(p.get("payload", {}).get("global_key", "")).startswith("dr1-")]
        if len(set(derived)) < len(derived):
            verdict.note(Difference("derived", case, reason="two rows have one derived key"))
        # The rows that it rejects.
        for number in list(rejected)[:REJECTED_ALONE]:
            try:
                sent = self.ask(rows, [number], header, operation)
                verdict.note(Difference(
                    "rejects", case, number, rows[number], theirs=sent.get(number, MISSING), code=rejected[number],
                    rows=rows))
            except Refused:
                verdict.refused += 1
        if accepted and verdict.refused:
            verdict.note(Difference("whole", case))

    @staticmethod
    def sample(rows, accepted, verdict):
        """Some of very many rows; the others are held against what the SDK makes of plain rows with `row_data` alone."""
        chosen = set(random.Random(len(rows)).sample(list(accepted), MOST_ROWS)) | {0, len(rows) - 1}
        for number, payload in accepted.items():
            if number not in chosen:
                plain = {"id": {"type": "AUTO", "value": ""}, "payload": {"dataset_id": official.DATASET, **rows[number]}}
                if payload == plain and list(rows[number]) == ["row_data"]:
                    verdict.equal += 1
                else:
                    chosen.add(number)
        return {number: accepted[number] for number in sorted(chosen) if number in accepted}

    def compare_row(self, case, number, source, ours, theirs, exact, verdict):
        found = False
        for path, left, right in differences(ours, theirs):
            found = True
            verdict.note(Difference("value", case, number, source, path, left, right))
        # Numbers keep the digits that they were written with.
        written = numbers(ours, [])
        if written:
            rows, header = exact
            known = set(numbers(rows[number], [])) | set(numbers((header or {}).get("defaults"), [])) | {"0", "1"}
            for digits in written:
                if digits not in known and not self.is_converted(digits, rows[number], header):
                    found = True
                    verdict.note(Difference("number", case, number, source, (), digits, "no number of the manifest"))
        if not found:
            verdict.equal += 1

    @staticmethod
    def is_converted(digits, row, header):
        """Whether a number stands in metadata or embeddings as a string that Python takes for one, or as a cluster like `7.0`."""
        for source in (row, (header or {}).get("defaults")):
            if not isinstance(source, dict):
                continue
            embeddings = source.get("embeddings")
            found = strings([source.get("metadata_fields"), embeddings], [])
            for embedding in embeddings if isinstance(embeddings, list) else []:
                found += numbers(embedding.get("clusters"), []) if isinstance(embedding, dict) else []
            for text in found:
                try:
                    # Underscores are passed over where a vector is read from strings, also where Python itself takes none.
                    if float(text.replace("_", "")) == float(digits):
                        return True
                except (ValueError, OverflowError):
                    continue
        return False
