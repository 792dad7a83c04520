import Foundation
import Glibc
import LabelboxAPI
import LabelboxSimulator
import Transport

/// The network and what is at its other end: requests take their time, and go wrong as the seed has it.
///
/// The far end lives on when a client dies: what was sent arrives all the same.
final class FarEnd: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.

    /// What goes wrong between client and server, besides what the server itself does wrong; each in a hundred.
    struct Weather: Sendable {
        /// The connection is refused.
        var refused = 0
        /// The request arrives and nothing ever comes back.
        var stalled = 0
        /// The request is lost on its way, and nothing comes back.
        var swallowed = 0
        /// Tasks that end as FAILED by themselves.
        var failedTasks = 0
        /// Tasks that do so, by their numbers.
        var failsTasks: Set<Int> = []
        /// Tasks that take much longer than most.
        var longTasks = 0
        /// From when to when nothing is reachable at all, in nanoseconds.
        var outages: [ClosedRange<Int64>] = []
        var slowest = 0.5
    }

    private let scheduler: Scheduler
    private let trace: Trace
    private let tabletop: Tabletop
    private var random: SeededRandom
    var weather = Weather()

    /// When requests began, by life.
    private(set) var starts: [[Int64]] = []
    private(set) var requests = 0
    private(set) var faults: [String: Int] = [:]
    private(set) var submits = 0
    private var tasksAskedAfter: Set<Int> = []

    init(
        seed: UInt64, settings: Simulator.Settings, folder: String, scheduler: Scheduler, trace: Trace
    ) {
        self.scheduler = scheduler
        self.trace = trace
        random = SeededRandom(seed: seed, stream: 2)
        let box = TaskBox()
        let made = Counter()
        tabletop = Tabletop(
            settings: settings, folder: folder, now: Self.moment(scheduler.now),
            freshID: { made.next("file") },
            schedule: { task, delay in box.farEnd?.schedule(task, after: delay) })
        box.farEnd = self
    }

    private final class TaskBox: @unchecked Sendable {
        // `@unchecked`: as above.
        weak var farEnd: FarEnd?
    }

    private final class Counter: @unchecked Sendable {
        // `@unchecked`: as above.
        private var count = 0
        func next(_ prefix: String) -> String {
            count += 1
            return "\(prefix)\(100_000 + count)"
        }
    }

    static func moment(_ time: Int64) -> Moment {
        Moment(milliseconds: Int64(VirtualClock.beginning.timeIntervalSince1970) * 1_000 + time / 1_000_000)
    }

    // MARK: The server

    var rows: [Tabletop.HeldRow] { tabletop.rows }
    var tasks: [Tabletop.HeldTask] { tabletop.tasks }

    func inject(_ rule: Faults.Rule) { tabletop.inject(rule) }

    /// Everything goes right from now on.
    func heal() {
        tabletop.resetFaults()
        weather = Weather()
    }

    private func schedule(_ task: Int, after delay: Duration) {
        let isLong = random.chance(weather.longTasks)
        let wait = isLong ? random.duration(30...900) : .zero
        let fails = random.chance(weather.failedTasks) || weather.failsTasks.contains(task)
        if fails { faults["task-failed", default: 0] += 1 }
        if isLong { faults["task-long", default: 0] += 1 }
        scheduler.after(isLong ? max(delay, .seconds(5)) : delay) { [self] in
            // A client that does not know of the task waits for its rows to appear, and not for ever.
            let isKnown = tasksAskedAfter.contains(task)
            scheduler.after(isKnown ? wait : .zero) { [self] in
                trace.note("task", "\(task)\(fails ? " fails" : "")")
                let now = Self.moment(scheduler.now)
                if fails { tabletop.fail(task, "Failed to process the import", now: now) }
                tabletop.work(on: task, now: now)
            }
        }
    }

    private func note(_ body: Tabletop.Request.Body) {
        guard case .json(let bytes) = body else { return }
        for task in tabletop.openTasks where !tasksAskedAfter.contains(task.number) {
            if bytes.firstRange(of: Array(task.id.utf8)) != nil { tasksAskedAfter.insert(task.number) }
        }
    }

    // MARK: The network

    /// A wire for one life.
    func connect(_ life: Lifetime) -> Wire {
        starts.append([])
        return Wire(farEnd: self, life: life, number: starts.count - 1)
    }

    fileprivate typealias Outcome = Result<HTTPResponse, TransportError>

    /// Sends a request, and calls back once with what comes of it.
    fileprivate func send(_ request: HTTPRequest, life: Int, _ done: @escaping @Sendable (Outcome) -> Void) {
        starts[life].append(scheduler.now)
        requests += 1
        let url = request.url
        let isOut = weather.outages.contains { $0.contains(scheduler.now) }
        if isOut || random.chance(weather.refused) {
            faults["refused", default: 0] += 1
            trace.note("refused")
            return scheduler.after(.milliseconds(5)) {
                done(.failure(TransportError(.couldNotConnect, reach: .notSent, message: "refused", url: url)))
            }
        }
        let body: Tabletop.Request.Body
        do { body = try Self.read(request.body) } catch {
            return done(.failure(TransportError(.bodySource, reach: .maySent, message: "\(error)", url: url)))
        }
        let isSwallowed = random.chance(weather.swallowed)
        let isStalled = random.chance(weather.stalled)
        let there = random.duration(0.005...weather.slowest)
        let back = random.duration(0.005...weather.slowest)
        if isSwallowed || isStalled {
            faults[isSwallowed ? "swallowed" : "stalled", default: 0] += 1
            scheduler.after(request.stallTimeout) {
                done(.failure(TransportError(.stalled, reach: .maySent, message: "nothing moves", url: url)))
            }
            if isSwallowed { return trace.note("swallowed") }
        }
        let key = request.headers.first { $0.name == "Authorization" }?.value
        scheduler.after(there) { [self] in
            let reply = tabletop.answer(.init(authorization: key, body: body), now: Self.moment(scheduler.now))
            note(body)
            if let fault = reply.fault { faults[fault.rawValue, default: 0] += 1 }
            if reply.operations.contains("upsertDataRows") { submits += 1 }
            trace.note(
                "request",
                "\(life) \(reply.operations.joined(separator: ",")) -> \(reply.answer.map { "\($0.status)" } ?? "reset")"
                    + (reply.fault.map { " (\($0.rawValue))" } ?? "") + (isStalled ? " stalled" : ""))
            if isStalled { return }
            scheduler.after(back + reply.delay) {
                guard let answer = reply.answer else {
                    return done(
                        .failure(TransportError(.connectionLost, reach: .maySent, message: "reset", url: url)))
                }
                done(
                    .success(
                        HTTPResponse(
                            status: answer.status,
                            headers: HTTPHeaders(answer.headers.map { HTTPHeader($0.0, $0.1) }), body: answer.body)))
            }
        }
    }

    private static func read(_ body: HTTPRequest.Body) throws -> Tabletop.Request.Body {
        switch body {
        case .none: return .json([])
        case .bytes(let bytes): return .json(bytes)
        case .multipart(let parts):
            return .form(
                try parts.map { part in
                    let header = PartHeader(
                        name: part.name, filename: part.filename, contentType: part.contentType)
                    let stream = BodyStream([part.content])
                    var bytes = [UInt8](repeating: 0, count: Int(stream.byteCount))
                    var filled = 0
                    while filled < bytes.count {
                        let count = try bytes.withUnsafeMutableBytes {
                            try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
                        }
                        if count == 0 { break }
                        filled += count
                    }
                    return (header, bytes)
                })
        }
    }
}

/// One life's way to the far end.
struct Wire: HTTPTransport {
    let farEnd: FarEnd
    let life: Lifetime
    let number: Int

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let pending = Pending()
        let called = FarEndOutcome.failure(
            TransportError(.cancelled, reach: .maySent, message: "called off", url: request.url))
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<FarEndOutcome, Never>) in
                guard !Task.isCancelled, !life.isOver else { return continuation.resume(returning: called) }
                pending.continuation = continuation
                let ending = life.atEnd { pending.take()?.resume(returning: called) }
                farEnd.send(request, life: number) { outcome in
                    life.takeBack(ending)
                    pending.take()?.resume(returning: outcome)
                }
            }
        } onCancel: {
            pending.take()?.resume(returning: called)
        }
        return try outcome.get()
    }

    private typealias FarEndOutcome = Result<HTTPResponse, TransportError>

    private final class Pending: @unchecked Sendable {
        // `@unchecked`: only the thread that has the scheduler's baton touches it.
        var continuation: CheckedContinuation<Result<HTTPResponse, TransportError>, Never>?

        func take() -> CheckedContinuation<Result<HTTPResponse, TransportError>, Never>? {
            defer { continuation = nil }
            return continuation
        }
    }
}
