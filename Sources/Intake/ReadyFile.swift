public import DataRows
public import Files
public import FoundationEssentials
public import SystemPackage

/// A file that is complete and may be imported.
public struct ReadyFile: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
        case manifest
        /// By its name, a manifest with the one row of the media file beside it.
        case sidecar
        /// Media that no manifest has asked for within the grace period.
        case looseMedia
    }

    public let role: Role
    /// Relative to the drop folder; any bytes but zero.
    public let relativePath: FilePath
    public let identity: FileIdentity
    /// When this process saw it first.
    public let firstSeen: Date
    /// How often it changed under a reader before.
    let strikes: Int
}

/// A manifest that was taken: nobody else changes it any more.
public struct Claim: Hashable, Sendable {
    public let importID: ImportID
    /// Where it was dropped, relative to the drop folder.
    public let relativePath: FilePath
    /// Where it is now.
    public let path: FilePath
    public let identity: FileIdentity
    /// Whether `path` is a copy and the dropped file was left where it is.
    public let isCopy: Bool

    /// In bytes.
    public var size: Int64 { identity.size }
}

/// The claim of a manifest that the daemon wrote itself, for media that no manifest named.
public struct LooseClaim: Sendable {
    public let claim: Claim
    /// The files that have a row in it, in the order of the rows.
    public let files: [ReadyFile]
    /// The files that cannot be named in JSON.
    public let problems: [IntakeError]
}

/// A file that is not taken yet, for people to see.
public struct SettlingFile: Hashable, Sendable {
    public let relativePath: FilePath
    public let role: ReadyFile.Role
    /// Its size when it was last looked at.
    public let bytes: Int64
    /// Why it waits, in words.
    public let reason: String
    public let since: Date
    /// When it is looked at again.
    public let until: Date
}

/// What waits in a drop folder.
public struct SettlingSnapshot: Hashable, Sendable {
    /// How many files wait in all.
    public let count: Int
    /// The first of them, in no order.
    public let files: [SettlingFile]
}
