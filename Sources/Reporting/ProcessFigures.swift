internal import Foundation
internal import Glibc

/// What the kernel says of this process, for the metrics that every Prometheus client has.
struct ProcessFigures: Sendable, Hashable {
    var cpuSeconds: Double?
    var residentBytes: Double?
    var virtualBytes: Double?
    var openFiles: Double?
    var mostFiles: Double?
    /// In seconds since 1970.
    var startedAt: Double?

    /// Reads `/proc`; what cannot be read is left out.
    static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        // The command's name stands in brackets, and may hold anything; fields count from the last one.
        if let stat = text("/proc/self/stat"), let bracket = stat.lastIndex(of: ")") {
            let fields = stat[stat.index(after: bracket)...].split(separator: " ")
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            // Numbers as in proc(5), less the two before the bracket and one for counting from 0.
            if fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
                let start = Double(fields[19]), let virtual = Double(fields[20]), let pages = Double(fields[21])
            {
                figures.cpuSeconds = (user + system) / ticks
                figures.virtualBytes = virtual
                figures.residentBytes = pages * Double(getpagesize())
                figures.startedAt = bootTime + start / ticks
            }
        }
        figures.openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map {
            // The folder itself was open while it was read.
            Double($0.count - 1)
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.mostFiles = Double(limit.rlim_cur)
        }
        return figures
    }

    /// When the machine started, as it was when this was asked first; `/proc/stat` may be hidden from a service.
    private static let bootTime: Double = {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Date().timeIntervalSince1970 - Double(time.tv_sec) - Double(time.tv_nsec) / 1e9
    }()

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
