/// Finds a short text in bytes, by Horspool's method: most bytes are never looked at.
package struct ByteSearch: Sendable {
    package let needle: [UInt8]
    private let shifts: [Int]

    package init(_ needle: some Sequence<UInt8>) {
        self.needle = Array(needle)
        precondition(!self.needle.isEmpty, "nothing to search for")
        var shifts = Array(repeating: self.needle.count, count: 256)
        for (index, byte) in self.needle.dropLast().enumerated() { shifts[Int(byte)] = self.needle.count - 1 - index }
        self.shifts = shifts
    }

    /// Where the needle first starts at or after `start`.
    package func first(in bytes: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
        let last = needle.count - 1
        let lastByte = needle[last]
        return shifts.withUnsafeBufferPointer { shifts in
            var position = start + last
            while position < bytes.count {
                let byte = bytes[position]
                if byte == lastByte, matches(bytes, at: position - last) { return position - last }
                position += shifts[Int(byte)]
            }
            return nil
        }
    }

    private func matches(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        for index in 0..<needle.count where bytes[start + index] != needle[index] { return false }
        return true
    }

    /// How many bytes at the end of `bytes` could be the needle's beginning.
    package func openEnd(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var length = min(needle.count - 1, bytes.count)
        while length > 0 {
            let start = bytes.count - length
            if (0..<length).allSatisfy({ bytes[start + $0] == needle[$0] }) { return length }
            length -= 1
        }
        return 0
    }
}
