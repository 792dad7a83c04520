import Foundation
import Glibc

/// A TCP socket that blocks, closed by who owns it.
struct Socket: Sendable {
    let descriptor: CInt

    /// Listens on loopback, at any free port or at a given one.
    static func listening(at port: UInt16 = 0) throws -> (Socket, port: Int) {
        let socket = try Socket(descriptor: make())
        var yes: CInt = 1
        setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var address = loopback(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.descriptor, $0, length) == 0 && listen(socket.descriptor, 128) == 0
                    && getsockname(socket.descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Trouble("the socket is not bound: error \(errno)") }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Connects to a port of loopback; nil when nobody listens there.
    static func connected(to port: Int) -> Socket? {
        guard let descriptor = try? make() else { return nil }
        var address = loopback(UInt16(port))
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return Socket(descriptor: descriptor) }
        Glibc.close(descriptor)
        return nil
    }

    private static func make() throws -> CInt {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Trouble("no socket: error \(errno)") }
        return descriptor
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    /// The next who connects; nil once the socket is shut down.
    func accepted() -> Socket? {
        let descriptor = accept(descriptor, nil, nil)
        guard descriptor >= 0 else { return nil }
        // Children that are started must not keep it open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return Socket(descriptor: descriptor)
    }

    /// The bytes that came; nil at the end, and when the connection is broken.
    func receive() -> [UInt8]? {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            let received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            failed = received <= 0
            count = max(0, received)
        }
        return failed ? nil : bytes
    }

    /// Sends it all; false when the connection is broken.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Says that nothing more is sent, and reads what the other side still sends: an early close could reset the
    /// connection under the answer.
    func finish() {
        shutdown(descriptor, CInt(SHUT_WR))
        while receive() != nil {}
    }

    /// Makes the close a reset: lingering for no time at all makes the kernel send RST.
    func resetAtClose() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends whoever waits for it, on other threads too.
    func shutDown() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    func close() { Glibc.close(descriptor) }
}
