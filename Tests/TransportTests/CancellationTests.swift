import Testing
import Transport

@Suite("Requests that are called off", .timeLimit(.minutes(1)))
struct CancellationTests {
    private static let hanging = HTTPRequest.Body.bytes([1, 2, 3])

    @Test("before it was sent: nothing arrives")
    func beforeSending() async throws {
        let server = LoopbackServer { $0.hang() }
        let transport = try makeTransport()
        let task = Task { () -> TransportError? in
            // Not sent before the task is cancelled.
            while !Task.isCancelled { await Task.yield() }
            return await failure(transport, HTTPRequest(.get, url: server.url()))
        }
        task.cancel()
        let error = try #require(await task.value)
        #expect(error.kind == .cancelled)
        #expect(error.reach == .notSent)
        #expect(server.connections == 0)
    }

    @Test("while waiting for the answer: the connection is closed, and the server may have acted")
    func whileWaiting() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.hang()
        }
        let transport = try makeTransport()
        let task = Task { await failure(transport, HTTPRequest(.post, url: server.url(), body: Self.hanging)) }
        await server.wait { $0.requests == 1 }
        task.cancel()
        let error = try #require(await task.value)
        #expect(error.kind == .cancelled)
        #expect(error.reach == .maySent)
        await server.wait { $0.clientsGone == 1 }
    }

    @Test("in the middle of an upload")
    func whileUploading() async throws {
        let server = LoopbackServer { client in
            _ = client.head()
            client.hangWithoutReading()
        }
        let transport = try makeTransport()
        let (progress, report) = AsyncStream.makeStream(of: Int64.self)
        let request = HTTPRequest(
            .post, url: server.url(), body: try sparseBody(), version: .http1,
            progress: { sent, _ in report.yield(sent) })
        let task = Task { await failure(transport, request) }
        for await sent in progress where sent > 0 { break }
        task.cancel()
        let error = try #require(await task.value)
        #expect(error.kind == .cancelled)
        #expect(error.reach == .maySent)
    }

    @Test("in the middle of an answer")
    func whileReceiving() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            client.hang()
        }
        let transport = try makeTransport()
        let task = Task { await failure(transport, HTTPRequest(.get, url: server.url())) }
        await server.wait { $0.requests == 1 }
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        await server.wait { $0.clientsGone == 1 }
    }

    @Test("while it waits behind others: nothing was sent, and the others go on")
    func whileQueued() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer() }
        }
        let blocker = LoopbackServer { client in
            _ = client.request()
            client.hang()
        }
        let transport = try makeTransport(maxConnections: 1)
        let first = Task { await failure(transport, HTTPRequest(.get, url: blocker.url())) }
        await blocker.wait { $0.requests == 1 }
        let second = Task { await failure(transport, HTTPRequest(.get, url: server.url("/second"))) }
        let third = Task { try await transport.send(HTTPRequest(.get, url: server.url("/third"))).status }
        second.cancel()
        let error = try #require(await second.value)
        #expect(error.kind == .cancelled)
        #expect(error.reach == .notSent)
        first.cancel()
        #expect(await first.value?.kind == .cancelled)
        #expect(try await third.value == 200)
        #expect(server.requests.map(\.line) == ["GET /third HTTP/1.1"])
    }

    @Test("a hundred at once, at whatever moment it hits them, are all answered")
    func manyAtOnce() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer() }
        }
        let transport = try makeTransport(maxConnections: 4)
        let tasks = (0..<100).map { number in
            Task { () -> Bool in
                do throws(TransportError) {
                    return try await transport.send(HTTPRequest(.get, url: server.url("/\(number)"))).status == 200
                } catch {
                    return error.kind == .cancelled
                }
            }
        }
        for (number, task) in tasks.enumerated() where number.isMultiple(of: 2) { task.cancel() }
        for task in tasks { #expect(await task.value) }
    }

    @Test("shutdown answers all who wait, and all who come later")
    func shutdown() async throws {
        let server = LoopbackServer { client in
            _ = client.request()
            client.hang()
        }
        let transport = try makeTransport(maxConnections: 4)
        let tasks = (0..<10).map { _ in
            Task { await failure(transport, HTTPRequest(.post, url: server.url(), body: Self.hanging)) }
        }
        await server.wait { $0.requests == 4 }
        await transport.shutdown()
        var reaches: [TransportError.Reach] = []
        for task in tasks {
            let error = try #require(await task.value)
            #expect(error.kind == .shutDown)
            reaches.append(error.reach)
        }
        #expect(reaches.filter { $0 == .maySent }.count == 4)
        let late = try #require(await failure(transport, HTTPRequest(.get, url: server.url())))
        #expect(late.kind == .shutDown)
        #expect(late.reach == .notSent)
        await transport.shutdown()
        await server.wait { $0.clientsGone == 4 }
    }

    @Test("a transport that is let go ends its connections")
    func letGo() async throws {
        let server = LoopbackServer { client in
            while client.request() != nil { client.answer() }
        }
        var transport: CurlTransport? = try makeTransport()
        _ = try await transport?.send(HTTPRequest(.get, url: server.url()))
        transport = nil
        await server.wait { $0.clientsGone == 1 }
    }
}
