public import SystemPackage

/// Tells whether two files hold the same.
public enum FileComparison {
    /// Whether both are regular files with the same modification time and the same bytes, read in pieces.
    public static func areEqual(_ one: FilePath, _ other: FilePath) throws(FileError) -> Bool {
        let first = try FileLook.at(one)
        let second = try FileLook.at(other)
        guard first.kind == .regular, second.kind == .regular, first.identity.size == second.identity.size,
            first.identity.modified == second.identity.modified
        else { return false }
        let files = (try OpenFile.reading(one), try OpenFile.reading(other))
        let piece = 256 * 1024
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * piece, alignment: 16)
        defer { buffer.deallocate() }
        let left = UnsafeMutableRawBufferPointer(rebasing: buffer[..<piece])
        let right = UnsafeMutableRawBufferPointer(rebasing: buffer[piece...])
        var offset: Int64 = 0
        while offset < first.identity.size {
            let count = try fill(left, from: files.0, at: offset)
            guard count > 0, try fill(right, from: files.1, at: offset) == count else { return false }
            guard left.prefix(count).elementsEqual(right.prefix(count)) else { return false }
            offset += Int64(count)
        }
        return true
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from file: OpenFile, at offset: Int64
    ) throws(FileError) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let read = try file.read(into: rest, at: offset + Int64(count))
            if read == 0 { break }
            count += read
        }
        return count
    }
}
