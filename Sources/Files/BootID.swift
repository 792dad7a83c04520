internal import SystemPackage

/// Tells one start of the machine from the next.
public enum BootID {
    /// The kernel's own name for the time since the machine was started; empty where it does not tell.
    public static func current() -> String {
        guard let file = try? FileDescriptor.open("/proc/sys/kernel/random/boot_id", .readOnly, options: [.closeOnExec])
        else { return "" }
        var bytes = [UInt8](repeating: 0, count: 64)
        // Nothing was written, so nothing can be lost by closing.
        defer { try? file.close() }
        let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
        return String(decoding: bytes[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
