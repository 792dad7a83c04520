internal import Glibc
internal import Locking
public import SystemPackage

/// Tells where in a tree of folders it may be worth looking.
///
/// A hint is never a fact: events are lost when a queue overflows, and network file systems send none.
/// A scan is the truth; hints make it come sooner. Hints for one path are merged, the last one counts,
/// and past `capacity` waiting ones there is only "look everywhere".
///
/// New folders are not watched by themselves: the taker of a `.folder` hint calls `watch` and scans the
/// folder, in this order, or else what is put there in between would be missed.
public final class DirectoryHints: FolderHints {
    /// What may have happened; paths are relative to the root.
    public enum Hint: Hashable, Sendable {
        /// A file got this name by a rename: it was complete before it came.
        case movedIn(FilePath)
        /// A writer of this file closed it.
        case closed(FilePath)
        /// A folder appeared here, or got this name.
        case folder(FilePath)
    }

    /// What was heard since the last time.
    public struct Batch: Sendable {
        public var hints: [Hint] = []
        /// Hints were lost: only a scan of everything helps.
        public var overflowed = false
        /// The root itself was moved, removed or unmounted: its watches are worth nothing.
        public var isRootLost = false

        package init(hints: [Hint] = [], overflowed: Bool = false, isRootLost: Bool = false) {
            self.hints = hints
            self.overflowed = overflowed
            self.isRootLost = isRootLost
        }
    }

    private struct Pending {
        var kinds: [FilePath: Hint] = [:]
        var order: [FilePath] = []
        var overflowed = false
        var isRootLost = false
        var folders: [CInt: FilePath] = [:]
        var generations: [CInt: Int] = [:]
        var generation = 0
    }

    private static let interest = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK

    private let root: FilePath
    private let queue: InotifyQueue
    private let pending: Locked<Pending>

    /// Watches the root itself; call `watch` for each folder in it.
    ///
    /// * `capacity`: how many paths wait at most for `take`.
    /// * `wake`: is called on a thread of its own when something can be taken; it must return at once.
    /// * Throws `FileError`; `.noSpace` when the user's inotify watches are used up.
    public init(root: FilePath, capacity: Int = 16_384, wake: @escaping @Sendable () -> Void) throws(FileError) {
        self.root = root
        let pending = Locked(Pending())
        self.pending = pending
        queue = try InotifyQueue { events in
            let isNews = pending.withLock { pending in Self.note(events, in: &pending, capacity: capacity) }
            if isNews { wake() }
        }
        try add(root, as: FilePath(), mask: Self.interest | IN_DELETE_SELF | IN_MOVE_SELF)
    }

    /// Watches one folder of the tree, from now on.
    ///
    /// - Throws: `FileError`; `.noSpace` when the user's inotify watches are used up.
    public func watch(_ folder: FilePath) throws(FileError) {
        try add(root.pushing(folder), as: folder, mask: Self.interest | IN_DONT_FOLLOW)
    }

    /// Begins a scan of everything: folders that are not watched again before `dropUnseenWatches` left the tree.
    public func beginScan() {
        pending.withLock { $0.generation += 1 }
    }

    /// Gives back the watches of folders that the scan since `beginScan` did not meet.
    public func dropUnseenWatches() {
        let unseen = pending.withLock { pending in
            let unseen = pending.generations.filter { $0.value < pending.generation }.map(\.key)
            let left = unseen.filter { pending.folders[$0]?.isEmpty == false }
            for watch in left {
                pending.folders[watch] = nil
                pending.generations[watch] = nil
            }
            return left
        }
        for watch in unseen { queue.unwatch(watch) }
    }

    /// All that is waiting; it then waits no more.
    public func take() -> Batch {
        let (kinds, order, overflowed, isRootLost) = pending.withLock { pending in
            defer {
                pending.kinds = [:]
                pending.order = []
                pending.overflowed = false
            }
            return (pending.kinds, pending.order, pending.overflowed, pending.isRootLost)
        }
        var batch = Batch(overflowed: overflowed, isRootLost: isRootLost)
        if !overflowed { batch.hints = order.compactMap { kinds[$0] } }
        return batch
    }

    /// Whether something was heard of a path, or may have been, that was not taken yet.
    public func hasNews(of path: FilePath) -> Bool {
        pending.withLock { $0.overflowed || $0.isRootLost || $0.kinds[path] != nil }
    }

    /// How many folders are watched now.
    public var watchedFolders: Int { pending.withLock { $0.folders.count } }

    private func add(_ path: FilePath, as folder: FilePath, mask: Int32) throws(FileError) {
        let watch = try queue.watch(path, mask)
        // An event may come before this line: the scan that follows `watch` finds what it was about.
        pending.withLock { pending in
            pending.folders[watch] = folder
            pending.generations[watch] = pending.generation
        }
    }

    /// - Returns: whether there is something new to take.
    private static func note(_ events: [InotifyQueue.Event], in pending: inout Pending, capacity: Int) -> Bool {
        var isNews = false
        for event in events {
            if event.has(IN_Q_OVERFLOW) {
                pending.overflowed = true
                isNews = true
                continue
            }
            guard let folder = pending.folders[event.watch] else { continue }
            if event.has(IN_IGNORED) {
                pending.folders[event.watch] = nil
                pending.generations[event.watch] = nil
            }
            if event.has(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED) {
                if folder.isEmpty {
                    pending.isRootLost = true
                    isNews = true
                }
                continue
            }
            guard !event.name.isEmpty, !pending.overflowed else { continue }
            let path = folder.pushing(event.name)
            let hint: Hint
            if event.has(IN_ISDIR) {
                guard event.has(IN_CREATE | IN_MOVED_TO) else { continue }
                hint = .folder(path)
            } else if event.has(IN_MOVED_TO) {
                hint = .movedIn(path)
            } else if event.has(IN_CLOSE_WRITE) {
                hint = .closed(path)
            } else {
                continue
            }
            isNews = true
            if pending.kinds.updateValue(hint, forKey: path) == nil { pending.order.append(path) }
            if pending.order.count > capacity {
                // The rest says nothing that a scan does not say.
                pending.overflowed = true
                pending.kinds = [:]
                pending.order = []
            }
        }
        return isNews
    }
}

/// Where it may be worth looking, by whatever means that is known; see ``DirectoryHints``.
package protocol FolderHints: Sendable {
    func watch(_ folder: FilePath) throws(FileError)
    func beginScan()
    func dropUnseenWatches()
    func take() -> DirectoryHints.Batch
    func hasNews(of path: FilePath) -> Bool
    var watchedFolders: Int { get }
}
