import Foundation

/// A request or an answer of HTTP/1.1, as it was on the wire.
struct WireMessage: Sendable {
    /// The request line or status line.
    var start: String
    var headers: [(name: String, value: String)]
    var body: [UInt8] = []

    init(start: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.start = start
        self.headers = headers
        self.body = body
    }

    /// An answer.
    static func answer(
        _ status: String, _ body: [UInt8], type: String = "application/json", headers: [(String, String)] = []
    ) -> WireMessage {
        WireMessage(
            start: "HTTP/1.1 \(status)", headers: [("Content-Type", type)] + headers.map { ($0, $1) }, body: body)
    }

    static func answer(_ status: String, _ body: String, type: String = "application/json") -> WireMessage {
        answer(status, Array(body.utf8), type: type)
    }

    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The head, with the length of `body` and without a word about the connection.
    func head(length: Int?) -> [UInt8] {
        let lines = headers.filter {
            !["content-length", "connection", "transfer-encoding"].contains($0.name.lowercased())
        }
        .map { "\($0.name): \($0.value)" }
        let size = length.map { ["Content-Length: \($0)"] } ?? []
        return Array(([start] + lines + size + ["", ""]).joined(separator: "\r\n").utf8)
    }

    var bytes: [UInt8] { head(length: body.count) + body }

    /// Reads the head of a message.
    fileprivate init?(head: some Collection<UInt8>) {
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)[...]
        guard let start = lines.popFirst() else { return nil }
        self.start = start
        headers = lines.map { line in
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(pair[0]), pair.dropFirst().first.map { $0.trimmingCharacters(in: .whitespaces) } ?? "")
        }
    }
}

/// Takes messages off a connection, one after the other.
struct WireReader {
    let socket: Socket
    private var pending: [UInt8] = []
    private static let blank = Array("\r\n\r\n".utf8)

    init(_ socket: Socket) { self.socket = socket }

    /// The head of the next message; nil when the connection ended before.
    mutating func head() -> WireMessage? {
        while true {
            if let end = pending.firstRange(of: Self.blank) {
                let head = WireMessage(head: pending[..<end.lowerBound])
                pending.removeSubrange(..<end.upperBound)
                return head
            }
            guard let more = socket.receive() else { return nil }
            pending += more
        }
    }

    /// Bytes of a body: as many as are given, or all until the end; nil when there are fewer.
    mutating func body(_ length: Int?, pace: UInt32 = 0) -> [UInt8]? {
        while pending.count < length ?? .max {
            guard let more = socket.receive() else {
                guard length == nil else { return nil }
                break
            }
            pending += more
            if pace > 0 { usleep(pace) }
        }
        let count = length ?? pending.count
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    /// At least so many bytes of a body of `length`, or all of it, left where they are.
    mutating func peek(_ count: Int, of length: Int) -> ArraySlice<UInt8> {
        while pending.count < min(count, length), let more = socket.receive() { pending += more }
        return pending.prefix(min(length, pending.count))
    }

    /// What was read past the last message.
    mutating func rest() -> [UInt8] {
        defer { pending = [] }
        return pending
    }
}
