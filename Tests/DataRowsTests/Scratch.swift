import DataRows
import Foundation
import SystemPackage

/// A folder of a test's own, removed with it.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "datarows-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = FilePath(url.path(percentEncoded: false))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path.string)
    }

    /// What is in the folder.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path.string).sorted()
    }

    /// Writes a manifest and opens it.
    func manifest(_ text: some Sequence<UInt8>, _ name: String = "rows.json") throws -> ManifestFile {
        let file = path.appending(name)
        try Data(text).write(to: URL(filePath: file.string))
        guard let format = ManifestFormat(fileName: name) else { throw Errno.invalidArgument }
        return try ManifestFile(path: file, format: format)
    }

    func manifest(_ text: String, _ name: String = "rows.json") throws -> ManifestFile {
        try manifest(Array(text.utf8), name)
    }
}

/// All that pass 1 tells.
struct Survey: Equatable {
    var summary: SurveySummary
    var rows: [SurveyedRow]

    init(_ manifest: ManifestFile, policy: RowPolicy = RowPolicy(), windowBytes: Int = 1 << 20) throws {
        var rows: [SurveyedRow] = []
        summary = try ManifestSurvey.run(manifest, policy: policy, tuning: .init(windowBytes: windowBytes)) {
            rows.append($0)
        }
        self.rows = rows
    }

    /// Everything as text, so that two surveys can be compared.
    static func == (left: Survey, right: Survey) -> Bool {
        left.summary == right.summary
            && left.rows.map(String.init(describing:)) == right.rows.map(String.init(describing:))
    }
}

/// What pass 2 writes for a whole manifest.
func splice(
    _ manifest: ManifestFile, policy: RowPolicy = RowPolicy(globalKey: .off), form: RowWriter.Form = .upsert,
    ontology: MetadataOntology? = nil, windowBytes: Int = 1 << 18, namesOnly: Bool = false,
    addition: (Int) -> RowAddition = { _ in RowAddition() }
) throws -> (text: String, identities: [RowIdentity], chunk: ChunkBuffer) {
    let survey = try Survey(manifest, policy: policy)
    let context = try RowContext(
        datasetID: DatasetID(rawValue: "set"), policy: policy, summary: survey.summary, ontology: ontology)
    let writer = RowWriter(context, form: form)
    var chunk = ChunkBuffer()
    var identities: [RowIdentity] = []
    if let first = survey.rows.first, let last = survey.rows.last {
        try RowReader.read(
            manifest, byteRange: first.byteRange.lowerBound..<last.byteRange.upperBound, firstRow: 0,
            rowCount: survey.rows.count, policy: policy, windowBytes: windowBytes
        ) { row in
            identities.append(
                try namesOnly
                    ? writer.appendNames(of: row, addition(row.index), to: &chunk)
                    : writer.append(row, addition(row.index), to: &chunk))
        }
    }
    chunk.close()
    return (String(decoding: chunk.bytes, as: UTF8.self), identities, chunk)
}
