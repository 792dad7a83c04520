import Files
import Foundation
import Glibc
import Intake
import SystemPackage

/// The disk of one run: the drop folder, with its producers and what the kernel tells of them, and the state directory.
final class Folders: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.
    let root: FilePath
    let drop: FilePath
    let state: FilePath
    private let hidden: FilePath
    private let scheduler: Scheduler
    private let trace: Trace
    private var random: SeededRandom
    private let deafness: Int
    private var hints: Hints?
    /// Each path that is written, with the descriptor that is open for it.
    private(set) var written = 0

    init(root: FilePath, seed: UInt64, deafness: Int, scheduler: Scheduler, trace: Trace) {
        self.root = root
        drop = root.appending("drop")
        state = root.appending("state")
        hidden = FilePath(root.string + ".hidden")
        random = SeededRandom(seed: seed, stream: 4)
        self.deafness = deafness
        self.scheduler = scheduler
        self.trace = trace
        for path in [root, drop, drop.appending("sub"), state, root.appending("server")] { mkdir(path.string, 0o755) }
        for name in [
            "status", "results", "failed", "archive", "work", "claimed", "locks", StateDirectory.making.string,
        ] {
            mkdir(state.appending(name).string, 0o755)
        }
    }

    // MARK: Crashes

    /// Takes everything away from those who know where it was.
    func hide() {
        hints = nil
        rename(root.string, hidden.string)
    }

    /// Brings it back, and throws away what was made in its place.
    func show() {
        remove(root)
        rename(hidden.string, root.string)
    }

    func remove() { remove(root) }

    private func remove(_ path: FilePath) {
        guard let folder = opendir(path.string) else {
            unlink(path.string)
            return
        }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                remove(path.appending(name))
            } else {
                unlink(path.appending(name).string)
            }
        }
        closedir(folder)
        rmdir(path.string)
    }

    // MARK: What the kernel tells

    private final class Hints: FolderHints, @unchecked Sendable {
        // `@unchecked`: as above.
        var batch = DirectoryHints.Batch()
        let wake: @Sendable () -> Void

        init(_ wake: @escaping @Sendable () -> Void) { self.wake = wake }

        func watch(_ folder: FilePath) {}
        func beginScan() {}
        func dropUnseenWatches() {}
        var watchedFolders: Int { 1 }
        func take() -> DirectoryHints.Batch {
            defer { batch = DirectoryHints.Batch() }
            return batch
        }
        func hasNews(of path: FilePath) -> Bool { batch.overflowed || batch.hints.contains { $0.path == path } }

        /// As inotify's: of a path the last one counts, and after an overflow there is only that.
        func note(_ hint: DirectoryHints.Hint) {
            forget(hint.path)
            if !batch.overflowed { batch.hints.append(hint) }
        }

        func forget(_ path: FilePath) { batch.hints.removeAll { $0.path == path } }
    }

    func listen(_ wake: @escaping @Sendable () -> Void) -> any FolderHints {
        let hints = Hints(wake)
        self.hints = hints
        return hints
    }

    private func hint(_ hint: DirectoryHints.Hint) {
        guard let hints else { return }
        // Hints get lost together: what was heard of a path before is not believed when what came later was lost.
        if random.chance(deafness) { return hints.forget(hint.path) }
        if random.chance(2) {
            hints.batch = DirectoryHints.Batch(overflowed: true)
        } else {
            hints.note(hint)
        }
        scheduler.add { hints.wake() }
    }

    // MARK: Producers

    /// Puts a file there in a manner; `done` is called when its producer is through with it.
    func produce(_ path: String, _ bytes: [UInt8], _ manner: Plan.Manner, done: @escaping @Sendable () -> Void) {
        let target = drop.appending(path)
        switch manner {
        case .renamed:
            let temporary = drop.appending(".\(written).part")
            written += 1
            write(bytes[...], to: open(temporary, O_CREAT | O_WRONLY | O_EXCL), closes: true)
            rename(temporary.string, target.string)
            trace.note("renamed", path)
            hint(.movedIn(FilePath(path)))
            done()
        case .heldOpen(let pauses):
            let descriptor = open(target, O_CREAT | O_WRONLY | O_TRUNC)
            let pieces = Self.pieces(of: bytes, pauses.count + 1)
            trace.note("begun", path)
            goOn(pieces[...], pauses[...]) { [self] piece, isLast in
                write(piece, to: descriptor, closes: isLast)
                if isLast {
                    trace.note("closed", path)
                    hint(.closed(FilePath(path)))
                    done()
                }
            }
        case .reopened(let pauses):
            let pieces = Self.pieces(of: bytes, pauses.count + 1)
            unlink(target.string)
            goOn(pieces[...], pauses[...]) { [self] piece, isLast in
                write(piece, to: open(target, O_CREAT | O_WRONLY | O_APPEND), closes: true)
                trace.note("appended", path)
                hint(.closed(FilePath(path)))
                if isLast { done() }
            }
        }
    }

    /// Does what the daemon does when it puts a manifest away.
    func archive(_ claimed: String, as path: String) {
        let target = state.appending("archive/drops/2026-03-01").appending(FilePath(path).components)
        trace.note("archived too early", path)
        for folder in ["archive/drops", "archive/drops/2026-03-01", "archive/drops/2026-03-01/sub"] {
            mkdir(state.appending(FilePath(folder).components).string, 0o755)
        }
        rename(claimed, target.string)
    }

    func take(away path: String) {
        trace.note("removed", path)
        unlink(drop.appending(path).string)
    }

    private func goOn(
        _ pieces: ArraySlice<ArraySlice<UInt8>>, _ pauses: ArraySlice<Duration>,
        _ body: @escaping @Sendable (ArraySlice<UInt8>, _ isLast: Bool) -> Void
    ) {
        guard let piece = pieces.first else { return }
        body(piece, pieces.count == 1)
        guard let pause = pauses.first else { return }
        scheduler.after(pause) { self.goOn(pieces.dropFirst(), pauses.dropFirst(), body) }
    }

    private static func pieces(of bytes: [UInt8], _ count: Int) -> [ArraySlice<UInt8>] {
        (0..<count).map { bytes[bytes.count * $0 / count..<bytes.count * ($0 + 1) / count] }
    }

    private func open(_ path: FilePath, _ flags: CInt) -> CInt { Glibc.open(path.string, flags | O_CLOEXEC, 0o644) }

    private func write(_ bytes: ArraySlice<UInt8>, to descriptor: CInt, closes: Bool) {
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        // In the run's own time, so that the same seed sees the same file.
        let seconds = Int(VirtualClock.date(at: scheduler.now).timeIntervalSince1970)
        let time = timespec(tv_sec: seconds, tv_nsec: Int(scheduler.now % 1_000_000_000))
        var times = [time, time]
        futimens(descriptor, &times)
        if closes { close(descriptor) }
    }
}

extension Folders {
    /// Whether something that was dropped lies there still, or is claimed.
    var holdsAnything: Bool { !files(below: drop).isEmpty }

    /// The paths of all files below a folder, sorted, without what is hidden or the daemon's lock.
    func files(below folder: FilePath) -> [String] {
        var found: [String] = []
        collect(folder, "", &found)
        return found.sorted()
    }

    private func collect(_ folder: FilePath, _ prefix: String, _ found: inout [String]) {
        guard let handle = opendir(folder.string) else { return }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." || name == "lock" { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                collect(folder.appending(name), prefix + name + "/", &found)
            } else {
                found.append(prefix + name)
            }
        }
    }

    /// What a file holds; nil when there is none.
    static func read(_ path: FilePath) -> [UInt8]? {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += buffer[..<count]
        }
        return bytes
    }
}

extension DirectoryHints.Hint {
    fileprivate var path: FilePath {
        switch self {
        case .movedIn(let path), .closed(let path), .folder(let path): path
        }
    }
}
