internal import Files
internal import SystemPackage

/// Which files were handed out, so that they are not handed out again while they stay as they are.
///
/// Keeps hashes only: sixteen bytes or so a file, since a folder whose files are kept may hold very many.
struct HandedOut: Sendable {
    private struct Mark {
        let content: Int
        var generation: Int
    }

    private var marks: [Int: Mark] = [:]
    private var generation = 0

    var count: Int { marks.count }

    mutating func insert(_ path: FilePath, _ identity: FileIdentity) {
        marks[path.hashValue] = Mark(content: Self.content(identity), generation: generation)
    }

    /// Whether this very content was handed out; remembers that it is still there.
    mutating func contains(_ path: FilePath, _ identity: FileIdentity) -> Bool {
        let key = path.hashValue
        guard let mark = marks[key], mark.content == Self.content(identity) else { return false }
        marks[key]?.generation = generation
        return true
    }

    mutating func forget(_ path: FilePath) { marks[path.hashValue] = nil }

    mutating func forgetAll() { marks = [:] }

    /// Begins a scan of everything.
    mutating func beginScan() { generation += 1 }

    /// Forgets what the scan since `beginScan` did not meet: it has left.
    mutating func dropUnseen() { marks = marks.filter { $0.value.generation >= generation } }

    // Without the time of the last change of attributes: a chmod is no new file.
    private static func content(_ identity: FileIdentity) -> Int {
        var hasher = Hasher()
        hasher.combine(identity.device)
        hasher.combine(identity.inode)
        hasher.combine(identity.size)
        hasher.combine(identity.modified)
        return hasher.finalize()
    }
}
