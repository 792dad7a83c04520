public import Files
public import FoundationEssentials
public import SystemPackage

/// What a path in a manifest leads to.
public enum MediaResolution: Hashable, Sendable {
    case ready(OpenableMedia)
    /// It is there and not complete yet.
    case settling(reason: String, until: Date)
    /// Nothing has this name; it may still come.
    case missing
    /// It is not to be read, now or later.
    case refused(MediaRefusal)
}

/// A complete file that may be read.
public struct OpenableMedia: Hashable, Sendable {
    /// 0 for the drop folder, n for the n-th of the media roots.
    public let rootIndex: Int
    /// Relative to that root, without links: one file has one such path, however it was spelled.
    public let relativePath: FilePath
    public let identity: FileIdentity
    /// How often it changed under a reader before.
    let strikes: Int

    /// In bytes.
    public var size: Int64 { identity.size }
}

/// Why a path in a manifest is not read.
public struct MediaRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        case emptyPath = "media_path_empty"
        case invalidPath = "media_path_invalid"
        case outside = "media_path_outside"
        case directory = "media_is_directory"
        case notRegular = "media_not_a_regular_file"
        case unreadable = "media_unreadable"
    }

    public let code: Code
    /// What is wrong, and how to mend it.
    public let message: String
    /// Whether the machine is the trouble, and not the file, so that a later look may find it readable.
    public let isPassing: Bool

    init(code: Code, message: String, isPassing: Bool = false) {
        self.code = code
        self.message = message
        self.isPassing = isPassing
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
