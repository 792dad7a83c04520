internal import Glibc

/// The bytes of a request's body, one stretch after the other, pulled by libcurl as it sends.
///
/// Lives on the loop's thread only, hence not `Sendable`.
package final class BodyStream {
    private let stretches: [HTTPRequest.Content]
    /// The length of the whole, in bytes.
    package let byteCount: Int64
    private var current = 0
    private var position: Int64 = 0

    package init(_ stretches: [HTTPRequest.Content]) {
        self.stretches = stretches
        byteCount = stretches.reduce(0) { $0 + $1.byteCount }
    }

    /// Fills the buffer as far as there are bytes, and returns how many came; 0 at the end.
    ///
    /// A buffer is filled across stretches, so a small file goes out in one piece with its framing.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodySourceFailure) -> Int {
        var filled = 0
        while filled < buffer.count, current < stretches.count {
            let stretch = stretches[current]
            if position == stretch.byteCount {
                current += 1
                position = 0
                continue
            }
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count: Int
            switch stretch {
            case .bytes(let bytes):
                count = min(rest.count, bytes.count - Int(position))
                bytes.withUnsafeBytes { source in
                    rest.copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: source[Int(position)..<Int(position) + count]))
                }
            case .file(let slice):
                count = try slice.read(at: position, into: rest)
            }
            filled += count
            position += Int64(count)
        }
        return filled
    }

    /// Goes to `offset` bytes from the start; false when there is no such place.
    package func seek(to offset: Int64) -> Bool {
        guard (0...byteCount).contains(offset) else { return false }
        current = 0
        position = offset
        while current < stretches.count, position > stretches[current].byteCount {
            position -= stretches[current].byteCount
            current += 1
        }
        return true
    }
}
