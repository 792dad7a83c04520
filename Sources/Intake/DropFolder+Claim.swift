public import DataRows
internal import Files
internal import FoundationEssentials
internal import Glibc
public import SystemPackage

extension DropFolder {
    /// From so many claims at once, one sync of the file system is cheaper than one for each file.
    private static let manyClaims = 8

    /// Takes manifests, so that nobody else changes them, and durably so.
    ///
    /// Each is renamed into the daemon's own folder; where the drop folder is to be left as it is, it is copied.
    /// A manifest that is not what it was when it was found ready, or is open for writing, is put back and
    /// settles again. A few syncs serve the whole batch.
    ///
    /// * `ids`: one for each file.
    /// * Returns one answer for each file, in their order.
    public func claim(_ files: [ReadyFile], ids: [ImportID]) -> [Result<Claim, IntakeError>] {
        precondition(files.count == ids.count, "each file needs an id of its own")
        let isMany = files.count >= Self.manyClaims
        let folders = FolderSync(disk: disk)
        var claims: [(result: Result<Claim, IntakeError>, file: OpenFile?)] = []
        claims.reserveCapacity(files.count)
        for (file, id) in zip(files, ids) {
            do throws(IntakeError) {
                let (claim, open) = try claimsByCopy ? copy(file, id) : take(file, id, folders)
                // What was moved away and comes back later is a new drop, even if it is the same file.
                if !claim.isCopy { handedOut.forget(file.relativePath) }
                // Not kept open for a large batch: there is a limit on open files.
                claims.append((.success(claim), isMany ? nil : open))
            } catch {
                settle(file, after: error)
                claims.append((.failure(error), nil))
            }
        }
        do throws(FileError) {
            if isMany {
                try disk.fileSystem(of: claimsFolder)
            } else {
                for case (.success(let claim), let file?) in claims where !claim.isCopy {
                    try disk.file(file.descriptor, path: claim.path)
                }
                try folders.commit()
            }
        } catch {
            return zip(files, claims).map { file, claim in
                guard case .success(let success) = claim.result else { return claim.result }
                return .failure(putBack(file, success, after: error))
            }
        }
        if claims.contains(where: { (try? $0.result.get()) != nil }) { trouble = nil }
        return claims.map(\.result)
    }

    /// The files that are still what they were when they were handed out.
    ///
    /// Media may have been put away meanwhile, with the manifest that named it. What changed settles again.
    public func confirmed(_ files: [ReadyFile]) -> [ReadyFile] {
        files.filter { file in
            do throws(FileError) {
                let identity = try FileLook.at(settings.path.pushing(file.relativePath)).identity
                if identity.hasSameContent(as: file.identity) { return true }
                settle(file, after: IntakeError(.changed, file.relativePath, "It changed since it was complete."))
            } catch {
                settle(file, after: IntakeError(error, at: file.relativePath))
            }
            return false
        }
    }

    /// Takes loose media: writes a manifest with one row for each file, and claims that.
    ///
    /// The media stays where it is until it is archived.
    /// - Throws: `IntakeError` when the manifest cannot be written, or no file can be named in it.
    public func claimLoose(_ files: [ReadyFile], id: ImportID) throws(IntakeError) -> LooseClaim {
        let name = "loose-\(UTCDate(wallClock()).timestamp)-\(id.rawValue).ndjson"
        let relativePath = FilePath(name)
        let path = claimsFolder.pushing(ClaimName.encode(id, relativePath))
        var problems: [IntakeError] = []
        var named: [ReadyFile] = []
        do {
            let writer = try AtomicFile.writer(to: path, disk: disk)
            for file in files {
                guard let text = String(validating: file.relativePath.bytes, as: UTF8.self) else {
                    let reason = "Its name is not valid UTF-8, which JSON cannot hold. Rename it."
                    let problem = IntakeError(.failed, file.relativePath, reason)
                    problems.append(problem)
                    // It goes on to be shown among what waits, with the reason.
                    settle(file, after: problem)
                    continue
                }
                named.append(file)
                try writer.append(LooseRow.line(for: text))
            }
            guard !named.isEmpty else {
                throw IntakeError(.failed, relativePath, "No file in it has a name that JSON can hold. Rename them.")
            }
            try writer.commit(durable: true)
            let identity = try FileLook.at(path).identity
            let claim = Claim(
                importID: id, relativePath: relativePath, path: path, identity: identity, isCopy: claimsByCopy)
            trouble = nil
            return LooseClaim(claim: claim, files: named, problems: problems)
        } catch {
            // It may be there although it is not known to be durable. Left there, the next start would take it for a claim.
            _ = path.withPlatformString { unlink($0) }
            let failure = IntakeError(error, at: relativePath)
            for file in files { settle(file, after: failure) }
            throw failure
        }
    }

    /// Claims a copy of a file that was put away earlier, as if it had been dropped again; durably so.
    ///
    /// Done twice it is the same as done once.
    /// - Throws: `IntakeError` with `.vanished` when the file is not there any more.
    public func claimAgain(
        _ source: FilePath, as relativePath: FilePath, id: ImportID
    ) throws(IntakeError) -> Claim {
        let target = claimsFolder.pushing(ClaimName.encode(id, relativePath))
        do {
            let open = try BeneathOpener(root: source.removingLastComponent()).open(
                FilePath(root: nil, [source.lastComponent].compactMap(\.self)), followingLinks: false)
            try DurableRename.createFolder(target.removingLastComponent(), mode: .ownerReadWriteExecute, disk: disk)
            try DurableRename.copy(open, to: target, replacing: true, disk: disk)
            let identity = try FileLook.at(target).identity
            return Claim(importID: id, relativePath: relativePath, path: target, identity: identity, isCopy: true)
        } catch {
            throw IntakeError(error, at: source)
        }
    }

