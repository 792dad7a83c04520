import Foundation

/// A JSON value, to look things up in.
enum JSON: Decodable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([String: JSON].self) {
            self = .object(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .list(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }

    init(_ data: Data) throws { self = try JSONDecoder().decode(JSON.self, from: data) }
    init(_ text: String) throws { try self.init(Data(text.utf8)) }

    /// A member; `.null` where there is none.
    subscript(key: String) -> JSON {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }

    var string: String? { if case .string(let value) = self { value } else { nil } }
    var int: Int? { if case .number(let value) = self { Int(value) } else { nil } }
    var list: [JSON] { if case .list(let value) = self { value } else { [] } }

    /// The object without some of its members.
    func without(_ keys: String...) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !keys.contains($0.key) })
    }
}

/// Reads a file of JSON lines.
func jsonLines(_ data: Data) throws -> [JSON] {
    try data.split(separator: 0x0a).map { try JSON(Data($0)) }
}
