import Glibc
import LabelboxSimulator
import Testing

/// A connection that sends bytes as they are and reads one answer at a time.
private final class Wire {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String
        var json: JSONValue? { try? JSONValue(parsing: body.utf8) }
    }

    init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        // So that a missing answer fails the test instead of hanging it.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    /// Nil when the connection ends instead; `error` is then the reason.
    func receive() -> Answer? {
        while true {
            if let answer = parse() { return answer }
            guard more() else { return nil }
        }
    }

    private(set) var error: Int32 = 0

    private func more() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        if count < 0 { error = errno }
        guard count > 0 else { return false }
        buffer += piece[..<count]
        return true
    }

    private func parse() -> Answer? {
        guard let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            headers[pair[0].lowercased()] = String(pair[1].drop { $0 == " " })
        }
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        if status == 100 {
            buffer.removeSubrange(..<end.upperBound)
            return Answer(status: 100, headers: headers, body: "")
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard buffer.count - end.upperBound >= length else { return nil }
        let body = String(decoding: buffer[end.upperBound..<end.upperBound + length], as: UTF8.self)
        buffer.removeSubrange(..<(end.upperBound + length))
        return Answer(status: status, headers: headers, body: body)
    }

    func call(_ query: String, variables: JSONValue = .null, key: String = "test-key") -> Answer? {
        let body = JSONValue.object([.init("query", .string(query)), .init("variables", variables)]).text
        send(
            "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return receive()
    }

    func get(_ path: String) -> Answer? {
        send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
        return receive()
    }

    func upload(_ content: String, name: String, chunked: Bool = false) -> String? {
        let operations = JSONValue.object([
            .init(
                "query",
                "mutation($file: Upload!, $n: Int!) { uploadFile(file: $file, contentLength: $n) { url } }"),
            .init("variables", ["file": JSONValue.null, "n": JSONValue(content.utf8.count)]),
        ]).text
        let body =
            "--BORDER\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n\(operations)\r\n"
            + "--BORDER\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"1\": [\"variables.file\"]}\r\n"
            + "--BORDER\r\nContent-Disposition: form-data; name=\"1\"; filename=\"\(name)\"\r\n\r\n\(content)\r\n--BORDER--\r\n"
        let head =
            "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-key\r\n"
            + "Content-Type: multipart/form-data; boundary=BORDER\r\n"
        if chunked {
            send(head + "Transfer-Encoding: chunked\r\n\r\n")
            for byte in Array(body.utf8) { send("1\r\n" + String(decoding: [byte], as: UTF8.self) + "\r\n") }
            send("0\r\n\r\n")
        } else {
            send(head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
        }
        return receive()?.json?["data"]?["uploadFile"]?["url"]?.string
    }
}

@Suite("Over the wire", .timeLimit(.minutes(1)))
struct WireTests {
    private func withSimulator(
        _ change: (inout Simulator.Settings) -> Void = { _ in }, _ body: (Simulator) async throws -> Void
    ) async throws {
        var settings = Simulator.Settings()
        settings.datasets = [("D", "default")]
        settings.taskDelay = .zero
        change(&settings)
        let simulator = try await Simulator.start(settings)
        do { try await body(simulator) } catch {
            await simulator.stop()
            throw error
        }
        await simulator.stop()
    }

    private func path(_ url: String) -> String { "/" + url.split(separator: "/", maxSplits: 2)[2] }

    @Test("a connection is kept and takes requests one after the other, also all at once")
    func keepAlive() async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            for _ in 0..<3 { #expect(wire.call("{ user { id } }")?.status == 200) }
            let one = "GET /_sim/state HTTP/1.1\r\nHost: x\r\n\r\n"
            wire.send(one + one)
            #expect(wire.receive()?.status == 200)
            let state = wire.receive()?.json
            #expect(state?["connections"]?["opened"] == 1)
            #expect(state?["requests"]?["by_operation"]?["user"] == 3)
        }
    }

    @Test("an upload comes back byte for byte, however it was sent", arguments: [false, true])
    func uploads(chunked: Bool) async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            let content = String(repeating: "line\r\n--BORD", count: chunked ? 3 : 5000)
            let url = try #require(wire.upload(content, name: "a b.txt", chunked: chunked))
            #expect(url.contains("a%20b.txt"))
            let answer = wire.get(path(url))
            #expect(answer?.status == 200)
            #expect(answer?.body == content)
            #expect(wire.get("/files/nope/x")?.status == 404)
        }
    }

    @Test("who asks before sending is told to go on")
    func expectContinue() async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            let body = "{\"query\": \"{ user { id } }\"}"
            wire.send(
                "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-key\r\nExpect: 100-continue\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n")
            #expect(wire.receive()?.status == 100)
            wire.send(body)
            #expect(wire.receive()?.status == 200)
        }
    }

    @Test("a wrong key is refused, for calls but not for files")
    func keys() async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            let answer = wire.call("{ user { id } }", key: "wrong")
            #expect(answer?.status == 401)
            #expect(answer?.json?["errors"]?.list?.first?["extensions"]?["code"] == "AUTHENTICATION_ERROR")
        }
    }

    @Test("an import makes rows, refuses bad ones, and keeps what was sent")
    func imports() async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            func item(_ type: String, _ value: String, _ payload: String) -> String {
                "{\"id\": {\"type\": \"\(type)\", \"value\": \"\(value)\"}, \"payload\": \(payload)}"
            }
            let first = #"{"row_data": "https://x/1.jpg", "global_key": "a", "n": 1.50, "dataset_id": "D"}"#
            let items = [
                item("AUTO", "", first), item("AUTO", "", first),
                item("AUTO", "", #"{"row_data": "https://x/2.jpg", "global_key": "\u0061", "dataset_id": "D"}"#),
                item("GKEY", "b", #"{"row_data": {"pdf_url": "https://x/3.pdf"}, "dataset_id": "D"}"#),
                item("GKEY", "b", #"{"external_id": "changed", "dataset_id": "D"}"#),
                item("AUTO", "", #"{"row_data": "https://x/4.jpg", "dataset_id": "nope"}"#),
            ]
            let task = try await submit(items, to: wire)
            #expect(task["status"] == "COMPLETE")
            let answer = wire.call(
                "query($t: ID!) { s: successesfulDataRowImports(data: {taskId: $t}) { total nodes { globalKey rowData externalId } } "
                    + "f: failedDataRowImports(data: {taskId: $t}) { total results { message spec { globalKey } } } }",
                variables: ["t": task["id"] ?? .null])
            let data = answer?.json?["data"]
            #expect(data?["s"]?["total"] == 3)
            #expect(
                data?["f"]?["results"]?.list?.compactMap { $0["message"]?.string } == [
                    "Duplicate global key: 'a'", "Duplicate global key: 'a'", "Dataset not found",
                ])
            let state = wire.get("/_sim/state")?.json
            #expect(state?["datasets"]?.list?.first?["rows"] == 2)
            #expect(state?["tasks"]?["rows_updated"] == 1)
            let row = wire.call("{ datasetDataRows(id: \"D\", first: 1) { nodes { globalKey rowData externalId } } }")
            #expect(
                row?.json?["data"]?["datasetDataRows"]?["nodes"]?.list?.first
                    == ["globalKey": "b", "rowData": "https://x/3.pdf", "externalId": "changed"])
        }
    }

    @Test(
        "an import that cannot be read fails whole and makes nothing",
        arguments: ["[1", "[{\"id\": 1}]", "[{\"payload\": {\"row_data\": \"poison-task\"}}]", "{}", "[] []"])
    func failedImports(chunk: String) async throws {
        try await withSimulator { simulator in
            let wire = try Wire(simulator.port)
            let good = #"[{"id": {"type": "AUTO", "value": ""}, "payload": {"row_data": "x", "dataset_id": "D"}}]"#
            let urls = [good, chunk].compactMap { wire.upload($0, name: "json_import.json") }
            #expect(try await submit(chunks: urls, count: 2, to: wire)["status"] == "FAILED")
            #expect(wire.get("/_sim/state")?.json?["rows_ever"] == 0)
        }
    }

    @Test("a lost answer's work is done, a reset request's is not", arguments: [Faults.Kind.lost, .reset])
    func resets(kind: Faults.Kind) async throws {
        try await withSimulator { simulator in
            simulator.inject(Faults.Rule(rates: [kind: 1], operations: ["createDataset"], count: 1))
            let wire = try Wire(simulator.port)
            #expect(wire.call("mutation { createDataset(data: {name: \"n\"}) { id } }") == nil)
            #expect(wire.error == ECONNRESET)
            let names = try Wire(simulator.port).call("{ datasets { name } }")?.json?["data"]?["datasets"]?.list
            #expect(names?.count == (kind == .lost ? 2 : 1))
        }
    }

    @Test("two hundred connections at once do no harm")
    func connections() async throws {
        try await withSimulator { simulator in
            let wires = try (0..<200).map { _ in try Wire(simulator.port) }
            for wire in wires { #expect(wire.call("{ user { id } }")?.status == 200) }
        }
    }

    private func submit(_ items: [String], to wire: Wire) async throws -> JSONValue {
        let url = try #require(wire.upload("[" + items.joined(separator: ", ") + "]", name: "json_import.json"))
        return try await submit(chunks: [url], count: items.count, to: wire)
    }

    private func submit(chunks: [String], count: Int, to wire: Wire) async throws -> JSONValue {
        let manifest: JSONValue = [
            "source": "SDK", "item_count": JSONValue(count), "chunk_uris": .list(chunks.map { .string($0) }),
        ]
        let url = try #require(wire.upload(manifest.text, name: "manifest.json"))
        let begun = wire.call(
            "mutation($m: String!) { upsertDataRows(data: {manifestUri: $m}) { id } }", variables: ["m": .string(url)])
        let id = try #require(begun?.json?["data"]?["upsertDataRows"]?["id"])
        while true {
            let asked = wire.call(
                "query($t: ID!) { user { createdTasks(where: {id: $t}) { id status } } }", variables: ["t": id])
            let task = try #require(asked?.json?["data"]?["user"]?["createdTasks"]?.list?.first)
            if task["status"] != "IN_PROGRESS" { return task }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
