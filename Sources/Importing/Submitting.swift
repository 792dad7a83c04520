internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Transport

/// Hands submissions over: builds and uploads their chunks, makes the intent durable, and calls.
struct Submitting: Sendable {
    let ledger: any LedgerStore
    let client: LabelboxClient
    let reader: SubmissionReader
    let texts: TextUploads
    let account: AccountFacts
    let workFolder: WorkFolder
    let workbench: Workbench
    let context: StageContext
    let settling: SubmissionSettling
    let watches: WatchBoard
    let words: LooseWords
    let deleting: Deleting
    let changing: Changing
    let uploading: Bell
    let watching: Bell
    let doubting: Bell
    let closing: Bell

    private let chunks = ChunkShelf()

    /// Two at a time: one builds its chunks while the other waits for the network.
    static let width = 2

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<Leased<SubmissionRecord>> {
        Stage(
            name: "submitting", width: { Self.width }, bell: bell,
            lease: { hands in
                if watches.isHeld { return [] }
                let now = context.clock.now
                if try await ledger.seal(limit: hands, at: now).doubted > 0 { doubting.ring() }
                return try await ledger.leaseSubmissions(in: [.sealed], for: grants(), limit: hands)
            },
            nextDue: { looked in
                if watches.isHeld { return nil }
                let next = try await ledger.seal(limit: 0, at: looked).next
                let due = try await ledger.nextDue(.submissions([.sealed]), after: looked)
                return [next, due].compactMap(\.self).min()
            },
            work: submit,
            giveBack: { item, error in
                let now = context.clock.now
                if let error = error as? AfterIntent {
                    // Nobody knows any more what the server did. Never sent again blindly.
                    try await insist {
                        try await ledger.recordAmbiguous(
                            item, nextLook: context.clock.now.advanced(by: Doubting.firstLook),
                            reason: "\(error.cause)",
                            at: context.clock.now)
                    }
                    return doubting.ring()
                }
                try await ledger.recordNotSubmitted(
                    item, until: now.advanced(by: .seconds(10)), reason: "preparing it failed: \(error)", at: now)
            },
            calledOffBy: { .submission($0.item.id, fence: $0.lease.fence) })
    }

    private func submit(_ sealed: Leased<SubmissionRecord>) async throws {
        var item = sealed
        item.item.submitWith = watches.submitWith
        let submission = item.item
        if submission.operation == RowOperation.delete.rawValue { return try await deleting.delete(item) }
        if let refusal = try await account.refusal(of: submission.datasetID) {
            return try await settling.failAll(item, with: refusal)
        }
        guard try await isReady(item) else { return }
        switch submission.submitWith {
        case .upsertDataRows: break
        case .appendRowsToDataset: return try await append(item)
        case .createDataRow: return try await createRows(item)
        }
        let findings = submission.changesRows ? try await changing.findings(item) : nil
        let shipment = try await upload(submission, findings)
        guard shipment.rows > 0 else {
            return try await settling.settle(item, report: TaskReport(status: "NOT_SENT"))
        }
        let manifest = UploadManifest(chunkURLs: shipment.chunkURLs, rows: shipment.rows)
        let uploaded = try await client.uploadFile(
            content: .bytes(manifest.bytes), byteCount: Int64(manifest.bytes.count), filename: "manifest.json",
            contentType: "application/json", progress: nil)
        try await ledger.recordIntent(item, manifestURL: uploaded.url, at: context.clock.now)
        try await call(item, rows: shipment.rows, chunks: shipment.chunkURLs.count) { () async throws(LabelboxError) in
            let task = try await client.upsertDataRows(manifestURL: uploaded.url)
            return (task.id, task.status)
        }
    }

    /// Whether the addresses of its files are good; else they are uploaded again first.
    ///
    /// They grow old while a submission cannot be sent: the server is away, the key is refused, the daemon is down.
    private func isReady(_ item: Leased<SubmissionRecord>) async throws -> Bool {
        let now = context.clock.now
        // Younger than a minute is never too old, or nothing would ever be sent.
        let limits = watches.ages.mapValues { now.addingTimeInterval(-max($0, 60)) }
        let open = try await ledger.renewMedia(of: item.item.id, uploadedAfter: limits, at: now)
        guard open > 0 else { return true }
        try await ledger.recordNotSubmitted(
            item, until: now.advanced(by: .seconds(2)),
            reason: "the addresses of \(open) of its files are too old; they are uploaded again", at: now)
        uploading.ring()
        return false
    }

