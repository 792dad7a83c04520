public import DataRows
internal import Files
public import Foundation
public import Reporting
public import SystemPackage

/// A dry run of one manifest, without the network: what would be imported, what not, and what it would cost.
public struct ManifestCheck: Sendable {
    /// How the daemon would treat it.
    public struct Rules: Sendable {
        public var policy: RowPolicy
        /// How files are judged.
        public var media: MediaRules
        public var maximumRowsPerTask: Int
        public var requestsPerMinute: Int
        /// Folders beneath which named files may lie; the manifest's own is the first.
        public var roots: [FilePath]

        public init(
            policy: RowPolicy, media: MediaRules, maximumRowsPerTask: Int, requestsPerMinute: Int, roots: [FilePath]
        ) {
            self.policy = policy
            self.media = media
            self.maximumRowsPerTask = maximumRowsPerTask
            self.requestsPerMinute = requestsPerMinute
            self.roots = roots
        }
    }

    /// What was found.
    public struct Report: Sendable, JSONWritable {
        public var manifest: String
        /// Set where the manifest as a whole cannot be read; nothing of it would be imported.
        public var refusal: String?
        public var rows = 0
        public var validRows = 0
        public var rejectedRows = 0
        public var bytes: Int64 = 0
        public var mediaFiles = 0
        public var mediaBytes: Int64 = 0
        /// The first that are not there, or may not be read, each with why.
        public var missingMedia: [String] = []
        public var missingMediaTotal = 0
        public var chunks = 0
        public var tasks = 0
        public var requests = 0
        public var seconds = 0
        /// The first problems.
        public var problems: [RowProblem] = []
        public var errorsTotal = 0
        public var warnings: [RowProblem] = []
        public var warningsTotal = 0

        /// Whether everything would be imported.
        public var isClean: Bool { refusal == nil && rejectedRows == 0 && missingMediaTotal == 0 }

        /// How `check` ends for this manifest.
        public var status: ExitStatus {
            if refusal != nil || (rows > 0 && validRows == 0) { return .failed }
            return isClean ? .ok : .withErrors
        }

        public func write(to json: inout JSONWriter) {
            json.object { json in
                json.member("manifest", manifest)
                json.member("refusal", refusal)
                json.member("rows") { json in
                    json.object { json in
                        json.member("total", rows)
                        json.member("valid", validRows)
                        json.member("rejected", rejectedRows)
                    }
                }
                json.member("bytes", bytes)
                json.member("media") { json in
                    json.object { json in
                        json.member("files", mediaFiles)
                        json.member("bytes", mediaBytes)
                        json.member("missing_total", missingMediaTotal)
                        json.member("missing") { json in json.array(missingMedia) { json, name in json.string(name) } }
                    }
                }
                json.member("chunks", chunks)
                json.member("tasks", tasks)
                json.member("requests", requests)
                json.member("seconds", seconds)
                json.member("errors") { json in json.array(problems) { json, problem in Self.write(problem, to: &json) }
                }
                json.member("errors_total", errorsTotal)
                json.member("warnings") { json in
                    json.array(warnings) { json, problem in Self.write(problem, to: &json) }
                }
                json.member("warnings_total", warningsTotal)
            }
        }

        private static func write(_ problem: RowProblem, to json: inout JSONWriter) {
            json.object { json in
                json.member("row", problem.row)
                json.member("byte_offset", problem.byteOffset)
                json.member("pointer", problem.pointer)
                json.member("code", problem.code)
                json.member("message", problem.message)
            }
        }
    }

    /// How many problems are shown by name.
    public static let shown = 100

    private let rules: Rules

    public init(_ rules: Rules) { self.rules = rules }

