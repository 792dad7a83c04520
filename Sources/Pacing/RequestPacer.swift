internal import Locking

/// The one gate through which every request to Labelbox goes.
///
/// It keeps the account's budget for every possible 60 s, rests for all after a 429, stops while the
/// server is down or refuses the account, and finds out with single probes when that is over.
///
/// ```swift
/// let permit = try await pacer.admit(.submit)
/// let answer = …
/// pacer.finish(permit, answer.isFine ? .success : .overloaded)
/// ```
///
/// Every permit must be finished, else its place in flight is lost; `withPermit` does so by itself.
///
/// Whoever waits is suspended without a timer of its own: there is one timer for all, and only while
/// somebody waits for a moment that is known. So nothing runs when nothing is to be done, and those
/// who waited leave one by one in their order and not together when a pause ends.
public final class RequestPacer: Sendable {
    private struct State {
        var pacing: PacerState
        var waiters: [UInt64: CheckedContinuation<Permit?, Never>] = [:]
        var alarm: Alarm?
        var alarmsSet: UInt64 = 0
        var random: any RandomNumberGenerator & Sendable
    }

    /// The one timer.
    private struct Alarm {
        let number: UInt64
        let moment: Moment
        /// Absent for the instant between the decision and the start of the task.
        var task: Task<Void, Never>?
    }

    /// What to do once the lock is free.
    private struct Actions {
        var granted: [(CheckedContinuation<Permit?, Never>, Permit)] = []
        var obsolete: Task<Void, Never>?
        var alarm: (number: UInt64, moment: Moment)?
    }

    private let ticker: Ticker
    private let backoff: Backoff
    private let memory: (any StartMemory)?
    private let state: Locked<State>

