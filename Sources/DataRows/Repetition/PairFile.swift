internal import Glibc
internal import SystemPackage

/// Two numbers: a hash and a row, or a row and its ordinal.
struct Pair: Equatable {
    var first: UInt64
    var second: UInt64
}

/// A file of pairs, 16 bytes each in the machine's own order, written at the end and read anywhere.
final class PairFile {
    static let width = 16

    let descriptor: FileDescriptor
    /// Where the next pair goes.
    private(set) var end: Int64

    /// Creates a file; it has no name if `path` is only where its memory is to come from.
    init(_ path: FilePath, isNameless: Bool, headerBytes: Int64 = 0) throws {
        descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
        if isNameless { unlink(path.string) }
        end = headerBytes
    }

    deinit {
        // What must last was flushed before; the rest is not needed any more.
        try? descriptor.close()
    }

    /// Appends pairs.
    ///
    /// - Returns: where they stand.
    @discardableResult
    func append(_ pairs: [Pair]) throws -> Range<Int64> {
        let start = end
        try pairs.withUnsafeBytes { bytes in
            _ = try descriptor.writeAll(toAbsoluteOffset: end, bytes)
            end += Int64(bytes.count)
        }
        return start..<end
    }

    /// Reads pairs from `place` on, at most `limit`.
    static func read(_ descriptor: FileDescriptor, from place: Int64, limit: Int) throws -> [Pair] {
        try [Pair](unsafeUninitializedCapacity: limit) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var filled = 0
            while filled < bytes.count {
                let read = try descriptor.read(
                    fromAbsoluteOffset: place + Int64(filled),
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
                if read == 0 { break }
                filled += read
            }
            count = filled / width
        }
    }
}
