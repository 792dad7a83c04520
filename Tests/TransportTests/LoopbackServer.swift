import Glibc
import Locking

/// An HTTP server on 127.0.0.1 that does to its clients what a test tells it to.
///
/// One thread accepts, one serves each connection by calling the test's script. It counts what arrives, so that a
/// test can wait for a fact instead of for a while.
final class LoopbackServer: Sendable {
    typealias Script = @Sendable (Connection) -> Void

    private struct State {
        var requests: [ReceivedRequest] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
        var clientsGone = 0
        var watchers: [(isSatisfied: @Sendable (Counts) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

        var counts: Counts { Counts(requests: requests.count, connections: connections, clientsGone: clientsGone) }

        mutating func takeSatisfied() -> [CheckedContinuation<Void, Never>] {
            let counts = self.counts
            let satisfied = watchers.filter { $0.isSatisfied(counts) }.map(\.continuation)
            watchers.removeAll { $0.isSatisfied(counts) }
            return satisfied
        }
    }

    struct Counts: Sendable {
        var requests: Int
        var connections: Int
        var clientsGone: Int
    }

    let port: UInt16
    private let listener: Int32
    private let script: Script
    private let state = Locked(State())

    init(_ script: @escaping Script) {
        self.script = script
        (listener, port) = Self.listen()
        let listener = listener
        Self.onThread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0, let self else {
                    if socket >= 0 { close(socket) }
                    return
                }
                self.serve(socket)
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)); close(listener) }

    func url(_ path: String = "/", scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// All requests read so far, in the order in which they were complete.
    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }
    var mostOpen: Int { state.withLock { $0.mostOpen } }

    /// Suspends until what was counted satisfies the condition.
    func wait(until isSatisfied: @escaping @Sendable (Counts) -> Bool) async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if isSatisfied(state.counts) { return true }
                state.watchers.append((isSatisfied, continuation))
                return false
            }
            if already { continuation.resume() }
        }
    }

    /// A port on which nobody listens.
    static func closedPort() -> UInt16 {
        let (socket, port) = listen()
        close(socket)
        return port
    }

    fileprivate func change(_ body: @Sendable (inout Counts) -> ReceivedRequest?) {
        let satisfied = state.withLock { state in
            var counts = state.counts
            if let request = body(&counts) { state.requests.append(request) }
            state.connections = counts.connections
            state.clientsGone = counts.clientsGone
            return state.takeSatisfied()
        }
        for continuation in satisfied { continuation.resume() }
    }

    private func serve(_ socket: Int32) {
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let number = state.withLock { state in
            state.open += 1
            state.mostOpen = max(state.open, state.mostOpen)
            return state.connections
        }
        change {
            $0.connections += 1; return nil
        }
        let connection = Connection(socket: socket, number: number, server: self)
        let script = script
        Self.onThread {
            script(connection)
            connection.end()
            connection.server.state.withLock { $0.open -= 1 }
        }
    }

    private static func listen() -> (Int32, UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(socket, address, length) == 0 && Glibc.listen(socket, 128) == 0, "no port")
                getsockname(socket, address, &length)
            }
        }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { box in
                if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }
}

/// A request as it came over the wire.
struct ReceivedRequest: Sendable {
    var connection: Int
    /// Request line and header lines, without line ends.
    var head: [String]
    var body: [UInt8]
    var bodyByteCount: Int

    subscript(name: String) -> String? {
        head.dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.utf8.count + 1).drop { $0 == " " }) }
    }

    var line: String { head.first ?? "" }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A client's connection, in the hands of the script; its thread alone uses it.
final class Connection: @unchecked Sendable {
    // `@unchecked`: made on the accepting thread, then handed to the connection's own thread and used there alone.
    let number: Int
    let server: LoopbackServer
    private var socket: Int32
    private var pending: [UInt8] = []

    fileprivate init(socket: Int32, number: Int, server: LoopbackServer) {
        self.socket = socket
        self.number = number
        self.server = server
    }

    /// Reads the next request, or returns nil when the client has gone.
    ///
    /// Without `keepingBody` the bytes of the body are counted only.
    func request(keepingBody: Bool = true) -> ReceivedRequest? {
        guard let head = head() else { return nil }
        var request = ReceivedRequest(connection: number, head: head, body: [], bodyByteCount: 0)
        let length = request["Content-Length"].flatMap { Int($0) } ?? 0
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while request.bodyByteCount < length {
            if pending.isEmpty {
                let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
                guard count > 0 else { gone(); return nil }
                pending = Array(buffer[..<count])
            }
            let taken = min(pending.count, length - request.bodyByteCount)
            if keepingBody { request.body += pending[..<taken] }
            request.bodyByteCount += taken
            pending.removeFirst(taken)
        }
        let complete = request
        server.change {
            $0.requests += 1; return complete
        }
        return request
    }

    /// Reads the header alone, and leaves the body where it is.
    func head() -> [String]? {
        while true {
            if let end = endOfHead() {
                let text = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeFirst(end + 4)
                return text.split(separator: "\r\n").map(String.init)
            }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { gone(); return nil }
            pending += buffer[..<count]
        }
    }

    private func endOfHead() -> Int? {
        guard pending.count >= 4 else { return nil }
        return (0...pending.count - 4).first { pending[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) }
    }

    /// Writes bytes; false when the client has gone.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Answers with a status and a body; the connection stays open.
    func answer(_ body: String = "ok", status: String = "200 OK", headers: [String] = []) {
        write(
            (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers + ["", body]).joined(
                separator: "\r\n"))
    }

    /// Does nothing until the client goes away.
    func hang() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while buffer.withUnsafeMutableBytes({ recv(socket, $0.baseAddress, $0.count, 0) }) > 0 {}
        gone()
    }

    /// Does nothing until the connection breaks, and reads nothing meanwhile.
    ///
    /// A client that goes away may stay unnoticed: its FIN comes after the bytes for which there is no room.
    func hangWithoutReading() {
        var poll = pollfd(fd: socket, events: 0, revents: 0)
        while Glibc.poll(&poll, 1, -1) < 0 {}
    }

    /// Closes with an RST instead of a FIN.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        end()
    }

    func end() {
        if socket >= 0 { close(socket) }
        socket = -1
    }

    private func gone() {
        server.change {
            $0.clientsGone += 1; return nil
        }
    }
}
