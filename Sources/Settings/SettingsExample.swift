/// The example file: every key with its default and what it means.
public enum SettingsExample {
    /// The text of `config/datarowd.yaml`, made from the table of keys.
    public static let full: String = {
        var text = """
            # datarowd: every key with its default.
            #
            # Only the watches must be given. Lengths of time: 500ms 2s 10m 1h 1d; sizes: 10MB 64KiB.
            # Check a file with `datarowctl config check`, and see the effective one with `datarowctl config show`.

            """
        for key in SettingsKey.keys(of: .top) {
            text += "\n# \(key.doc)\n"
            switch key.kind {
            case .section(.defaults): text += "\(key.name): {}\n"
            case .section(let section):
                text += "\(key.name):\n"
                for inner in SettingsKey.keys(of: section) { text += entry(inner, indent: "  ") }
            case .sections(let section):
                text += "\(key.name):\n"
                for (index, inner) in SettingsKey.keys(of: section).enumerated() {
                    text += entry(inner, indent: "    ", dash: index == 0)
                }
            default: text += "\(key.name): \(key.defaultText ?? "")\n"
            }
        }
        return text
    }()

    /// The values that stand for those that must be given.
    static let given = ["name": "cats", "path": "/var/spool/datarowd/cats", "dataset": "ckxxxxxxxxxxxxxxxxxxxxxxx"]

    private static func entry(_ key: SettingsKey, indent: String, dash: Bool = false) -> String {
        let lead = dash ? "\(indent.dropLast(2))- " : indent
        let value = key.defaultText ?? given[key.name] ?? ""
        return "\(indent)# \(key.doc)\(key.note)\n\(lead)\(key.name): \(value)\n"
    }
}

extension SettingsKey {
    /// What the doc line of the key leaves open.
    fileprivate var note: String {
        switch kind {
        case .integer(let range), .automatic(let range): " (\(range.lowerBound) to \(range.upperBound))"
        case .duration(let range):
            " (\(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound)))"
        case .size(let range): " (up to \(SizeText.format(range.upperBound)))"
        case .choice(let allowed) where !allowed.allSatisfy(doc.contains): " (\(allowed.joined(separator: ", ")))"
        default: ""
        }
    }
}