    /// Makes a pacer at whose beginning nothing has been sent but what `memory` knows of.
    ///
    /// - Parameters:
    ///   - rules: the budget.
    ///   - clock: `ContinuousClock()` in the daemon.
    ///   - backoff: the waits of `rest(beforeRetryOf:)`.
    ///   - random: where the jitter comes from.
    ///   - memory: of what an earlier process sent; nil where nothing is remembered.
    public init<C: Clock>(
        rules: PacingRules = PacingRules(), clock: C, backoff: Backoff = Backoff(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        memory: (any StartMemory)? = nil
    ) where C.Duration == Duration {
        ticker = Ticker(clock)
        self.backoff = backoff
        self.memory = memory
        let ages = memory?.ages(within: WindowBudget.serversWindow) ?? []
        state = Locked(State(pacing: PacerState(rules: rules, ages: ages), random: random))
    }

    deinit {
        // Nobody waits, for a waiter holds the pacer; an alarm may be left all the same.
        state.withLock { $0.alarm?.task }?.cancel()
    }

    // MARK: One request

    /// Suspends until a request may start, and counts it as started.
    ///
    /// - Parameters:
    ///   - priority: what the request is for.
    ///   - retried: the permit of the attempt before, when this is a retry. Retries have a budget of their own, and
    ///     repeated failures of one request alone do not stop the others.
    /// - Returns: the right to send the request now; it must be finished.
    /// - Throws: `CancellationError`, at once when the task is cancelled.
    public func admit(
        _ priority: RequestPriority, retrying retried: Permit? = nil
    ) async throws(CancellationError) -> Permit {
        // Empty until the request stands in its lane; touched only under the lock of `state`.
        let place = Locked<PacerState.Ticket?>(nil)
        let permit = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let actions = state.withLock { state -> Actions? in
                    // Asked under the lock that the cancel handler takes, so that no cancellation is lost.
                    guard !Task.isCancelled else { return nil }
                    let ticket = state.pacing.enqueue(priority, retrying: retried)
                    place.withLock { $0 = ticket }
                    state.waiters[ticket.number] = continuation
                    return step(&state)
                }
                guard let actions else { return continuation.resume(returning: nil) }
                perform(actions)
            }
        } onCancel: {
            leave(place)
        }
        guard let permit else { throw CancellationError() }
        return permit
    }

    /// Takes the outcome of the request; later outcomes of the same permit are ignored.
    ///
    /// - Parameters:
    ///   - permit: what `admit` gave.
    ///   - verdict: the outcome.
    ///   - reason: what was seen, for people who look at the status; never a secret.
    public func finish(_ permit: Permit, _ verdict: Verdict, reason: String? = nil) {
        change { [ticker] state in state.finish(permit, verdict, reason: reason, at: ticker.now) }
    }

    /// Runs `body` with a permit and finishes it with the verdict that `body` gives, or as neutral when it throws.
    public func withPermit<Result>(
        _ priority: RequestPriority, retrying retried: Permit? = nil,
        _ body: (Permit) async throws -> (result: Result, verdict: Verdict)
    ) async throws -> Result {
        let permit = try await admit(priority, retrying: retried)
        do {
            let (result, verdict) = try await body(permit)
            finish(permit, verdict)
            return result
        } catch {
            finish(permit, .neutral)
            throw error
        }
    }

    /// Chooses how long to wait before trying again what this permit was for.
    public func delay(beforeRetryOf permit: Permit) -> Duration {
        state.withLock { [backoff] state in
            backoff.delay(beforeRetry: permit.attempt, using: &state.random)
        }
    }

    /// Waits before trying again what this permit was for: exponential back-off with full jitter.
    ///
    /// - Throws: `CancellationError`, at once when the task is cancelled.
    public func rest(beforeRetryOf permit: Permit) async throws(CancellationError) {
        do {
            try await ticker.sleep(until: ticker.now.advanced(by: delay(beforeRetryOf: permit)))
        } catch {
            // A clock has no other reason to throw.
            throw CancellationError()
        }
    }

    // MARK: From outside

    /// Lets a probe through at once when the account is blocked or the breaker open: the configuration was reloaded.
    public func probeNow() {
        change { [ticker] state in state.probeNow(at: ticker.now) }
    }

    /// Lets only what asks start, and nothing that changes anything; `false` ends that.
    ///
    /// What is in flight goes on, and who waits keeps its place.
    public func hold(_ isHeld: Bool) {
        change { state in state.hold(isHeld) }
    }

    /// Takes changed rules; what was started and learned stays.
    public func apply(_ rules: PacingRules) {
        change { state in state.apply(rules) }
    }

    /// Describes where everything stands.
    public func snapshot() -> PacerSnapshot {
        state.withLock { [ticker] state in state.pacing.snapshot(at: ticker.now) }
    }

    // MARK: Inside

    private func change(_ body: (inout PacerState) -> Void) {
        let actions = state.withLock { state in
            body(&state.pacing)
            return step(&state)
        }
        perform(actions)
    }

    private func leave(_ place: Locked<PacerState.Ticket?>) {
        let (waiter, actions) = state.withLock { state -> (CheckedContinuation<Permit?, Never>?, Actions) in
            guard let ticket = place.withLock({ $0 }), let waiter = state.waiters.removeValue(forKey: ticket.number)
            else { return (nil, Actions()) }
            state.pacing.leave(ticket)
            // Another may have waited behind it, or nobody may need the alarm any more.
            return (waiter, step(&state))
        }
        waiter?.resume(returning: nil)
        perform(actions)
    }

    /// Lets everyone start who may, and settles what the alarm should be.
    private func step(_ state: inout State) -> Actions {
        var actions = Actions()
        let now = ticker.now
        while true {
            switch state.pacing.next(at: now) {
            case .start(let ticket, let permit):
                guard let waiter = state.waiters.removeValue(forKey: ticket.number) else {
                    preconditionFailure("a request stands in a lane and nobody waits for it")
                }
                actions.granted.append((waiter, permit))
            case .sleep(let moment):
                // An alarm that rings too early is left alone: it will look again.
                if let alarm = state.alarm, alarm.moment <= moment { return actions }
                actions.obsolete = state.alarm?.task
                state.alarmsSet += 1
                state.alarm = Alarm(number: state.alarmsSet, moment: moment)
                actions.alarm = (state.alarmsSet, moment)
                return actions
            case .idle:
                actions.obsolete = state.alarm?.task
                state.alarm = nil
                return actions
            }
        }
    }

    private func perform(_ actions: Actions) {
        // Before they go out: who is killed in between has counted one too many, and not one too few.
        if !actions.granted.isEmpty { memory?.note(actions.granted.count) }
        for (waiter, permit) in actions.granted { waiter.resume(returning: permit) }
        actions.obsolete?.cancel()
        guard let (number, moment) = actions.alarm else { return }
        let task = Task { [weak self, ticker] in
            do { try await ticker.sleep(until: moment) } catch { return }
            self?.ring(number)
        }
        let isCurrent = state.withLock { state in
            guard state.alarm?.number == number else { return false }
            state.alarm?.task = task
            return true
        }
        if !isCurrent { task.cancel() }
    }

    private func ring(_ number: UInt64) {
        let actions = state.withLock { state -> Actions? in
            guard state.alarm?.number == number else { return nil }
            state.alarm = nil
            return step(&state)
        }
        if let actions { perform(actions) }
    }
}
