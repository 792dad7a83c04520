internal import CZlib
internal import DataRows
internal import Glibc
internal import SystemPackage

/// A compressed manifest becomes the text that was compressed, or is refused; it never becomes too large.
///
/// The first byte chooses: the rest is taken as it is, is compressed first, or is compressed and then damaged.
enum InflationTarget {
    private static let limits = InflationLimits(maximumBytes: 12_000, maximumRatio: 20, ratioGrace: 5_000)

    static func run(_ input: [UInt8]) throws {
        var choices = Choices(input)
        let way = choices.byte() % 4
        let first = choices.byte()
        let second = choices.byte()
        var text = Array(choices.rest)
        var file: [UInt8]
        switch way {
        case 0:
            file = text
            text = []
        case 1:
            // Two members in one file, and long runs, as bombs have.
            text += [UInt8](repeating: UInt8(first), count: second * 64)
            let cut = text.count * first / 256
            file = try compressed(text[..<cut]) + compressed(text[cut...])
        default:
            file = try compressed(text[...])
            let place = (first << 8 | second) % max(file.count, 1)
            if way == 2 { file[place] ^= UInt8(first | 1) } else { file.removeSubrange(place...) }
        }
        let path = MemoryFile.folder.appending("text")
        defer { unlink(path.string) }
        let inflated: ManifestFile
        do {
            inflated = try ManifestInflation.inflate(
                MemoryFile.manifest(file, ManifestFormat(.lines, isCompressed: true)), to: path, limits: limits)
        } catch let error as ManifestError {
            try hold(access(path.string, F_OK) != 0, "a file was left by \(error)")
            try hold(access(path.string + ".part", F_OK) != 0, "a part was left by \(error)")
            try hold((error.byteOffset ?? 0) <= Int64(file.count), "\(error) is outside of the file")
            if way == 1 {
                try hold(
                    error.code == "compression_bomb" || error.code == "too_large",
                    "\(error), in what was compressed right")
            }
            return
        }
        try hold(inflated.byteCount <= limits.maximumBytes, "\(inflated.byteCount) bytes came out")
        try hold(inflated.original?.byteCount == Int64(file.count), "the file's size is wrong")
        let found = try inflated.bytes(in: 0..<inflated.byteCount)
        if way == 0 {
            try hold(found == reference(file), "another reading of the same file")
        } else {
            try hold(found == text, "\(found.count) bytes came out for \(text.count)")
        }
    }

    static func compressed(_ text: ArraySlice<UInt8>) throws -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw Errno.noMemory }
        defer { deflateEnd(&stream) }
        var source = Array(text)
        var output = [UInt8](repeating: 0, count: text.count + text.count / 1000 + 64)
        source.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                _ = deflate(&stream, Z_FINISH)
            }
        }
        output.removeLast(Int(stream.avail_out))
        return output
    }

    /// zlib's own reader of files, through one member after another, all in memory.
    private static func reference(_ file: [UInt8]) -> [UInt8]? {
        var rest = file
        var text: [UInt8] = []
        repeat {
            var stream = z_stream()
            guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                return nil
            }
            defer { inflateEnd(&stream) }
            var output = [UInt8](repeating: 0, count: Int(limits.maximumBytes) + 1)
            let code = rest.withUnsafeMutableBufferPointer { rest in
                output.withUnsafeMutableBufferPointer { output in
                    stream.next_in = rest.baseAddress
                    stream.avail_in = UInt32(rest.count)
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    return inflate(&stream, Z_FINISH)
                }
            }
            guard code == Z_STREAM_END else { return nil }
            text += output.dropLast(Int(stream.avail_out))
            // As gzip has it: zeros behind a member are padding.
            rest = Array(rest.suffix(Int(stream.avail_in)).drop { $0 == 0 })
        } while !rest.isEmpty
        return text
    }
}
