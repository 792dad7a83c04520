/// A value of the configuration, typed but not yet put into its struct.
enum SettingsValue: Sendable, Hashable {
    case null
    case text(String)
    case boolean(Bool)
    case integer(Int64)
    case duration(Duration)
    case texts([String])
    /// By name, each value as it would be written.
    case mapping([String: String])

    /// Writes the value in one line of YAML that reads back as the same value.
    func yaml(as kind: SettingsKind) -> String {
        switch self {
        case .null: "null"
        case .text(let text): Self.quoted(text)
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number):
            if case .size = kind { SizeText.format(number) } else { "\(number)" }
        case .duration(let duration): DurationText.format(duration)
        case .texts(let texts): "[" + texts.map(Self.quoted).joined(separator: ", ") + "]"
        case .mapping(let members): Self.mapping(members, kind)
        }
    }

    private static func mapping(_ members: [String: String], _ kind: SettingsKind) -> String {
        let texts: [String]
        if case .sizes(let names) = kind {
            // A size or null, neither of which needs quotes.
            texts = names.compactMap { name in members[name].map { "\(name): \($0)" } }
        } else {
            texts = members.sorted { $0.key < $1.key }.map { "\(quotedAlways($0.key)): \(quotedAlways($0.value))" }
        }
        return "{" + texts.joined(separator: ", ") + "}"
    }

    /// Quotes a text unless every YAML reader takes it for the same text without quotes.
    static func quoted(_ text: String) -> String {
        // Words that YAML 1.1 readers take for something else; `off` is one that we use.
        let taken = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        let isPlain =
            text.first.map { $0.isASCII && ($0.isLetter || $0 == "/") } == true
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_./".unicodeScalars.contains($0))
            }
            && !taken.contains(text.lowercased())
        return isPlain ? text : quotedAlways(text)
    }

    /// Writes a text between double quotes.
    static func quotedAlways(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || [0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF].contains(scalar.value):
                let hex = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
