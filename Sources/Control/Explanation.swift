internal import DataRows
public import Foundation
internal import Glibc
public import Intake
internal import Ledger
internal import Reporting
public import SystemPackage

/// Why a file was taken, ignored, is settling or failed, and by which rule.
public struct Explanation: Sendable {
    /// A watch and how it judges names.
    public struct Watch: Sendable {
        public var name: String
        public var path: FilePath
        public var rules: FileRules
        public var mediaRoots: [FilePath]

        public init(name: String, path: FilePath, rules: FileRules, mediaRoots: [FilePath] = []) {
            self.name = name
            self.path = path
            self.rules = rules
            self.mediaRoots = mediaRoots
        }
    }

    private let watches: [Watch]
    private let state: StateFolder?

    /// - Parameters:
    ///   - watches: As configured.
    ///   - state: `nil` where the daemon has not run yet: then only the rules are told.
    public init(watches: [Watch], state: StateFolder?) {
        self.watches = watches
        self.state = state
    }

    /// Sentences about a file, each a line.
    ///
    /// - Parameters:
    ///   - file: Absolute, or relative to `directory`.
    ///   - kind: What is there now, as ``FileOnDisk`` found it.
    ///   - directory: The current one.
    ///   - now: For ages.
    /// - Returns: At least one line.
    /// - Throws: What the ledger throws.
    public func lines(_ file: FilePath, kind: FileOnDisk, directory: FilePath, now: Date) async throws -> [String] {
        let absolute = (file.isAbsolute ? file : directory.pushing(file)).lexicallyNormalized()
        let places = watches.compactMap { watch in
            var beneath = absolute
            return beneath.removePrefix(watch.path.lexicallyNormalized()) && !beneath.isEmpty ? (watch, beneath) : nil
        }
        var lines: [String] = []
        if places.isEmpty {
            if let watch = watches.first(where: {
                $0.mediaRoots.contains { absolute.starts(with: $0.lexicallyNormalized()) }
            }) {
                return [
                    "It lies beneath a media root of watch \(watch.name): a manifest there may name it, it is never imported by itself."
                ]
            }
            let folders = watches.map { "\($0.name): \(VisibleText.of($0.path.string))" }.joined(separator: ", ")
            return ["It does not lie beneath any watch (\(folders)), so nobody looks at it."]
        }
        lines.append(kind.sentence)
        for (watch, path) in places {
            lines.append("Watch \(watch.name): \(VisibleText.of(watch.rules.verdict(path).description)).")
            guard let state else { continue }
            for report in state.settling(now: now) where report.watch == watch.name && report.manifest == path.string {
                lines.append(
                    "Settling since \(AgeText.of(now.timeIntervalSince(report.seenAt))): \(VisibleText.of(report.stateReason))"
                )
            }
            let imports = try await state.ledger.find(watch: watch.name, path: path)
            for record in imports.prefix(5) {
                let report = try await state.report(record, now: now)
                lines.append(
                    "Taken \(AgeText.of(now.timeIntervalSince(record.seenAt))) ago as import \(record.id): "
                        + "\(report.state.rawValue). \(VisibleText.of(report.stateReason))")
            }
            if try await !state.ledger.namedPaths(watch: watch.name, among: [path]).isEmpty {
                lines.append("An unfinished manifest of watch \(watch.name) names it: it goes with that one.")
            }
        }
        if state == nil { lines.append("The daemon has not run with this state directory, so nothing was taken yet.") }
        return lines
    }
}

/// What lies at a path now.
public enum FileOnDisk: Sendable, Hashable {
    case absent
    case regular(bytes: Int64)
    case other

    /// Looks, without following links.
    public static func at(_ path: FilePath) -> FileOnDisk {
        var status = stat()
        guard path.withPlatformString({ lstat($0, &status) }) == 0 else { return .absent }
        return status.st_mode & S_IFMT == S_IFREG ? .regular(bytes: Int64(status.st_size)) : .other
    }

    /// Whether a folder is there, links followed.
    public static func isFolder(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withPlatformString({ stat($0, &status) }) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    var sentence: String {
        switch self {
        case .absent: "No file is there now."
        case .regular(let bytes): "A file of \(ByteCount.text(bytes)) is there."
        case .other: "It is no regular file: folders are searched, links, pipes and devices are not read."
        }
    }
}
