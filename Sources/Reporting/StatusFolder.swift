internal import Ledger
public import SystemPackage

/// Why a status file could not be written.
public struct StatusFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, such as `write`.
    public var operation: String
    public var path: FilePath
    public var errno: Errno

    public init(_ operation: String, _ path: FilePath, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// What, where, why, and what happens next.
    public var description: String {
        "cannot \(operation) \(path): \(errno); "
            + (concernsEverything
                ? "free space or mend the permissions of the status folder, it is tried again by itself"
                : "this one status is left out, others go on")
    }

    /// Whether other files would fare no better, so that it is best to wait.
    public var concernsEverything: Bool {
        switch errno {
        case .notDirectory, .isDirectory, .fileExists, .fileNameTooLong, .directoryNotEmpty, .tooManySymbolicLinkLevels:
            false
        default:
            true
        }
    }
}

/// How status files reach the disk.
///
/// A seam for tests, and so that this room does not choose between durable and quick: status is derived from the
/// ledger, and no file of it is worth a sync.
public protocol FileWriting: Sendable {
    /// Replaces the file at `path` in one step, with mode 0640, making the folders above it (0750) where they lack.
    func replace(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError)
    /// Removes the file; one that is not there is no error.
    func remove(_ path: FilePath) throws(StatusFileError)
    /// The file's content; `nil` when it is not there or larger than `limit` bytes.
    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]?
}

/// Where the status files are.
///
/// `STATE/status/WATCH/PATH.status.json`, where a last name that would have more than 255 bytes is cut and ends in
/// `~` and 16 hex digits of the FNV-1a hash of the whole name.
public struct StatusLayout: Sendable, Hashable {
    /// The folder `status` itself.
    public var root: FilePath

    /// - Parameter stateDirectory: as configured.
    public init(stateDirectory: FilePath) { root = stateDirectory.appending("status") }

    /// The daemon's own status.
    public var daemonFile: FilePath { root.appending("datarowd.json") }
    /// The revision of the ledger up to which every status is written.
    public var revisionFile: FilePath { root.appending(".revision") }

    /// The status of a manifest that was dropped at `path`, relative to the watched folder.
    public func file(watch: String, path: FilePath) -> FilePath {
        var file = root
        file.components.append(Self.component(Array(watch.utf8)))
        var names = path.components.filter { $0.kind == .regular }.map { FilePath(root: nil, [$0]).rawBytes }
        let last = names.popLast() ?? []
        for name in names { file.components.append(Self.component(name)) }
        file.components.append(Self.component(Self.statusName(last)))
        return file
    }

    static let suffix = Array(".status.json".utf8)
    /// `NAME_MAX` of every file system that Linux writes to.
    static let longestName = 255

    static func statusName(_ name: [UInt8]) -> [UInt8] {
        if name.count + suffix.count <= longestName { return name + suffix }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        let mark = Array("~\(String(repeating: "0", count: 16 - digits.count))\(digits)".utf8)
        var end = longestName - suffix.count - mark.count
        // Do not cut a character in two.
        while end > 0, name[end] & 0xC0 == 0x80 { end -= 1 }
        return name[..<end] + mark + suffix
    }

    private static func component(_ bytes: [UInt8]) -> FilePath.Component {
        // A name is empty or holds a slash only where a watch is misnamed; the file must stay in the folder all the same.
        FilePath(rawBytes: bytes.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }).components.last
            ?? FilePath.Component("_")
    }
}

/// Writes what others may see.
public struct StatusFolder: Sendable {
    public let layout: StatusLayout
    private let files: any FileWriting

    public init(_ layout: StatusLayout, files: any FileWriting) {
        self.layout = layout
        self.files = files
    }

    /// Replaces the status of a manifest.
    public func write(_ report: StatusReport, path: FilePath) throws(StatusFileError) {
        try files.replace(layout.file(watch: report.watch, path: path), with: report.fileBytes)
    }

    /// Replaces the daemon's status.
    public func write(_ report: DaemonReport) throws(StatusFileError) {
        try files.replace(layout.daemonFile, with: report.fileBytes)
    }

    /// Removes the status of a file that settled no longer and was not claimed, since it left the folder.
    ///
    /// Any other status at this path is of an import and stays.
    public func removeSettling(watch: String, path: FilePath) throws(StatusFileError) {
        let file = layout.file(watch: watch, path: path)
        // Larger than any status of a settling file.
        guard let bytes = try files.read(file, limit: 64 << 10), StatusDocument.state(in: bytes) == .settling else {
            return
        }
        try files.remove(file)
    }

    /// Which files settled when the daemon's status was last written, by watch.
    public func settlingBefore() throws(StatusFileError) -> [String: Set<FilePath>] {
        guard let bytes = try files.read(layout.daemonFile, limit: 16 << 20) else { return [:] }
        return StatusDocument.settling(in: bytes)
    }

    /// The revision up to which every status was written; `nil` where that is not known.
    public func writtenRevision() throws(StatusFileError) -> Int? {
        guard let bytes = try files.read(layout.revisionFile, limit: 64) else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }

    /// Remembers the revision up to which every status was written.
    public func write(revision: Int) throws(StatusFileError) {
        try files.replace(layout.revisionFile, with: Array("\(revision)\n".utf8))
    }
}
