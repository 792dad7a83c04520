internal import DataRows

/// Rows that an import created or updated, packed: a page has thousands.
public struct CreatedRows: Sendable, RandomAccessCollection {
    private let objects: PackedObjects
    /// Which keys of the objects are which; nil for those that they have not.
    private let id: Int
    private let externalID: Int?
    private let globalKey: Int?
    private let rowData: Int?

    public var startIndex: Int { 0 }
    public var endIndex: Int { objects.count }

    public subscript(index: Int) -> CreatedRow {
        CreatedRow(
            id: DataRowID(rawValue: objects.text(index, id) ?? ""), externalID: text(index, externalID),
            globalKey: text(index, globalKey), rowData: text(index, rowData))
    }

    private func text(_ index: Int, _ key: Int?) -> String? { key.flatMap { objects.text(index, $0) } }

    /// The id of a row with a global key, and that key, in UTF-8, to be looked at only within `body`.
    ///
    /// - Returns: whether it has a key, so that `body` was called.
    public func withKey(
        at index: Int, _ body: (_ id: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        guard let globalKey else { return false }
        return objects.withText(index, globalKey) { key in
            guard let key else { return false }
            objects.withText(index, id) { id in if let id { body(id, key) } }
            return true
        }
    }

    /// Reads the nodes of an answer.
    init(nodes: JSONValue) throws(BadAnswer) {
        if case .packed(let objects) = nodes, let id = objects.keys.firstIndex(of: "id"),
            Set(objects.keys).count == objects.keys.count
        {
            for index in 0..<objects.count where !Self.isID(objects.length(index, id)) {
                // Says what is wrong with it.
                _ = try ResultLists.created(node: objects.value(index))
            }
            self.init(objects, id: id)
            return
        }
        guard let nodes = nodes.array else { throw BadAnswer(message: "nodes in the answer is no list") }
        var objects = PackedObjects(keys: ["id", "externalId", "globalKey", "rowData"])
        for node in nodes {
            let row = try ResultLists.created(node: node)
            for text in [row.id.rawValue, row.externalID, row.globalKey, row.rowData] {
                guard var text else {
                    objects.append(nil)
                    continue
                }
                text.withUTF8 { objects.append(UnsafeRawBufferPointer($0)) }
            }
        }
        self.init(objects, id: 0)
    }

    private init(_ objects: PackedObjects, id: Int) {
        self.objects = objects
        self.id = id
        externalID = objects.keys.firstIndex(of: "externalId")
        globalKey = objects.keys.firstIndex(of: "globalKey")
        rowData = objects.keys.firstIndex(of: "rowData")
    }

    private static func isID(_ length: Int?) -> Bool { (1...JSONValue.longestID).contains(length ?? 0) }
}

extension CreatedRows: Equatable {
    public static func == (left: CreatedRows, right: CreatedRows) -> Bool { left.elementsEqual(right) }
}
