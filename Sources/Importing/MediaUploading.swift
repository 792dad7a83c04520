internal import DataRows
internal import Files
internal import Foundation
internal import Intake
internal import LabelboxAPI
internal import Ledger
internal import Locking
internal import SystemPackage
internal import Transport

/// Finds the local files that rows name, and uploads each content once.
struct MediaUploading: Sendable {
    let watches: WatchBoard
    let ledger: any LedgerStore
    let client: LabelboxClient
    let context: StageContext
    let sending: FileSending
    /// Where files are looked into.
    let reading: WorkLane
    let sealing: Bell
    let closing: Bell
    /// One upload of a content goes ahead and the others of the same content wait, for then they need none of their own.
    let inFlight = Turns<[UInt8]>()

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<Leased<MediaRecord>> {
        Stage(
            name: "uploading", width: { Self.width(uploads: watches.uploads, together: sending.filesTogether) },
            leastLeased: { max(1, $0 / 4) },
            bell: bell,
            lease: { watches.isHeld ? [] : try await ledger.leaseMedia(for: grants(), limit: $0) },
            nextDue: { watches.isHeld ? nil : try await ledger.nextDue(.media, after: $0) },
            work: work,
            giveBack: { item, error in
                let now = context.clock.now
                try await ledger.postpone(
                    item, until: now.advanced(by: .seconds(5)), isAwaited: item.item.phase == .awaited, at: now)
            },
            calledOffBy: { .media($0.item.id, fence: $0.lease.fence) })
    }

    /// As many files as are under way, and as many again that are read meanwhile, so that the next requests are full.
    private static func width(uploads: Int, together: Int) -> Int {
        together > 1 ? 2 * uploads * together : uploads
    }

    // MARK: Finding

    private func work(_ item: Leased<MediaRecord>) async throws {
        let now = context.clock.now
        guard let watch = watches[item.item.watch] else {
            return try await ledger.postpone(
                item, until: now.advanced(by: .seconds(60)), isAwaited: item.item.phase == .awaited, at: now)
        }
        switch await watch.folder.resolveMedia(path: name(of: item.item, in: watch), manifestRelativePath: "manifest") {
        case .ready(let media):
            if let bytes = item.item.expected?.bytes, bytes != media.size {
                return try await expect(
                    item, watch, otherwise: "it has \(media.size) bytes, and its manifest says \(bytes)", at: now)
            }
            var item = item
            let identity = MediaIdentity(media.identity)
            if item.item.identity != identity {
                try await ledger.recordFound(item, identity: identity, at: now)
                item.item.phase = .pending
                item.item.identity = identity
            }
            try await upload(item, media, watch)
        case .settling(_, let until):
            // As the drop folder's own clock goes; never sooner than a moment from now.
            let wait = min(max(until.timeIntervalSince(now), 0.1), 60)
            try await ledger.postpone(item, until: now.addingTimeInterval(wait), isAwaited: true, at: now)
        case .missing where FolderAbsence.isAway(watch.folder.settings.path):
            // No file is missed in a folder that is away itself.
            try await ledger.postpone(item, until: now.advanced(by: .seconds(5)), isAwaited: true, at: now)
        case .missing:
            try await expect(item, watch, otherwise: "there is no such file", at: now)
        case .refused(let refusal) where refusal.isPassing:
            try await lookAgain(item, reason: refusal.message)
        case .refused(let refusal):
            try await fail(item, code: refusal.code.rawValue, message: "\(item.item.path): \(refusal.message)", at: now)
        }
    }

    /// How to ask the drop folder for a file that the ledger knows.
    private func name(of media: MediaRecord, in watch: ImportWatch) -> String {
        guard media.root > 0 else { return media.path.string }
        let roots = watch.folder.settings.mediaRoots
        guard media.root <= roots.count else { return media.path.string }
        return roots[media.root - 1].appending(media.path.components).string
    }

    /// Goes on waiting for the file that is meant, or gives up when that has taken too long.
    private func expect(
        _ item: Leased<MediaRecord>, _ watch: ImportWatch, otherwise reason: String, at now: Date
    ) async throws {
        let patience = watch.folder.settings.mediaWait.seconds
        let waited = now.timeIntervalSince(item.item.since)
        guard waited < patience else {
            return try await fail(
                item, code: "media_missing",
                message:
                    "\(item.item.path): \(reason), and that did not change within \(watch.folder.settings.mediaWait); "
                    + "put the right file there and drop the failed rows again", at: now)
        }
        let pause = min(10, 0.5 * pow(2, Double(min(item.item.attempts, 5))), patience - waited)
        try await ledger.postpone(item, until: now.addingTimeInterval(max(pause, 0.1)), isAwaited: true, at: now)
    }

    // MARK: Uploading

