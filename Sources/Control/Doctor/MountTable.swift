internal import Files
internal import Reporting
package import SystemPackage

/// What a process may write to, as far as its mounts say: a service's sandbox makes most of them read-only.
package struct MountTable {
    private let mounts: [(point: String, isReadOnly: Bool)]

    /// Reads the table of a process; nil when it cannot be read.
    init?(of process: Int32) {
        guard let bytes = try? StatusFiles().read(FilePath("/proc/\(process)/mountinfo"), limit: 4 << 20) else {
            return nil
        }
        self.init(String(decoding: bytes, as: UTF8.self))
    }

    /// Reads it from a text in the form of proc(5).
    package init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 5 else { return nil }
            return (Self.plain(fields[4]), fields[5].split(separator: ",").contains("ro"))
        }
    }

    /// Whether nothing beneath this path can be written to.
    package func isReadOnly(_ path: FilePath) -> Bool {
        var found: (length: Int, isReadOnly: Bool)?
        // Of two at the same place the later one lies on top.
        for mount in mounts
        where path.starts(with: FilePath(mount.point)) && mount.point.utf8.count >= found?.length ?? 0 {
            found = (mount.point.utf8.count, mount.isReadOnly)
        }
        return found?.isReadOnly ?? false
    }

    /// White space and backslashes stand as three octal digits after a backslash.
    private static func plain(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
