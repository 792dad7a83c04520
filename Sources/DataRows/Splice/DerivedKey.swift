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
        var hasher = SHA256()
        // A short row is hashed in one go with its frame, which is quicker than three.
        let isShort = row.count <= 1024
        withUnsafeTemporaryAllocation(byteCount: 128 + dataset.count + (isShort ? row.count : 0), alignment: 8) {
            frame in
            var at = 0
            func put(_ value: UInt64) {
                frame.storeBytes(of: value.bigEndian, toByteOffset: at, as: UInt64.self)
                at &+= 8
            }
            func mark(_ letter: UInt8, _ length: Int) {
                frame[at] = letter
                at += 1
                put(UInt64(length))
            }
            mark(0x64, dataset.count)
            for byte in dataset {
                frame[at] = byte
                at += 1
            }
            mark(0x72, row.count)
            if isShort {
                UnsafeMutableRawBufferPointer(rebasing: frame[at...]).copyMemory(from: row)
                at += row.count
            } else {
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: frame[0..<at]))
                hasher.update(bufferPointer: row)
                at = 0
            }
            if let mediaDigest {
                mark(0x6d, mediaDigest.count)
                for byte in mediaDigest.prefix(64) {
                    frame[at] = byte
                    at += 1
                }
            }
            mark(0x6f, 8)
            put(UInt64(ordinal))
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: frame[0..<at]))
        }
        output += prefix.utf8
        hasher.finalize().withUnsafeBytes { Hexadecimal.append($0, to: &output) }
    }
}
