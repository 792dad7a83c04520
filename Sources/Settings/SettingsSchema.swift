/// The JSON Schema of the configuration, for editors and tests.
public enum SettingsSchema {
    /// The text of `docs/schemas/config.schema.json`, made from the table of keys.
    ///
    /// It says what a single key may hold. What keys mean to each other (paths that overlap, names
    /// that stand twice) only the program says.
    public static let text: String = schema.text(indent: "") + "\n"

    private static let schema: JSON = {
        var members: [(String, JSON)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("datarowd configuration")),
        ]
        members += object(.top)
        members.append(
            ("$defs", .object([("watch", .object(object(.watch))), ("defaults", .object(object(.defaults)))])))
        return .object(members)
    }()

    private static func object(_ section: SettingsSection) -> [(String, JSON)] {
        let keys = SettingsKey.keys(of: section)
        // The dataset may stand under `defaults`.
        let required = keys.filter { $0.defaultText == nil && $0.name != "dataset" }.map { JSON.string($0.name) }
        var members: [(String, JSON)] = [
            ("type", .string("object")), ("additionalProperties", .bool(false)),
            ("properties", .object(keys.map { ($0.name, property($0)) })),
        ]
        if section != .defaults, !required.isEmpty { members.append(("required", .array(required))) }
        return members
    }

    private static func property(_ key: SettingsKey) -> JSON {
        var members: [(String, JSON)] = [("description", .string(key.doc))]
        let shape = shape(key.kind)
        if key.isNullable {
            members += [("anyOf", .array([.object([("type", .string("null"))]), .object(shape)])), ("default", .null)]
        } else {
            members += shape
            if let value = key.defaultValue { members.append(("default", value)) }
        }
        return .object(members)
    }

    private static func shape(_ kind: SettingsKind) -> [(String, JSON)] {
        func string(_ pattern: String) -> [(String, JSON)] {
            [("type", .string("string")), ("pattern", .string(pattern))]
        }
        func list(_ items: [(String, JSON)]) -> [(String, JSON)] {
            [("type", .string("array")), ("items", .object(items))]
        }
        func optional(_ section: JSON) -> [(String, JSON)] {
            [("anyOf", .array([.object([("type", .string("null"))]), section]))]
        }
        switch kind {
        case .text: return string("^.+$")
        case .name: return string(#"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"#)
        case .identifier: return string(#"^\S+$"#)
        case .path: return string(#"^/"#)
        case .url(let schemes): return string("^(\(schemes.joined(separator: "|")))://[^\\s/?#]\\S*$")
        case .address: return string(#"^(\[[0-9A-Fa-f:.]+\]|[^:\s/\[\]]+):[0-9]{1,5}$"#)
        case .ledger: return [("const", .string("sqlite"))]
        case .boolean: return [("type", .string("boolean"))]
        case .integer(let range):
            return [
                ("type", .string("integer")), ("minimum", .number(range.lowerBound)),
                ("maximum", .number(range.upperBound)),
            ]
        case .automatic(let range):
            return [
                (
                    "anyOf",
                    .array([.object([("const", .string("auto"))]), .object(shape(.integer(range)))])
                )
            ]
        case .duration:
            return [
                ("anyOf", .array([.object([("const", .number(0))]), .object(string("^(0|[0-9]+ ?(ms|s|m|h|d))$"))]))
            ]
        case .size: return string("^[0-9]+ ?(B|[kK]B|KiB|MB|MiB|GB|GiB|TB|TiB)$")
        case .choice(let allowed): return [("enum", .array(allowed.map(JSON.string)))]
        case .choices(let allowed):
            return list([("enum", .array(allowed.map(JSON.string)))]) + [
                ("minItems", .number(1)), ("uniqueItems", .bool(true)),
            ]
        case .texts: return list([("type", .string("string")), ("minLength", .number(1))])
        case .paths: return list(string("^/"))
        case .timetable:
            return [
                (
                    "anyOf",
                    .array([
                        .object([("type", .string("integer")), ("minimum", .number(0))]),
                        .object(string("^\\S(.*\\S)?$")),
                    ])
                )
            ]
        case .hours:
            return list(string("^([A-Za-z]+(-[A-Za-z]+)? +)?[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"))
        case .sizes(let names):
            let size = JSON.object([
                ("anyOf", .array([.object([("type", .string("null"))]), .object(shape(.size(1...1)))]))
            ])
            return [
                ("type", .string("object")), ("additionalProperties", .bool(false)),
                ("properties", .object(names.map { ($0, size) })),
            ]
        case .contentTypes:
            return [
                ("type", .string("object")), ("propertyNames", .object([("pattern", .string("^\\.[^./\\s]+$"))])),
                ("additionalProperties", .object(string("^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$"))),
            ]
        case .section(.defaults): return optional(.object([("$ref", .string("#/$defs/defaults"))]))
        case .section(let section): return optional(.object(object(section)))
        case .sections:
            return list([("$ref", .string("#/$defs/watch"))]) + [("minItems", .number(1))]
        }
    }
}

extension SettingsKey {
    /// The default as JSON.
    fileprivate var defaultValue: JSON? {
        switch kind {
        case .section, .sections: return nil
        default: break
        }
        guard defaultText != nil else { return nil }
        switch (SettingsValues([:], section).value(name), kind) {
        case (.null, _): return .null
        case (.text(let text), _): return .string(text)
        case (.boolean(let flag), _): return .bool(flag)
        case (.integer(let number), .size): return .string(SizeText.format(number))
        case (.integer(let number), _): return .number(Int(number))
        case (.duration(let duration), _): return .string(DurationText.format(duration))
        case (.texts(let texts), _): return .array(texts.map(JSON.string))
        case (.mapping(let members), .sizes(let names)):
            return .object(names.map { ($0, members[$0].map { $0 == "null" ? .null : .string($0) } ?? .null) })
        case (.mapping(let members), _):
            return .object(members.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        }
    }
}

/// As much of JSON as a schema needs, with members in the order in which they were given.
private enum JSON {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    func text(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .number(let number): return "\(number)"
        case .string(let string): return Self.quoted(string)
        case .array(let items):
            let texts = items.map { $0.text(indent: inner) }
            let line = "[" + texts.joined(separator: ", ") + "]"
            if line.count <= 80, !line.contains("\n") { return line }
            return "[\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members):
            let texts = members.map { "\(Self.quoted($0.0)): \($0.1.text(indent: inner))" }
            let line = "{" + texts.joined(separator: ", ") + "}"
            if line.count <= 80, !line.contains("\n") { return line }
            return "{\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        // The table holds no control characters.
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
