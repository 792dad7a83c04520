internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Locking

/// Handing over by `createDataRow`: one call a row.
///
/// A submission is small then, and its intent covers all of its calls: after a crash in the middle, the keys of its rows
/// tell which of them were made.
extension Submitting {
    /// How many rows a submission should have.
    ///
    /// What a crash leaves in doubt is at most this, and each batch costs some commits of the ledger.
    static let rowsCreatedTogether = 200

    /// Creates the rows, each by its own call, and settles them.
    func createRows(_ item: Leased<SubmissionRecord>) async throws {
        let progress = Locked(Progress())
        let abandonment = Abandonment()
        do {
            try await abandonment.guarding {
                try await workbench.run {
                    var waiting: [SingleRow] = []
                    var chunk = ChunkBuffer()
                    func send() throws {
                        guard !waiting.isEmpty else { return }
                        let rows = waiting
                        waiting = []
                        try Workbench.wait { try await create(rows, item, progress) }
                    }
                    try reader.read(
                        item.item, chunk: &chunk,
                        needs: SubmissionReader.Needs(
                            ontology: { try Workbench.wait { try await account.ontology() } },
                            textURL: { text, segment in
                                try Workbench.wait { try await texts.url(of: text, for: segment) }
                            },
                            isAbandoned: { abandonment.isAbandoned }),
                        full: { $0.removeAll() },
                        body: { _, _, fate, chunk in
                            if case .send(let identity) = fate {
                                waiting.append(try SingleRow(chunk, identity))
                                if waiting.count == Self.callsAtOnce { try send() }
                            }
                            chunk.removeAll()
                        })
                    try send()
                }
            }
        } catch {
            if error is CancellationError || !progress.withLock({ $0.hasIntent }) { throw error }
            words.keep(progress.withLock { $0.report }, of: item.item.id)
            throw AfterIntent(cause: error)
        }
        let done = progress.withLock { $0 }
        words.keep(done.report, of: item.item.id)
        if done.lost == 0 {
            do {
                // A key that is in use and not found yet is looked up again as one in doubt is.
                let isEnded = try await settling.settle(item, report: done.report, isPatient: done.calls > 0)
                if isEnded { return words.forget(item.item.id) }
            } catch {
                throw AfterIntent(cause: error)
            }
        }
        let reason =
            done.lost == 0
            ? "the server says that a key is in use, and it is not found yet; it is looked up again"
            : "the answers to \(done.lost) of \(done.calls) calls were lost; their rows are looked up, and nothing is sent twice"
        try await insist {
            let now = context.clock.now
            try await ledger.recordAmbiguous(
                item, nextLook: now.advanced(by: Doubting.firstLook), reason: reason, at: now)
        }
        context.observer.ambiguous(item.item.id, reason: reason)
        doubting.ring()
    }

    /// How many rows are held at a time; how many of their calls run is up to the gate.
    private static let callsAtOnce = 50

    private struct Progress: Sendable {
        var hasIntent = false
        var report = TaskReport(status: "CREATED")
        var calls = 0
        var lost = 0
    }

    private func create(
        _ rows: [SingleRow], _ item: Leased<SubmissionRecord>, _ progress: Locked<Progress>
    ) async throws {
        if !progress.withLock({ $0.hasIntent }) {
            try await ledger.recordIntent(item, manifestURL: nil, at: context.clock.now)
            progress.withLock { $0.hasIntent = true }
        }
        let dataset = item.item.datasetID
        let words = try await withThrowingTaskGroup(of: (Int, TaskReport.Word).self) { group in
            for (index, row) in rows.enumerated() {
                group.addTask { (index, try await create(row, in: dataset)) }
            }
            var words = [TaskReport.Word](repeating: .unknown, count: rows.count)
            for try await (index, word) in group { words[index] = word }
            return words
        }
        progress.withLock { progress in
            progress.calls += rows.count
            progress.lost += words.count { $0 == .unknown }
            // In the order of the rows: those without a key are told apart by it.
            for (row, word) in zip(rows, words) {
                progress.report.add(
                    word, key: row.globalKey.map(ExactName.init(_:)),
                    externalID: row.externalID.map(ExactName.init(_:)), content: row.rowData)
            }
        }
    }

    private func create(_ row: SingleRow, in dataset: DatasetID) async throws -> TaskReport.Word {
        do throws(LabelboxError) {
            return .created(
                try await client.createDataRow(
                    in: dataset, rowData: row.rowData, externalID: row.externalID, globalKey: row.globalKey))
        } catch {
            switch error.outcome {
            case .failed: return .failed(error.message)
            case .unknown: return .unknown
            // The gate retries these for as long as the daemon runs, so this is the end of the daemon.
            case .notProcessed: throw error
            }
        }
    }
}

/// What is known of single rows of submissions that are in doubt as a whole.
///
/// Lost with the process, which costs a look-up for each of the rows and, where rows have no keys, sends some twice.
final class LooseWords: Sendable {
    private let reports = Locked<[SubmissionID: TaskReport]>([:])

    func keep(_ report: TaskReport, of submission: SubmissionID) {
        reports.withLock { $0[submission] = report }
    }

    func words(of submission: SubmissionID) -> TaskReport? { reports.withLock { $0[submission] } }

    func forget(_ submission: SubmissionID) {
        reports.withLock { $0[submission] = nil }
    }
}

/// The fields of one `createDataRow` call.
private struct SingleRow: Sendable, Decodable {
    var rowData = ""
    var externalID: String?
    var globalKey: String?

    private enum CodingKeys: String, CodingKey {
        case rowData, globalKey
        case externalID = "externalId"
    }

    init(_ chunk: ChunkBuffer, _ identity: RowIdentity) throws {
        self = try JSONDecoder().decode(SingleRow.self, from: Data(chunk.bytes.dropFirst()))
    }
}
