internal import DataRows
public import LabelboxAPI
public import Reporting

/// A dataset as `datarowctl` prints it.
public struct DatasetLine: Sendable, JSONWritable {
    public var dataset: DatasetInfo

    public init(_ dataset: DatasetInfo) { self.dataset = dataset }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", dataset.id.rawValue)
            json.member("name", dataset.name)
            json.member("description", dataset.description)
            json.member("row_count", dataset.rowCount)
            json.member("created_at", dataset.createdAt)
            json.member("updated_at", dataset.updatedAt)
        }
    }

    /// All of it, a line for each thing.
    public var lines: [String] {
        let parts: [(String, String?)] = [
            ("id", dataset.id.rawValue), ("name", dataset.name), ("description", dataset.description),
            ("rows", dataset.rowCount.map(String.init)), ("created", dataset.createdAt),
            ("updated", dataset.updatedAt),
        ]
        return parts.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "\(name.padded(to: 13))\(VisibleText.of($0))" }
        }
    }

    /// Datasets, one a line.
    public static func table(_ datasets: [DatasetLine], width: Int?) -> [String] {
        var table = TextTable([
            .init("ID"), .init("NAME", cut: .end), .init("ROWS", isRight: true), .init("UPDATED"),
        ])
        for line in datasets {
            table.add([
                line.dataset.id.rawValue, line.dataset.name, line.dataset.rowCount.map(String.init) ?? "-",
                line.dataset.updatedAt ?? "-",
            ])
        }
        return table.lines(width: width)
    }
}

/// Pages through lists that are asked for by how many to leave out.
public enum OffsetPages {
    /// Labelbox's own client asks for so many; a shorter page is the last.
    public static let size = 100

    /// Goes through the pages.
    ///
    /// - Parameters:
    ///   - fetch: Asks for a page: how many elements to leave out, and how many to give.
    ///   - body: Given each page that is not empty.
    /// - Returns: How many elements there were.
    /// - Throws: What the two throw.
    public static func forEach<Element>(
        _ fetch: (_ skip: Int, _ limit: Int) async throws -> [Element], _ body: ([Element]) async throws -> Void
    ) async throws -> Int {
        var count = 0
        while true {
            let page = try await fetch(count, size)
            count += page.count
            if !page.isEmpty { try await body(page) }
            // One that is longer was not asked for, and the next could only repeat it.
            guard page.count == size else { return count }
        }
    }
}
