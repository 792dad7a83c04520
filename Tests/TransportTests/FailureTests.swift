import Glibc
import Testing
import Transport

@Suite("Requests that fail", .timeLimit(.minutes(1)))
struct FailureTests {
    @Test("a refused connection: nothing was sent")
    func refused() async throws {
        let url = "http://127.0.0.1:\(LoopbackServer.closedPort())/"
        let error = try #require(await failure(makeTransport(), HTTPRequest(.post, url: url, body: .bytes([1]))))
        #expect(error.kind == .couldNotConnect)
        #expect(error.reach == .notSent)
    }

    @Test("a name that does not exist: nothing was sent")
    func unresolved() async throws {
        let error = try #require(
            await failure(makeTransport(), HTTPRequest(.get, url: "http://no-such-host.invalid/")))
        #expect(error.kind == .couldNotResolve)
        #expect(error.reach == .notSent)
    }

    @Test(
        "an address that cannot be used",
        arguments: ["", "nonsense://host/", "file:///etc/passwd", "http://", "http://[::1/", "ftp://127.0.0.1/"])
    func badURL(url: String) async throws {
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: url)))
        #expect(error.kind == .badURL || error.kind == .couldNotResolve)
        #expect(error.reach == .notSent)
    }

    @Test(
        "a connection that closes once the request is read: the server may have acted",
        arguments: [HTTPRequest.Connection.pooled, .fresh], [false, true])
    func closedAfterReading(connection: HTTPRequest.Connection, byReset: Bool) async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            if byReset { client.reset() }
        }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(.post, url: server.url(), body: .bytes([1]), connection: connection, version: .http1)))
        #expect(error.kind == .connectionLost)
        #expect(error.reach == .maySent)
        #expect(server.requests.count == 1)
    }

    @Test("libcurl itself sends a pooled POST again when the kept connection closes silently")
    func pooledIsSentTwice() async throws {
        let server = LoopbackServer.hangingUpOnce()
        let transport = try makeTransport()
        _ = try await transport.send(HTTPRequest(.get, url: server.url("/warm")))
        let response = try await transport.send(
            HTTPRequest(.post, url: server.url("/submit"), body: .bytes([1]), version: .http1))
        #expect(response.status == 200)
        #expect(server.requests.filter { $0.line.contains("/submit") }.count == 2)
    }

    @Test("a fresh POST arrives exactly once, whatever the server does to it")
    func freshIsSentOnce() async throws {
        let server = LoopbackServer.hangingUpOnce()
        let transport = try makeTransport()
        _ = try await transport.send(HTTPRequest(.get, url: server.url("/warm")))
        let error = try #require(
            await failure(
                transport,
                HTTPRequest(.post, url: server.url("/submit"), body: .bytes([1]), connection: .fresh, version: .http1)))
        #expect(error.kind == .connectionLost)
        #expect(error.reach == .maySent)
        // Whatever libcurl would have sent a second time has arrived before this.
        _ = try await transport.send(HTTPRequest(.get, url: server.url("/later")))
        #expect(server.requests.filter { $0.line.contains("/submit") }.count == 1)
    }

    @Test("a pooled multipart body is sent again from its start")
    func pooledMultipartRewinds() async throws {
        let server = LoopbackServer.hangingUpOnce()
        let transport = try makeTransport()
        _ = try await transport.send(HTTPRequest(.get, url: server.url("/warm")))
        let content = [UInt8](repeating: 7, count: 100_000)
        _ = try await transport.send(
            HTTPRequest(
                .post, url: server.url("/submit"), body: .multipart([.init(name: "1", content: .bytes(content))]),
                version: .http1))
        let bodies = server.requests.filter { $0.line.contains("/submit") }.map(\.body)
        #expect(bodies.count == 2)
        #expect(bodies.first == bodies.last)
    }

    @Test("a server that says nothing: stalled, and the server may have acted")
    func stalled() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.hang()
        }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(.post, url: server.url(), body: .bytes([1]), version: .http1, stallTimeout: .seconds(1))))
        #expect(error.kind == .stalled)
        #expect(error.reach == .maySent)
    }

    @Test("a server that stops reading an upload: stalled")
    func stalledUpload() async throws {
        let server = LoopbackServer { client in
            _ = client.head()
            client.hangWithoutReading()
        }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(
                    .post, url: server.url(), body: try sparseBody(), version: .http1,
                    stallTimeout: .seconds(1))))
        #expect(error.kind == .stalled)
        #expect(error.reach == .maySent)
    }

    @Test(
        "a proxy that refuses to connect: nothing was sent", arguments: ["407 Proxy Authentication Required", "503 No"])
    func refusingProxy(status: String) async throws {
        let proxy = LoopbackServer { client in
            while client.request() != nil { client.answer("", status: status) }
        }
        let transport = try makeTransport(proxy: "http://user:secret@127.0.0.1:\(proxy.port)")
        let error = try #require(
            await failure(transport, HTTPRequest(.post, url: "https://api.example/graphql", body: .bytes([1]))))
        #expect(error.kind == .proxy)
        #expect(error.reach == .notSent)
        #expect(!error.description.contains("secret"))
        #expect(proxy.requests.first?.line == "CONNECT api.example:443 HTTP/1.1")
    }

    @Test("a proxy setting that libcurl cannot use is shown without its password")
    func unusableProxy() async throws {
        let transport = try makeTransport(proxy: "nonsense://user:secret@127.0.0.1:1")
        let error = try #require(await failure(transport, HTTPRequest(.get, url: "http://api.example/")))
        #expect(error.reach == .notSent)
        #expect(!error.description.contains("secret"))
    }

    @Test(
        "credentials in a message of libcurl are taken out",
        arguments: [
            ("Unsupported proxy scheme for 'x://a:b@host:1'", "Unsupported proxy scheme for 'x://host:1'"),
            ("syntax in 'a:b@host' found", "syntax in 'host' found"), ("x://a@b:c@host", "x://host"),
            ("nothing here  at all", "nothing here  at all"), ("@", ""), ("", ""),
        ])
    func credentials(message: String, shown: String) {
        #expect(TransportError.withoutCredentials(message) == shown)
    }

    @Test("a handshake that never ends: timed out while connecting, nothing was sent")
    func connectTimeout() async throws {
        let server = LoopbackServer { $0.hang() }
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(
                    .post, url: server.url(scheme: "https"), body: .bytes([1]), connectTimeout: .milliseconds(200))))
        #expect(error.kind == .connectTimedOut)
        #expect(error.reach == .notSent)
    }

    @Test("a handshake that breaks off: nothing was sent")
    func brokenHandshake() async throws {
        let server = LoopbackServer { $0.reset() }
        let error = try #require(
            await failure(makeTransport(), HTTPRequest(.post, url: server.url(scheme: "https"), body: .bytes([1]))))
        #expect(error.kind == .connectionLost)
        #expect(error.reach == .notSent)
    }

    @Test("an answer that breaks off")
    func truncated() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\"")
        }
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: server.url())))
        #expect(error.kind == .connectionLost)
        #expect(error.reach == .maySent)
    }

    @Test(
        "an answer that is not HTTP",
        arguments: ["hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nplop"])
    func malformed(answer: String) async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write(answer)
        }
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: server.url())))
        #expect(error.kind == .malformedResponse)
        #expect(error.reach == .maySent)
    }

    @Test("an answer without an end is cut off at the limit")
    func tooLarge() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 200 OK\r\n\r\n")
            while client.write([UInt8](repeating: 32, count: 1 << 16)) {}
        }
        let error = try #require(
            await failure(makeTransport(), HTTPRequest(.get, url: server.url(), responseLimit: 1 << 20)))
        #expect(error.kind == .responseTooLarge)
        #expect(error.reach == .maySent)
    }

    @Test("a header without an end is cut off at a limit")
    func headerTooLarge() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 200 OK\r\n")
            while client.write("X-Line: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        let error = try #require(await failure(makeTransport(), HTTPRequest(.get, url: server.url())))
        #expect([.responseTooLarge, .malformedResponse, .other].contains(error.kind))
    }

    @Test("an early answer is heard while the body is still going out")
    func earlyAnswer() async throws {
        let server = LoopbackServer { client in
            _ = client.head()
            client.answer("too much", status: "413 Payload Too Large", headers: ["Connection: close"])
            client.hangWithoutReading()
        }
        let response = try await makeTransport().send(
            HTTPRequest(
                .post, url: server.url(), body: try sparseBody(), version: .http1))
        #expect(response.status == 413)
        #expect(response.body == Array("too much".utf8))
    }

    @Test(
        "a header that would split is refused, and its value not shown",
        arguments: [HTTPHeader("Authorization", "Bearer secret\r\nX: y"), HTTPHeader("A: b\nC", "secret")])
    func splitHeader(header: HTTPHeader) async throws {
        let server = LoopbackServer { _ in }
        let error = try #require(
            await failure(makeTransport(), HTTPRequest(.get, url: server.url(), headers: [header])))
        #expect(error.kind == .badHeader)
        #expect(error.reach == .notSent)
        #expect(!error.description.contains("secret"))
        #expect(server.connections == 0)
    }

    @Test("errors show neither the key, nor the query, nor credentials")
    func noSecrets() async throws {
        let port = LoopbackServer.closedPort()
        let error = try #require(
            await failure(
                makeTransport(),
                HTTPRequest(
                    .get, url: "http://user:secret@127.0.0.1:\(port)/a/b?token=secret#secret",
                    headers: [HTTPHeader("Authorization", "Bearer secret")])))
        #expect(error.url == "http://127.0.0.1:\(port)/a/b")
        #expect(!error.description.contains("secret"))
        #expect(!error.message.contains("secret"))
    }

    @Test(
        "what of an address may be shown",
        arguments: [
            ("https://a:b@host/p?q#f", "https://host/p"), ("https://host", "https://host"),
            ("https://host/p@q", "https://host/p@q"), ("a:b@host/p", "host/p"), ("", ""),
            ("https://x@y@host/", "https://host/"),
        ])
    func shownAddress(url: String, shown: String) {
        #expect(TransportError.withoutSecrets(url) == shown)
    }
}

extension LoopbackServer {
    /// Answers, but reads the first POST and hangs up on it.
    static func hangingUpOnce() -> LoopbackServer {
        LoopbackServer { client in
            while let request = client.request() {
                let posts = client.server.requests.filter { $0.line.hasPrefix("POST") }.count
                if request.line.hasPrefix("POST"), posts == 1 { return }
                client.answer()
            }
        }
    }
}
