public import DataRows

/// Part of a list, and where the next part begins.
public struct Page<Row: Sendable>: Sendable {
    public var rows: [Row]
    /// To be handed in for the next page; nil on the last one.
    public var next: String?
    /// How many rows there are on all pages, where the server says so.
    public var total: Int?

    /// Creates a page; an empty one is the last, whatever its cursor says.
    public init(rows: [Row], next: String?, total: Int? = nil) {
        self.rows = rows
        self.next = rows.isEmpty || next?.isEmpty == true ? nil : next
        self.total = total
    }
}

extension Page: Equatable where Row: Equatable {}

/// A row that an import created or updated.
public struct CreatedRow: Hashable, Sendable {
    public let id: DataRowID
    public let externalID: String?
    public let globalKey: String?
    /// nil when it was not asked for.
    public let rowData: String?

    /// Creates a row as a server would show it.
    public init(id: DataRowID, externalID: String? = nil, globalKey: String? = nil, rowData: String? = nil) {
        self.id = id
        self.externalID = externalID
        self.globalKey = globalKey
        self.rowData = rowData
    }
}

/// A row that an import refused, described by what was sent.
public struct FailedRow: Hashable, Sendable {
    /// The server's words, verbatim.
    public let message: String
    public let externalID: String?
    public let globalKey: String?
    public let rowData: String?

    /// Creates a row as a server would refuse it.
    public init(message: String, externalID: String? = nil, globalKey: String? = nil, rowData: String? = nil) {
        self.message = message
        self.externalID = externalID
        self.globalKey = globalKey
        self.rowData = rowData
    }
}

/// Rows that an import created or updated, and where the next of them begin.
public struct CreatedPage: Equatable, Sendable {
    public let rows: CreatedRows
    /// To be handed in for the next page; nil on the last one.
    public let next: String?
    /// How many rows there are on all pages, where the server says so.
    public let total: Int?

    /// Creates a page; an empty one is the last, whatever its cursor says.
    public init(rows: CreatedRows, next: String?, total: Int? = nil) {
        self.rows = rows
        self.next = rows.isEmpty || next?.isEmpty == true ? nil : next
        self.total = total
    }
}

/// The first pages of what became of a task's rows.
public struct TaskResultPages: Equatable, Sendable {
    public let created: CreatedPage
    public let failed: Page<FailedRow>

    /// Creates the pair.
    public init(created: CreatedPage, failed: Page<FailedRow>) {
        self.created = created
        self.failed = failed
    }
}

extension LabelboxClient {
    /// Pages through the rows that a task created or updated, in no order.
    ///
    /// - Parameters:
    ///   - task: a task that has ended.
    ///   - cursor: the previous page's `next`, nil for the first page.
    ///   - limit: rows a page; Labelbox's own client asks for 5,000.
    ///   - withRowData: whether to fetch `rowData` too, by far the longest field; needed only where neither global key
    ///     nor external id tells the row.
    /// - Returns: a page.
    /// - Throws: ``LabelboxError``.
    public func createdRows(
        of task: TaskID, after cursor: String? = nil, limit: Int, withRowData: Bool = true
    ) async throws(LabelboxError) -> CreatedPage {
        try await perform(CreatedRowsQuery(task: task, cursor: cursor, limit: limit, withRowData: withRowData))
    }

    /// Pages through the rows that a task refused, in no order.
    ///
    /// - Parameters:
    ///   - task: a task that has ended.
    ///   - cursor: the previous page's `next`, nil for the first page.
    ///   - limit: rows a page; Labelbox's own client asks for 5,000.
    ///   - withRowData: whether to fetch `rowData` too.
    /// - Returns: a page.
    /// - Throws: ``LabelboxError``.
    public func failedRows(
        of task: TaskID, after cursor: String? = nil, limit: Int, withRowData: Bool = true
    ) async throws(LabelboxError) -> Page<FailedRow> {
        try await perform(FailedRowsQuery(task: task, cursor: cursor, limit: limit, withRowData: withRowData))
    }

    /// Fetches the first pages of both lists of several tasks in one request.
    ///
    /// - Parameters:
    ///   - tasks: tasks that have ended; a `queryTooComplex` asks for fewer.
    ///   - limit: rows a page, for each of the lists.
    ///   - withRowData: whether to fetch `rowData` too.
    /// - Returns: the tasks that the server knows.
    /// - Throws: ``LabelboxError``.
    public func results(
        of tasks: [TaskID], limit: Int, withRowData: Bool = true
    ) async throws(LabelboxError) -> [TaskID: TaskResultPages] {
        if tasks.isEmpty { return [:] }
        return try await perform(ResultsOfTasks(tasks: tasks, limit: limit, withRowData: withRowData))
    }
}

