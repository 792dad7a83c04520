import Locking
import Testing
import Transport

@Suite("HTTP over libcurl", .timeLimit(.minutes(1)))
struct CurlTransportTests {
    @Test("brings status, headers whatever their case, and the body")
    func answer() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.answer("hello", status: "404 Not Found", headers: ["X-Note:  two words ", "retry-after: 7"])
        }
        let response = try await makeTransport().send(HTTPRequest(.get, url: server.url("/a?b=c")))
        #expect(response.status == 404)
        #expect(response.headers["x-note"] == "two words")
        #expect(response.headers["Retry-After"] == "7")
        #expect(response.headers["absent"] == nil)
        #expect(response.body == Array("hello".utf8))
        #expect(server.requests.first?.line == "GET /a?b=c HTTP/1.1")
        #expect(server.requests.first?["User-Agent"] == "tests/1")
    }

    @Test("posts bytes with their length, the caller's headers, and no Expect", arguments: [0, 1, 3_000_000])
    func post(byteCount: Int) async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.answer()
        }
        let body = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        _ = try await makeTransport().send(
            HTTPRequest(
                .post, url: server.url(),
                headers: [HTTPHeader("Authorization", "Bearer k"), HTTPHeader("X-Empty", "")],
                body: .bytes(body)))
        let request = try #require(server.requests.first)
        #expect(request["Content-Length"] == "\(byteCount)")
        #expect(request["Authorization"] == "Bearer k")
        #expect(request["X-Empty"] == "")
        #expect(request["Expect"] == nil)
        #expect(request["Content-Type"] == nil)
        #expect(request["Transfer-Encoding"] == nil)
        #expect(request.body == body)
    }

    @Test("keeps connections and uses them again")
    func reuse() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer() }
        }
        let transport = try makeTransport()
        for _ in 0..<5 { _ = try await transport.send(HTTPRequest(.post, url: server.url(), body: .bytes([1]))) }
        #expect(server.connections == 1)
        _ = try await transport.send(HTTPRequest(.post, url: server.url(), body: .bytes([1]), connection: .fresh))
        #expect(server.connections == 2)
    }

    @Test("does not follow redirects")
    func redirect() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer(status: "302 Found", headers: ["Location: /elsewhere"]) }
        }
        let response = try await makeTransport().send(HTTPRequest(.get, url: server.url()))
        #expect(response.status == 302)
        #expect(server.requests.count == 1)
    }

    @Test("skips interim answers")
    func interim() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
            client.answer("final")
        }
        let response = try await makeTransport().send(HTTPRequest(.get, url: server.url()))
        #expect(response.status == 200)
        #expect(response.headers["Link"] == nil)
        #expect(response.body == Array("final".utf8))
    }

    @Test("runs no more requests at once than it may, and lets the others wait without a time-out")
    func queue() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer() }
        }
        let transport = try makeTransport(maxConnections: 3)
        await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try? await transport.send(
                        HTTPRequest(.post, url: server.url(), body: .bytes([1]), connectTimeout: .seconds(5))
                    ).status
                }
            }
            for await status in group { #expect(status == 200) }
        }
        #expect(server.requests.count == 200)
        #expect(server.mostOpen <= 3)
    }

    @Test("a request waits for a free connection longer than its connect time-out")
    func waitsInTheQueue() async throws {
        let server = LoopbackServer { client in
            while let request = client.request() {
                if request.line.contains("/first") {
                    // Slower than the other's connect time-out, which must not have begun yet.
                    pause(milliseconds: 400)
                }
                client.answer()
            }
        }
        let transport = try makeTransport(maxConnections: 1)
        async let first = transport.send(HTTPRequest(.get, url: server.url("/first")))
        await server.wait { $0.requests == 1 }
        let second = try await transport.send(
            HTTPRequest(.get, url: server.url("/second"), connectTimeout: .milliseconds(200)))
        #expect(try await first.status == 200)
        #expect(second.status == 200)
    }

    @Test("goes on with an answer that drips")
    func drip() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n")
            for _ in 0..<14 {
                pause(milliseconds: 200)
                client.write("x")
            }
        }
        let response = try await makeTransport().send(HTTPRequest(.get, url: server.url(), stallTimeout: .seconds(2)))
        #expect(response.body.count == 14)
    }

    @Test("takes compressed answers")
    func compressed() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(gzipOfAMegabyte.count)\r\n\r\n")
            client.write(gzipOfAMegabyte)
        }
        let transport = try makeTransport()
        let response = try await transport.send(HTTPRequest(.get, url: server.url(), responseLimit: 1 << 20))
        #expect(response.body == [UInt8](repeating: 0, count: 1 << 20))
        #expect(server.requests.first?["Accept-Encoding"]?.contains("gzip") == true)

        let error = await failure(transport, HTTPRequest(.get, url: server.url(), responseLimit: (1 << 20) - 1))
        #expect(error?.kind == .responseTooLarge)
    }

    @Test("a body that is taken as it comes is not kept, and can be refused on the way")
    func received() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer(String(repeating: "x", count: 1 << 20)) }
        }
        let transport = try makeTransport()
        let count = Locked(0)
        let response = try await transport.send(
            HTTPRequest(
                .get, url: server.url(), responseLimit: 1 << 20,
                receive: { bytes in
                    count.withLock { $0 += bytes.count }
                    return true
                }))
        #expect(response.status == 200)
        #expect(response.body.isEmpty)
        #expect(count.withLock { $0 } == 1 << 20)

        let refused = await failure(transport, HTTPRequest(.get, url: server.url(), receive: { _ in false }))
        #expect(refused?.kind == .malformedResponse)
        let limited = await failure(
            transport, HTTPRequest(.get, url: server.url(), responseLimit: 1000, receive: { _ in true }))
        #expect(limited?.kind == .responseTooLarge)
    }
}