    private func upload(_ item: Leased<MediaRecord>, _ media: OpenableMedia, _ watch: ImportWatch) async throws {
        let path = watch.folder.mediaPath(media)
        do {
            let isHashedFirst = try await isHashedFirst(item.item, media)
            let look = try await reading.run {
                try MediaLook(
                    try watch.folder.openMedia(media), media, watch.media, hashes: isHashedFirst,
                    expected: item.item.expected?.sha256)
            }
            if let refusal = look.judgement.refusal {
                return try await fail(item, code: refusal.code, message: refusal.message, at: context.clock.now)
            }
            let goesOn: Bool
            if let digest = look.digest {
                guard look.isExpected else {
                    return try await expect(
                        item, watch, otherwise: "its SHA-256 is not the one that its manifest says",
                        at: context.clock.now)
                }
                goesOn = try await inFlight.alone(with: digest) {
                    try await upload(item, media, watch, look, digest: digest, path: path)
                }
            } else {
                goesOn = try await uploadWhileHashing(item, media, look, path: path)
            }
            // What waits for other files too is not to be looked for after each.
            if !goesOn { return }
        } catch is MediaLook.Changed {
            try await retryLater(item, media, watch, reason: "it changed while it was read")
        } catch let error as IntakeError {
            try await retryLater(item, media, watch, reason: "\(error)")
        } catch let error as LabelboxError {
            switch error.kind {
            case .bodySource: try await retryLater(item, media, watch, reason: "\(error)")
            case .cancelled: throw CancellationError()
            default:
                try await fail(
                    item, code: error.code, message: "\(media.relativePath): \(error)", at: context.clock.now)
            }
        }
        sealing.ring()
        closing.ring()
    }

    /// Whether the content must be known before anything is sent: it may be uploaded already, or be the wrong one.
    ///
    /// Small files are cheap to read twice, the second time from memory. A large one of which that cannot be is hashed while it is sent.
    private func isHashedFirst(_ item: MediaRecord, _ media: OpenableMedia) async throws -> Bool {
        if media.size < LargeContent.bytes || item.expected?.sha256 != nil { return true }
        return try await ledger.knowsContent(bytes: media.size)
    }

    private func upload(
        _ item: Leased<MediaRecord>, _ media: OpenableMedia, _ watch: ImportWatch, _ look: MediaLook,
        digest: [UInt8], path: FilePath
    ) async throws -> Bool {
        let start = context.clock.now
        if let known = try await ledger.knownContent(
            sha256: digest, bytes: media.size, type: look.judgement.contentType,
            uploadedAfter: start.addingTimeInterval(-watch.mediaURLAge.seconds))
        {
            let goesOn = try await ledger.recordUploaded(item, content: known, warning: look.warning, at: start)
            context.observer.uploaded(path: path, bytes: media.size, isReused: true)
            return goesOn
        }
        let uploaded = try await send(media, look, path: path)
        return try await record(uploaded, of: item, media, look, digest: digest, path: path)
    }

    private func uploadWhileHashing(
        _ item: Leased<MediaRecord>, _ media: OpenableMedia, _ look: MediaLook, path: FilePath
    ) async throws -> Bool {
        let sent = SentContent()
        let uploaded = try await send(media, look, path: path) { sent.take($0, at: $1) }
        var digest = sent.digest(ifSent: media.size)
        if digest == nil {
            // The server has answered before it had everything.
            digest = try await reading.run { try MediaLook.digest(of: look.file, size: media.size) }
            try checkUnchanged(look, media)
        }
        guard let digest else { throw MediaLook.Changed() }
        return try await record(uploaded, of: item, media, look, digest: digest, path: path)
    }

    private func send(
        _ media: OpenableMedia, _ look: MediaLook, path: FilePath,
        witness: (@Sendable (_ bytes: UnsafeRawBufferPointer, _ position: Int64) -> Void)? = nil
    ) async throws -> UploadedFile {
        var content = FileSlice(owning: try look.file.descriptor.duplicate(), name: path, length: media.size)
        content.witness = witness
        let uploaded = try await sending.send(
            FileUpload(
                content: .file(content),
                filename: media.relativePath.lastComponent?.string ?? "file",
                contentType: look.judgement.contentType))
        try checkUnchanged(look, media)
        return uploaded
    }

    private func checkUnchanged(_ look: MediaLook, _ media: OpenableMedia) throws {
        guard try look.file.look().identity.hasSameContent(as: media.identity) else { throw MediaLook.Changed() }
    }

    private func record(
        _ uploaded: UploadedFile, of item: Leased<MediaRecord>, _ media: OpenableMedia, _ look: MediaLook,
        digest: [UInt8], path: FilePath
    ) async throws -> Bool {
        let now = context.clock.now
        let goesOn = try await ledger.recordUploaded(
            item,
            content: UploadedContent(
                sha256: digest, bytes: media.size, type: look.judgement.contentType, url: uploaded.url,
                uploadedAt: now), warning: look.warning, at: now)
        context.observer.uploaded(path: path, bytes: media.size, isReused: false)
        return goesOn
    }

    private func retryLater(
        _ item: Leased<MediaRecord>, _ media: OpenableMedia, _ watch: ImportWatch, reason: String
    ) async throws {
        await watch.folder.mediaChanged(media)
        try await lookAgain(item, reason: reason)
    }

    /// Trouble of the machine, or a file that somebody works on, fails no row, however long it lasts.
    private func lookAgain(_ item: Leased<MediaRecord>, reason: String) async throws {
        context.observer.mediaFailed(path: item.item.path, reason: "\(reason); it is looked at again")
        let now = context.clock.now
        let pause = min(60, pow(2, Double(min(item.item.attempts, 6))))
        try await ledger.postpone(item, until: now.addingTimeInterval(pause), isAwaited: true, at: now)
    }

    private func fail(_ item: Leased<MediaRecord>, code: String, message: String, at now: Date) async throws {
        try await ledger.recordFailed(item, failure: ErrorEntry(code: code, message: message), at: now)
        context.observer.mediaFailed(path: item.item.path, reason: message)
        sealing.ring()
        closing.ring()
    }
}
