internal import Locking

/// Runs a task to its end on the calling thread, so that an input costs no switch of threads.
final class InlineExecutor: TaskExecutor {
    private let jobs = Locked<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// What `body` returns; nil if it waits for something that does not happen here.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
        let executor = InlineExecutor()
        let result = Locked<Value?>(nil)
        Task(executorPreference: executor) {
            let value = await body()
            result.withLock { $0 = value }
        }
        while let job = executor.jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            job.runSynchronously(on: executor.asUnownedTaskExecutor())
        }
        return result.withLock { $0 }
    }
}
