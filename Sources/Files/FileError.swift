internal import Glibc
public import SystemPackage

/// A call on a file that did not succeed: what was tried, where, why, and what to do about it.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, such as `rename`.
    public let operation: String
    public let path: FilePath
    /// The system's reason.
    public let errno: Errno
    /// What a person can do, beginning with a verb; nil where the reason says it all.
    public let hint: String?

    public init(_ operation: String, _ path: FilePath, _ errno: Errno, hint: String? = nil) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.hint = hint ?? Self.usualHint(for: errno)
    }

    /// The error that the last call left in `errno`.
    ///
    /// Ask for it before anything else calls into the system.
    static func last(_ operation: String, _ path: FilePath) -> FileError {
        FileError(operation, path, Errno(rawValue: Glibc.errno))
    }

    public var description: String {
        "\(operation) \(path): \(errno)" + (hint.map { ". \($0)" } ?? "")
    }

    /// Whether the disk, not this file, is the trouble, so that trying again later makes sense.
    public var isTroubleOfTheDisk: Bool {
        [.noSpace, .diskQuotaExceeded, .ioError, .readOnlyFileSystem, .staleNFSFileHandle].contains(errno)
    }

    /// Whether the machine, not this file, is the trouble: its disk, or a shortage of memory or descriptors.
    public var isTroubleOfTheMachine: Bool {
        isTroubleOfTheDisk || [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory].contains(errno)
    }

    private static func usualHint(for errno: Errno) -> String? {
        switch errno {
        case .permissionDenied, .notPermitted: "Give the service's user access to it."
        case .noSpace, .diskQuotaExceeded: "Free space or inodes on its file system."
        case .readOnlyFileSystem: "Mount its file system for writing."
        case .tooManyOpenFiles: "Raise LimitNOFILE of the service."
        default: nil
        }
    }
}
