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
    /// The SHA-256 of the content; nil where it was not asked for.
    let digest: [UInt8]?

    /// What is to be told of the file though it is sent.
    var warning: ErrorEntry? { judgement.warning.map { ErrorEntry(code: $0.code, message: $0.message) } }

    /// Judges a file by its name and first bytes, and hashes it unless it is refused.
    ///
    /// Keeps the thread busy.
    init(_ file: OpenFile, _ media: OpenableMedia, _ rules: MediaRules, hashes: Bool) throws {
        self.file = file
        judgement = rules.judge(name: media.relativePath.string, size: media.size, head: try Self.head(of: file))
        digest = hashes && judgement.refusal == nil ? try Self.digest(of: file, size: media.size) : nil
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

    /// The SHA-256 of a file that must not change meanwhile.
    static func digest(of file: OpenFile, size: Int64) throws -> [UInt8] {
        var hasher = SHA256()
        var offset: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(256 << 10, max(size, 1))), alignment: 16)
        defer { buffer.deallocate() }
        while offset < size {
            let count = try file.descriptor.read(fromAbsoluteOffset: offset, into: buffer)
            guard count > 0 else { throw Changed() }
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += Int64(count)
        }
        return [UInt8](hasher.finalize())
    }
}
