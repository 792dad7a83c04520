internal import CLinux
internal import Glibc

/// Sends datagrams to a local socket that somebody else listens on.
///
/// Nothing is connected, so a listener that was started anew hears again.
public final class LocalDatagrams: Sendable {
    private let name: String
    private let descriptor: CInt

    /// Makes a socket that sends to `name`, a path or, with `@` in front, a name without a file; nil when there is none to be had.
    public init?(to name: String) {
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        self.name = name
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Sends one datagram.
    ///
    /// - Parameters:
    ///   - bytes: what it holds.
    ///   - inMemory: whether what is too large for a datagram may go as a sealed file in memory, as journald takes it.
    /// - Returns: whether it was taken.
    @discardableResult
    public func send(_ bytes: [UInt8], inMemory: Bool = false) -> Bool {
        clinux_send_local(descriptor, name, bytes, bytes.count, inMemory ? 1 : 0) == 0
    }
}
