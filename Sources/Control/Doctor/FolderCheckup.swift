internal import Files
internal import Glibc
internal import Intake
internal import Reporting
internal import Settings
internal import SystemPackage

/// Looks at the folders: who may use them, what file systems they are on, how much room those have, and whether they can
/// be watched.
struct FolderCheckup {
    let settings: Settings
    let configuration: FilePath

    /// Folders are counted up to so many; more than that is beyond any watch limit anyway.
    private static let mostFolders = 2_000_000
    private static let littleRoom: UInt64 = 1 << 30
    private static let noRoom: UInt64 = 100 << 20

    func findings() -> [Finding] {
        var findings = [configurationFile(), stateFolder()]
        findings.append(contentsOf: room(settings.stateDirectory, "state"))
        var folders = 0
        var watched = 0
        for watch in settings.watches {
            let (found, count) = look(at: watch)
            findings += found
            findings += room(watch.path, watch.name)
            if let count {
                folders += count
                watched += 1
            }
        }
        return findings + inotify(folders: folders, watches: watched)
    }

    // MARK: Permissions

    private func configurationFile() -> Finding {
        guard let status = Permissions.look(configuration) else {
            return Finding("configuration", .problem, subject: "\(configuration)", "it cannot be looked at")
        }
        let mode = Permissions.text(status.st_mode)
        if status.st_mode & S_IWOTH != 0 {
            return Finding(
                "configuration", .problem, subject: "\(configuration)",
                "every user of this machine may change it (mode \(mode))", hint: "chmod o-w \(configuration)")
        }
        return Finding("configuration", .ok, subject: "\(configuration)", "valid, mode \(mode)")
    }

    private func stateFolder() -> Finding {
        let path = settings.stateDirectory
        guard let status = Permissions.look(path) else {
            return Finding(
                "state_directory", .warning, subject: "\(path)", "it is not there, or you may not look at it",
                hint: "the daemon makes it at its first start; if it ran before, run datarowctl as a user of its group")
        }
        let mode = Permissions.text(status.st_mode)
        if status.st_mode & S_IWOTH != 0 {
            return Finding(
                "state_directory", .problem, subject: "\(path)",
                "every user of this machine may change it (mode \(mode))",
                hint: "chmod o-w \(path)")
        }
        if !Permissions.allow(W_OK | X_OK, path) {
            return Finding(
                "state_directory", .warning, subject: "\(path)",
                "the user who runs this command may not write to it (mode \(mode))",
                hint: "run datarowctl doctor as the daemon's user, to see what the daemon sees")
        }
        return Finding("state_directory", .ok, subject: "\(path)", "it can be written to, mode \(mode)")
    }

    // MARK: Watches

    /// What is found of a watch, and how many folders of it inotify has to watch; nil where it is polled.
    private func look(at watch: WatchSettings) -> ([Finding], Int?) {
        let path = watch.path
        guard let status = Permissions.look(path), status.st_mode & S_IFMT == S_IFDIR else {
            return (
                [
                    Finding(
                        "watch", .problem, subject: watch.name, "its folder \(path) is not there",
                        hint: "make it, or mount what is meant to be there; the daemon takes it up by itself")
                ], nil
            )
        }
        var findings: [Finding] = []
        let isCopied = watch.afterImport == .keep
        if !Permissions.allow(R_OK | X_OK, path) {
            findings.append(
                Finding(
                    "watch", .problem, subject: watch.name, "this user may not read \(path)",
                    hint: "give the daemon's user the right to read and enter it, or run this command as that user"))
        } else if !isCopied, !Permissions.allow(W_OK, path) {
            findings.append(
                Finding(
                    "watch", .warning, subject: watch.name,
                    "this user may not write to \(path), so manifests would be copied out of it and stay",
                    hint:
                        "give the daemon's user the right to write, or set after_import: keep, if that is what you want"
                ))
        } else if !isCopied, case .held(let holder?) = LockLook.at(settings.stateDirectory.appending("lock")),
            MountTable(of: holder)?.isReadOnly(path) == true
        {
            findings.append(
                Finding(
                    "watch", .warning, subject: watch.name,
                    "the daemon (process \(holder)) may not write to \(path), so files are imported and stay",
                    hint:
                        "let its sandbox in: systemctl edit datarowd, below [Service] ReadWritePaths=\(path), then restart it"
                ))
        } else {
            findings.append(
                Finding(
                    "watch", .ok, subject: watch.name, "\(path) can be used, mode \(Permissions.text(status.st_mode))"))
        }
        let (kind, isPolled) = fileSystem(of: watch)
        findings.append(kind)
        return (findings, isPolled ? nil : count(watch))
    }

