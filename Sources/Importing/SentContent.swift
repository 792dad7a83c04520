internal import Locking

/// Hashes a file by the very bytes that are sent, so that a large one is read only once.
///
/// It happens on the transport's thread, between reading and sending, while the bytes are in the processor's cache. On another
/// thread they would be read a second time, which costs more than the hash.
package final class SentContent: Sendable {
    private struct State {
        var hash = ContentHash()
        var position: Int64 = 0
    }

    private let state = Locked(State())

    /// Begins with nothing sent.
    package init() {}

    /// Takes bytes as they are sent; an attempt that begins anew is hashed anew.
    package func take(_ bytes: UnsafeRawBufferPointer, at position: Int64) {
        state.withLock { state in
            if position == 0 { state = State() }
            // After a gap there is no digest, since the count is never right again.
            guard position == state.position else { return }
            state.hash.update(bytes)
            state.position += Int64(bytes.count)
        }
    }

    /// The digest, if the last attempt sent so many bytes.
    package func digest(ifSent size: Int64) -> [UInt8]? {
        state.withLock { $0.position == size ? $0.hash.digest() : nil }
    }
}
