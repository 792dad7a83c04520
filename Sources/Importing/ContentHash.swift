internal import CContentHash

/// What a content is known by: its BLAKE3, 32 bytes.
///
/// Not SHA-256, since hashing would cost more than sending: on a processor with AVX-512 or AVX2 this is two to three times as fast as
/// the instructions for SHA-256 are, and equally safe against contents that are made to collide.
package struct ContentHash: Sendable {
    private var state = content_hash()

    /// Begins with no bytes.
    package init() { content_hash_begin(&state) }

    /// Takes the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        content_hash_add(&state, bytes.baseAddress, bytes.count)
    }

    /// The digest of the bytes so far.
    package func digest() -> [UInt8] {
        withUnsafePointer(to: state) { state in
            [UInt8](unsafeUninitializedCapacity: Int(content_hash_bytes)) { buffer, count in
                content_hash_end(state, buffer.baseAddress)
                count = buffer.count
            }
        }
    }

    /// The digest of bytes that are all there.
    package static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = ContentHash()
        hash.update(bytes)
        return hash.digest()
    }
}
