import Dispatch
import Glibc
import Importing

/// Runs every job of the process, one at a time, in an order that a seed decides, in a time that jumps.
///
/// Swift's concurrency runtime hands each job over by a hook; threads that block have one baton between them. So at any
/// instant one thread runs, and the same seed gives the same order. When nothing can run, time goes to the next timer.
final class Scheduler: @unchecked Sendable {
    // `@unchecked`: only the thread that has the baton touches any of it, and the semaphores order the hand-overs.

    /// The one that the runtime's hook gives jobs to.
    // `nonisolated(unsafe)`: set between two runs, when no job is left; the hook is a C function and can hold nothing.
    nonisolated(unsafe) static var current = Scheduler(seed: 0)

    private enum Ready {
        case job(UnownedJob, on: FolderExecutor?)
        case body(@Sendable () -> Void)
        case thread(BlockingThread)
    }

    private struct Timer {
        let at: Int64
        let number: Int
        let body: @Sendable () -> Void
    }

    private var ready: [Ready] = []
    private var timers: [Timer] = []
    private var timersMade = 0
    private var random: SeededRandom
    private let baton = DispatchSemaphore(value: 0)
    fileprivate var idle: [BlockingThread] = []
    fileprivate var running: BlockingThread?

    /// Nanoseconds since the beginning.
    private(set) var now: Int64 = 0
    /// Jobs that ran.
    private(set) var steps = 0
    /// Of a hundred choices, how many take what waits longest instead of anything.
    var orderly = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed, stream: 1) }

    // MARK: Work

    fileprivate func add(_ job: UnownedJob, on executor: FolderExecutor? = nil) {
        ready.append(.job(job, on: executor))
    }

    /// Has `body` run as soon as it is its turn.
    func add(_ body: @escaping @Sendable () -> Void) { ready.append(.body(body)) }

    /// Has `body` run after a while.
    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        at(now + max(0, delay.nanoseconds), body)
    }

    /// Has `body` run at a time.
    func at(_ time: Int64, _ body: @escaping @Sendable () -> Void) {
        timersMade += 1
        timers.append(Timer(at: max(time, now), number: timersMade, body: body))
        var child = timers.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isEarlier(timers[child], timers[parent]) else { break }
            timers.swapAt(child, parent)
            child = parent
        }
    }

    private static func isEarlier(_ a: Timer, _ b: Timer) -> Bool { (a.at, a.number) < (b.at, b.number) }

    private func popTimer() -> Timer? {
        guard let first = timers.first else { return nil }
        let last = timers.removeLast()
        if !timers.isEmpty {
            timers[0] = last
            var parent = 0
            while true {
                var child = 2 * parent + 1
                if child >= timers.count { break }
                if child + 1 < timers.count, Self.isEarlier(timers[child + 1], timers[child]) { child += 1 }
                guard Self.isEarlier(timers[child], timers[parent]) else { break }
                timers.swapAt(parent, child)
                parent = child
            }
        }
        return first
    }

    /// Runs one thing that is ready; false when there is none.
    func step() -> Bool {
        guard !ready.isEmpty else { return false }
        steps += 1
        let next: Ready
        if ready.count == 1 {
            next = ready.removeLast()
        } else if Int(random.next(below: 100)) < orderly {
            next = ready.removeFirst()
        } else {
            next = ready.remove(at: Int(random.next(below: UInt64(ready.count))))
        }
        switch next {
        case .job(let job, let folder?): job.runSynchronously(on: folder.asUnownedSerialExecutor())
        case .job(let job, nil): job.runSynchronously(on: PoolExecutor.shared.asUnownedTaskExecutor())
        case .body(let body): body()
        case .thread(let thread): give(batonTo: thread)
        }
        return true
    }

    /// Moves time to the next timer and runs it; false when there is none.
    func advance() -> Bool {
        guard let timer = popTimer() else { return false }
        now = timer.at
        timer.body()
        return true
    }

    // MARK: Threads that block

    /// Runs `body` on a thread that may wait at a gate.
    func start(_ body: @escaping @Sendable () -> Void) {
        let thread = idle.popLast() ?? BlockingThread(self)
        thread.body = body
        ready.append(.thread(thread))
    }

    private func give(batonTo thread: BlockingThread) {
        running = thread
        thread.turn.signal()
        baton.wait()
        running = nil
    }

    fileprivate func giveBack() { baton.signal() }
    fileprivate func wake(_ thread: BlockingThread) { ready.append(.thread(thread)) }
}

/// A thread that runs only when it has the baton.
private final class BlockingThread: @unchecked Sendable {
    // `@unchecked`: see the scheduler.
    let turn = DispatchSemaphore(value: 0)
    var body: (@Sendable () -> Void)?

    init(_ scheduler: Scheduler) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let this = Unmanaged<BlockingThread>.fromOpaque(context).takeUnretainedValue()
                while true {
                    this.turn.wait()
                    let scheduler = Scheduler.current
                    this.body?()
                    this.body = nil
                    scheduler.idle.append(this)
                    scheduler.giveBack()
                }
            }, context)
        pthread_detach(thread)
    }
}

/// What one such thread waits at.
final class BatonGate: Hands.Gate, @unchecked Sendable {
    // `@unchecked`: see the scheduler.
    private var isOpen = false
    private var waiting: BlockingThread?

    func open() {
        isOpen = true
        if let waiting { Scheduler.current.wake(waiting) }
    }

    func wait() {
        let scheduler = Scheduler.current
        guard !isOpen, let thread = scheduler.running else { return }
        waiting = thread
        scheduler.giveBack()
        thread.turn.wait()
    }
}

extension Scheduler {
    /// Takes the idle threads of another, so that a process of many seeds does not make threads for each.
    func inherit(from other: Scheduler) { idle = other.idle }
}

/// Where a drop folder's actor runs: in turn with everything else.
final class FolderExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) { Scheduler.current.add(UnownedJob(job), on: self) }
}

/// Stands for Swift's pool of threads.
private final class PoolExecutor: TaskExecutor {
    static let shared = PoolExecutor()
    func enqueue(_ job: consuming ExecutorJob) { Scheduler.current.add(UnownedJob(job)) }
}

/// The runtime's own hook for jobs that belong to no executor in particular.
enum RuntimeHook {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    /// Has every job of this process run by the scheduler, from now on.
    static func install() {
        guard let symbol = dlsym(dlopen(nil, RTLD_LAZY), "swift_task_enqueueGlobal_hook") else {
            preconditionFailure("this runtime has no swift_task_enqueueGlobal_hook")
        }
        let hook: Hook = { job, _ in Scheduler.current.add(job) }
        symbol.assumingMemoryBound(to: Hook?.self).pointee = hook
    }
}

/// A small generator whose whole state is its seed (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Streams of one seed have nothing to do with each other.
    init(seed: UInt64, stream: UInt64) {
        // Each stream is mixed in as a number of its own: added as a step, it would be the next stream, one number later.
        state = stream
        let mixed = next()
        state = seed &* 0xD134_2543_DE82_EF95 ^ mixed
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next(below bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next(below: UInt64(range.upperBound - range.lowerBound + 1)))
    }
    /// True so many times of a hundred.
    mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }
    /// From short to long, each size as likely as another.
    mutating func duration(_ range: ClosedRange<Double>) -> Duration {
        let low = log(max(range.lowerBound, 0.001))
        let high = log(range.upperBound)
        return .milliseconds(Int(exp(low + (high - low) * Double(next() >> 11) * 0x1p-53) * 1_000))
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
