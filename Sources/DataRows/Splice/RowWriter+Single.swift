extension RowWriter.Form {
    /// The mutation that takes rows in this form.
    var mutation: String {
        switch self {
        case .upsert: "upsertDataRows"
        case .append: "appendRowsToDataset"
        case .single: "createDataRow"
        }
    }
}

extension RowWriter {
    private static let carried: Set<RowKey> = [.rowData, .externalID, .globalKey, .key, .datasetID]

    /// Refuses a row that has more than a single call can say; to leave some of it out would make another row of it.
    func refuseWhatOneCallCannotCarry(_ row: borrowing SourceRow) throws(RowWritingError) {
        let members = row.members
        // A path in the place of a row has none.
        for index in 0..<(row.isObject ? members.count : 0) {
            let member = members.list[index]
            let value = JSONSlice(bytes: row.base, start: Int(member.valueStart), end: Int(member.valueEnd))
            guard !value.isFalsy else { continue }
            if member.key == .rowData, value.kind != .string {
                throw problem(
                    row, value, "/row_data", "not_supported_by_create_data_row",
                    "createDataRow takes a text or an address as row_data, and nothing else: \(Self.advice)")
            }
            if !Self.carried.contains(member.key) {
                let name = member.key == .unknown ? "a key that is not known" : "\(member.key.name)"
                let pointer = member.key == .unknown ? "" : "/\(member.key.name)"
                throw problem(
                    row, value, pointer, "not_supported_by_create_data_row",
                    "createDataRow carries row_data, external_id and global_key only, and this row has \(name): "
                        + Self.advice)
            }
        }
        for entry in context.defaults.entries
        where !Self.carried.contains(entry.key) && !(row.isObject && row.value(entry.key) != nil) {
            throw problem(
                row, row.whole, "", "not_supported_by_create_data_row",
                "createDataRow carries row_data, external_id and global_key only, and the defaults for this row have "
                    + "\(entry.key.name): \(Self.advice)")
        }
    }

    private static let advice = "leave it out, or set submit_with to upsertDataRows or appendRowsToDataset"
}
