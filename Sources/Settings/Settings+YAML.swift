internal import SystemPackage

extension Settings {
    /// Writes the whole configuration, every key with its value, as YAML that reads back as the same configuration.
    ///
    /// - Parameter redacted: whether a password in the proxy's address is left out; then that one value differs.
    /// - Returns: the text, defaults included.
    public func effectiveYAML(redacted: Bool = true) -> String {
        var text = ""
        func write(_ values: [String: SettingsValue], _ section: SettingsSection, indent: String, first: String? = nil)
        {
            for (index, key) in SettingsKey.keys(of: section).enumerated() {
                guard let value = values[key.name] else { preconditionFailure("\(key.name) is not written") }
                text += "\(index == 0 ? first ?? indent : indent)\(key.name): \(value.yaml(as: key.kind))\n"
            }
        }
        var labelbox = labelbox
        if redacted { labelbox.proxy = labelbox.proxy.map(Self.withoutPassword) }
        text += "labelbox:\n"
        write(labelbox.values, .labelbox, indent: "  ")
        text += "state_directory: \(SettingsValue.quoted(stateDirectory.string))\nledger: sqlite\nhttp:\n"
        write(http.values, .http, indent: "  ")
        text += "log:\n"
        write(log.values, .log, indent: "  ")
        text += "watches:\n"
        for watch in watches { write(watch.values, .watch, indent: "    ", first: "  - ") }
        return text
    }

    /// What is allowed and yet probably not meant, one sentence each, for the log and `config check`.
    public var warnings: [String] {
        var warnings: [String] = []
        if labelbox.endpoint.hasPrefix("http://"), !Self.isLoopback(labelbox.endpoint) {
            warnings.append("labelbox.endpoint is not https: the API key and the data cross the network in the clear")
        }
        for watch in watches where watch.operations.contains(.delete) {
            warnings.append("watch \(watch.name) allows manifests to delete data rows with their labels")
        }
        for watch in watches where watch.looseMedia == .import {
            guard watch.operation == .update || watch.operation == .delete else { continue }
            warnings.append(
                "watch \(watch.name) imports loose media, which can only be created, with operation: "
                    + "\(watch.operation.rawValue); set loose_media: ignore")
        }
        for watch in watches where watch.globalKey == .off {
            warnings.append(
                "watch \(watch.name) sends rows without global keys: after a fault a row may be created twice")
        }
        return warnings
    }

    private static func withoutPassword(_ url: String) -> String {
        // By scalars: a mark that combines with the sign before it would hide it.
        let url = url.unicodeScalars
        guard let scheme = url.firstRange(of: "://".unicodeScalars) else { return "redacted" }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return String(url) }
        return "\(Substring(url[..<scheme.upperBound]))redacted\(Substring(rest[at...]))"
    }

    private static func isLoopback(_ url: String) -> Bool {
        ["http://127.", "http://localhost", "http://[::1]"].contains { url.hasPrefix($0) }
    }
}
