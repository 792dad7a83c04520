internal import DataRows
internal import Foundation
internal import Ledger

/// How things were on the server before a submission that changes rows was called, as far as rows are judged by it.
///
/// It is kept with the submission: after the call, a row that was created looks like one that was updated.
struct Findings: Codable, Sendable {
    private var segments: [Int64: Segment] = [:]

    /// Row numbers as runs.
    private struct Segment: Sendable {
        /// Rows whose global key existed.
        var present = RowRuns()
        /// Rows that update what does not exist, and so are not sent.
        var missing = RowRuns()
    }

    /// Takes in a row; rows of a segment come in ascending order.
    mutating func add(segment: Int64, row: Int, isPresent: Bool, isMissing: Bool) {
        if isPresent { segments[segment, default: Segment()].present.append(row) }
        if isMissing { segments[segment, default: Segment()].missing.append(row) }
    }

    func wasPresent(_ segment: Int64, _ row: Int) -> Bool { segments[segment]?.present.contains(row) ?? false }

    func isMissing(_ segment: Int64, _ row: Int) -> Bool { segments[segment]?.missing.contains(row) ?? false }

    /// Whether a row is not sent.
    func isLeftOut(_ segment: Int64, _ row: Int) -> Bool { isMissing(segment, row) }

    // MARK: As it is kept

    private struct Entry: Codable {
        var segment: Int64
        var present: String
        var missing: String
    }

    init() {}

    init(from decoder: any Decoder) throws {
        for entry in try [Entry](from: decoder) {
            segments[entry.segment] = Segment(
                present: RowRuns(encoded: entry.present) ?? RowRuns(),
                missing: RowRuns(encoded: entry.missing) ?? RowRuns())
        }
    }

    func encode(to encoder: any Encoder) throws {
        try segments.sorted { $0.key < $1.key }.map {
            Entry(segment: $0.key, present: $0.value.present.encoded, missing: $0.value.missing.encoded)
        }.encode(to: encoder)
    }

    func encoded() throws -> Data { try JSONEncoder().encode(self) }

    static func decode(_ data: Data) throws -> Findings { try JSONDecoder().decode(Findings.self, from: data) }
}

extension SubmissionRecord {
    /// Whether some of its rows may change rows that exist.
    var changesRows: Bool {
        operation == RowOperation.upsert.rawValue || operation == RowOperation.update.rawValue
    }
}
