internal import Yams

extension SettingsReader {
    /// Reads a mapping of names to sizes.
    mutating func sizes(_ node: Node, _ names: [String], for key: SettingsKey, path: String) -> SettingsValue? {
        members(node, for: key, path: path) { reader, name, mark, path in
            guard !names.contains(name) else { return true }
            let nearest = NearestKey.find(name, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
            reader.report(
                .unknownKey, at: mark, path,
                "unknown kind of media\(nearest); known are \(names.joined(separator: ", "))")
            return false
        } value: { scalar in
            if Self.isNull(scalar) { return ("null", nil) }
            guard let size = SizeText.parse(scalar.string), size > 0 else {
                return (nil, "must be a whole number with a unit, such as 256MiB, or null for no limit")
            }
            return (SizeText.format(size), nil)
        }
    }

    /// Reads a mapping of extensions to content types.
    mutating func contentTypes(_ node: Node, for key: SettingsKey, path: String) -> SettingsValue? {
        members(node, for: key, path: path) { reader, name, mark, path in
            let rest = name.dropFirst()
            if name.first == ".", !rest.isEmpty, !rest.contains(where: { $0 == "." || $0 == "/" || $0.isWhitespace }),
                name == name.lowercased()
            {
                return true
            }
            reader.report(
                .notAllowed, at: mark, path, "must be an extension with its dot, in lower case, such as \".xyz\"")
            return false
        } value: { scalar in
            let parts = scalar.string.split(separator: "/", omittingEmptySubsequences: false)
            let isType = parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isTypeByte) }
            return isType ? (scalar.string, nil) : (nil, "must be a content type, such as \"application/foo\"")
        }
    }

    /// Of a content type: letters, digits and a few signs (RFC 6838).
    private static func isTypeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$&-^_.+".utf8.contains(byte)
        }
    }

    private mutating func members(
        _ node: Node, for key: SettingsKey, path: String,
        name isAllowed: (inout SettingsReader, String, Mark?, String) -> Bool,
        value read: (Node.Scalar) -> (text: String?, problem: String?)
    ) -> SettingsValue? {
        guard case .mapping(let mapping) = node else {
            report(.wrongType, at: node.mark, path, "must be \(key.kind.words), not \(Self.describe(node))")
            return nil
        }
        let before = problems.count
        var members: [String: String] = [:]
        for (nameNode, valueNode) in mapping {
            guard case .scalar(let name) = nameNode else {
                report(.wrongType, at: nameNode.mark, path, "a key must be a word, not \(Self.describe(nameNode))")
                continue
            }
            let place = "\(path).\(name.string)"
            guard isAllowed(&self, name.string, name.mark, place) else { continue }
            guard case .scalar(let scalar) = valueNode else {
                report(.wrongType, at: valueNode.mark, place, "must be a single value, not \(Self.describe(valueNode))")
                continue
            }
            let (text, problem) = read(scalar)
            if let problem { report(.wrongType, at: scalar.mark, place, problem) }
            members[name.string] = text
        }
        return problems.count == before ? .mapping(members) : nil
    }
}
