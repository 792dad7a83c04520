internal import Files
internal import Logging
internal import SystemPackage

/// What stands as long as the drop folder is the same folder.
struct Footing: Sendable {
    /// The drop folder itself: another one here means that something was mounted or replaced.
    let root: FileIdentity
    let lock: InstanceLock?
    /// Whether the folder takes no writes, so that manifests are copied out of it.
    let isReadOnly: Bool
    /// Why events are not to be trusted here; nil where they are.
    let pollReason: String?
    /// The drop folder and the media roots without links; nil for one that is missing.
    let canonicalRoots: [FilePath?]
}

extension DropFolder {
    /// Makes sure that the folder is there, is ours, and is watched.
    func stand() throws(IntakeError) {
        do {
            let root = try FileLook.at(settings.path.appending(".")).identity
            if let footing, footing.root.device == root.device, footing.root.inode == root.inode {
                if hints == nil && footing.pollReason == nil { watchRoot() }
                return
            }
            footing = nil
            hints = nil
            let isReadOnly = try !prepareOwnFolder()
            if isReadOnly, settings.afterImport != .keep {
                logger.warning(
                    "Drop folder takes no changes; its files are imported and stay",
                    metadata: ["watch": "\(settings.name)", "path": "\(settings.path)"])
            }
            let lock = try takeLock(isReadOnly: isReadOnly)
            let kind = try FileSystemKind.of(settings.path)
            let pollReason: String? =
                settings.poll
                ? "'poll' is on" : kind.sendsEvents ? nil : "a \(kind.rawValue) file system sends no events"
            footing = Footing(
                root: root, lock: lock, isReadOnly: isReadOnly, pollReason: pollReason,
                canonicalRoots: ([settings.path] + settings.mediaRoots).map { $0.withoutLinks() })
            if let pollReason { state = .polling(pollReason) } else { watchRoot() }
            if lock != nil { try TemporaryName.sweep(claimsFolder) }
        } catch {
            throw IntakeError(error, at: settings.path)
        }
    }

    /// Whether manifests are copied out of the drop folder rather than moved.
    var claimsByCopy: Bool { settings.afterImport == .keep || footing?.isReadOnly == true }

    /// Whether what is imported stays where it was dropped, as is wished, or as a folder that takes no writes makes it.
    public func keepsFiles() -> Bool { claimsByCopy }

    /// Where claimed manifests are.
    var claimsFolder: FilePath { claimsByCopy ? layout.copied : layout.claimed }

    /// The folder is gone, or not usable; it is tried again at the next rescan.
    func lose(_ reason: String) {
        if state != .missing(reason) {
            logger.warning(
                "Drop folder is missing",
                metadata: ["watch": "\(settings.name)", "path": "\(settings.path)", "reason": "\(reason)"])
        }
        state = .missing(reason)
        hints = nil
        footing = nil
        scan = nil
    }

    /// - Returns: whether the folder can be written to.
    private func prepareOwnFolder() throws(FileError) -> Bool {
        if settings.afterImport == .keep {
            try DurableRename.createFolder(layout.copied, mode: .ownerReadWriteExecute, disk: disk)
        }
        do {
            try DurableRename.createFolder(layout.claimed, mode: .ownerReadWriteExecute, disk: disk)
            return true
        } catch  where [.readOnlyFileSystem, .permissionDenied, .notPermitted].contains(error.errno) {
            try DurableRename.createFolder(layout.copied, mode: .ownerReadWriteExecute, disk: disk)
            return false
        }
    }

    private func takeLock(isReadOnly: Bool) throws -> InstanceLock? {
        guard settings.exclusive else { return nil }
        let path = isReadOnly ? layout.stateLock : layout.lock
        try DurableRename.createFolder(path.removingLastComponent(), mode: .ownerReadWriteExecute, disk: disk)
        do { return try InstanceLock(path) } catch {
            switch error {
            case .held: throw IntakeError(.unavailable, settings.path, error.description)
            case .failed(let cause): throw cause
            }
        }
    }

    private func watchRoot() {
        do {
            hints = try watching(settings.path, limits.hints) { [bell] in bell.ring() }
            watchTrouble = nil
            state = .watching
        } catch {
            degrade(error)
        }
    }

    /// Events are missing for some folders or all: scans come more often instead.
    func degrade(_ error: FileError) {
        // One of a scan is told of, or two would be told of in turn, scan after scan.
        guard watchTrouble == nil else { return }
        let next = WatchState.degraded("\(error) Until then it is scanned at intervals.")
        if state != next {
            logger.warning(
                "Not everything can be watched; scanning instead",
                metadata: ["watch": "\(settings.name)", "reason": "\(error)"])
        }
        watchTrouble = error
        state = next
    }

    /// How long until the next scan of everything.
    ///
    /// * `cost`: how long the last one took; without events scans take at most a twentieth of the time.
    func scanInterval(after cost: Duration) -> Duration {
        max(wantedScanInterval(after: cost), .milliseconds(100))
    }

    private func wantedScanInterval(after cost: Duration) -> Duration {
        guard hints == nil || watchTrouble != nil else { return settings.rescan }
        guard footing != nil else { return min(settings.rescan, .seconds(10)) }
        return min(settings.rescan, max(settings.settle, .seconds(2), cost * 20))
    }
}
