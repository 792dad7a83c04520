internal import Glibc
public import SystemPackage

/// The key of a Labelbox account.
///
/// It shows itself in no description, dump or log; `secret` is the one way to its text.
public struct APIKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The key itself, for the `Authorization` header and nothing else.
    public let secret: String

    /// Takes a key without the white space about it.
    ///
    /// - Returns: `nil` unless it is one word of visible ASCII: anything else could not stand in a header.
    public init?(_ text: String) {
        let space = [" ", "\t", "\r", "\n"]
        var word = Substring(text)
        while let first = word.unicodeScalars.first, space.contains(String(first)) { word.unicodeScalars.removeFirst() }
        while let last = word.unicodeScalars.last, space.contains(String(last)) { word.unicodeScalars.removeLast() }
        guard !word.isEmpty, word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        secret = String(word)
    }

    public var description: String { "(API key, not shown)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension APIKey {
    /// Where a key was found.
    public enum Source: Sendable, Hashable, CustomStringConvertible {
        case file(FilePath)
        case systemdCredential(FilePath)
        case environment

        public var description: String {
            switch self {
            case .file(let path): "file \(path)"
            case .systemdCredential(let path): "systemd credential \(path)"
            case .environment: "environment variable \(APIKey.variable)"
            }
        }
    }

    /// A key, where it was found, and what is doubtful about that.
    public struct Found: Sendable, Equatable {
        public let key: APIKey
        public let source: Source
        /// Sentences for the log.
        public let warnings: [String]
    }

    /// Why there is no key.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        public enum Code: String, Sendable { case missing, unreadable, malformed }

        public let code: Code
        /// What was tried, what was wrong, and what to do; never holds a key.
        public let description: String
    }

    /// Name of the systemd credential.
    public static let credential = "labelbox-api-key"
    /// Name of the environment variable.
    public static let variable = "LABELBOX_API_KEY"

    /// Finds the key: in the file that the configuration names, else in the systemd credential, else in the environment.
    ///
    /// A file that is named and cannot be used is an error: falling back would use another account
    /// without a word.
    ///
    /// - Parameters:
    ///   - file: `labelbox.api_key_file`.
    ///   - environment: the environment of the process.
    /// - Returns: the key and where it was found.
    /// - Throws: why there is none.
    public static func find(file: FilePath?, environment: [String: String]) throws(Problem) -> Found {
        if let file { return try read(file, as: .file(file)) }
        if let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty {
            let path = FilePath(directory).appending(credential)
            if access(path, F_OK) == 0 { return try read(path, as: .systemdCredential(path)) }
        }
        guard let text = environment[variable] else {
            throw Problem(
                code: .missing,
                description:
                    "there is no API key: name a file that holds it in labelbox.api_key_file, or load the systemd "
                    + "credential \(credential), or set \(variable)")
        }
        guard let key = APIKey(text) else { throw malformed(.environment) }
        return Found(key: key, source: .environment, warnings: [])
    }

    private static func read(_ path: FilePath, as source: Source) throws(Problem) -> Found {
        var mode: mode_t = 0
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path, limit: 1 << 16) { mode = $0 }
        } catch {
            throw Problem(
                code: .unreadable,
                description:
                    "the API key cannot be read from \(source): \(error); the user that datarowd runs as must be able "
                    + "to read a regular file there")
        }
        guard let text = String(validating: bytes, as: UTF8.self), let key = APIKey(text) else {
            throw malformed(source)
        }
        let isOpen = mode & S_IROTH != 0
        return Found(
            key: key, source: source,
            warnings: isOpen ? ["every user of this machine can read the API key: chmod o= \(path)"] : [])
    }

    private static func malformed(_ source: Source) -> Problem {
        Problem(
            code: .malformed,
            description: "\(source) holds no API key: it must be one word of visible ASCII characters and nothing else")
    }

    private static func access(_ path: FilePath, _ mode: Int32) -> Int32 {
        path.withPlatformString { Glibc.access($0, mode) }
    }
}
