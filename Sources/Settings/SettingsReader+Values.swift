internal import SystemPackage
internal import Yams

extension SettingsReader {
    /// Reads one value, or reports why it cannot be that of its key.
    mutating func value(of node: Node, for key: SettingsKey, path: String) -> SettingsValue? {
        switch key.kind {
        case .texts, .paths, .choices, .hours: return list(node, for: key, path: path)
        case .sizes(let names): return sizes(node, names, for: key, path: path)
        case .contentTypes: return contentTypes(node, for: key, path: path)
        default: break
        }
        guard case .scalar(let scalar) = node else {
            report(.wrongType, at: node.mark, path, "must be \(key.kind.words), not \(Self.describe(node))")
            return nil
        }
        if Self.isNull(scalar) {
            if key.isNullable { return .null }
            report(.wrongType, at: node.mark, path, "must be \(key.kind.words); nothing was given")
            return nil
        }
        return self.scalar(scalar, for: key, path: path)
    }

    private mutating func list(_ node: Node, for key: SettingsKey, path: String) -> SettingsValue? {
        guard case .sequence(let sequence) = node else {
            report(.wrongType, at: node.mark, path, "must be \(key.kind.words), not \(Self.describe(node))")
            return nil
        }
        let before = problems.count
        var texts: [String] = []
        for (index, item) in sequence.enumerated() {
            let itemPath = "\(path)[\(index)]"
            guard case .scalar(let scalar) = item, !Self.isNull(scalar), !scalar.string.isEmpty else {
                report(.wrongType, at: item.mark, itemPath, "must be a text that is not empty")
                continue
            }
            switch key.kind {
            case .paths:
                if let problem = Self.pathProblem(scalar.string) {
                    report(.notAllowed, at: item.mark, itemPath, problem)
                }
            case .hours where QuietHours.spans(scalar.string) == nil:
                report(
                    .notAllowed, at: item.mark, itemPath,
                    "must be times of the week, such as \"Mon-Fri 08:00-18:00\" or \"22:00-06:00\", not "
                        + Self.shown(scalar.string))
            case .choices(let allowed) where !allowed.contains(scalar.string):
                report(.notAllowed, at: item.mark, itemPath, Self.choiceProblem(scalar.string, allowed))
            case .choices where texts.contains(scalar.string):
                report(.duplicate, at: item.mark, itemPath, "\(Self.shown(scalar.string)) stands there twice")
            default: break
            }
            texts.append(scalar.string)
        }
        if case .choices = key.kind, texts.isEmpty, problems.count == before {
            report(.notAllowed, at: node.mark, path, "must name at least one")
        }
        return problems.count == before ? .texts(texts) : nil
    }

