internal import DequeModule

/// Decides who may start, and when to look again: the pacer without its clock, lock and tasks.
///
/// Those who wait stand in lanes, one for the first attempts and one for the retries of each
/// priority, first come first served. A lane is asked only for its head.
package struct PacerState: Sendable {
    /// What `next(at:)` found.
    package enum Step: Sendable, Equatable {
        /// This one starts now.
        case start(Ticket, Permit)
        /// Nobody may start before this moment.
        case sleep(until: Moment)
        /// Nobody waits, or only the end of a request in flight can change anything.
        case idle
    }

    /// A place in a lane.
    package struct Ticket: Sendable, Hashable {
        package let number: UInt64
        let priority: RequestPriority
        /// The attempt before, for a retry.
        let retried: Permit?
    }

    private var rules: PacingRules
    private var budget: WindowBudget
    private var concurrency: AdaptiveLimit
    private var breaker: CircuitBreaker
    private var gate: AccountGate
    private var pause = Pause()
    private var retries: RetryBudget

    private var lanes = [Deque<Ticket>](repeating: [], count: RequestPriority.allCases.count * 2)
    private var flights: [UInt64: Permit] = [:]
    private var uploadsInFlight = 0
    /// Since the last upload started, while one was waiting.
    private var submitsInARow = 0
    private var lastNumber: UInt64 = 0
    private var lastSlowdown: Moment?
    /// Whether only what asks may start, and nothing that changes anything.
    private var isHeld = false
    /// Attempts that failed since the last answer, and how the last of them did.
    private var failures: (count: Int, reason: String)?

    /// So many attempts in a row may fail before people are told: the first retry helps most often.
    private static let failuresToTell = 3
    /// After so many submissions an upload that waits has its turn: submissions live on uploads.
    private static let submitsBeforeUpload = 4

    package init(
        rules: PacingRules, start: Moment = .zero, breaker: CircuitBreaker = CircuitBreaker(),
        gate: AccountGate = AccountGate(), retries: RetryBudget? = nil, ages: [Duration] = []
    ) {
        self.rules = rules
        self.breaker = breaker
        self.gate = gate
        self.retries = retries ?? RetryBudget(start: start)
        budget = WindowBudget(limit: rules.requestsPerMinute, ages: ages)
        concurrency = AdaptiveLimit(maximum: rules.maximumConnections)
    }

    // MARK: Waiting

    /// Puts a request at the end of its lane.
    package mutating func enqueue(_ priority: RequestPriority, retrying retried: Permit?) -> Ticket {
        lastNumber += 1
        let ticket = Ticket(number: lastNumber, priority: priority, retried: retried)
        lanes[lane(of: ticket)].append(ticket)
        return ticket
    }

    /// Takes a request out of its lane; does nothing when it has left already.
    package mutating func leave(_ ticket: Ticket) {
        let lane = lane(of: ticket)
        guard let index = index(of: ticket, in: lanes[lane]) else { return }
        lanes[lane].remove(at: index)
    }

    /// Starts the next request that may start now, or says when to ask again.
    package mutating func next(at now: Moment) -> Step {
        guard lanes.contains(where: { !$0.isEmpty }) else { return .idle }
        // What holds everyone back.
        guard hasRoom || hasSideDoor else { return .idle }
        let opens = max(gate.earliestStart(at: now), breaker.earliestStart(at: now), pause.until(at: now) ?? now)
        guard opens <= now else { return .sleep(until: opens) }
        // What holds back one lane and not another.
        var soonest: Moment?
        for lane in lanesInOrder() {
            guard let ticket = lanes[lane].first, let due = earliestStart(of: ticket, at: now) else { continue }
            if due <= now { return .start(ticket, start(ticket, from: lane, at: now)) }
            soonest = soonest.map { min($0, due) } ?? due
        }
        return soonest.map { .sleep(until: $0) } ?? .idle
    }

    private var hasRoom: Bool { flights.count < concurrency.current }

    /// Whether one request that is no upload may pass although the adapted limit is reached.
    ///
    /// When the limit sinks below the number of uploads in flight, which may go on for hours, their
    /// places must not keep everyone from asking how the tasks do.
    private var hasSideDoor: Bool { flights.count == uploadsInFlight && flights.count < concurrency.maximum }

    private mutating func earliestStart(of ticket: Ticket, at now: Moment) -> Moment? {
        if isHeld && ticket.priority != .poll { return nil }
        let isUpload = ticket.priority == .upload
        // The last place is not for uploads, unless it is the only one.
        if isUpload && (!hasRoom || uploadsInFlight >= max(1, concurrency.current - 1)) { return nil }
        let inWindow = budget.earliestStart(at: now, leaving: isUpload ? rules.reserve : 0)
        return ticket.retried == nil ? inWindow : max(inWindow, retries.earliestRetry(at: now))
    }

    private mutating func start(_ ticket: Ticket, from lane: Int, at now: Moment) -> Permit {
        lanes[lane].removeFirst()
        let permit = Permit(
            priority: ticket.priority, attempt: (ticket.retried?.attempt ?? 0) + 1,
            request: ticket.retried?.request ?? ticket.number, id: ticket.number, start: now)
        budget.record(now)
        breaker.recordStart(permit: permit.id, at: now)
        gate.recordStart(permit: permit.id, at: now)
        if ticket.retried != nil { retries.spend(at: now) }
        flights[permit.id] = permit
        switch ticket.priority {
        case .poll: break
        case .submit: submitsInARow += 1
        case .upload:
            submitsInARow = 0
            uploadsInFlight += 1
        }
        return permit
    }

    /// Lanes by priority; within one, whoever came first, be it a first attempt or a retry.
    private func lanesInOrder() -> [Int] {
        let uploadsTurn = submitsInARow >= Self.submitsBeforeUpload
        let order: [RequestPriority] = uploadsTurn ? [.poll, .upload, .submit] : [.poll, .submit, .upload]
        return order.flatMap { priority -> [Int] in
            let fresh = priority.rawValue * 2
            guard let first = lanes[fresh].first, let retry = lanes[fresh + 1].first else { return [fresh, fresh + 1] }
            return first.number < retry.number ? [fresh, fresh + 1] : [fresh + 1, fresh]
        }
    }

    private func lane(of ticket: Ticket) -> Int {
        ticket.priority.rawValue * 2 + (ticket.retried == nil ? 0 : 1)
    }

    /// Numbers only grow along a lane, so it can be searched by halving.
    private func index(of ticket: Ticket, in lane: Deque<Ticket>) -> Int? {
        var low = 0
        var high = lane.count
        while low < high {
            let middle = (low + high) / 2
            if lane[middle].number < ticket.number { low = middle + 1 } else { high = middle }
        }
        return low < lane.count && lane[low].number == ticket.number ? low : nil
    }

    // MARK: Ending

    /// Takes the outcome of an attempt; a second outcome for the same attempt is ignored.
    package mutating func finish(_ permit: Permit, _ verdict: Verdict, reason: String?, at now: Moment) {
        guard flights.removeValue(forKey: permit.id) != nil else { return }
        if permit.priority == .upload { uploadsInFlight -= 1 }
        switch verdict {
        case .success, .rateLimited, .blocked: failures = nil
        case .overloaded, .unreachable, .interrupted, .neutral: break
        }
        switch verdict {
        case .success:
            breaker.recordAnswer()
            gate.recordSuccess(permit: permit.id)
            concurrency.recordSuccess()
            retries.recordSuccess(at: now)
        case .rateLimited(let retryAfter):
            breaker.recordAnswer()
            gate.recordNothing(permit: permit.id, at: now)
            pause.begin(at: now, retryAfter: retryAfter, window: budget.window)
            slowDown(after: permit, at: now)
        case .overloaded, .unreachable, .interrupted:
            let text = reason ?? Self.words(for: verdict)
            failures = ((failures?.count ?? 0) + 1, text)
            breaker.recordFailure(
                permit: permit.id, request: verdict == .unreachable ? nil : permit.request, at: now, reason: text)
            gate.recordNothing(permit: permit.id, at: now)
            concurrency.recordStress(startedAt: permit.start, at: now)
        case .blocked(let words):
            breaker.recordAnswer()
            gate.block(permit: permit.id, at: now, reason: words)
        case .neutral:
            breaker.recordNothing(permit: permit.id)
            gate.recordNothing(permit: permit.id, at: now)
        }
    }

    private static func words(for verdict: Verdict) -> String {
        switch verdict {
        case .unreachable: "the server cannot be reached"
        case .interrupted: "the connection broke"
        default: "the server is overloaded"
        }
    }

    // All that were in flight together may come back with a 429. That is one piece of news.
    private mutating func slowDown(after permit: Permit, at now: Moment) {
        if let lastSlowdown, permit.start < lastSlowdown { return }
        lastSlowdown = now
        budget.slowDown(at: now)
    }

    // MARK: From outside

    /// Lets a probe through at once, whatever is closed, but a pause is kept.
    package mutating func probeNow(at now: Moment) {
        gate.probeNow(at: now)
        breaker.probeNow(at: now)
    }

    /// Holds back all that changes something, or lets it go again; what is in flight goes on.
    package mutating func hold(_ isHeld: Bool) { self.isHeld = isHeld }

    /// Takes changed rules; what was started and learned stays.
    package mutating func apply(_ rules: PacingRules) {
        self.rules = rules
        budget.setLimit(rules.requestsPerMinute)
        concurrency.setMaximum(rules.maximumConnections)
    }

    /// Describes where everything stands.
    package mutating func snapshot(at now: Moment) -> PacerSnapshot {
        let isOpen = breaker.state(at: now) != .closed
        return PacerSnapshot(
            limit: budget.allowance(at: now), configuredLimit: budget.limit, usedInWindow: budget.used(at: now),
            pausedFor: pause.until(at: now).map { now.duration(to: $0) },
            breaker: breaker.state(at: now), breakerReason: breaker.reason,
            breakerProbeIn: isOpen ? now.duration(to: breaker.earliestStart(at: now)) : nil,
            failing: failures.flatMap { $0.count >= Self.failuresToTell ? $0.reason : nil },
            blockedReason: gate.reason,
            blockedProbeIn: gate.reason == nil ? nil : now.duration(to: gate.earliestStart(at: now)),
            inFlight: flights.count, waiting: lanes.reduce(0) { $0 + $1.count },
            concurrencyLimit: concurrency.current, isHeld: isHeld, retriesAvailable: retries.available(at: now))
    }
}
