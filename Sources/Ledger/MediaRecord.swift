public import Foundation
public import SystemPackage

/// A local file as it was when it was last looked at; two looks that differ saw two files.
public struct MediaIdentity: Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64
    public var size: Int64
    public var modified: Int64
    public var changed: Int64

    /// Takes what `stat` says; both times in nanoseconds since 1970, as `st_mtim` and `st_ctim`.
    public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }
}

/// What the sender of a manifest says of a file that it names: only a file that is so is the one that is meant.
public struct ExpectedContent: Sendable, Hashable {
    public var bytes: Int64?
    /// 32 bytes.
    public var sha256: [UInt8]?

    public init(bytes: Int64? = nil, sha256: [UInt8]? = nil) {
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// A local file that a row names.
public struct MediaReference: Sendable, Hashable {
    /// As the row spells it.
    public var name: String
    /// Where that leads: the folder's number (0 the watched folder, 1… the media roots) and the path beneath it.
    public var root: Int
    public var path: FilePath
    /// `nil` while the file is not there or not yet settled.
    public var identity: MediaIdentity?
    /// Set where the file is not to be read, now or later.
    public var failure: ErrorEntry?
    /// Set where the manifest says what the file is like.
    public var expected: ExpectedContent?

    public init(name: String, root: Int, path: FilePath, identity: MediaIdentity?, failure: ErrorEntry? = nil) {
        self.failure = failure
        self.name = name
        self.root = root
        self.path = path
        self.identity = identity
    }
}

/// Where a media file stands.
public enum MediaPhase: String, Sendable, Codable {
    /// Named by a row, but not there, or not yet settled.
    case awaited
    /// To be uploaded.
    case pending
    /// Its bytes are at the server.
    case uploaded
    /// It will not be uploaded; the rows that name it fail.
    case failed
    /// No unfinished import names it any more: to be archived or deleted.
    case leaving
}

/// One media file of one watch.
public struct MediaRecord: Sendable, Hashable {
    public var id: Int64
    public var watch: String
    public var root: Int
    public var path: FilePath
    public var identity: MediaIdentity?
    public var expected: ExpectedContent?
    public var phase: MediaPhase
    /// What the content is known by; called like its column, which is from when that was a SHA-256.
    public var sha256: [UInt8]?
    public var url: String?
    public var uploadedAt: Date?
    public var failure: ErrorEntry?
    public var attempts: Int
    /// When it was first asked for.
    public var since: Date
    /// Where it goes after the import.
    public var destination: FilePath?
    /// `archive` or `failed`, by how the last import that named it ended; set while it leaves.
    public var leavesTo: String?
}

/// What a row's local file became.
public struct MediaOutcome: Sendable, Hashable {
    public var url: String?
    /// What the content is known by.
    public var sha256: [UInt8]?
    public var failure: ErrorEntry?
}

/// Content that the server already has.
public struct UploadedContent: Sendable, Hashable {
    /// What it is known by.
    public var sha256: [UInt8]
    public var bytes: Int64
    /// The content type that it was uploaded with, since the same bytes may be meant as text or as a page.
    public var type: String
    public var url: String
    public var uploadedAt: Date

    public init(sha256: [UInt8], bytes: Int64, type: String, url: String, uploadedAt: Date) {
        self.sha256 = sha256
        self.bytes = bytes
        self.type = type
        self.url = url
        self.uploadedAt = uploadedAt
    }
}

/// A file that stays in its drop folder after its import.
///
/// Known by size and time of change of its content: an inode is no identity, it is given to the next file.
public struct KeptFile: Sendable, Hashable {
    public var path: FilePath
    public var size: Int64
    /// Nanoseconds since 1970.
    public var modified: Int64

    public init(path: FilePath, size: Int64, modified: Int64) {
        self.path = path
        self.size = size
        self.modified = modified
    }
}