    private func fileSystem(of watch: WatchSettings) -> (Finding, isPolled: Bool) {
        guard let kind = try? FileSystemKind.of(watch.path) else {
            return (Finding("file_system", .warning, subject: watch.name, "what it is on cannot be told"), true)
        }
        if kind.sendsEvents {
            return (
                Finding(
                    "file_system", .ok, subject: watch.name,
                    watch.poll ? "local, and polled since 'poll' is on" : "local: what is dropped is seen at once"),
                watch.poll
            )
        }
        return (
            Finding(
                "file_system", .ok, subject: watch.name,
                "a \(kind.rawValue) file system, which sends no events: it is looked at every few seconds"), true
        )
    }

    private func count(_ watch: WatchSettings) -> Int {
        guard watch.recursive else { return 1 }
        var count = 1
        let walk = try? FolderWalk(
            watch.path,
            choose: { path, kind in
                path.components.last == DropFolderLayout.ownFolder || ![.directory, .unknown].contains(kind)
                    ? .skip : .take
            }, enter: { _ in count += 1 })
        // What cannot be read is not watched either.
        while count < Self.mostFolders, (try? walk?.next()) != nil {}
        return count
    }

    // MARK: Room

    private func room(_ path: FilePath, _ subject: String) -> [Finding] {
        guard let room = Room(of: path) else { return [] }
        let bytes =
            "\(ByteCount.text(Int64(clamping: room.freeBytes))) of \(ByteCount.text(Int64(clamping: room.allBytes))) free"
        let hint = "make room; until then the daemon waits, and loses nothing"
        var findings = [
            Finding(
                "disk_space",
                room.freeBytes < Self.noRoom ? .problem : room.freeBytes < Self.littleRoom ? .warning : .ok,
                subject: subject, bytes, hint: room.freeBytes < Self.littleRoom ? hint : "")
        ]
        if room.allNames > 0 {
            let isFew = room.freeNames < room.allNames / 50
            findings.append(
                Finding(
                    "inodes", room.freeNames < 1_000 ? .problem : isFew ? .warning : .ok, subject: subject,
                    "\(room.freeNames) of \(room.allNames) free", hint: isFew ? hint : ""))
        }
        return findings
    }

    // MARK: inotify

    private func inotify(folders: Int, watches: Int) -> [Finding] {
        [
            limit("max_user_watches", needed: folders, why: "a folder each"),
            limit("max_user_instances", needed: watches, why: "one a watch"),
            limit(
                "max_queued_events", needed: watches == 0 ? 0 : 1_024,
                why: "when more files come at once, everything is scanned, which takes longer and loses nothing"),
        ]
    }

    private func limit(_ name: String, needed: Int, why: String) -> Finding {
        let path = FilePath("/proc/sys/fs/inotify/\(name)")
        let text = (try? StatusFiles().read(path, limit: 64)).flatMap { $0.map { String(decoding: $0, as: UTF8.self) } }
        guard let value = text.flatMap({ Int($0.split(separator: "\n").first ?? "") }) else {
            return Finding("inotify", .warning, subject: name, "its value cannot be read")
        }
        let what = "\(value), and \(needed) needed: \(why)"
        // All processes of the user share the first two.
        guard value < needed * 2 else { return Finding("inotify", .ok, subject: name, what) }
        return Finding(
            "inotify", .warning, subject: name, what,
            hint: "sysctl fs.inotify.\(name)=\(max(needed * 4, 8_192)), and the same in /etc/sysctl.d")
    }
}
