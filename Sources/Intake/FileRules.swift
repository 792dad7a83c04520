internal import DataRows
public import Files
public import SystemPackage

/// What a name in a drop folder is taken for, and by which rule.
public enum FileVerdict: Hashable, Sendable, CustomStringConvertible {
    case manifest(Glob)
    /// By its name the sidecar of a media file; what it holds may make it a manifest like others.
    case sidecar(Glob, of: FilePath)
    case media
    /// An `ignore` pattern matches; `part` is the name or path that it matched.
    case ignored(Glob, part: FilePath)
    /// It lies in the daemon's own folder.
    case own
    /// It is a file that the daemon itself is writing.
    case temporary
    /// It lies in a sub-folder and the watch is not recursive.
    case subfolder
    /// It is media, and the watch imports none on its own.
    case looseMediaIgnored
    /// It is no path of a file below the watch.
    case outside

    /// Whether the file is looked at by itself, as a manifest or as loose media.
    public var isTaken: Bool {
        switch self {
        case .manifest, .sidecar, .media: true
        case .ignored, .own, .temporary, .subfolder, .looseMediaIgnored, .outside: false
        }
    }

    public var description: String {
        switch self {
        case .manifest(let glob): "a manifest: its name matches 'manifests' pattern \(glob)"
        case .sidecar(_, let media):
            "a sidecar of \(media): a manifest of one row, with the keys for that file, if it holds an object without "
                + "rows and row_data; else a manifest like others"
        case .media: "media: its name matches no 'manifests' pattern"
        case .ignored(let glob, let part): "ignored: \(part) matches 'ignore' pattern \(glob)"
        case .own: "ignored: \(DropFolderLayout.ownFolder) belongs to the daemon"
        case .temporary: "ignored: a file that the daemon is writing"
        case .subfolder: "ignored: it lies in a sub-folder and 'recursive' is off"
        case .looseMediaIgnored: "left alone: media that a manifest may name, and 'loose_media' is ignore"
        case .outside: "not below the watch"
        }
    }
}

/// The rules by which names are taken or ignored: a pure function of the name.
public struct FileRules: Hashable, Sendable {
    private let ignore: [Glob]
    private let manifests: [Glob]
    private let recursive: Bool
    private let importsLooseMedia: Bool
    private let media: MediaRules

    public init(_ settings: DropFolderSettings) {
        ignore = settings.ignore
        manifests = settings.manifests
        recursive = settings.recursive
        importsLooseMedia = settings.looseMedia == .import
        media = settings.media
    }

    /// What the rules of `settings` say of a path relative to the watch.
    public static func explain(_ relativePath: FilePath, settings: DropFolderSettings) -> FileVerdict {
        FileRules(settings).verdict(relativePath)
    }

    /// What the file of this name is.
    ///
    /// The path is relative to the watch.
    public func verdict(_ path: FilePath) -> FileVerdict {
        let normal = path.lexicallyNormalized()
        guard path.isRelative, let name = normal.lastComponent, normal.components.first?.kind == .regular else {
            return .outside
        }
        if let reason = folderVerdict(normal.removingLastComponent()) { return reason }
        return verdict(of: name, at: normal)
    }

    /// Whether files in this folder are looked at; nil when they are.
    func folderVerdict(_ folder: FilePath) -> FileVerdict? {
        var part = FilePath()
        for component in folder.components {
            part.append(component)
            if let reason = enteringVerdict(component, at: part) { return reason }
        }
        return nil
    }

    /// Why the folder with this last component is not entered, those above it being entered; nil when it is.
    func enteringVerdict(_ name: FilePath.Component, at path: FilePath) -> FileVerdict? {
        if name.bytes == Self.own { return .own }
        if !recursive { return .subfolder }
        return ignoring(name, at: path)
    }

    /// What a file is, its folder being one that is looked at.
    func verdict(of name: FilePath.Component, at path: FilePath) -> FileVerdict {
        let bytes = name.bytes
        if bytes == Self.own { return .own }
        if bytes.count >= Self.temporary.count, bytes.suffix(Self.temporary.count).elementsEqual(Self.temporary) {
            return .temporary
        }
        if let reason = ignoring(name, at: path) { return reason }
        if let glob = manifest(path, bytes) {
            return sidecarMedia(path, bytes).map { .sidecar(glob, of: $0) } ?? .manifest(glob)
        }
        return importsLooseMedia ? .media : .looseMediaIgnored
    }

    private func manifest(_ path: FilePath, _ name: [UInt8]) -> Glob? {
        manifests.first { $0.matches($0.isForPaths ? path.bytes : name) }
    }

    /// The path of the file that this one would be the sidecar of.
    private func sidecarMedia(_ path: FilePath, _ name: [UInt8]) -> FilePath? {
        let length = SidecarManifest.suffix.utf8.count
        guard name.count > length,
            SidecarManifest.mediaName(of: String(decoding: name, as: UTF8.self), rules: media) != nil
        else { return nil }
        let beside = FilePath(bytes: Array(path.bytes.dropLast(length)))
        return manifest(beside, Array(name.dropLast(length))) == nil ? beside : nil
    }

    /// Where the sidecar of a media file would lie.
    ///
    /// Nil for a file that can have none: its name is not known to be that of media, or the sidecar's name is that of no manifest.
    public func sidecar(of media: FilePath) -> FilePath? {
        let path = FilePath(bytes: media.bytes + Array(SidecarManifest.suffix.utf8))
        guard case .sidecar = verdict(path) else { return nil }
        return path
    }

    private static let own = Array(DropFolderLayout.ownFolder.string.utf8)
    private static let temporary = Array(TemporaryName.suffix.utf8)

    private func ignoring(_ name: FilePath.Component, at path: FilePath) -> FileVerdict? {
        let bytes = name.bytes
        for glob in ignore where glob.matches(glob.isForPaths ? path.bytes : bytes) {
            return .ignored(glob, part: glob.isForPaths ? path : FilePath(root: nil, [name]))
        }
        return nil
    }
}
