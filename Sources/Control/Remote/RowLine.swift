public import DataRows
public import LabelboxAPI
public import Reporting

/// A row of Labelbox as `datarowctl` prints it, after docs/schemas/data-row.schema.json.
public struct RowLine: Sendable, JSONWritable {
    public var row: ListedRow
    /// The dataset that it was found in, where the row itself does not say.
    public var dataset: DatasetID?

    public init(_ row: ListedRow, dataset: DatasetID? = nil) {
        self.row = row
        self.dataset = row.dataset ?? dataset
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", row.id.rawValue)
            json.member("external_id", row.externalID)
            json.member("global_key", row.globalKey)
            json.member("row_data", row.rowData)
            json.member("dataset_id", dataset?.rawValue)
            json.member("created_at", row.createdAt)
            json.member("updated_at", row.updatedAt)
            if let attributes = row.mediaAttributes { json.member("media_attributes") { $0.raw(attributes.utf8) } }
            if let fields = row.metadataFields { json.member("metadata_fields") { $0.raw(fields.utf8) } }
        }
    }

    /// All of it, a line for each thing.
    public var lines: [String] {
        let parts: [(String, String?)] = [
            ("id", row.id.rawValue), ("external id", row.externalID), ("global key", row.globalKey),
            ("dataset", dataset?.rawValue), ("created", row.createdAt), ("updated", row.updatedAt),
            ("row data", row.rowData), ("attributes", row.mediaAttributes), ("metadata", row.metadataFields),
        ]
        return parts.compactMap { name, value in
            value.map { "\(name.padded(to: 12))\(VisibleText.of($0))" }
        }
    }

    /// Who it is, in a line of an error.
    var summary: String {
        var text = row.id.rawValue
        if let dataset { text += ", dataset \(dataset)" }
        if let key = row.globalKey { text += ", global key \(VisibleText.of(key))" }
        if let created = row.createdAt { text += ", created \(created)" }
        return text
    }
}

/// Rows of Labelbox, one a line.
public enum RowTable {
    /// Longer data is cut even where nothing else is: a table of whole texts is none.
    private static let dataWidth = 80

    public static func lines(_ rows: [RowLine], width: Int?) -> [String] {
        var table = TextTable([
            .init("ID"), .init("EXTERNAL ID", cut: .end), .init("GLOBAL KEY", cut: .end), .init("CREATED"),
            .init("ROW DATA", cut: .end),
        ])
        for line in rows {
            table.add([
                line.row.id.rawValue, line.row.externalID ?? "-", line.row.globalKey ?? "-",
                line.row.createdAt ?? "-",
                VisibleText.fit(VisibleText.of(line.row.rowData ?? "-"), columns: dataWidth),
            ])
        }
        return table.lines(width: width)
    }
}

extension String {
    func padded(to columns: Int) -> String { self + String(repeating: " ", count: max(1, columns - count)) }
}
