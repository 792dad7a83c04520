internal import Glibc

enum ProcessProbe {
    /// Whether a process of this number runs, whoever it belongs to.
    static func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }
}