    private mutating func scalar(_ scalar: Node.Scalar, for key: SettingsKey, path: String) -> SettingsValue? {
        let text = scalar.string
        let isPlain = scalar.style == .plain
        let words = key.kind.words
        var code = SettingsProblem.Code.notAllowed
        var message: String?
        var value = SettingsValue.text(text)
        switch key.kind {
        case .text:
            if text.isEmpty { message = "must not be empty" }
        case .name:
            if !Self.isName(text) {
                message =
                    "\(Self.shown(text)) must be 1 to 64 letters, digits, dots, underscores or hyphens, no dot first"
            }
        case .identifier:
            if text.isEmpty || text.contains(where: \.isWhitespace) { message = "must be an id without white space" }
        case .path: message = Self.pathProblem(text)
        case .url(let schemes): message = Self.urlProblem(text, schemes, mayHaveUser: key.name == "proxy")
        case .address:
            if ListenAddress(text) == nil { message = "\(Self.shown(text)) must be HOST:PORT, such as 127.0.0.1:9464" }
        case .ledger:
            if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") {
                code = .unavailable
                message = "a PostgreSQL ledger is not available in this version; use \"sqlite\""
            } else if text != "sqlite" {
                message = "must be \"sqlite\""
            }
        case .timetable:
            if BandwidthTimetable(text) == nil {
                message =
                    "must be a limit such as 10M (1K or more a second), off, or times with limits such as "
                    + "\"08:00,512k 19:00,10M 23:00,off\", not \(Self.shown(text))"
            }
        case .boolean:
            value = .boolean(text == "true")
            if !isPlain || (text != "true" && text != "false") {
                code = .wrongType
                message = "must be true or false, without quotes, not \(Self.shown(text))"
            }
        case .integer(let range):
            guard isPlain, let number = Int(text), text.first != "+" else {
                report(.wrongType, at: scalar.mark, path, "must be \(words), not \(Self.shown(text))")
                return nil
            }
            value = .integer(Int64(number))
            if !range.contains(number) { message = "must be \(words), not \(number)" }
        case .automatic(let range):
            if isPlain, text == "auto" { break }
            guard isPlain, let number = Int(text), text.first != "+" else {
                report(.wrongType, at: scalar.mark, path, "must be \(words), not \(Self.shown(text))")
                return nil
            }
            value = .integer(Int64(number))
            if !range.contains(number) { message = "must be \(words), not \(number)" }
        case .duration(let range):
            guard let duration = DurationText.parse(text) else {
                report(.wrongType, at: scalar.mark, path, Self.durationProblem(text))
                return nil
            }
            value = .duration(duration)
            if !range.contains(duration) { message = "must be \(words), not \(Self.shown(text))" }
        case .size(let range):
            guard let size = SizeText.parse(text) else {
                report(
                    .wrongType, at: scalar.mark, path,
                    "must be a whole number with a unit (B, kB, KiB, MB, MiB, GB, GiB, TB, TiB), not \(Self.shown(text))"
                )
                return nil
            }
            value = .integer(size)
            if !range.contains(size) { message = "must be \(words), not \(Self.shown(text))" }
        case .choice(let allowed):
            if !allowed.contains(text) { message = Self.choiceProblem(text, allowed) }
        case .choices, .texts, .paths, .hours, .sizes, .contentTypes, .section, .sections:
            preconditionFailure("\(key.name) is no scalar")
        }
        guard let message else { return value }
        report(code, at: scalar.mark, path, message)
        return nil
    }

    // MARK: What is allowed

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static func pathProblem(_ text: String) -> String? {
        if text.hasPrefix("~") { return "\(shown(text)) must be an absolute path; \"~\" is not expanded" }
        guard text.hasPrefix("/") else { return "\(shown(text)) must be an absolute path, one that begins with \"/\"" }
        guard !text.unicodeScalars.contains(where: { $0.value == 0 }) else { return "must not hold a zero byte" }
        let hasParent = FilePath(text).components.contains { $0.kind == .parentDirectory }
        return hasParent ? "\(shown(text)) must not hold \"..\"" : nil
    }

    private static func urlProblem(_ text: String, _ schemes: [String], mayHaveUser: Bool) -> String? {
        // The text is not repeated: a password may be in it.
        let expected = "must be a URL such as \(schemes[0])://host"
        guard let scheme = schemes.first(where: { text.hasPrefix($0 + "://") }) else {
            return "\(expected) (\(schemes.joined(separator: ", ")))"
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !text.contains(where: \.isWhitespace) else { return "\(expected), without white space" }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard !host.isEmpty, !host.hasPrefix(":") else { return "\(expected); it has no host" }
        if authority.contains("@") && !mayHaveUser {
            return "must not hold a user or password; the API key is read from labelbox.api_key_file"
        }
        return nil
    }

    private static func choiceProblem(_ text: String, _ allowed: [String]) -> String {
        let nearest = NearestKey.find(text, among: allowed).map { "; did you mean \"\($0)\"?" } ?? ""
        return "must be one of \(allowed.joined(separator: ", ")), not \(shown(text))\(nearest)"
    }

    private static func durationProblem(_ text: String) -> String {
        if let number = Int(text), number > 0 {
            return "\(number) needs a unit: \(number)ms, \(number)s, \(number)m, \(number)h or \(number)d"
        }
        return "must be a whole number with a unit (ms, s, m, h, d), such as 10s, not \(shown(text))"
    }

    private static func shown(_ text: String) -> String {
        let short = text.count > 60 ? text.prefix(57) + "…" : text[...]
        return SettingsValue.quotedAlways(String(short))
    }
}

extension SettingsKind {
    /// What the key takes, as a noun for messages and the manual.
    public var words: String {
        switch self {
        case .text: "a text"
        case .name: "a name"
        case .identifier: "an id"
        case .path: "an absolute path"
        case .url: "a URL"
        case .address: "HOST:PORT"
        case .ledger: "\"sqlite\""
        case .boolean: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .automatic(let range): "auto or a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration(let range):
            "a time from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        case .size(let range):
            "a size from \(SizeText.format(range.lowerBound)) to \(SizeText.format(range.upperBound))"
        case .choice(let allowed): "one of \(allowed.joined(separator: ", "))"
        case .choices(let allowed): "a list of some of \(allowed.joined(separator: ", "))"
        case .texts: "a list of texts"
        case .paths: "a list of absolute paths"
        case .timetable: "a limit, or times with limits"
        case .hours: "a list of times of the week"
        case .sizes: "a mapping of kinds of media to sizes"
        case .contentTypes: "a mapping of extensions to content types"
        case .section: "a mapping"
        case .sections: "a list of mappings"
        }
    }
}
