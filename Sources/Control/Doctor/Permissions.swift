internal import Glibc
internal import SystemPackage

/// Who may do what with a file, in words.
enum Permissions {
    /// The permission bits as `ls` and `chmod` spell them, such as `0640`.
    static func text(_ mode: mode_t) -> String {
        let bits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - bits.count)) + bits
    }

    /// What a path is, links followed; nil where it cannot be told.
    static func look(_ path: FilePath) -> stat? {
        var status = stat()
        return path.withPlatformString { stat($0, &status) } == 0 ? status : nil
    }

    /// The name of a user on this machine, or the number where it has none.
    static func userName(_ uid: uid_t) -> String {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
        else { return "user \(uid)" }
        return String(cString: name)
    }

    /// The name of a group on this machine, or the number where it has none.
    static func groupName(_ gid: gid_t) -> String {
        var entry = group()
        var result: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        guard getgrgid_r(gid, &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.gr_name
        else { return "\(gid)" }
        return String(cString: name)
    }

    /// Whether this process may do so with a file.
    static func allow(_ mode: Int32, _ path: FilePath) -> Bool { path.withPlatformString { access($0, mode) } == 0 }
}

/// How much room a file system has.
struct Room {
    var freeBytes: UInt64
    var allBytes: UInt64
    var freeNames: UInt64
    /// 0 where the file system does not count them.
    var allNames: UInt64

    init?(of path: FilePath) {
        var status = statvfs()
        guard path.withPlatformString({ statvfs($0, &status) }) == 0 else { return nil }
        freeBytes = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        allBytes = UInt64(status.f_blocks) * UInt64(status.f_frsize)
        freeNames = UInt64(status.f_favail)
        allNames = UInt64(status.f_files)
    }
}
