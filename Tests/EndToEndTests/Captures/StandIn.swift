import Foundation
import Glibc
import Locking

/// A small HTTP server on loopback, for tests that answer each request themselves.
final class StandIn: Sendable {
    let port: Int
    private let socket: Int32
    private let answer: @Sendable (WireRequest) -> WireResponse?

    var base: String { "http://127.0.0.1:\(port)" }

    /// Starts one; `answer` gives nil for a connection that is to break.
    init(_ answer: @escaping @Sendable (WireRequest) -> WireResponse?) throws {
        self.answer = answer
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw Trouble("no port to listen on: error \(errno)") }
        socket = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                // Daemons that tests start must not hold it open.
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                Thread { [self] in serve(connection) }.start()
            }
        }.start()
    }

    func stop() {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var received = Data()
        while let request = read(connection, &received) {
            guard let response = answer(request) else {
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
                return
            }
            var text = "HTTP/1.1 \(response.status) Recorded\r\nContent-Length: "
            text += "\(response.announced ?? response.body.utf8.count)\r\n"
            for header in response.headers where header.name.lowercased() != "content-length" {
                text += "\(header.name): \(header.value)\r\n"
            }
            var bytes = Array((text + "\r\n" + response.body).utf8)[...]
            while !bytes.isEmpty {
                let sent = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard sent > 0 else { return }
                bytes = bytes.dropFirst(sent)
            }
            if response.announced != nil { return }
        }
    }

    private func read(_ connection: Int32, _ received: inout Data) -> WireRequest? {
        func more() -> Bool {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            received.append(contentsOf: buffer[..<count])
            return true
        }
        let end = Data("\r\n\r\n".utf8)
        while received.range(of: end) == nil { guard more() else { return nil } }
        guard let head = received.range(of: end) else { return nil }
        let lines = String(decoding: received[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let headers = Self.headers(lines.dropFirst())
        let words = lines.first?.split(separator: " ").map(String.init) ?? []
        let length = headers["content-length"].flatMap(Int.init) ?? 0
        while received.count - head.upperBound < length { guard more() else { return nil } }
        let body = Data(received[head.upperBound..<head.upperBound + length])
        received = Data(received[(head.upperBound + length)...])
        var request = WireRequest(
            method: words.first ?? "", path: words.dropFirst().first ?? "", headers: headers, body: .none)
        if let boundary = headers["content-type"]?.split(separator: "boundary=").dropFirst().first {
            request.body = .form(Self.parts(body, boundary: String(boundary)))
        } else if !body.isEmpty {
            request.body = .json((try? JSON(body)) ?? .null)
        }
        return request
    }

    private static func headers(_ lines: some Sequence<String>) -> [String: String] {
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        return headers
    }

    private static func parts(_ body: Data, boundary: String) -> [WireRequest.Part] {
        let mark = Data("--\(boundary)".utf8)
        let gap = Data("\r\n\r\n".utf8)
        var parts: [WireRequest.Part] = []
        var position = body.range(of: mark)?.upperBound ?? body.endIndex
        while let next = body.range(of: Data("\r\n".utf8) + mark, in: position..<body.endIndex) {
            if let head = body.range(of: gap, in: position..<next.lowerBound) {
                let lines = String(decoding: body[position..<head.lowerBound], as: UTF8.self)
                parts.append(
                    WireRequest.Part(
                        headers(lines.components(separatedBy: "\r\n")), Data(body[head.upperBound..<next.lowerBound])))
            }
            position = next.upperBound
        }
        return parts
    }
}
