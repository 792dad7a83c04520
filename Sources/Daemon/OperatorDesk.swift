internal import Files
internal import Foundation
internal import Importing
internal import Ledger
internal import Locking
internal import Logging
internal import Reporting
internal import SystemPackage

/// Takes what operators ask for into the ledger, and does it.
///
/// A request is a file until the ledger has it, and a row from then on; each is done once more after a crash, which changes
/// nothing. Only one at a time is done, in the order in which they were taken.
package final class OperatorDesk: Sendable {
    /// What requests are done with.
    struct Hands: Sendable {
        var ledger: any LedgerStore
        var importer: Importer
        /// Whether no request is under way to Labelbox, and none may start.
        var isStill: @Sendable () -> Bool
        /// Names of the watches that are configured.
        var watches: @Sendable () -> [String]
        /// Told of the pauses that stand, at the start and whenever they change.
        var paused: @Sendable ([OperatorPause]) -> Void
        /// Reads the configuration again: what came of it, or why it was refused.
        var reload: @Sendable () async -> Result<String, Refusal>
    }

    /// Why something was not done.
    package struct Refusal: Error { package var reason: String }

    private let spool: FileSpool
    private let hands: Hands
    private let clock: ImportClock
    private let logger: Logger
    private let bell = Bell()
    private let state = Locked((isStopping: false, isToReload: false))
    /// Kept, since it listens for as long as it lives.
    private let fileBell: FileBell?

    /// A bell may be lost, and some file systems have none.
    private static let longestWait: Duration = .seconds(60)
    private static let requestsAtOnce = 256

    init(spool: FileSpool, hands: Hands, clock: ImportClock, logger: Logger) {
        self.spool = spool
        self.hands = hands
        self.clock = clock
        self.logger = logger
        do {
            fileBell = try FileBell(spool.folder.appending(StateDirectory.requestBell)) { [bell] in bell.ring() }
        } catch {
            fileBell = nil
            logger.warning(
                "Requests are looked for once a minute only", metadata: ["reason": "\(error)"])
        }
    }

    /// Does what was asked for while nobody listened, before any work is begun.
    func begin() async throws {
        hands.paused(try await hands.ledger.pauses())
        try await lookOnce()
    }

    /// Goes on until ``stop()``.
    func run() async {
        var isTroubled = false
        while !state.withLock({ $0.isStopping }), !Task.isCancelled {
            await bell.wait(atMost: isTroubled ? .seconds(5) : Self.longestWait, on: clock)
            if state.withLock({ $0.isStopping }) || Task.isCancelled { return }
            do {
                // One that was put in the place of the old one is listened to from now on.
                try? fileBell?.renew()
                if state.withLock({ state in
                    defer { state.isToReload = false }
                    return state.isToReload
                }) {
                    _ = await reload()
                }
                try await lookOnce()
                isTroubled = false
            } catch {
                if !isTroubled { logger.error("Requests not taken", metadata: ["reason": "\(error)"]) }
                isTroubled = true
            }
        }
    }

    /// Takes up nothing more; what is being done is still done.
    func stop() {
        state.withLock { $0.isStopping = true }
        bell.ring()
    }

    /// Reads the configuration again, soon.
    func reloadSoon() {
        state.withLock { $0.isToReload = true }
        bell.ring()
    }

    // MARK: Taking

    private func lookOnce() async throws {
        while true {
            let items = try spool.items(limit: Self.requestsAtOnce)
            var requests: [(OperatorRequest, Operator)] = []
            for item in items {
                let by = Operator(uid: Int(item.owner), name: UserName.of(item.owner))
                do {
                    requests.append((try RequestFile.read(try item.content.get()), by))
                } catch {
                    logger.error(
                        "Request refused",
                        metadata: ["file": "\(item.name)", "by": "\(by)", "reason": "it cannot be read: \(error)"])
                }
            }
            if !requests.isEmpty { try await hands.ledger.take(requests, at: clock.now) }
            for item in items { try spool.remove(item.name) }
            if items.count < Self.requestsAtOnce { break }
        }
        while true {
            let open = try await hands.ledger.openRequests(limit: Self.requestsAtOnce)
            for request in open { try await perform(request) }
            if open.count < Self.requestsAtOnce { return }
        }
    }

    // MARK: Doing

    private func perform(_ request: RecordedRequest) async throws {
        let now = clock.now
        var details: Logger.Metadata = [
            "verb": "\(request.request.verb.rawValue)", "by": "\(request.by)", "request": "\(request.request.id)",
            "asked_at": "\(ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: request.request.askedAt)))",
        ]
        details["watch"] = request.request.watch.map { "\($0)" }
        details["import"] = request.request.importID.map { "\($0)" }
        do {
            let outcome = try await done(request, at: now)
            details["outcome"] = "\(outcome)"
            logger.notice("Request done", metadata: details)
        } catch let refusal as Refusal {
            try await hands.ledger.end(request.request.id, as: .refused, outcome: refusal.reason, at: now)
            details["reason"] = "\(refusal.reason)"
            logger.warning("Request refused", metadata: details)
        }
    }

    /// Does what is asked, and records that it is done.
    private func done(_ request: RecordedRequest, at now: Date) async throws -> String {
        let ledger = hands.ledger
        switch request.request.verb {
        case .pause, .resume:
            let outcome = try await pauseOrResume(request, at: now)
            hands.paused(try await ledger.pauses())
            return outcome
        case .reload:
            let outcome = try await reload().get()
            try await ledger.end(request.request.id, as: .done, outcome: outcome, at: clock.now)
            return outcome
        case .cancel, .retry:
            let outcome: String
            do {
                outcome =
                    try await request.request.verb == .cancel
                    ? hands.importer.cancel(request, isStill: hands.isStill) : hands.importer.retry(request)
            } catch let refusal as ControlRefusal {
                throw Refusal(reason: refusal.reason)
            }
            try await ledger.end(request.request.id, as: .done, outcome: outcome, at: clock.now)
            return outcome
        }
    }

    private func pauseOrResume(_ request: RecordedRequest, at now: Date) async throws -> String {
        let watch = request.request.watch
        let standing = try await hands.ledger.pauses().first { $0.watch == watch }
        let what = watch.map { "watch '\($0)'" } ?? "datarowd"
        if request.request.verb == .resume {
            // Also of a watch that is not configured any more.
            let outcome = standing.map { "\(what) goes on; \($0.by) had paused it" } ?? "\(what) was not paused"
            try await hands.ledger.resume(request, outcome: outcome, at: now)
            return outcome
        }
        let known = hands.watches()
        if let watch, !known.contains(watch) {
            throw Refusal(
                reason: "there is no watch '\(watch)'; name one of \(known.sorted().joined(separator: ", "))")
        }
        let outcome = standing.map { "\(what) is paused already, by \($0.by)" } ?? "\(what) is paused"
        try await hands.ledger.pause(request, outcome: outcome, at: now)
        return outcome
    }

    private func reload() async -> Result<String, Refusal> {
        let verdict = await hands.reload()
        switch verdict {
        case .success(let outcome): logger.notice("Configuration applied", metadata: ["outcome": "\(outcome)"])
        case .failure(let refusal):
            for line in refusal.reason.split(separator: "\n") {
                logger.error("Configuration refused", metadata: ["reason": "\(line)"])
            }
        }
        return verdict
    }
}

/// Names of users.
enum UserName {
    /// The name of a user on this machine, or the number where it has none.
    static func of(_ uid: UInt32) -> String {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil, let name = entry.pw_name
        else { return "\(uid)" }
        return String(cString: name)
    }
}
