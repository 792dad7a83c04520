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
    /// Makes everything that was replaced before survive a loss of power, and then replaces this file, durably too.
    func seal(_ path: FilePath, with bytes: [UInt8]) throws(StatusFileError)
    /// The file's content; `nil` when it is not there or larger than `limit` bytes.
    func read(_ path: FilePath, limit: Int) throws(StatusFileError) -> [UInt8]?
}

/// Writes what others may see.
public struct StatusFolder: Sendable {
    public let layout: StatusLayout
    private let files: any FileWriting
    private let boot: String

    /// - Parameters:
    ///   - layout: Where the files are.
    ///   - files: How they get there.
    ///   - boot: Another one after each start of the machine; what was written without a sync is trusted within one.
    public init(_ layout: StatusLayout, files: any FileWriting, boot: String) {
        self.layout = layout
        self.files = files
        self.boot = boot
    }

    /// Replaces the status of a manifest.
    public func write(_ report: StatusReport, path: FilePath) throws(StatusFileError) {
        try files.replace(layout.file(watch: report.watch, path: path), with: report.fileBytes)
    }

    /// Replaces the daemon's status.
    public func write(_ report: DaemonReport) throws(StatusFileError) {
        try files.replace(layout.daemonFile, with: report.fileBytes)
    }

    /// Replaces the metrics.
    func write(metrics: [UInt8]) throws(StatusFileError) { try files.replace(layout.metricsFile, with: metrics) }

    /// Removes the metrics of a daemon that is no more.
    func removeMetrics() throws(StatusFileError) { try files.remove(layout.metricsFile) }

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
    ///
    /// After the machine was started anew, that up to which they were sealed: of what came later a loss of power may have
    /// left empty files.
    public func writtenRevision() throws(StatusFileError) -> Int? {
        if let words = try words(of: layout.revisionFile), words.count == 2, words[1] == boot { return Int(words[0]) }
        return try words(of: layout.sealFile)?.first.flatMap { Int($0) }
    }

    private func words(of file: FilePath) throws(StatusFileError) -> [Substring]? {
        guard let bytes = try files.read(file, limit: 256) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    }

    /// Remembers the revision up to which every status was written.
    public func write(revision: Int) throws(StatusFileError) {
        try files.replace(layout.revisionFile, with: Array("\(revision) \(boot)\n".utf8))
    }

    /// Makes every status survive a loss of power, and remembers up to which revision they were written.
    public func seal(revision: Int) throws(StatusFileError) {
        try files.seal(layout.sealFile, with: Array("\(revision)\n".utf8))
    }
}
