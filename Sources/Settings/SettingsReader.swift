internal import Yams

/// Reads mappings of YAML by the table of keys, and gathers everything that is wrong.
struct SettingsReader {
    /// A value and where it stands.
    struct Located {
        let value: SettingsValue
        let mark: Mark?
    }

    /// The keys of one mapping that were given, and the mappings below it.
    struct Section {
        var values: [String: Located] = [:]
        var nested: [String: Node] = [:]
        let mark: Mark?
        let path: String
        /// Whether it was a mapping at all; what is missing in something else is not worth telling.
        var isMapping = true
    }

    let file: String
    private(set) var problems: [SettingsProblem] = []

    init(file: String) { self.file = file }

    mutating func report(_ code: SettingsProblem.Code, at mark: Mark?, _ path: String, _ message: String) {
        problems.append(
            SettingsProblem(
                code: code, file: file, line: mark?.line, column: mark?.column, keyPath: path, message: message))
    }

    /// Reads one mapping; what cannot be read is reported and left out.
    mutating func read(_ node: Node, as section: SettingsSection, path: String) -> Section {
        var result = Section(mark: node.mark, path: path)
        if case .scalar(let scalar) = node, Self.isNull(scalar) { return result }
        guard case .mapping(let mapping) = node else {
            report(.wrongType, at: node.mark, path, "must be a mapping of keys to values, not \(Self.describe(node))")
            result.isMapping = false
            return result
        }
        let keys = SettingsKey.keys(of: section)
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let scalar) = keyNode else {
                report(.unknownKey, at: keyNode.mark, path, "a key must be a word, not \(Self.describe(keyNode))")
                continue
            }
            let keyPath = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
            guard let key = keys.first(where: { $0.name == scalar.string }) else {
                reportUnknown(scalar.string, in: section, at: scalar.mark, keyPath)
                continue
            }
            switch key.kind {
            case .section, .sections: result.nested[key.name] = valueNode
            default:
                if let value = self.value(of: valueNode, for: key, path: keyPath) {
                    result.values[key.name] = Located(value: value, mark: valueNode.mark)
                }
            }
        }
        return result
    }

    private mutating func reportUnknown(_ name: String, in section: SettingsSection, at mark: Mark?, _ path: String) {
        if ["api_key", "apikey", "api-key", "key", "token", "apiKey"].contains(name) {
            report(
                .secret, at: mark, path,
                "a key does not belong in this file; put it in a file of its own that only datarowd can read, and name "
                    + "that in labelbox.api_key_file")
            return
        }
        if section == .defaults, name == "name" || name == "path" {
            report(.unknownKey, at: mark, path, "\"\(name)\" belongs in each watch; watches cannot share one")
            return
        }
        let names = SettingsKey.keys(of: section).map(\.name)
        if let nearest = NearestKey.find(name, among: names) {
            report(.unknownKey, at: mark, path, "unknown key; did you mean \"\(nearest)\"?")
            return
        }
        if let home = SettingsKey.all.first(where: { $0.name == name })?.section {
            report(.unknownKey, at: mark, path, "unknown key here; it belongs \(Self.place(home))")
            return
        }
        report(.unknownKey, at: mark, path, "unknown key; known here are \(names.joined(separator: ", "))")
    }

    private static func place(_ section: SettingsSection) -> String {
        switch section {
        case .top: "at the top of the file"
        case .labelbox, .http, .log: "under \"\(section.rawValue)\""
        case .watch, .defaults: "in a watch or under \"defaults\""
        }
    }

    static func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// What stands there, in words, without its text: it may be a secret in the wrong place.
    static func describe(_ node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        case .scalar(let scalar): isNull(scalar) ? "nothing" : "a single value"
        }
    }
}