/// The two lists: how they are asked for, and how they are read.
enum ResultLists {
    static func created(_ arguments: String, withRowData: Bool) -> String {
        // The spelling is the API's.
        "successesfulDataRowImports(data: { \(arguments) }) "
            + "{ nodes { id externalId globalKey\(withRowData ? " rowData" : "") } after total }"
    }

    static func failed(_ arguments: String, withRowData: Bool) -> String {
        "failedDataRowImports(data: { \(arguments) }) "
            + "{ after total results { message spec { externalId globalKey\(withRowData ? " rowData" : "") } } }"
    }

    static func created(_ value: JSONValue) throws(BadAnswer) -> CreatedPage {
        CreatedPage(
            rows: try CreatedRows(nodes: value.required("nodes")), next: value["after"]?.text,
            total: value["total"]?.int)
    }

    static func created(node: JSONValue) throws(BadAnswer) -> CreatedRow {
        CreatedRow(
            id: DataRowID(rawValue: try node.requiredID("id")), externalID: node["externalId"]?.text,
            globalKey: node["globalKey"]?.text, rowData: node["rowData"]?.text)
    }

    static func failed(_ value: JSONValue) throws(BadAnswer) -> Page<FailedRow> {
        let results = try value.requiredArray("results")
        var rows: [FailedRow] = []
        rows.reserveCapacity(results.count)
        for result in results {
            guard result.isObject else { throw BadAnswer(message: "a failed row in the answer is no object") }
            let spec = result["spec"]
            rows.append(
                FailedRow(
                    message: result["message"]?.text ?? "refused without a message",
                    externalID: spec?["externalId"]?.text, globalKey: spec?["globalKey"]?.text,
                    rowData: spec?["rowData"]?.text))
        }
        return Page(rows: rows, next: value["after"]?.text, total: value["total"]?.int)
    }
}

private struct CreatedRowsQuery: GraphQLOperation {
    let task: TaskID
    let cursor: String?
    let limit: Int
    let withRowData: Bool

    let name = "successesfulDataRowImports"
    let kind = RequestKind.read
    var document: String {
        "query CreatedRows($taskId: ID!, $first: Int, $from: String) { "
            + ResultLists.created("taskId: $taskId, first: $first, from: $from", withRowData: withRowData) + " }"
    }
    var variables: JSONValue { pageVariables(task, limit, cursor) }

    let packsLists = true

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> CreatedPage {
        try ResultLists.created(data.required("successesfulDataRowImports"))
    }
}

private struct FailedRowsQuery: GraphQLOperation {
    let task: TaskID
    let cursor: String?
    let limit: Int
    let withRowData: Bool

    let name = "failedDataRowImports"
    let kind = RequestKind.read
    var document: String {
        "query FailedRows($taskId: ID!, $first: Int, $from: String) { "
            + ResultLists.failed("taskId: $taskId, first: $first, from: $from", withRowData: withRowData) + " }"
    }
    var variables: JSONValue { pageVariables(task, limit, cursor) }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Page<FailedRow> {
        try ResultLists.failed(data.required("failedDataRowImports"))
    }
}

private func pageVariables(_ task: TaskID, _ limit: Int, _ cursor: String?) -> JSONValue {
    [
        "taskId": .string(task.rawValue), "first": .number(String(limit)),
        "from": cursor.map(JSONValue.string) ?? .null,
    ]
}

private struct ResultsOfTasks: GraphQLOperation {
    let tasks: [TaskID]
    let limit: Int
    let withRowData: Bool

    let name = "dataRowImports"
    let kind = RequestKind.read
    let packsLists = true

    var document: String {
        let parameters = tasks.indices.map { ", $t\($0): ID!" }.joined()
        let fields = tasks.indices.map { index in
            let arguments = "taskId: $t\(index), first: $first"
            return "c\(index): \(ResultLists.created(arguments, withRowData: withRowData)) "
                + "f\(index): \(ResultLists.failed(arguments, withRowData: withRowData))"
        }
        return "query Results($first: Int\(parameters)) { \(fields.joined(separator: " ")) }"
    }

    var variables: JSONValue {
        .object(
            [.init("first", .number(String(limit)))]
                + tasks.enumerated().map { .init("t\($0)", .string($1.rawValue)) })
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [TaskID: TaskResultPages] {
        var pages: [TaskID: TaskResultPages] = [:]
        for (index, task) in tasks.enumerated() {
            if errors.contains(where: { $0.field == "c\(index)" || $0.field == "f\(index)" }) { continue }
            pages[task] = TaskResultPages(
                created: try ResultLists.created(data.required("c\(index)")),
                failed: try ResultLists.failed(data.required("f\(index)")))
        }
        return pages
    }
}
