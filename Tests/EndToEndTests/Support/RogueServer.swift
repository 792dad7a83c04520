import Foundation
import Glibc
import Locking

/// A server on loopback that answers every request with the same bytes, and remembers what came.
final class RogueServer: Sendable {
    let port: Int
    private let socket: CInt
    private let received = Locked<[String]>([])
    private let connections = Locked(0)
    private let isClosed = Locked(false)

    /// Starts one; `answer` makes the whole answer, status line and all, from the request's header.
    init(_ answer: @escaping @Sendable (_ header: String) -> [UInt8]) throws {
        let listener = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw Trouble("no socket: error \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw Trouble("the socket is not bound: error \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        socket = listener
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let self, !self.isClosed.withLock({ $0 }) else { return }
                self.connections.withLock { $0 += 1 }
                self.serve(connection, answer)
            }
        }
        thread.start()
    }

    var endpoint: String { "http://127.0.0.1:\(port)/graphql" }

    /// How many connections there were, with or without a request.
    var connectionCount: Int { connections.withLock { $0 } }

    /// The headers of the requests.
    var headers: [String] { received.withLock { $0 } }

    /// Takes no more connections.
    func close() {
        isClosed.withLock { $0 = true }
        shutdown(socket, CInt(SHUT_RDWR))
        Glibc.close(socket)
    }

    /// Takes one request and closes: the next is a connection of its own.
    private func serve(_ connection: CInt, _ answer: (String) -> [UInt8]) {
        defer { Glibc.close(connection) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = Array("\r\n\r\n".utf8)
        var header: String?
        var wanted = 0
        while header == nil || request.count < wanted {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            request += buffer[..<count]
            guard header == nil, let blank = request.firstRange(of: end) else { continue }
            let text = String(decoding: request[..<blank.lowerBound], as: UTF8.self)
            let length = text.lowercased().firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
            wanted = blank.upperBound + length
            header = text
        }
        guard let header else { return }
        received.withLock { $0.append(header) }
        let bytes = answer(header)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL.rawValue))
            }
            guard count > 0 else { return }
            sent += count
        }
        shutdown(connection, CInt(SHUT_WR))
        // Until the other side has read it all: an early close could reset the connection under the answer.
        while recv(connection, &buffer, buffer.count, 0) > 0 {}
    }

    /// An answer with a body.
    static func answer(_ status: String, _ body: [UInt8], _ headers: [String] = []) -> [UInt8] {
        let lines =
            [
                "HTTP/1.1 \(status)", "Content-Length: \(body.count)", "Connection: close",
                "Content-Type: application/json",
            ]
            + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }
}
