internal import Crypto
internal import DataRows
internal import Files
internal import Intake
internal import Ledger
internal import SystemPackage

/// What one look into a media file found, with the file still open.
struct MediaLook: Sendable {
    /// The file was not the same any more at the end.
    struct Changed: Error {}

    let file: OpenFile
    let judgement: MediaJudgement
    /// What the content is known by; nil where it was not asked for.
    let digest: [UInt8]?
    /// Whether the content has the SHA-256 that it is to have.
    let isExpected: Bool

    /// What is to be told of the file though it is sent.
    var warning: ErrorEntry? { judgement.warning.map { ErrorEntry(code: $0.code, message: $0.message) } }

    /// Judges a file by its name and first bytes, and hashes it unless it is refused.
    ///
    /// Keeps the thread busy.
    ///
    /// - Parameters:
    ///   - file: the file, open.
    ///   - media: what it was when it was found.
    ///   - rules: what is taken.
    ///   - hashes: whether the whole content is read.
    ///   - expected: the SHA-256 that it is to have, looked at only where it is hashed; nil for any.
    /// - Throws: ``Changed``, or why it cannot be read.
    init(
        _ file: OpenFile, _ media: OpenableMedia, _ rules: MediaRules, hashes: Bool, expected: [UInt8]? = nil
    ) throws {
        self.file = file
        judgement = rules.judge(name: media.relativePath.string, size: media.size, head: try Self.head(of: file))
        guard hashes, judgement.refusal == nil else {
            (digest, isExpected) = (nil, true)
            return
        }
        var (hash, sha256) = (ContentHash(), expected.map { _ in SHA256() })
        try Self.read(file, size: media.size) { bytes in
            hash.update(bytes)
            sha256?.update(bufferPointer: bytes)
        }
        digest = hash.digest()
        isExpected = sha256.map { [UInt8]($0.finalize()) } == expected
    }

    private static func head(of file: OpenFile) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: MediaRules.headBytes) { buffer, count in
            while count < buffer.count {
                let read = try file.descriptor.read(
                    fromAbsoluteOffset: Int64(count),
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                if read == 0 { break }
                count += read
            }
        }
    }

    /// What the content of a file that must not change meanwhile is known by.
    static func digest(of file: OpenFile, size: Int64) throws -> [UInt8] {
        var hash = ContentHash()
        try read(file, size: size) { hash.update($0) }
        return hash.digest()
    }

    private static func read(
        _ file: OpenFile, size: Int64, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws {
        var offset: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(256 << 10, max(size, 1))), alignment: 16)
        defer { buffer.deallocate() }
        while offset < size {
            let count = try file.descriptor.read(fromAbsoluteOffset: offset, into: buffer)
            guard count > 0 else { throw Changed() }
            take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
    }
}
