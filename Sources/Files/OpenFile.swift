internal import CLinux
internal import Glibc
public import SystemPackage

/// An open file that closes itself when nobody holds it any more.
///
/// Reads carry their own offset, so that several may read at once.
public final class OpenFile: Sendable {
    /// Valid as long as this object lives; never close it.
    public let descriptor: FileDescriptor
    /// The path that was opened, for messages.
    public let path: FilePath

    init(owning descriptor: CInt, path: FilePath) {
        self.descriptor = FileDescriptor(rawValue: descriptor)
        self.path = path
    }

    deinit { close(descriptor.rawValue) }

    /// Opens `path` for reading: a regular file and nothing else, never waiting for a FIFO's writer.
    ///
    /// * `followingLinks`: whether the last part of the path may be a link.
    /// * Throws `FileError`; `.invalidArgument` when it is no regular file.
    public static func reading(_ path: FilePath, followingLinks: Bool = false) throws(FileError) -> OpenFile {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
        let descriptor = path.withPlatformString { open($0, flags) }
        guard descriptor >= 0 else { throw .last("open", path) }
        let file = OpenFile(owning: descriptor, path: path)
        let look = try file.look()
        guard look.kind == .regular else {
            throw FileError("open", path, .invalidArgument, hint: "Put a regular file there, not a \(look.kind).")
        }
        return file
    }

    /// What the open file is now.
    public func look() throws(FileError) -> FileLook {
        FileLook(try status())
    }

    /// Reads up to the buffer's size from `offset`; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
        while true {
            let count = pread(descriptor.rawValue, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            if errno != EINTR { throw .last("read", path) }
        }
    }

    /// Whether a local process has this file open for writing.
    ///
    /// Asks the kernel for a read lease, which it refuses while there is a writer, and gives it back at once.
    public func writer() -> Writer {
        switch clinux_is_open_for_writing(descriptor.rawValue) {
        case 0: .none
        case 1: .present
        default: .unknown
        }
    }

    /// Whether a file is open for writing.
    public enum Writer: Sendable {
        case none, present
        /// The file system has no leases, or the file is another user's.
        case unknown
    }

    func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw .last("stat", path) }
        return status
    }
}

/// Whether a file is still being written, by the open descriptor alone.
public enum OpenForWriting {
    /// Asks about the file behind `descriptor`, which must be open for reading only.
    public static func check(_ descriptor: FileDescriptor) -> OpenFile.Writer {
        switch clinux_is_open_for_writing(descriptor.rawValue) {
        case 0: .none
        case 1: .present
        default: .unknown
        }
    }
}
