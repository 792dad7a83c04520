internal import Files
internal import Logging
internal import SystemPackage

/// A walk in progress, of everything or of one new folder.
struct Scan {
    let walk: FolderWalk
    /// Whether it goes through the whole drop folder.
    let isComplete: Bool
    let began: Duration
    var entries = 0
}

/// Hints that were heard and not yet followed.
struct HintBacklog {
    var files: ArraySlice<(path: FilePath, sign: SettleTracker.Sign)> = []
    var folders: [FilePath] = []
    var isEmpty: Bool { files.isEmpty && folders.isEmpty }
}

extension DropFolder {
    /// New folders that wait to be scanned one by one; with more, everything is scanned.
    private static let manyFolders = 1_000

    /// Does a bounded amount of looking.
    ///
    /// - Returns: whether there is more to look at right away.
    func turn(limit: Int) -> Bool {
        let now = time.now()
        var looks = limits.looksAtOnce
        listen()
        while looks > 0, ready.count < limit, let (path, sign) = backlog.files.popFirst() {
            looks -= 1
            // What was heard last counts: a file that came whole may have been written anew before its turn came.
            if sign == .movedIn, hints?.hasNews(of: path) == true { continue }
            look(path, by: sign)
        }
        for path in manifests.popDue(at: now, limit: looks) {
            looks -= 1
            look(path, by: .seen)
        }
        for path in sidecars.popDue(at: now, limit: looks) {
            looks -= 1
            look(path, by: .seen)
        }
        for path in media.popDue(at: now, limit: looks) {
            looks -= 1
            look(path, by: .seen)
        }
        if scanWhenRoom, [manifests, sidecars, media].allSatisfy({ $0.count < limits.settling / 2 }) {
            scanWhenRoom = false
            requestScan()
        }
        while looks > 0, ready.count < limit, beginScanIfDue() {
            looks -= advanceScan(looks: looks, limit: limit)
        }
        let nextDue = [manifests.nextDue, sidecars.nextDue, media.nextDue].compactMap(\.self).min()
        return !backlog.isEmpty || scan != nil || (nextDue.map { $0 <= now } ?? false)
    }

    private func listen() {
        guard backlog.isEmpty, let batch = hints?.take() else { return }
        statistics.hints += batch.hints.count
        if batch.isRootLost {
            hints = nil
            footing = nil
            nextScan = time.now()
            return
        }
        if batch.overflowed {
            statistics.overflows += 1
            logger.notice(
                "More events than could be kept; scanning everything", metadata: ["watch": "\(settings.name)"])
            requestScan()
        }
        for hint in batch.hints {
            switch hint {
            case .movedIn(let path): backlog.files.append((path, .movedIn))
            case .closed(let path): backlog.files.append((path, .closed))
            case .folder(let path):
                guard rules.folderVerdict(path) == nil else { continue }
                backlog.folders.append(path)
            }
        }
        if backlog.folders.count > Self.manyFolders {
            backlog.folders = []
            requestScan()
        }
    }

    /// Everything is to be looked at, once more if that is going on already.
    ///
    /// It never begins again from the start: under a steady storm of events it would not end.
    func requestScan() {
        if scan?.isComplete == true { scanAgain = true }
        nextScan = time.now()
    }

    /// - Returns: whether there is a scan to go on with.
    private func beginScanIfDue() -> Bool {
        if scan != nil { return true }
        let now = time.now()
        if now >= nextScan {
            backlog.folders = []
            watchTrouble = nil
            do {
                try stand()
                hints?.beginScan()
                handedOut.beginScan()
                statistics.lastProblem = nil
                scan = Scan(walk: try walk(from: FilePath()), isComplete: true, began: now)
                return true
            } catch {
                lose((error as? IntakeError)?.reason ?? "\(error)")
                nextScan = now + scanInterval(after: .zero)
                return false
            }
        }
        while let folder = backlog.folders.popLast() {
            watch(folder)
            // A folder that is gone by now had its time.
            guard let walk = try? walk(from: folder) else { continue }
            scan = Scan(walk: walk, isComplete: false, began: now)
            return true
        }
        return false
    }

