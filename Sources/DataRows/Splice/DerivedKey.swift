internal import Crypto

/// The global key of a row that brings none: the same for the same row, whenever and wherever it is dropped.
public enum DerivedKey {
    /// What derived keys begin with; the number is that of the recipe.
    public static let prefix = "dr1-"
    /// 4 + 64 characters.
    public static let byteCount = 68

    /// Derives a key.
    ///
    /// SHA-256 over parts, each written as a letter, its length as 8 bytes big-endian, and its bytes: `d` the dataset's
    /// id, `r` the row's bytes as they stand in the manifest, `m` the SHA-256 of the local file it names (only
    /// if it names one), `o` its ordinal among the identical rows of its manifest as 8 bytes big-endian.
    public static func make(
        dataset: DatasetID, row: UnsafeRawBufferPointer, mediaDigest: [UInt8]?, ordinal: Int
    ) -> String {
        var output: [UInt8] = []
        append(dataset: Array(dataset.rawValue.utf8), row: row, mediaDigest: mediaDigest, ordinal: ordinal, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    static func append(
        dataset: [UInt8], row: UnsafeRawBufferPointer, mediaDigest: [UInt8]?, ordinal: Int, to output: inout [UInt8]
    ) {
        // A short row is hashed in one go with its frame, which is quicker than in three.
        let isShort = row.count <= 1024
        withUnsafeTemporaryAllocation(byteCount: 256 + dataset.count + (isShort ? row.count : 0), alignment: 8) {
            frame in
            var hasher = SHA256()
            var text = Frame(memory: frame)
            text.mark(0x64, dataset.count)
            text.put(dataset)
            text.mark(0x72, row.count)
            if isShort {
                text.put(row)
            } else {
                hasher.update(bufferPointer: text.written)
                hasher.update(bufferPointer: row)
                text.count = 0
            }
            if let mediaDigest {
                text.mark(0x6d, mediaDigest.count)
                text.put(mediaDigest.prefix(64))
            }
            text.mark(0x6f, 8)
            text.put(UInt64(ordinal))
            finish(hasher, text.written, to: &output)
        }
    }

    /// What is hashed, as it is put together.
    private struct Frame {
        let memory: UnsafeMutableRawBufferPointer
        var count = 0

        var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[0..<count]) }

        @inline(__always) mutating func put(_ value: UInt64) {
            memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt64.self)
            count &+= 8
        }

        @inline(__always) mutating func put(_ bytes: UnsafeRawBufferPointer) {
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
            count &+= bytes.count
        }

        mutating func put(_ bytes: some Collection<UInt8>) {
            UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyBytes(from: bytes)
            count &+= bytes.count
        }

        @inline(__always) mutating func mark(_ letter: UInt8, _ length: Int) {
            memory[count] = letter
            count &+= 1
            put(UInt64(length))
        }
    }

    private static func finish(_ hasher: SHA256, _ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var hasher = hasher
        hasher.update(bufferPointer: text)
        let sum = hasher.finalize()
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { key in
            key.copyBytes(from: prefix.utf8)
            sum.withUnsafeBytes { Hexadecimal.write($0, to: UnsafeMutableRawBufferPointer(rebasing: key[4...])) }
            output += key.assumingMemoryBound(to: UInt8.self)
        }
    }
}
