internal import DataRows
internal import Files
internal import Foundation
internal import Ledger
internal import Results
internal import SystemPackage

/// Writes the results of one import, and the rows of it that failed.
struct ResultsWriting {
    let plan: ClosingPlan
    let workFolder: WorkFolder
    /// Where files are until they are whole.
    let making: FilePath

    /// Writes both files, not yet durably; says in the answer which of them there are.
    func write() throws -> ClosingPlan {
        var written = plan
        guard !plan.parts.isEmpty else {
            written.closing.results = nil
            written.closing.failedRows = nil
            return written
        }
        try DurableRename.createFolder(plan.resultsPath.removingLastComponent())
        let results = try AtomicFile.writer(to: plan.resultsPath, making: making)
        var failed = RowSet()
        try ResultsMerger(plan.parts).merge(into: { try results.append($0) }) { row, outcome in
            if !outcome.isSuccess { failed.insert(row) }
        }
        try results.commit(durable: false)
        if try failed.isEmpty || !writeFailed(failed) { written.closing.failedRows = nil }
        return written
    }

    /// Where the rows can be read as they were written; nil when there is no such file any more.
    ///
    /// A try before this one may have moved the manifest away already, and then have come no further.
    private func source(_ format: ManifestFormat) throws -> FilePath? {
        let record = plan.record
        if format.isCompressed { return try Self.existing(workFolder.inflated(record.id)) }
        return try Self.existing(record.claimedPath) ?? plan.closing.destination.flatMap(Self.existing)
    }

    private static func existing(_ path: FilePath) throws -> FilePath? { try FileLook.exists(path) ? path : nil }

    /// Writes the failed rows as they stood, one a line, so that they can be mended and dropped again.
    ///
    /// - Returns: whether there is such a file.
    private func writeFailed(_ rows: RowSet) throws -> Bool {
        guard let format = ManifestFormat(fileName: plan.record.path.string), let source = try source(format) else {
            // The manifest leaves only after its failed rows were written.
            return try FileLook.exists(plan.failedRowsPath)
        }
        try DurableRename.createFolder(plan.failedRowsPath.removingLastComponent())
        let output = try AtomicFile.writer(to: plan.failedRowsPath, making: making)
        let manifest = try ManifestFile(path: source, format: ManifestFormat(format.layout))
        var isFirst = true
        let policy = plan.watch.policy
        var header: ManifestHeader?
        let isEnvelope = plan.failedRowsPath.string.hasSuffix(".json")
        if isEnvelope {
            header = try ManifestSurvey.run(manifest, policy: policy) { _ in }.header
            try output.append(Self.opening(header))
        }
        _ = try ManifestSurvey.run(manifest, policy: policy) { row in
            guard rows.contains(row.index) else { return }
            if !isFirst, isEnvelope { try output.append(Array(",\n".utf8)) }
            isFirst = false
            var bytes = try manifest.bytes(in: row.byteRange)
            // A break outside a string is only space, and inside one it would not be JSON.
            for index in bytes.indices where bytes[index] == 0x0a || bytes[index] == 0x0d { bytes[index] = 0x20 }
            if !isEnvelope { bytes.append(0x0a) }
            try output.append(bytes)
        }
        if isEnvelope { try output.append(Array("\n]}\n".utf8)) }
        try output.commit(durable: false)
        return true
    }

    /// The envelope's own words, without which its rows would mean something else.
    private static func opening(_ header: ManifestHeader?) -> [UInt8] {
        var bytes = Array("{".utf8)
        func key(_ name: String) { bytes += Array("\"\(name)\": ".utf8) }
        if let dataset = header?.datasetID {
            key("dataset_id")
            JSONText.appendString(dataset.rawValue.utf8, to: &bytes)
            bytes += Array(", ".utf8)
        }
        if let operation = header?.operation {
            key("operation")
            JSONText.appendString(operation.rawValue.utf8, to: &bytes)
            bytes += Array(", ".utf8)
        }
        if let defaults = header?.defaults {
            key("defaults")
            bytes += defaults
            bytes += Array(", ".utf8)
        }
        return bytes + Array("\"rows\": [\n".utf8)
    }
}

/// A set of row numbers as bits: an eighth of a byte a row, whatever the pattern.
package struct RowSet {
    private var words: [UInt64] = []
    package private(set) var isEmpty = true

    package init() {}

    package mutating func insert(_ row: Int) {
        let word = row >> 6
        if word >= words.count {
            words.append(contentsOf: repeatElement(0, count: max(word + 1 - words.count, words.count)))
        }
        words[word] |= 1 << UInt64(row & 63)
        isEmpty = false
    }

    package func contains(_ row: Int) -> Bool {
        let word = row >> 6
        return word < words.count && words[word] & 1 << UInt64(row & 63) != 0
    }
}
