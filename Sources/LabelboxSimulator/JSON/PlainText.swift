/// Finds where the plain part of a JSON string ends, eight bytes at a step.
enum PlainText {
    /// Where the first quote, backslash, control character or `extra` from `start` on is; the count when there is none.
    @inline(__always)
    static func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int, or extra: UInt8 = 0x22) -> Int {
        var position = start
        let raw = UnsafeRawBufferPointer(bytes)
        while position + 8 <= raw.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            // The lowest bit that is set is right; those above it may be carries.
            let marks =
                zeroes(word ^ each(0x22)) | zeroes(word ^ each(0x5C)) | zeroes(word ^ each(extra)) | controls(word)
            if marks != 0 { return position + marks.trailingZeroBitCount >> 3 }
            position += 8
        }
        while position < raw.count {
            let byte = raw[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == extra { return position }
            position += 1
        }
        return position
    }

    @inline(__always)
    private static func each(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    @inline(__always)
    private static func zeroes(_ word: UInt64) -> UInt64 { (word &- each(1)) & ~word & each(0x80) }

    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 { (word &- each(0x20)) & ~word & each(0x80) }
}
