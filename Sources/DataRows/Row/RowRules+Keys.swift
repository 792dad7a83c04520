/// Which keys a row may have, and what it is matched on.
extension RowRules {
    @inline(__always) func hasLegacyShape(_ members: JSONMembers) -> Bool {
        let slots = members.slots
        return max(
            slots[Int(RowKey.conversationalData.rawValue)], slots[Int(RowKey.legacyExternalID.rawValue)],
            slots[Int(RowKey.type.rawValue)], slots[Int(RowKey.version.rawValue)],
            slots[Int(RowKey.tileLayerURL.rawValue)], slots[Int(RowKey.id.rawValue)]) >= 0
    }

    /// Finds keys that mean nothing; false when there is no use in looking further.
    @inline(never)
    func inspectKeys(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ base: Int64, _ members: JSONMembers,
        _ row: inout SurveyedRow
    ) -> Bool {
        var reporter = reporter(row, base)
        defer { row.take(reporter) }
        guard members.total <= JSONMembers.capacity else {
            reporter.report(
                JSONSlice(bytes: bytes, start: start, end: end), "", "too_many_keys",
                "the row has \(members.total) keys; a row has at most \(JSONMembers.capacity)")
            return false
        }
        // An older shape of tiled imagery goes out as it came in, whatever its keys.
        if members.value(.tileLayerURL, in: bytes) != nil { return true }
        let isConversation = members.value(.conversationalData, in: bytes) != nil
        for index in 0..<members.count {
            let member = members.list[index]
            switch member.key {
            case .unknown, .id: break
            case .legacyExternalID, .type, .version:
                if isConversation { continue }
            default: continue
            }
            let value = JSONSlice(bytes: bytes, start: Int(member.valueStart), end: Int(member.valueEnd))
            // A null is as good as nothing, whatever its key.
            if value.kind == .null || isRepeatedAsNull(member, index, members, bytes) { continue }
            let inner = UnsafeRawBufferPointer(
                start: bytes + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart))
            let name = String(decoding: JSONText.unescapedLossily(inner), as: UTF8.self)
            let nearest = NearestName.of(name, among: Self.names)
            let key = JSONSlice(bytes: bytes, start: Int(member.keyStart) - 1, end: Int(member.keyEnd) + 1)
            if member.key == .id {
                reporter.report(
                    key, "/id", "unknown_key",
                    operation == .create
                        ? "a row that is created gets its id from Labelbox: remove \"id\""
                        : "a row has no key \"id\": write \"key\": {\"id\": \"…\"}")
                continue
            }
            reporter.report(
                key, "/" + JSONText.pointerToken(name), "unknown_key",
                nearest.map { "a row has no key \"\(name)\": write \"\($0)\"" }
                    ?? "a row has no key \"\(name)\": remove it; the keys are \(Self.names.joined(separator: ", "))")
        }
        return true
    }

    /// Whether the last of several members with this one's key is null.
    private func isRepeatedAsNull(
        _ member: JSONMember, _ index: Int, _ members: JSONMembers, _ bytes: UnsafePointer<UInt8>
    ) -> Bool {
        func name(_ member: JSONMember) -> [UInt8] {
            JSONText.unescapedLossily(
                UnsafeRawBufferPointer(
                    start: bytes + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart)))
        }
        let own = name(member)
        for later in stride(from: members.count - 1, to: index, by: -1)
        where members.list[later].key == member.key && name(members.list[later]) == own {
            return bytes[Int(members.list[later].valueStart)] == 0x6e
        }
        return false
    }

    private static let names: [String] = RowKey.allCases.filter {
        switch $0 {
        case .unknown, .legacyExternalID, .type, .version, .tileLayerURL, .id: false
        default: true
        }
    }.map(\.text)

    /// Checks `key`: `{"id": "…"}` or `{"global_key": "…"}`.
    @inline(never) func inspectKey(_ value: JSONSlice, _ base: Int64, _ row: inout SurveyedRow) {
        guard operation != .create else {
            var reporter = reporter(row, base)
            reporter.report(
                value, "/key", "key_not_allowed",
                "a row that is created is matched on nothing: remove \"key\", or set the operation to upsert or update")
            return row.take(reporter)
        }
        switch RowMatch(value) {
        case .globalKey(let key):
            row.hasGlobalKey = true
            inspectGlobalKey(key, "/key/global_key", base, &row)
        // An id is no global key, even if it looks like one.
        case .id(let id): row.keyHash = ~GlobalKeyRules.hash(id) | 1
        case nil:
            var reporter = reporter(row, base)
            reporter.report(value, "/key", "invalid_key", Self.keyMessage)
            row.take(reporter)
        }
    }

    /// Checks a global key that the row is to have, or is matched on.
    @inline(__always) func inspectGlobalKey(
        _ value: JSONSlice, _ pointer: StaticString, _ base: Int64, _ row: inout SurveyedRow
    ) {
        if value.kind == .string {
            row.otherKeyHash = row.keyHash
            row.keyHash = GlobalKeyRules.hash(value)
        }
        if GlobalKeyRules.isPlain(value) { return }
        inspectOddKey(value, pointer, base, &row)
    }

    @inline(never) private func inspectOddKey(
        _ value: JSONSlice, _ pointer: StaticString, _ base: Int64, _ row: inout SurveyedRow
    ) {
        var reporter = reporter(row, base)
        GlobalKeyRules.check(value, pointer.description, &reporter)
        row.take(reporter)
    }

    /// What is said of a row for the same key as an earlier one.
    func reportRepeatedKey(_ first: Int, _ whole: JSONSlice, _ base: Int64, _ row: inout SurveyedRow) {
        var reporter = reporter(row, base)
        reporter.report(
            whole, "", "duplicate_global_key",
            operation == .create
                ? "row \(first) of this manifest has the same global key, and there is one row for a key: give this one another, "
                    + "or remove it"
                : "row \(first) of this manifest is for the same data row, and in which order they are applied is not defined: "
                    + "join the two, or put one into a later manifest")
        row.take(reporter)
    }
}

/// What a row is matched on.
enum RowMatch {
    case id(JSONSlice)
    case globalKey(JSONSlice)

    /// Reads the value of `key`; nil unless it has exactly one of `id` and `global_key`, a string that is not empty.
    init?(_ value: JSONSlice) {
        guard value.kind == .object else { return nil }
        var id: JSONSlice?
        var globalKey: JSONSlice?
        var isRight = true
        // Of a repeated key the last counts.
        value.forEachMember { key, value in
            switch key.string {
            case "id": id = value
            case "global_key": globalKey = value
            default: if value.kind != .null { isRight = false }
            }
        }
        if id?.kind == .null { id = nil }
        if globalKey?.kind == .null { globalKey = nil }
        guard isRight, (id == nil) != (globalKey == nil), let value = id ?? globalKey, value.kind == .string,
            value.count > 2
        else { return nil }
        self = id == nil ? .globalKey(value) : .id(value)
    }
}