    /// Claims that lie in the daemon's folders, read one after the other from the disk.
    ///
    /// After a crash some of them are not in the ledger yet; the caller knows which. What is no claim is passed over.
    public nonisolated func claims() -> ClaimSequence {
        ClaimSequence(layout)
    }

    private func take(
        _ file: ReadyFile, _ id: ImportID, _ folders: FolderSync
    ) throws(IntakeError) -> (Claim, OpenFile) {
        let opener = BeneathOpener(root: settings.path)
        let path = file.relativePath
        let target = claimsFolder.pushing(ClaimName.encode(id, path))
        do {
            let open = try opener.open(path, followingLinks: false)
            try check(open, is: file)
            try moveOut(path, to: target, by: opener, folders)
            folders.add(target.removingLastComponent())
            folders.addLeft(settings.path.pushing(path.removingLastComponent()))
            // The very file that was looked at must have come along, and nobody may have written meanwhile.
            let moved = try FileLook.at(target).identity
            let opened = try open.look().identity
            let isSame =
                moved.device != file.identity.device  // a copy from another file system, checked while it was made
                || moved.hasSameContent(as: opened) && moved.hasSameContent(as: file.identity)
            guard isSame, open.writer() != .present else {
                returnToFolder(target, path)
                throw IntakeError(.changed, path, "It changed while it was taken.")
            }
            return (Claim(importID: id, relativePath: path, path: target, identity: moved, isCopy: false), open)
        } catch {
            throw IntakeError(error, at: path)
        }
    }

    private func copy(_ file: ReadyFile, _ id: ImportID) throws(IntakeError) -> (Claim, OpenFile) {
        let path = file.relativePath
        let target = claimsFolder.pushing(ClaimName.encode(id, path))
        do {
            let open = try BeneathOpener(root: settings.path).open(path, followingLinks: false)
            try check(open, is: file)
            try DurableRename.createFolder(target.removingLastComponent(), mode: .ownerReadWriteExecute, disk: disk)
            try DurableRename.copy(open, to: target, replacing: true, disk: disk)
            let identity = try FileLook.at(target).identity
            return (Claim(importID: id, relativePath: path, path: target, identity: identity, isCopy: true), open)
        } catch {
            let failure = IntakeError(error, at: path)
            guard failure.cause?.errno == .resourceTemporarilyUnavailable else { throw failure }
            throw IntakeError(.changed, path, "It changed while it was copied.", cause: failure.cause)
        }
    }

    private func check(_ open: OpenFile, is file: ReadyFile) throws {
        guard try open.look().identity.hasSameContent(as: file.identity) else {
            throw IntakeError(.changed, file.relativePath, "It is not what it was when it was complete.")
        }
        guard open.writer() != .present else {
            throw IntakeError(.changed, file.relativePath, "A process has it open for writing.")
        }
    }

    private func moveOut(
        _ path: FilePath, to target: FilePath, by opener: BeneathOpener, _ folders: FolderSync
    ) throws {
        do throws(BeneathOpener.Refusal) {
            try opener.take(path, to: target)
        } catch {
            guard case .failed(let cause) = error else { throw error }
            switch cause.errno {
            case .improperLink:  // a sub-folder on a file system of its own
                try moveAcross(path, to: target, folders)
            case .noSuchFileOrDirectory:
                // The folder for it is missing: it is made for long names, or was removed by somebody.
                try DurableRename.createFolder(
                    target.removingLastComponent(), mode: .ownerReadWriteExecute, folders: folders, disk: disk)
                try opener.take(path, to: target)
            default: throw error
            }
        }
    }

    private func moveAcross(_ path: FilePath, to target: FilePath, _ folders: FolderSync) throws {
        let source = settings.path.pushing(path)
        try DurableRename.createFolder(
            target.removingLastComponent(), mode: .ownerReadWriteExecute, folders: folders, disk: disk)
        try DurableRename.move(from: source, to: target, replacing: false, folders: folders, disk: disk)
    }

    /// Puts a file back where it was dropped, or beside it where that name is taken by now.
    private func returnToFolder(_ claimed: FilePath, _ path: FilePath) {
        // Failing that, it stays among the claims, where the next start finds it.
        _ = try? DurableRename.moveToFreeName(
            from: claimed, to: settings.path.pushing(path), folders: FolderSync(disk: disk), disk: disk)
    }

    private func putBack(_ file: ReadyFile, _ claim: Claim, after error: FileError) -> IntakeError {
        if claim.isCopy {
            // A copy is worth nothing as long as the source is there.
            try? DurableRename.remove(claim.path, folders: FolderSync(disk: disk), disk: disk)
        } else {
            returnToFolder(claim.path, file.relativePath)
        }
        let failure = IntakeError(error)
        settle(file, after: failure)
        return failure
    }

    /// Decides what becomes of a file that could not be taken.
    private func settle(_ file: ReadyFile, after error: IntakeError) {
        handedOut.forget(file.relativePath)
        noteTrouble(error, with: file.relativePath)
        if error.code == .vanished { return }
        let reason: SettleTracker.Reason? = error.code == .changed ? nil : .troubled(error.reason)
        settleAgain(file, strikes: file.strikes + 1, reason: reason)
    }
}
