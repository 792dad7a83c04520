/// One thing that is wrong with a configuration file, where it stands, and what to do about it.
public struct SettingsProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of mistake it is.
    public enum Code: String, Sendable {
        /// The file cannot be read.
        case unreadable
        /// The text is not YAML, or not one document.
        case syntax
        /// A key that does not exist, or not here.
        case unknownKey = "unknown_key"
        /// A key that must be given is not.
        case missingKey = "missing_key"
        /// A key or a name that stands there twice.
        case duplicate
        /// A value of another type than the key takes.
        case wrongType = "wrong_type"
        /// A value of the right type that is not allowed.
        case notAllowed = "not_allowed"
        /// Values that do not go together.
        case conflict
        /// A secret that stands in the file itself.
        case secret
        /// What a later version may know.
        case unavailable
    }

    public let code: Code
    /// The file's name as it was given.
    public let file: String
    /// Counted from 1; `nil` when the problem is that of the whole file.
    public let line: Int?
    /// Counted from 1 in Unicode scalars.
    public let column: Int?
    /// Such as `watches[0].settle`; empty when the problem is that of the whole file.
    public let keyPath: String
    /// What is wrong and what to do; never holds a secret.
    public let message: String

    /// `FILE:LINE:COLUMN: KEY: what is wrong`, as compilers write it and editors understand it.
    public var description: String {
        var text = file
        if let line { text += ":\(line)" }
        if let column { text += ":\(column)" }
        text += ": "
        if !keyPath.isEmpty { text += "\(keyPath): " }
        return text + message
    }
}

/// All that is wrong with a configuration file, in the order of its lines.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At least one.
    public let problems: [SettingsProblem]

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