    /// Writes to the ledger until it can be written: what the server answered must not be lost to a full disk.
    func insist(_ step: () async throws -> Void) async throws {
        while true {
            do {
                return try await step()
            } catch let error as LedgerError {
                guard case .unavailable = error else { throw error }
                context.health.troubled("submitting", error)
                try await context.clock.sleep(for: .seconds(2))
            }
        }
    }

    // MARK: Chunks

    private struct Shipment: Sendable {
        var chunkURLs: [String] = []
        var rows = 0
    }

    private func upload(_ submission: SubmissionRecord, _ findings: Findings?) async throws -> Shipment {
        let abandonment = Abandonment()
        return try await abandonment.guarding {
            try await workbench.run { try chunks.use { try upload(submission, findings, abandonment) } }
        }
    }

    private func upload(
        _ submission: SubmissionRecord, _ findings: Findings?, _ abandonment: Abandonment
    ) throws -> Shipment {
        var shipment = Shipment()
        var chunk = chunks.take()
        func send(_ chunk: inout ChunkBuffer) throws {
            guard !chunk.isEmpty else { return }
            chunk.close()
            shipment.rows += chunk.count
            shipment.chunkURLs.append(try Workbench.wait { [bytes = chunk.bytes] in try await uploadChunk(bytes) })
            // Given away before the next is begun, so that no more than one is held.
            chunks.putBack(&chunk)
            chunk = chunks.take()
        }
        try reader.read(
            submission, chunk: &chunk,
            needs: SubmissionReader.Needs(
                ontology: { try Workbench.wait { try await account.ontology() } },
                textURL: { text, segment in try Workbench.wait { try await texts.url(of: text, for: segment) } },
                isAbandoned: { abandonment.isAbandoned },
                isLeftOut: { findings?.isLeftOut($0, $1) ?? false }),
            full: send, body: { _, _, _, _ in })
        try send(&chunk)
        chunks.putBack(&chunk)
        return shipment
    }

    private func uploadChunk(_ bytes: [UInt8]) async throws -> String {
        try await client.uploadFile(
            content: .bytes(bytes), byteCount: Int64(bytes.count), filename: "json_import.json",
            contentType: "application/json", progress: nil
        ).url
    }

    // MARK: The call

    /// Makes the call whose intent is durable, and records the task that came of it, or what else did.
    func call(
        _ item: Leased<SubmissionRecord>, rows: Int, chunks: Int,
        _ submit: () async throws(LabelboxError) -> (TaskID, TaskStatus)
    ) async throws {
        do {
            try await callOnce(item, rows: rows, chunks: chunks, submit)
        } catch {
            if error is CancellationError { throw error }
            throw AfterIntent(cause: error)
        }
    }

    private func callOnce(
        _ item: Leased<SubmissionRecord>, rows: Int, chunks: Int,
        _ submit: () async throws(LabelboxError) -> (TaskID, TaskStatus)
    ) async throws {
        do {
            let (task, status) = try await submit()
            try await insist {
                let now = context.clock.now
                try await ledger.recordTask(
                    item, task: task, status: status.description, nextPoll: now.advanced(by: Watching.firstPoll),
                    at: now)
            }
            context.observer.submitted(item.item.id, task: task, rows: rows, chunks: chunks)
            watching.ring()
        } catch let error as LabelboxError {
            switch error.outcome {
            case .unknown:
                let reason =
                    "the answer to the call was lost (\(error)); its rows are looked up, and nothing is sent twice"
                try await insist {
                    let now = context.clock.now
                    try await ledger.recordAmbiguous(
                        item, nextLook: now.advanced(by: Doubting.firstLook), reason: reason, at: now)
                }
                context.observer.ambiguous(item.item.id, reason: "\(error)")
                doubting.ring()
            case .notProcessed:
                // The gate retries these for as long as the daemon runs, so this is the end of the daemon.
                let now = context.clock.now
                try await ledger.recordNotSubmitted(item, until: now, reason: "\(error)", at: now)
            case .failed:
                try await settling.refused(item, error)
            }
        }
    }
}

/// The file that lists a submission's chunks.
package struct UploadManifest {
    package let bytes: [UInt8]

    package init(chunkURLs: [String], rows: Int) {
        var bytes = Array(#"{"source":"SDK","item_count":\#(rows),"chunk_uris":["#.utf8)
        for (index, url) in chunkURLs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.appendString(url.utf8, to: &bytes)
        }
        bytes += Array("]}".utf8)
        self.bytes = bytes
    }
}
