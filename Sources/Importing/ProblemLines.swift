internal import DataRows
internal import Files
internal import Foundation
internal import Ledger
internal import Results
internal import SystemPackage

/// The results of rows that were rejected while a manifest was read.
///
/// A few stay in memory and then in the ledger; more go to a file.
struct ProblemLines {
    private static let inlineBytes = 4 << 10

    private var bytes: [UInt8] = []
    private var writer: AtomicFileWriter?
    private var path: FilePath?
    private var firstRow: Int?

    /// Adds the line of a rejected row; rows come in ascending order.
    mutating func append(
        _ problems: [RowProblem], row: Int, names: RowNames, part: FilePath, createFolder: () throws -> Void
    ) throws {
        guard let first = problems.first else { return }
        if firstRow == nil { firstRow = row }
        let message = problems.map(\.message).joined(separator: "; ")
        ResultLine(
            row: row, globalKey: names.globalKey?[...], externalID: names.externalID?[...], outcome: .rejected,
            failure: .init(code: first.code, message: message)
        ).append(to: &bytes)
        guard bytes.count > Self.inlineBytes else { return }
        if writer == nil {
            try createFolder()
            writer = try AtomicFile.writer(to: part)
            path = part
        }
        try writer?.append(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Makes the lines durable; `nil` when there are none.
    mutating func end(firstRow _: Int) throws -> ResultsPart? {
        guard let firstRow else { return nil }
        guard let writer, let path else { return ResultsPart(firstRow: firstRow, lines: .inline(Data(bytes))) }
        try writer.append(bytes)
        try writer.commit(durable: true)
        return ResultsPart(firstRow: firstRow, lines: .file(path))
    }
}
