internal import DataRows
public import Ledger

extension SubmitMutation {
    /// How the rows are written for it.
    var form: RowWriter.Form {
        switch self {
        case .upsertDataRows: .upsert
        case .appendRowsToDataset: .append
        case .createDataRow: .single
        }
    }
}

extension Importer {
    /// How many rows a submission may have at most when it is handed over in a way.
    public static func mostRows(for mutation: SubmitMutation) -> Int {
        mutation == .createDataRow ? Submitting.rowsCreatedTogether : .max
    }
}

extension SubmissionRecord {
    /// Whether every row of it is a new one, so that a row that exists is one that was created.
    var onlyCreates: Bool {
        operation == RowOperation.create.rawValue
            || submitWith != .upsertDataRows && operation != RowOperation.delete.rawValue
    }
}
