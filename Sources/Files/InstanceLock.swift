internal import CLinux
internal import Glibc
public import SystemPackage

/// Keeps a second process from the same work.
///
/// The lock belongs to the open file, so it ends with the process, however that ends. The lock file
/// stays: removing it would let two processes lock two different files of one name.
public final class InstanceLock: Sendable {
    public let path: FilePath
    private let descriptor: CInt

    /// Why the lock was not taken.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Another process has it; its id where the lock file tells.
        case held(FilePath, pid: Int32?)
        case failed(FileError)

        public var description: String {
            switch self {
            case .held(let path, let pid):
                "lock \(path): held by \(pid.map { "process \($0)" } ?? "another process"). "
                    + "Stop that one, or give this one another folder."
            case .failed(let error): error.description
            }
        }
    }

    /// Takes the lock, or fails at once.
    public init(_ path: FilePath) throws(Failure) {
        self.path = path
        let file = path.withPlatformString { open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640) }
        guard file >= 0 else { throw .failed(.last("open", path)) }
        guard clinux_lock_open_file(file) == 0 else {
            let reason = FileError.last("lock", path)
            let holder = Self.holder(file)
            close(file)
            throw [.resourceTemporarilyUnavailable, .permissionDenied].contains(reason.errno)
                ? .held(path, pid: holder) : .failed(reason)
        }
        descriptor = file
        let text = Array("\(getpid())\n".utf8)
        // Only a message for people: the lock holds without it, also on a full disk.
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }

    private static func holder(_ file: CInt) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &text, text.count, 0)
        return Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self))
    }
}