    /// Reads a manifest whole, and looks at the files that it names.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - workFolder: for what does not fit into memory, such as a compressed one's text; all of it is removed again.
    ///   - now: for what expires.
    /// - Returns: what was found.
    /// - Throws: ``ControlError`` when it cannot be opened.
    public func report(_ path: FilePath, workFolder: FilePath, now: Date) throws(ControlError) -> Report {
        var report = Report(manifest: path.string)
        guard let format = ManifestFormat(fileName: path.lastComponent?.string ?? "") else {
            report.refusal = "its name ends in none of .json, .jsonl, .ndjson (perhaps with .gz): rename it"
            return report
        }
        var media = Media(folder: path.removingLastComponent(), roots: rules.roots, rules: rules.media)
        var packing = Packing(chunkBytes: rules.policy.maximumChunkBytes, taskRows: rules.maximumRowsPerTask)
        let inflated = workFolder.appending("datarowctl-check-\(getpid())")
        let keys = workFolder.appending("datarowctl-keys-\(getpid())")
        defer {
            unlink(inflated.string)
            unlink(keys.string)
        }
        let (blank, freshMedia, freshPacking) = (report, media, packing)
        do {
            var manifest = try ManifestFile(path: path, format: format)
            if let name = path.lastComponent?.string,
                let media = SidecarManifest.mediaName(of: name, rules: rules.media),
                let row = try SidecarManifest.expand(
                    manifest, media: "./\(media)", externalID: media, to: inflated,
                    maximumBytes: rules.policy.maximumRowBytes)
            {
                manifest = row
            }
            if format.isCompressed { manifest = try ManifestInflation.inflate(manifest, to: inflated) }
            let summary = try ManifestSurvey.run(
                manifest, policy: rules.policy, now: Int(now.timeIntervalSince1970), keys: keys, prepare: {},
                again: { (report, media, packing) = (blank, freshMedia, freshPacking) }
            ) { row in
                report.warnings += row.warnings.prefix(max(0, Self.shown - report.warnings.count))
                guard row.problems.isEmpty else {
                    report.errorsTotal += row.problems.count
                    report.problems += row.problems.prefix(max(0, Self.shown - report.problems.count))
                    return
                }
                packing.add(row.payloadBytes)
                if let name = row.mediaPath, let warning = media.look(at: name) {
                    report.warningsTotal += 1
                    report.warnings += [warning.problem(row)].prefix(max(0, Self.shown - report.warnings.count))
                }
                if row.needsTextUpload { media.texts += 1 }
            }
            report.rows = summary.rows
            report.validRows = summary.validRows
            report.rejectedRows = summary.rejectedRows
            report.warningsTotal += summary.warnings
            report.bytes = summary.dropped.byteCount
        } catch let error as ManifestError {
            report.refusal = "\(error)"
            return report
        } catch let error as Errno {
            throw ControlError(
                path.string, why: "\(error)", hint: "name a manifest that you may read",
                status: error == .noSuchFileOrDirectory ? .noInput : .io)
        } catch {
            throw ControlError(path.string, why: "\(error)", hint: "", status: .io)
        }
        report.mediaFiles = media.names.count
        report.mediaBytes = media.bytes
        report.missingMedia = media.missing
        report.missingMediaTotal = media.missingTotal
        (report.chunks, report.tasks) = packing.end()
        // A task costs its manifest, its call, two looks at it and its results; and the dataset is looked up once.
        report.requests =
            report.validRows == 0 ? 0 : media.uploads + media.texts + report.chunks + report.tasks * 5 + 2
        report.seconds = report.requests * 60 / max(1, rules.requestsPerMinute)
        return report
    }

    /// How rows fall into chunks and tasks.
    private struct Packing {
        let chunkBytes: Int
        let taskRows: Int
        private var chunks = 0
        private var tasks = 0
        private var bytes = 0
        private var rows = 0

        init(chunkBytes: Int, taskRows: Int) {
            self.chunkBytes = chunkBytes
            self.taskRows = taskRows
        }

        mutating func add(_ payload: Int) {
            if rows == taskRows { endTask() }
            if bytes > 0, bytes + payload + 1 > chunkBytes {
                chunks += 1
                bytes = 0
            }
            bytes += payload
            rows += 1
        }

        private mutating func endTask() {
            if rows > 0 { tasks += 1 }
            if bytes > 0 { chunks += 1 }
            rows = 0
            bytes = 0
        }

        mutating func end() -> (chunks: Int, tasks: Int) {
            endTask()
            return (chunks, tasks)
        }
    }

    /// The files that a manifest names.
    private struct Media {
        let folder: FilePath
        let roots: [FilePath]
        let rules: MediaRules
        var names = Set<String>()
        var bytes: Int64 = 0
        var missing: [String] = []
        var missingTotal = 0
        var texts = 0

        var uploads: Int { names.count - missingTotal }

        /// Looks at a file that a row names, the first time that it is named.
        ///
        /// - Returns: what is odd about it.
        mutating func look(at name: String) -> MediaJudgement.Finding? {
            guard names.insert(name).inserted else { return nil }
            let path = FilePath(name).isAbsolute ? FilePath(name) : folder.pushing(FilePath(name))
            guard let real = path.withoutLinks() else { return miss(name, "there is no such file") }
            guard roots.contains(where: { ($0.withoutLinks() ?? $0).isPrefix(of: real) }) else {
                return miss(name, "it lies outside of the watch and its media_roots")
            }
            guard let look = try? FileLook.at(real) else { return miss(name, "there is no such file") }
            guard look.kind == .regular else { return miss(name, "it is a \(look.kind), not a regular file") }
            guard let head = Self.head(real) else { return miss(name, "it cannot be read") }
            let judgement = rules.judge(name: name, size: look.identity.size, head: head)
            if let refusal = judgement.refusal { return miss(name, "\(refusal.code): \(refusal.message)") }
            bytes += look.identity.size
            return judgement.warning
        }

        /// The first bytes; nil where they cannot be read.
        private static func head(_ path: FilePath) -> [UInt8]? {
            // What goes wrong here is told as a file that cannot be read; the daemon will say how.
            guard let file = try? OpenFile.reading(path) else { return nil }
            var head = [UInt8](repeating: 0, count: MediaRules.headBytes)
            guard
                let count = try? head.withUnsafeMutableBytes({
                    try file.descriptor.read(fromAbsoluteOffset: 0, into: $0)
                })
            else { return nil }
            return Array(head.prefix(count))
        }

        private mutating func miss(_ name: String, _ why: String) -> MediaJudgement.Finding? {
            missingTotal += 1
            if missing.count < ManifestCheck.shown { missing.append("\(name): \(why)") }
            return nil
        }
    }
}

extension MediaJudgement.Finding {
    fileprivate func problem(_ row: SurveyedRow) -> RowProblem {
        RowProblem(
            row: row.index, byteOffset: row.byteRange.lowerBound, pointer: "/\(row.index)", code: code, message: message
        )
    }
}

extension FilePath {
    fileprivate func isPrefix(of path: FilePath) -> Bool { path.starts(with: self) }
}
