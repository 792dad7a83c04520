"""The port: who is answered what, and what strangers cannot do to it."""

import contextlib
import json
import pathlib
import re
import socket
import subprocess

import jsonschema

from scene import Scene

ROOT = pathlib.Path(__file__).resolve().parents[2]


def groups(programs):
    yield asking(programs)
    yield starting(programs)


@contextlib.contextmanager
def asking(programs):
    with Scene(programs) as scene:
        scene.start()

        def resources():
            for path, kind in {"/healthz": "text/plain", "/metrics": "text/plain; version=0.0.4", "/status.json": "application/json",
                               "/page.json": "application/json", "/history.json": "application/json", "/": "text/html"}.items():
                status, headers, body = scene.ask(path)
                assert status == 200 and headers["Content-Type"].startswith(kind) and body, (path, status, headers["Content-Type"])
                assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer", path
                assert "default-src 'none'" in headers["Content-Security-Policy"] and "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
                assert headers["Cache-Control"] == "no-store" and "Access-Control-Allow-Origin" not in headers, path
                again, headers, nothing = scene.ask(path, "HEAD")
                assert again == 200 and nothing == b"" and int(headers["Content-Length"]) > 0, path
            assert scene.ask("/?any=thing")[0] == 200

        def schema():
            scene.drop("cats", "some.ndjson", scene.rows(10))
            scene.until(lambda: scene.page()["watches"][0]["imports"]["complete"] == 1, 20, "it is imported")
            document = json.loads(scene.ask("/status.json")[2])
            jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas/daemon-status.schema.json").read_text())).validate(document)
            assert document["totals"]["created"] == 10

        def health():
            assert scene.ask("/healthz")[::2] == (200, b"running: it works\n")

        def refusals():
            for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
                status, headers, _ = scene.ask("/status.json", method)
                assert (status, headers["Allow"]) == ((405, "GET, HEAD") if method != "BREW" else (status, headers["Allow"])), (method, status)
            for path in ("/x", "//", "/%2e%2e/etc/passwd", "/../status/datarowd.json", "/status.json/", "/Metrics", "/favicon.ico"):
                assert scene.ask(path)[0] == 404, path
            assert scene.ask("/metrics", body=b"x" * 100, headers={"Content-Length": "100"})[0] == 413
            for head in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b"nonsense\r\n\r\n"):
                assert b" 400 " in say(scene, head)[:20], head

        def rebinding():
            for host in ("evil.example", "evil.example:80", f"localhost.evil.example:{scene.port}", "10.0.0.1", "localhost@evil.example"):
                for path in ("/", "/metrics", "/status.json"):
                    assert scene.ask(path, headers={"Host": host})[0] == 421, host
            for host in ("localhost", f"LOCALHOST:{scene.port}", f"127.0.0.1:{scene.port}", "[::1]:80"):
                assert scene.ask("/metrics", headers={"Host": host})[0] == 200, host
            # The target of a request line that is a whole address counts, whatever the header says.
            assert b" 421 " in say(scene, b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")[:20]
            # Who speaks HTTP/1.0 without naming a host is no browser.
            assert b" 200 " in say(scene, b"GET /healthz HTTP/1.0\r\n\r\n")[:20]

        def large():
            # Whoever sends more than a head is cut off, long before it has cost anything.
            for head in (b"GET /" + b"a" * 100_000, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000,
                         b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000):
                answer = say(scene, head)
                assert b" 200 " not in answer[:20], answer[:100]
            assert scene.ask("/healthz")[0] == 200

        def crowded():
            # More connections than it takes, each of which says half a word and stays.
            crowd = []
            for _ in range(100):
                other = socket.create_connection(("127.0.0.1", scene.port), 5)
                with contextlib.suppress(OSError):
                    other.sendall(b"GET / HT")
                crowd.append(other)
            assert scene.resident() < 100 << 20, scene.resident()
            # So many as it takes are let in, and the others see at once that they are not.
            scene.until(lambda: len([other for other in crowd if not is_open(other)]) >= 68, 5, "others are turned away")
            assert any(is_open(other) for other in crowd)
            # Those that were let in are closed when they have had their time, and then others are served.
            scene.until(lambda: not any(is_open(other) for other in crowd), 15, "those that say nothing are let go")
            assert scene.ask("/healthz")[0] == 200
            for other in crowd:
                other.close()

        def slow():
            # A reader that does not read keeps nobody else from reading, and is let go in the end.
            lazy = socket.create_connection(("127.0.0.1", scene.port), 5)
            lazy.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(20):
                assert scene.ask("/healthz")[0] == 200
            lazy.close()

        def secret():
            everything = b"".join(scene.ask(path)[2] for path in ("/", "/metrics", "/status.json", "/page.json", "/history.json", "/healthz"))
            assert b"test-key" not in everything

        def trouble():
            # The folder of a watch goes away: it is told, and not by its own text file alone.
            (scene.root / "dogs").rename(scene.root / "gone")
            scene.until(lambda: scene.ask("/healthz")[0] == 503, 90, "it is not well")
            status, _, body = scene.ask("/healthz")
            assert body.startswith(b"degraded: watch 'dogs'"), body
            (scene.root / "gone").rename(scene.root / "dogs")

        yield [
            ("each resource is answered to GET and HEAD, with headers that leave a browser no choice", resources),
            ("/status.json is the daemon's status by its schema", schema),
            ("/healthz says in a line that all is well", health),
            ("another method, another path, a body or a bad head is refused with the right status", refusals),
            ("a name that is not this machine's is not answered, since its owner's page would be let read the answer", rebinding),
            ("a head that does not end is cut off", large),
            ("a client that does not read its answer keeps nobody waiting", slow),
            ("a hundred connections that say half a word neither fill the memory nor stay", crowded),
            ("the API key is nowhere", secret),
            ("/healthz is 503 with the reason when something is wrong", trouble),
        ]


def say(scene, words):
    with socket.create_connection(("127.0.0.1", scene.port), 15) as connection:
        answer = b""
        with contextlib.suppress(OSError):
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


def is_open(connection):
    """Whether the other side has not closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def starting(programs):
    with Scene(programs) as scene:

        def ends(listen):
            scene.settings = re.sub('listen: "[^"]*"', f'listen: "{listen}"', scene.settings)
            (scene.root / "datarowd.yaml").write_text(scene.settings)
            return subprocess.run(
                [scene.programs / "datarowd", "--config", scene.root / "datarowd.yaml"], capture_output=True, text=True, timeout=30)

        def taken():
            with socket.create_server(("127.0.0.1", 0)) as other:
                address = f"127.0.0.1:{other.getsockname()[1]}"
                end = ends(address)
                assert end.returncode == 74 and f"{address} is in use" in end.stderr, end.stderr

        def elsewhere():
            end = ends("192.0.2.1:9464")
            assert end.returncode == 74 and "has no address 192.0.2.1:9464" in end.stderr, end.stderr

        def nonsense():
            end = ends("9464")
            assert end.returncode == 78 and "http.listen" in end.stderr, end.stderr

        def public():
            scene.settings = re.sub('listen: "[^"]*"', 'listen: "0.0.0.0:0"', scene.settings)
            scene.start()
            assert "WARNING" in scene.log.read_text() and "no password" in scene.log.read_text()
            # Names by which others know this machine are not known here.
            assert scene.ask("/metrics", headers={"Host": "importer.example:9464"})[0] == 200
            assert scene.stop() == 0

        yield [
            ("a port that is taken is an error at the start, which names it", taken),
            ("so is an address that this machine does not have", elsewhere),
            ("so is what is no address, as a mistake in the configuration", nonsense),
            ("to listen where others can ask is allowed, and warned of", public),
        ]
