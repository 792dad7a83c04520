"""The metrics: read by Prometheus' own parsers, and held against what is said of them."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess

import yaml
from prometheus_client.parser import text_string_to_metric_families

from scene import Scene

ROOT = pathlib.Path(__file__).resolve().parents[2]


def groups(programs):
    yield measuring(programs)


def parsed(text):
    """Families by their names; a counter's is written with `_total` here, as it is exposed."""
    families = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name not in families, f"{name} is there twice"
        families[name] = family
    return families


@contextlib.contextmanager
def measuring(programs):
    with Scene(programs) as scene:
        scene.start()
        scene.drop("cats", "fine.ndjson", scene.rows(500))
        scene.drop("cats", "wrong.json", '[{"row_data": 3}]')
        scene.drop("dogs", "waits.ndjson", '{"row_data": "./missing.jpg"}\n')
        scene.drop("dogs", "dog.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"x" * 10_000 + b"\xff\xd9")
        file = scene.state / "status/metrics.prom"

        def now():
            return parsed(scene.ask("/metrics")[2].decode())

        def value(families, family, **labels):
            return sum(s.value for s in families[family].samples if labels.items() <= s.labels.items())

        scene.until(lambda: value(now(), "datarowd_rows_ended_total", outcome="created") == 501, 30, "all rows are counted")

        def figures():
            families = now()
            expected = [
                ("datarowd_rows", 500, {"watch": "cats", "outcome": "created"}), ("datarowd_rows", 1, {"watch": "cats", "outcome": "rejected"}),
                ("datarowd_rows", 1, {"watch": "dogs", "outcome": "created"}),
                ("datarowd_manifests", 1, {"watch": "cats", "state": "complete"}), ("datarowd_manifests", 1, {"watch": "cats", "state": "rejected"}),
                ("datarowd_manifests", 1, {"watch": "dogs", "state": "waiting_for_media"}), ("datarowd_oldest_unfinished_age_seconds", 0, {"watch": "cats"}),
                ("datarowd_state", 1, {"state": "running"}), ("datarowd_state", 1, {}), ("datarowd_breaker_state", 1, {"state": "closed"}),
                ("datarowd_media_uploaded_total", 1, {}), ("datarowd_media_uploaded_bytes_total", 10_013, {}), ("datarowd_rate_limit_requests_per_minute", 1200, {}),
                ("datarowd_watch_mode", 2, {"mode": "watching"}), ("datarowd_queue_depth", 1, {"queue": "media_awaited"}),
            ]
            for name, count, labels in expected:
                assert value(families, name, **labels) == count, (name, labels, value(families, name, **labels))
            assert value(families, "datarowd_oldest_unfinished_age_seconds", watch="dogs") > 0
            assert value(families, "datarowd_sent_bytes_total") > 50_000 and value(families, "datarowd_received_bytes_total") > 1_000
            # What the stand-in says that it was asked, and what the daemon says that it asked.
            served = json.loads(scene.simulated("/_sim/state"))["requests"]["total"]
            requests = value(families, "datarowd_requests_total")
            assert requests == served, (requests, served)
            taken = [s for s in families["datarowd_request_duration_seconds"].samples if s.name.endswith("_count")]
            assert sum(s.value for s in taken) == requests
            assert value(families, "datarowd_rate_budget_used") + value(families, "datarowd_rate_budget_remaining") == 1200

        def process():
            families = now()
            pages = int(pathlib.Path(f"/proc/{scene.daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            assert 0.5 < value(families, "process_resident_memory_bytes") / pages < 2
            assert abs(value(families, "process_open_fds") - len(os.listdir(f"/proc/{scene.daemon.pid}/fd"))) < 6
            assert 0 < value(families, "process_cpu_seconds_total") < 60
            assert abs(value(families, "process_start_time_seconds") - (scene.started_at)) < 5

        def conventions():
            if promtool := shutil.which("promtool"):
                end = subprocess.run([promtool, "check", "metrics"], input=scene.ask("/metrics")[2], capture_output=True)
                assert end.returncode == 0 and not end.stderr, end.stderr.decode()
            for name, family in now().items():
                assert family.documentation and not family.documentation.endswith("."), name
                assert re.fullmatch("(datarowd|process)(_[a-z]+)+", name), name
                assert (family.type == "counter") == name.endswith("_total"), name

        def cardinality():
            # However many files and however they are named, there is no more to keep.
            before = len(scene.ask("/metrics")[2].splitlines())
            for number in range(60):
                scene.drop("cats", f'many/{number} "odd"\n.json', "[]" if number % 2 else "[{")
            scene.until(lambda: value(now(), "datarowd_manifests_claimed_total", watch="cats") >= 62, 30, "they are taken")
            text = scene.ask("/metrics")[2].decode()
            assert "odd" not in text
            assert len(text.splitlines()) - before < 20

        def textfile():
            text = scene.until(lambda: file.exists() and (t := file.read_text()) and value(parsed(t), "datarowd_rows_ended_total", outcome="created") == 501 and t, 20, "the file is as new as the port")
            assert set(parsed(text)) == set(now())
            assert stat.S_IMODE(file.stat().st_mode) == 0o640, oct(file.stat().st_mode)
            # What waits grows old in it, though nothing else happens.
            first = value(parsed(text), "datarowd_oldest_unfinished_age_seconds", watch="dogs")
            scene.until(lambda: value(parsed(file.read_text()), "datarowd_oldest_unfinished_age_seconds", watch="dogs") > first, 40, "its age grows")

        def documented():
            page = (ROOT / "docs/monitoring.md").read_text()
            table = dict(re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|", page, re.M))
            families = now()
            assert table == {name: family.type for name, family in families.items()}, set(table) ^ set(families)
            for name, family in families.items():
                row = re.search(rf"^\| `{name}` \| .*$", page, re.M)[0]
                labels = {label for s in family.samples for label in s.labels} - {"le"}
                assert all(f"`{label}`" in row for label in labels), (name, labels)

        def rules():
            known = set(now()) | {"up"}
            text = (ROOT / "config/prometheus-rules.yaml").read_text()
            found = []
            for group in yaml.safe_load(text)["groups"]:
                for rule in group["rules"]:
                    assert {"alert", "expr", "labels", "annotations"} <= set(rule), rule
                    assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]
                    found += names(rule["expr"])
            assert len(found) > 8 and not set(found) - known, set(found) - known
            if promtool := shutil.which("promtool"):
                end = subprocess.run([promtool, "check", "rules", ROOT / "config/prometheus-rules.yaml"], capture_output=True, text=True)
                assert end.returncode == 0, end.stdout + end.stderr
                end = subprocess.run([promtool, "test", "rules", ROOT / "Tests/Page/rules-test.yaml"], capture_output=True, text=True)
                assert end.returncode == 0, end.stdout + end.stderr

        def dashboard():
            known = set(now()) | {"up"}
            board = json.loads((ROOT / "config/grafana-dashboard.json").read_text())
            targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
            found = [name for expression in targets for name in names(expression)]
            assert len(targets) > 10 and not set(found) - known, set(found) - known
            places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
            assert len(set(places)) == len(places) and len({panel["id"] for panel in board["panels"]}) == len(board["panels"])

        def end():
            assert scene.stop() == 0
            assert not file.exists()

        yield [
            ("the figures are those of what was dropped and of what the server saw", figures),
            ("the process's figures are the kernel's", process),
            ("Prometheus' own parsers take every line, and names and units are by its conventions", conventions),
            ("the page of documentation names each metric with its type and labels, and no other", documented),
            ("each metric that the alert rules name exists, and the rules fire when they should", rules),
            ("each metric that the dashboard names exists", dashboard),
            ("the file for the textfile collector says the same, and is only for the group", textfile),
            ("files and their names make no new series", cardinality),
            ("a daemon that was stopped leaves no figures behind", end),
        ]


def names(expression):
    """The metrics that an expression names; of a histogram the family."""
    return [re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:datarowd|process)_[a-z_]+|\bup\b", expression)]
