internal import CZlib
internal import Crypto
internal import Glibc
public import SystemPackage

/// How far a compressed manifest may unfold.
public struct InflationLimits: Sendable, Equatable {
    /// The largest text, in bytes.
    public var maximumBytes: Int64
    /// How many times larger than the file the text may be, once it is past ``ratioGrace``.
    ///
    /// Rows compress 5 to 50 times; gzip's bound, which bombs use, is 1,032.
    public var maximumRatio: Int64
    /// A text up to this size may have any ratio, in bytes.
    public var ratioGrace: Int64

    /// Creates limits.
    public init(maximumBytes: Int64 = 1 << 38, maximumRatio: Int64 = 250, ratioGrace: Int64 = 64 << 20) {
        self.maximumBytes = maximumBytes
        self.maximumRatio = maximumRatio
        self.ratioGrace = ratioGrace
    }
}

/// Unfolds compressed manifests, in constant memory, so that rows can be read again by their place.
public enum ManifestInflation {
    /// Writes the text of a gzip file to a file of its own, which appears only when it is whole.
    ///
    /// Several gzip members after one another are one text, as `gzip` has it.
    ///
    /// - Parameters:
    ///   - manifest: the compressed file.
    ///   - path: where the text goes; a file that is there is replaced. `path` with `.part` behind it is used meanwhile.
    ///   - limits: how much is too much.
    ///   - isCancelled: asked for every 64 KiB of the file.
    /// - Returns: the text's file, open; it knows the digest of the file that was dropped.
    /// - Throws: ``ManifestError`` (a file that merely ends too early is a truncation), `CancellationError`, `Errno`;
    ///   no file is left then.
    public static func inflate(
        _ manifest: ManifestFile, to path: FilePath, limits: InflationLimits = InflationLimits(),
        isCancelled: () -> Bool = { false }
    ) throws -> ManifestFile {
        let part = FilePath(path.string + ".part")
        let target = try FileDescriptor.open(
            part, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
        do {
            let digest = try write(manifest, to: target, limits, isCancelled)
            guard fdatasync(target.rawValue) == 0 else { throw Errno(rawValue: errno) }
            guard rename(part.string, path.string) == 0 else { throw Errno(rawValue: errno) }
            return try ManifestFile(
                descriptor: target, name: manifest.name, format: ManifestFormat(manifest.format.layout),
                original: digest)
        } catch {
            // What failed is told; that the rest of it could not be cleared away would add nothing.
            unlink(part.string)
            try? target.close()
            throw error
        }
    }

    private static let pieceBytes = 1 << 16

    private static func write(
        _ manifest: ManifestFile, to target: FileDescriptor, _ limits: InflationLimits, _ isCancelled: () -> Bool
    ) throws -> ManifestFile.Digest {
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes * 4, alignment: 16)
        var stream = z_stream()
        // 15: the largest window; 16: gzip's frame and nothing else.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Errno.noMemory
        }
        defer {
            inflateEnd(&stream)
            input.deallocate()
            output.deallocate()
        }
        var hasher = SHA256()
        var read: Int64 = 0
        var written: Int64 = 0
        var isInside = false
        var members = 0
        while true {
            if isCancelled() { throw CancellationError() }
            let count = try manifest.descriptor.read(fromAbsoluteOffset: read, into: input)
            if count == 0 { break }
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: input[0..<count]))
            stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_in = UInt32(count)
            repeat {
                if !isInside, members > 0 {
                    // A gzip file may be padded with zeros.
                    while stream.avail_in > 0, let next = stream.next_in, next.pointee == 0 {
                        stream.next_in = next + 1
                        stream.avail_in -= 1
                    }
                    if stream.avail_in == 0 { break }
                }
                let isFresh = !isInside
                let place = read + Int64(count) - Int64(stream.avail_in)
                isInside = true
                stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(output.count)
                let outcome = CZlib.inflate(&stream, Z_NO_FLUSH)
                let produced = output.count - Int(stream.avail_out)
                if produced > 0 {
                    try target.writeAll(
                        toAbsoluteOffset: written, UnsafeRawBufferPointer(rebasing: output[0..<produced]))
                    written += Int64(produced)
                }
                try check(written, read + Int64(count) - Int64(stream.avail_in), limits, manifest)
                switch outcome {
                case Z_OK, Z_BUF_ERROR: break
                case Z_STREAM_END:
                    members += 1
                    isInside = false
                    inflateReset(&stream)
                case Z_MEM_ERROR: throw Errno.noMemory
                default:
                    if isFresh, stream.total_out == 0, members > 0 {
                        throw error(
                            manifest, "trailing_data", place, "something follows the end of the compressed text",
                            "compress the file again")
                    }
                    if isFresh, members == 0, written == 0, place == 0, stream.total_out == 0 {
                        throw error(
                            manifest, "not_gzip", 0, "the file's name ends in .gz, and it is not a gzip file",
                            "compress it with gzip, or take the .gz off its name")
                    }
                    throw error(
                        manifest, "corrupt_gzip", read + Int64(count) - Int64(stream.avail_in),
                        "the compressed text is damaged (\(stream.msg.map { String(cString: $0) } ?? "code \(outcome)"))",
                        "compress the file again, or copy it again")
                }
                // After a member's end nothing is held back, however full the output is.
            } while stream.avail_in > 0 || (isInside && stream.avail_out == 0)
            read += Int64(count)
        }
        if isInside || members == 0 {
            var fault = error(
                manifest, "truncated", read, read == 0 ? "the file is empty" : "the compressed text ends too early",
                "write the file in full, or move it in when it is complete")
            fault.isTruncation = true
            throw fault
        }
        return ManifestFile.Digest(byteCount: read, sha256: Array(hasher.finalize()))
    }

    private static func check(
        _ written: Int64, _ read: Int64, _ limits: InflationLimits, _ manifest: ManifestFile
    ) throws(ManifestError) {
        guard written <= limits.maximumBytes else {
            throw error(
                manifest, "too_large", read, "the file unfolds to more than \(limits.maximumBytes) bytes",
                "split it into several")
        }
        guard written <= limits.ratioGrace || written / max(read, 1) < limits.maximumRatio else {
            throw error(
                manifest, "compression_bomb", read,
                "the file unfolds to more than \(limits.maximumRatio) times its size, as rows do not",
                "drop it uncompressed if it is meant")
        }
    }

    private static func error(
        _ manifest: ManifestFile, _ code: String, _ place: Int64, _ reason: String, _ remedy: String
    ) -> ManifestError {
        ManifestError(code: code, file: manifest.name, byteOffset: place, reason: reason, remedy: remedy)
    }
}
