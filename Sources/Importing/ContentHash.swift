internal import CBLAKE3

/// What a content is known by: its BLAKE3, 32 bytes.
///
/// Not SHA-256, since hashing would cost more than sending: on a processor with AVX-512 or AVX2 this is two to three times as fast as
/// the instructions for SHA-256 are, and equally safe against contents that are made to collide.
package struct ContentHash: Sendable {
    private var state = blake3_hasher()

    /// Begins with no bytes.
    package init() { blake3_hasher_init(&state) }

    /// Takes the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        blake3_hasher_update(&state, bytes.baseAddress, bytes.count)
    }

    /// The digest of the bytes so far.
    package func digest() -> [UInt8] {
        withUnsafePointer(to: state) { state in
            [UInt8](unsafeUninitializedCapacity: Int(BLAKE3_OUT_LEN)) { buffer, count in
                blake3_hasher_finalize(state, buffer.baseAddress, Int(BLAKE3_OUT_LEN))
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
