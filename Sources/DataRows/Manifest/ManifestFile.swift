public import SystemPackage

/// A manifest that was opened once and is read by position, so that passes and readers do not disturb each other.
///
/// Its descriptor is closed with the last reference.
public final class ManifestFile: Sendable {
    /// The file, as it is named in messages.
    public let name: String
    /// The layout of the text in this file.
    public let format: ManifestFormat
    /// The size when it was opened, in bytes.
    public let byteCount: Int64
    /// What was dropped, where this file is only its inflated copy.
    public let original: Digest?
    let descriptor: FileDescriptor

    /// The size and the SHA-256 of a file's bytes.
    public struct Digest: Sendable, Hashable {
        /// The size, in bytes.
        public var byteCount: Int64
        /// 32 bytes.
        public var sha256: [UInt8]

        /// Creates a digest.
        public init(byteCount: Int64, sha256: [UInt8]) {
            self.byteCount = byteCount
            self.sha256 = sha256
        }

        /// The SHA-256 in 64 lower-case hexadecimal digits.
        public var hexadecimal: String { Hexadecimal.string(sha256) }
    }

    /// Takes over an open descriptor of a regular file.
    ///
    /// - Throws: `Errno` when its size cannot be asked; the descriptor is closed then.
    public init(
        descriptor: FileDescriptor, name: String, format: ManifestFormat, original: Digest? = nil
    ) throws {
        self.descriptor = descriptor
        self.name = name
        self.format = format
        self.original = original
        do {
            byteCount = try descriptor.seek(offset: 0, from: .end)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// Opens a file for reading; it is named by its path.
    ///
    /// - Throws: `Errno`.
    public convenience init(path: FilePath, format: ManifestFormat, original: Digest? = nil) throws {
        let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        try self.init(descriptor: descriptor, name: path.string, format: format, original: original)
    }

    deinit {
        // Nothing was written through it, so nothing can be lost by closing.
        try? descriptor.close()
    }

    /// Copies bytes of the file, as written.
    ///
    /// - Throws: `Errno`; ``ManifestError`` when the file ends before the range does.
    public func bytes(in range: Range<Int64>) throws -> [UInt8] {
        let count = Int(range.upperBound - range.lowerBound)
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let read = try descriptor.read(
                    fromAbsoluteOffset: range.lowerBound + Int64(filled),
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count])
                )
                guard read > 0 else {
                    throw ManifestError(
                        code: "changed", file: name, byteOffset: range.lowerBound + Int64(filled),
                        reason: "the file is shorter than it was", remedy: "it is read again from the start",
                        isTruncation: true)
                }
                filled += read
            }
        }
    }
}

/// Bytes as hexadecimal digits.
public enum Hexadecimal {
    /// Two lower-case digits a byte.
    public static func string(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        append(bytes, to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }

    static func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            output.append(JSONText.hexDigit(byte >> 4))
            output.append(JSONText.hexDigit(byte & 15))
        }
    }

    /// Writes two digits a byte, for which there must be room.
    static func write(_ bytes: UnsafeRawBufferPointer, to digits: UnsafeMutableRawBufferPointer) {
        var at = 0
        while at &+ 4 <= bytes.count {
            let four = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
            digits.storeBytes(
                of: eightDigits(UInt32(littleEndian: four)).littleEndian, toByteOffset: at &* 2, as: UInt64.self)
            at &+= 4
        }
        while at < bytes.count {
            digits[at &* 2] = JSONText.hexDigit(bytes[at] &>> 4)
            digits[at &* 2 &+ 1] = JSONText.hexDigit(bytes[at] & 15)
            at &+= 1
        }
    }

    /// The digits of four bytes at once: every key that is derived is written in digits.
    @inline(__always) private static func eightDigits(_ bytes: UInt32) -> UInt64 {
        // A byte to each sixteen bits, then a half of it to each eight, the upper one first.
        var halves = UInt64(bytes)
        halves = (halves | halves &<< 16) & 0x0000_ffff_0000_ffff
        halves = (halves | halves &<< 8) & 0x00ff_00ff_00ff_00ff
        halves = (halves &>> 4) & 0x000f_000f_000f_000f | (halves & 0x000f_000f_000f_000f) &<< 8
        // 1 in each byte that is above 9, whose digit is a letter.
        let letters = ((halves &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return halves &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }
}
