internal import Glibc
internal import SystemPackage

/// Whether somebody holds a lock file, without touching the lock: a daemon that starts meanwhile must not find it taken.
enum LockLook {
    case free
    /// The process that the file names, where it does.
    case held(Int32?)
    case unknown(String)

    static func at(_ path: FilePath) -> LockLook {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            return errno == ENOENT ? .free : .unknown("\(Errno(rawValue: errno))")
        }
        defer { close(descriptor) }
        var wish = flock()
        wish.l_type = Int16(F_WRLCK)
        wish.l_whence = Int16(SEEK_SET)
        guard withUnsafeMutablePointer(to: &wish, { fcntl(descriptor, getOpenFileLock, $0) }) == 0 else {
            return .unknown("\(Errno(rawValue: errno))")
        }
        guard wish.l_type != Int16(F_UNLCK) else { return .free }
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        return .held(Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self)))
    }

    /// F_OFD_GETLK of linux/fcntl.h, which Glibc declares for C with _GNU_SOURCE only.
    private static let getOpenFileLock: Int32 = 36
}
