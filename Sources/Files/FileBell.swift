internal import Glibc
public import SystemPackage

/// A file that one process touches to make another one look.
///
/// It says that something may be new, and nothing else: where the file system sends no events, the
/// listener's own timer finds the same news later.
public final class FileBell: Sendable {
    private let path: FilePath
    private let queue: InotifyQueue

    /// Listens to the bell, which is made if it is missing.
    ///
    /// A bell that was replaced is heard once more and then no longer: call `renew` when it was heard.
    ///
    /// * `heard`: is called on a thread of its own and must return at once.
    public init(_ path: FilePath, heard: @escaping @Sendable () -> Void) throws(FileError) {
        self.path = path
        queue = try InotifyQueue { _ in heard() }
        try renew()
    }

    /// Listens to whatever file has the bell's name now.
    public func renew() throws(FileError) {
        if try !FileLook.exists(path) { try Self.ring(path) }
        // The file itself rather than its folder: a folder with a database in it is never still.
        _ = try queue.watch(path, IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF)
    }

    /// Rings the bell, made if it is missing, group-writable so that operators can ring it too.
    public static func ring(_ path: FilePath) throws(FileError) {
        let bell = path.withPlatformString { open($0, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o660) }
        guard bell >= 0 else { throw .last("open", path) }
        defer { close(bell) }
        // Whoever made it may let the group ring it, whatever the umask; for others this fails, and it is so already.
        _ = fchmod(bell, 0o660)
        guard futimens(bell, nil) == 0 else { throw .last("touch", path) }
    }
}
