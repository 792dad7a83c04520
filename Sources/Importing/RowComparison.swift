internal import DataRows
package import LabelboxAPI

/// Whether a row is on the server as it would be sent.
///
/// Only what can be read back is compared. A row with anything else in it is taken to be changed: to send it once too often
/// costs time, to leave it out would lose a change.
package enum RowComparison {
    /// Compares a row of a chunk, `{"id": …, "payload": …}`, with the row that it is for.
    package static func isUnchanged(_ sent: JSONValue, _ current: RowContents) -> Bool {
        guard case .object(let members)? = sent["payload"] else { return false }
        return members.allSatisfy { member in
            switch member.key {
            case "dataset_id": isSame(member.value.string, current.dataset.rawValue)
            case "external_id": isSame(member.value.string, current.row.externalID)
            case "global_key": isSame(member.value.string, current.row.globalKey)
            case "row_data": isSameContent(member.value, current.row.rowData)
            case "attachments": isSame(member.value, current.attachments)
            default: false
            }
        }
    }

    /// Whether a row could be found unchanged at all, and whether its attachments are to be read for that.
    package static func comparable(_ sent: JSONValue) -> (isComparable: Bool, hasAttachments: Bool) {
        guard case .object(let members)? = sent["payload"] else { return (false, false) }
        let known = ["dataset_id", "external_id", "global_key", "row_data", "attachments"]
        return (
            members.allSatisfy { known.contains($0.key) }, members.contains { $0.key == "attachments" }
        )
    }

    /// The same characters, however Unicode would rather write them: another spelling is a change.
    private static func isSame(_ sent: String?, _ current: String?) -> Bool {
        guard let sent, let current else { return false }
        return sent.utf8.elementsEqual(current.utf8)
    }

    /// Objects come back as JSON in a string, with their members in any order.
    private static func isSameContent(_ sent: JSONValue, _ current: String?) -> Bool {
        if case .string(let text) = sent { return isSame(text, current) }
        guard let current, let parsed = try? JSONParser.parse(Array(current.utf8)) else { return false }
        return isSame(sent, parsed)
    }

    private static func isSame(_ sent: JSONValue, _ current: [RowContents.Attachment]) -> Bool {
        guard let entries = sent.array, entries.count == current.count else { return false }
        return zip(entries, current).allSatisfy { entry, attachment in
            guard case .object(let members) = entry else { return false }
            // What is not named has no name on the server, and another key is one that cannot be compared.
            guard members.allSatisfy({ ["type", "value", "name"].contains($0.key) }) else { return false }
            let name = entry["name"]?.string
            return isSame(entry["type"]?.string, attachment.type) && isSame(entry["value"]?.string, attachment.value)
                && (name == nil && attachment.name == nil || isSame(name, attachment.name))
        }
    }

    private static func isSame(_ sent: JSONValue, _ current: JSONValue) -> Bool {
        switch (sent, current) {
        case (.string(let a), .string(let b)): return isSame(a, b)
        case (.array(let a), .array(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
        case (.object(let a), .object(let b)):
            // By their order while that is the same, so that a large object is not searched for each of its keys.
            guard a.count == b.count else { return false }
            return zip(a, b).allSatisfy { isSame($0.key, $1.key) && isSame($0.value, $1.value) }
                || zip(sorted(a), sorted(b)).allSatisfy { isSame($0.key, $1.key) && isSame($0.value, $1.value) }
        case (.number(let a), .number(let b)): return a == b
        case (.bool(let a), .bool(let b)): return a == b
        case (.null, .null): return true
        default: return false
        }
    }

    private static func sorted(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
        members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }
}
