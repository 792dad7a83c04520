internal import Glibc
public import SystemPackage

/// A stretch of an open file, read in place while it is sent.
///
/// Copies share the descriptor; it is closed when the last of them is gone. Reading leaves the descriptor's own
/// position alone, so several slices of one file can be sent at once.
public struct FileSlice: Sendable {
    private let file: OwnedDescriptor
    /// Where the slice begins, in bytes from the start of the file.
    public let offset: Int64
    /// How many bytes it has.
    public let length: Int64
    /// Sees the bytes as they are read to be sent, and from which place in the slice they are.
    ///
    /// Each attempt of a request begins at 0 again. Called on the transport's thread, which waits for it: be quick.
    public var witness: (@Sendable (_ bytes: UnsafeRawBufferPointer, _ position: Int64) -> Void)?

    /// Takes over an open descriptor, and closes it in the end.
    ///
    /// `name` is what the file is called in errors.
    /// - Precondition: `offset` and `length` are not negative, and their sum is no overflow.
    public init(owning descriptor: FileDescriptor, name: FilePath, offset: Int64 = 0, length: Int64) {
        self.init(file: OwnedDescriptor(descriptor, name: name), offset: offset, length: length)
    }

    /// Opens a file for reading.
    ///
    /// - Throws: `Errno` when it cannot be opened.
    public init(opening path: FilePath, offset: Int64 = 0, length: Int64) throws {
        // Not blocking, so that a FIFO that took the file's place cannot hang the caller.
        let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
        self.init(owning: descriptor, name: path, offset: offset, length: length)
    }

    /// Another stretch of the same open file.
    public func slice(offset: Int64, length: Int64) -> FileSlice {
        FileSlice(file: file, offset: offset, length: length)
    }

    private init(file: OwnedDescriptor, offset: Int64, length: Int64) {
        precondition(offset >= 0 && length >= 0 && !offset.addingReportingOverflow(length).overflow, "no such slice")
        self.file = file
        self.offset = offset
        self.length = length
    }

    /// The descriptor, open as long as this slice is.
    public var descriptor: FileDescriptor { file.descriptor }

    /// What the file is called in errors.
    public var name: FilePath { file.name }

    /// Reads once, from `position` bytes into the slice, and returns how much came.
    ///
    /// - Throws: ``BodySourceFailure`` when the file ends before the slice does, or cannot be read.
    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(BodySourceFailure) -> Int {
        let wanted = Int(min(Int64(buffer.count), length - position))
        if wanted == 0 { return 0 }
        while true {
            let count = pread(file.descriptor.rawValue, buffer.baseAddress, wanted, off_t(offset + position))
            if count > 0 {
                witness?(UnsafeRawBufferPointer(rebasing: buffer[..<count]), position)
                return count
            }
            if count == 0 {
                throw BodySourceFailure(
                    "\(name) has ended \(length - position) bytes early: it was cut while it was sent")
            }
            let error = Errno(rawValue: errno)
            if error != .interrupted { throw BodySourceFailure("cannot read \(name): \(error)") }
        }
    }
}

/// Why the body of a request could not be read.
package struct BodySourceFailure: Error {
    package let message: String

    init(_ message: String) { self.message = message }
}

private final class OwnedDescriptor: Sendable {
    let descriptor: FileDescriptor
    let name: FilePath

    init(_ descriptor: FileDescriptor, name: FilePath) {
        self.descriptor = descriptor
        self.name = name
    }

    // Nothing was written through it, so an error of close(2) says nothing that matters.
    deinit { try? descriptor.close() }
}