    /// - Returns: how many entries were looked at.
    private func advanceScan(looks: Int, limit: Int) -> Int {
        guard var current = scan else { return 0 }
        var count = 0
        do {
            while count < looks, ready.count < limit {
                guard let entry = try current.walk.next() else {
                    scan = nil
                    if current.isComplete { endScan(current, entries: current.entries + count) }
                    return count
                }
                count += 1
                if entry.kind == .regular { found(entry.path, entry.identity, by: .seen) }
            }
            current.entries += count
            scan = current
        } catch {
            scan = nil
            if current.isComplete {
                lose("\(error)")
                nextScan = time.now() + scanInterval(after: .zero)
            }
        }
        return count
    }

    private func endScan(_ ended: Scan, entries: Int) {
        hints?.dropUnseenWatches()
        handedOut.dropUnseen()
        dropOldTrouble(before: ended.began)
        statistics.scans += 1
        statistics.entriesOfLastScan = entries
        statistics.lastScanEnded = wallClock()
        let now = time.now()
        named.drop(notSeenSince: now - max(settings.mediaWait, settings.rescan))
        nextScan = scanAgain ? now : now + scanInterval(after: now - ended.began)
        scanAgain = false
        if hints != nil, watchTrouble == nil {
            state = statistics.lastProblem.map { .degraded($0) } ?? .watching
        }
    }

    private func walk(from start: FilePath) throws(FileError) -> FolderWalk {
        // The walk lives in this actor's state and is used on its executor alone.
        try FolderWalk(
            settings.path, from: start,
            choose: { [rules] path, kind in
                guard let name = path.lastComponent else { return .skip }
                switch kind {
                case .directory: return rules.enteringVerdict(name, at: path) == nil ? .take : .skip
                case .regular: return rules.verdict(of: name, at: path).isTaken ? .take : .skip
                case .unknown: return .take
                case .link, .fifo, .socket, .device: return .skip
                }
            },
            enter: { [weak self] path in self?.assumeIsolated { $0.watch(path) } },
            report: { [weak self] error in
                self?.assumeIsolated { if $0.statistics.lastProblem == nil { $0.statistics.lastProblem = "\(error)" } }
            })
    }

    private func watch(_ folder: FilePath) {
        guard let hints else { return }
        do {
            try hints.watch(folder)
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            return  // gone before it could be watched
        } catch {
            degrade(error)
        }
    }

    private func look(_ path: FilePath, by sign: SettleTracker.Sign) {
        guard rules.verdict(path).isTaken else { return forget(path) }
        do {
            let look = try FileLook.at(settings.path.pushing(path))
            guard look.kind == .regular else { return forget(path) }
            found(path, look.identity, by: sign)
        } catch {
            // Gone, or its folder is: the scan tells of anything worse.
            forget(path)
        }
    }

    private func forget(_ path: FilePath) {
        manifests.take(path)
        sidecars.take(path)
        media.take(path)
        handedOut.forget(path)
    }

    private func found(_ path: FilePath, _ identity: FileIdentity, by sign: SettleTracker.Sign) {
        guard let name = path.lastComponent else { return }
        let role: ReadyFile.Role
        switch rules.verdict(of: name, at: path) {
        case .manifest: role = .manifest
        case .sidecar: role = .sidecar
        case .media: role = .looseMedia
        case .ignored, .own, .temporary, .subfolder, .looseMediaIgnored, .outside: return
        }
        if handedOut.contains(path, identity) { return }
        let now = time.now()
        switch withTracker(of: role, { $0.observe(path, identity, by: sign, at: now) }) {
        case .settling, .held: return
        case .full: scanWhenRoom = true
        case .ready:
            if hasWriter(path) {
                withTracker(of: role) { $0.postpone(path, at: now) }
                return
            }
            let entry = withTracker(of: role) { $0.take(path) }
            let age = entry.map { now - $0.firstSeen } ?? .zero
            ready.append(
                ReadyFile(
                    role: role, relativePath: path, identity: identity, firstSeen: wallClock() - age,
                    strikes: entry?.strikes ?? 0))
            if handedOut.count >= limits.handedOut { handedOut.forgetAll() }
            handedOut.insert(path, identity)
        }
    }

    private func hasWriter(_ path: FilePath) -> Bool {
        // What cannot be opened is found out, and said, by whoever reads it.
        guard let file = try? OpenFile.reading(settings.path.pushing(path)) else { return false }
        return file.writer() == .present
    }
}
