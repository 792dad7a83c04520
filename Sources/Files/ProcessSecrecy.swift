internal import CLinux
internal import Glibc

/// What others may see of this process and its files.
public enum ProcessSecrecy {
    /// Keeps what is in memory, and in the environment that the process began with, from everyone but root, and out of
    /// every file that a crash could leave.
    ///
    /// From then on `/proc/PID` belongs to root, so that not even a process of the same user can read `environ` or attach to it.
    public static func guardMemory() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // Neither call can fail with these arguments (prctl(2), setrlimit(2)).
        _ = clinux_forbid_dumps()
    }

    /// Makes whatever is created from now on unreadable to others and unwritable to the group; what the umask takes away
    /// already stays away.
    public static func guardFiles() {
        // There is no way to read it without setting it.
        let mask = umask(0o027)
        if mask & 0o750 != 0 { umask(mask | 0o027) }
    }
}
