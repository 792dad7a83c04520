import Foundation
import Glibc

/// A file system in memory, small enough to fill up, that is mounted on a folder of a test.
///
/// It takes root, as containers and the machines of CI have it. What a run that was killed leaves mounted, the next one unmounts.
final class SmallDisk {
    let place: URL
    private var isMounted = true
    private static let source = "datarowd-test"

    /// - Parameters:
    ///   - place: the folder; made where it is missing.
    ///   - options: tmpfs's, such as `size=4m`.
    /// - Throws: ``Trouble`` where nothing may be mounted.
    init(at place: URL, _ options: String) throws {
        self.place = place
        try Self.sweep()
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        guard mount("\(Self.source)-\(getpid())", place.path, "tmpfs", 0, "mode=755,\(options)") == 0 else {
            throw Trouble("tmpfs cannot be mounted (error \(errno)); these tests need root")
        }
    }

    deinit { unmount() }

    func unmount() {
        if isMounted { umount2(place.path, CInt(MNT_DETACH)) }
        isMounted = false
    }

    private static func sweep() throws {
        for line in try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count > 1, parts[0].hasPrefix(source), let pid = Int32(parts[0].dropFirst(source.count + 1)),
                Glibc.kill(pid, 0) != 0
            else { continue }
            umount2(String(parts[1]), CInt(MNT_DETACH))
        }
    }

    // MARK: Filling

    /// What is used up.
    enum Scarcity: String, CaseIterable, CustomStringConvertible {
        case bytes, inodes
        var description: String { rawValue }
    }

    private var ballast: URL { place.appending(path: ".ballast") }

    /// Leaves no room, but for so many bytes.
    func fill(_ scarcity: Scarcity, leaving rest: Int = 0) throws {
        switch scarcity {
        case .bytes:
            let file = open(ballast.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Trouble("no ballast: error \(errno)") }
            defer { close(file) }
            var size = 0
            var step = 1 << 26
            while step >= 4_096 {
                if posix_fallocate(file, size, step) == 0 { size += step } else { step /= 2 }
            }
            guard size > rest, ftruncate(file, size - rest) == 0 else { throw Trouble("it was full before") }
        case .inodes:
            try FileManager.default.createDirectory(at: ballast, withIntermediateDirectories: true)
            var count = 0
            while true {
                let file = open(ballast.appending(path: "\(count)").path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                if file < 0, errno == ENOSPC { return }
                guard file >= 0, count < 100_000 else { throw Trouble("inodes do not end: error \(errno)") }
                close(file)
                count += 1
            }
        }
    }

    func empty() throws { try FileManager.default.removeItem(at: ballast) }

    // MARK: Read-only

    /// Shows the same files, and lets nobody write, until ``allowWriting()``.
    ///
    /// A second mount over the first: the system would not remount what somebody has open for writing.
    func forbidWriting() throws {
        guard mount(place.path, place.path, nil, UInt(MS_BIND), nil) == 0,
            mount(nil, place.path, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0
        else { throw Trouble("it cannot be made read-only: error \(errno)") }
    }

    func allowWriting() throws {
        guard umount2(place.path, CInt(MNT_DETACH)) == 0 else { throw Trouble("not mounted: error \(errno)") }
    }
}

extension Site {
    /// Runs a test whose drop folder, or state folder, is a small disk.
    static func with(
        disk place: (Site) -> URL, _ options: String, _ settings: SiteSettings = SiteSettings(),
        _ body: (Site, SmallDisk) async throws -> Void
    ) async throws {
        var disk: SmallDisk?
        var root: URL?
        defer {
            disk?.unmount()
            // Removed by the site itself but for what the mount kept; kept where the test failed.
            if let root, !FileManager.default.fileExists(atPath: root.appending(path: "datarowd.log").path) {
                try? FileManager.default.removeItem(at: root)
            }
        }
        try await with(settings) { site in
            let made = try SmallDisk(at: place(site), options)
            (disk, root) = (made, site.root)
            try await body(site, made)
        }
    }

    /// Moves a file in whole that was written in the drop folder itself, under a name that is ignored.
    func put(_ name: String, _ content: String) throws {
        let making = drop.appending(path: ".making-\(UUID().uuidString)")
        do {
            try Data(content.utf8).write(to: making)
        } catch {
            try? FileManager.default.removeItem(at: making)
            throw error
        }
        guard rename(making.path, drop.appending(path: name).path) == 0 else {
            throw Trouble("\(name) cannot be moved in: error \(errno)")
        }
    }

    /// The external ids of the rows on the server, in order.
    func names() async throws -> [String] {
        try await simulator.rows().compactMap { $0["external_id"].string }.sorted()
    }

    /// The watch's entry in the daemon's status.
    func watchStatus() throws -> JSON? { try daemonStatus()?["watches"].list.first }
}
