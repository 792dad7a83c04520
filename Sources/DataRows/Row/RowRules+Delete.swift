/// What a row that is to be deleted says: which row it is, and nothing else.
extension RowRules {
    static let deleteMessage =
        "the row does not say what to delete: write one of {\"global_key\": \"…\"}, {\"external_id\": \"…\"} and {\"id\": \"…\"}"
    static let deletedPathMessage =
        "a mere string names a file to be imported, and no row to delete: write one of {\"global_key\": \"…\"}, "
        + "{\"external_id\": \"…\"} and {\"id\": \"…\"}"

    /// Looks at one row, which is an object.
    @inline(never)
    func inspectDelete(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ base: Int64, _ members: JSONMembers,
        _ row: inout SurveyedRow
    ) {
        // No key is derived: what the row says is the name of another row.
        row.hasGlobalKey = true
        var reporter = reporter(row, base)
        defer { row.take(reporter) }
        let whole = JSONSlice(bytes: bytes, start: start, end: end)
        for index in 0..<members.count {
            let member = members.list[index]
            let value = JSONSlice(bytes: bytes, start: Int(member.valueStart), end: Int(member.valueEnd))
            switch member.key {
            case .key, .id, .globalKey, .externalID, .datasetID: continue
            default: if value.kind == .null { continue }
            }
            let inner = UnsafeRawBufferPointer(
                start: bytes + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart))
            let name = String(decoding: JSONText.unescapedLossily(inner), as: UTF8.self)
            let key = JSONSlice(bytes: bytes, start: Int(member.keyStart) - 1, end: Int(member.keyEnd) + 1)
            // What describes a row was hardly written to delete it: rather nothing is done than the wrong thing.
            if member.key == .unknown {
                reporter.report(
                    key, "/" + JSONText.pointerToken(name), "unknown_key",
                    "a row that is deleted has no key \"\(name)\": \(Self.nameWord)")
            } else {
                reporter.report(
                    key, "/" + JSONText.pointerToken(name), "content_not_allowed",
                    "a row that is deleted has no \"\(name)\": remove it, or set the operation to create, upsert or "
                        + "update if the row was not to be deleted")
            }
        }
        inspectName(whole, bytes, members, &reporter)
    }

    private static let nameWord = "write only one of \"key\", \"global_key\", \"external_id\" and \"id\""

    private func inspectName(
        _ whole: JSONSlice, _ bytes: UnsafePointer<UInt8>, _ members: JSONMembers, _ reporter: inout RowReporter
    ) {
        let exact = [RowKey.key, .id, .globalKey].filter { members.value($0, in: bytes).map { !$0.isFalsy } ?? false }
        guard exact.count < 2 else {
            let names = exact.map { "\"\($0.text)\"" }.joined(separator: " and ")
            return reporter.report(
                whole, "", "several_names", "the row says by \(names) what to delete, which may be two rows: keep one")
        }
        if let value = members.value(.key, in: bytes), !value.isFalsy {
            switch RowMatch(value) {
            case .globalKey(let key): checkKey(key, "/key/global_key", &reporter)
            case .id(let id): checkText(id, "/key/id", "invalid_id", "the id", &reporter)
            case nil: reporter.report(value, "/key", "invalid_key", Self.keyMessage)
            }
        } else if let value = members.value(.id, in: bytes) {
            checkText(value, "/id", "invalid_id", "the id", &reporter)
        } else if let value = members.value(.globalKey, in: bytes) {
            checkKey(value, "/global_key", &reporter)
        } else if let value = members.value(.externalID, in: bytes) {
            checkText(value, "/external_id", "invalid_external_id", "the external id", &reporter)
        } else {
            reporter.report(whole, "", "missing_key", Self.deleteMessage)
        }
    }

    private func checkKey(_ value: JSONSlice, _ pointer: String, _ reporter: inout RowReporter) {
        let before = reporter.problems.count
        GlobalKeyRules.check(value, pointer, &reporter)
        if reporter.problems.count == before {
            checkText(value, pointer, "invalid_global_key", "the global key", &reporter)
        }
    }

    private func checkText(
        _ value: JSONSlice, _ pointer: String, _ code: String, _ what: String, _ reporter: inout RowReporter
    ) {
        if value.kind != .string {
            reporter.report(value, pointer, code, "\(what) is not a string: put it in quotes")
        } else if value.count == 2 {
            reporter.report(value, pointer, code, "\(what) is empty, and no row is called so: write its name")
        } else if value.string == nil {
            reporter.report(value, pointer, code, "\(what) is no Unicode text, and no row can be called so: correct it")
        }
    }
}

extension SourceRow {
    /// The row that this one of a manifest of deletions names; nil if it names none.
    public var deletionTarget: RowTarget? {
        if let target { return target }
        if let id = value(.id) { return id.string.map(RowTarget.id) }
        if let key = value(.globalKey) { return key.string.map(RowTarget.globalKey) }
        return value(.externalID)?.string.map(RowTarget.externalID)
    }
}
