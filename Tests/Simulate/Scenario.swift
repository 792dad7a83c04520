import LabelboxSimulator

/// A run that is made for one mistake that was found once, so that it stays mended.
enum Scenario: String, CaseIterable, Sendable {
    /// A server that calls two lists in one request too complex kept imports open for ever.
    case resultsTooComplex = "results-too-complex"
    /// A daemon whose account was blocked while it uploaded rows did not end when it was told to.
    case stopWhileBlocked = "stop-while-blocked"
    /// A crash between the archive and the ledger, of an import with rows that failed, kept it open for ever.
    case crashAfterArchiving = "crash-after-archiving"
    /// Rows that were dropped again before the server's index knew them were reported as failed.
    case againBeforeIndex = "again-before-index"
    /// A call that waited long for its turn, and whose answer was lost, was sent again after one look.
    case lostAfterWait = "lost-after-wait"

    /// An answer that took a minute, and told how it was before the index knew the keys, was taken for what is so now.
    case lateLook = "late-look"
    /// The last row of a task that failed, whose other rows existed already, was called refused without a try of its own.
    case lastOfFailedTask = "last-of-failed-task"

    /// What happens in it.
    var plan: Plan {
        var plan = Plan()
        plan.addManifest([.imported, .imported, .imported])
        plan.healing = 600 * 1_000_000_000
        switch self {
        case .resultsTooComplex: plan.server.complexityLimit = 1
        case .stopWhileBlocked:
            plan.faults = [Faults.Rule(rates: [.unauthorized: 1], operations: ["uploadFile"])]
            plan.endings = [.init(cause: .time(60 * 1_000_000_000), pause: .seconds(5))]
        case .crashAfterArchiving:
            plan.addManifest([.imported, .rejected])
            plan.endings = [.init(cause: .archived, pause: .seconds(5))]
        case .lostAfterWait:
            plan.server.indexLag = .seconds(30)
            plan.faults = [
                Faults.Rule(rates: [.tooManyRequests: 1], operations: ["upsertDataRows"], count: 2),
                Faults.Rule(rates: [.lost: 1], operations: ["upsertDataRows"], count: 1),
            ]
            plan.server.sendsRetryAfter = false
        case .lateLook:
            plan.server.indexLag = .seconds(30)
            plan.faults = [
                Faults.Rule(rates: [.lost: 1], operations: ["upsertDataRows"], count: 1),
                Faults.Rule(
                    rates: [.slow: 1], operations: ["dataRowsForGlobalKeysResult"], count: 1, delay: .seconds(58)),
            ]
        case .lastOfFailedTask:
            // The first row is there when a task with it and a new one fails.
            plan.addManifestWithOneMore()
            plan.weather.failsTasks = [1]
        case .againBeforeIndex:
            plan.server.indexLag = .seconds(30)
            plan.linger = .zero
            plan.addManifestAgain()
        }
        return plan
    }
}
