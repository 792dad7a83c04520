internal import Locking

/// The same Labelbox without a port: whoever holds it brings the requests, the time, and a moment for each task's work.
package final class Tabletop: Sendable {
    /// A request as it arrives.
    package struct Request: Sendable {
        package enum Body: Sendable {
            case json([UInt8])
            case form([(header: PartHeader, bytes: [UInt8])])
        }

        package var authorization: String?
        package var body: Body

        package init(authorization: String?, body: Body) {
            self.authorization = authorization
            self.body = body
        }
    }

    /// What the client is to see, and what is to be known of it.
    package struct Reply: Sendable {
        /// The answer's status, headers and body; nil when the connection is reset instead.
        package let answer: (status: Int, headers: [(String, String)], body: [UInt8])?
        /// How much later than usual it comes.
        package let delay: Duration
        /// The root fields that were asked for.
        package let operations: [String]
        package let fault: Faults.Kind?
    }

    private let service: Service
    private let freshID: @Sendable () -> String

    /// Makes a service with the datasets of `settings`.
    ///
    /// - Parameters:
    ///   - settings: as of a simulator with a port.
    ///   - folder: where uploads are kept; it must exist.
    ///   - now: the time of the beginning.
    ///   - freshID: names uploads, none of them twice.
    ///   - schedule: has ``work(on:now:)`` called for a task after a while.
    package init(
        settings: Simulator.Settings, folder: String, now: Moment, freshID: @escaping @Sendable () -> String,
        schedule: @escaping @Sendable (_ task: Int, _ delay: Duration) -> Void
    ) {
        self.freshID = freshID
        var world = World(settings: settings, now: now)
        world.baseURL = "http://labelbox.invalid"
        for dataset in settings.datasets { _ = world.createDataset(id: dataset.id, name: dataset.name, now: now) }
        service = Service(settings: settings, folder: folder, world: Locked(world), schedule: schedule)
    }

    /// Answers a request that arrives now.
    package func answer(_ request: Request, now: Moment) -> Reply {
        var call = Service.Call()
        call.refusal = service.refusal(authorization: request.authorization, now: now)
        switch request.body {
        case .json(let bytes): call.body = bytes
        case .form(let parts):
            var form = FormReceiver(folder: service.folder, discardsMedia: false, freshID: freshID)
            do {
                for part in parts {
                    try form.begin(part.header)
                    try part.bytes.withUnsafeBufferPointer { try form.receive($0) }
                    try form.endPart()
                }
            } catch {
                call.formError = "\(error)"
                form.abandon()
            }
            call.form = form
        }
        let outcome = service.answer(call, now: now)
        switch outcome.ending {
        case .reset:
            return Reply(answer: nil, delay: .zero, operations: outcome.operations, fault: outcome.fault)
        case .answer(let response, let delay):
            var body: [UInt8] = []
            switch response.body {
            case .bytes(let bytes): body = bytes
            case .stream(_, let next): while let piece = next() { body += piece }
            }
            return Reply(
                answer: (response.status, response.headers + [("Content-Type", response.contentType)], body),
                delay: delay, operations: outcome.operations, fault: outcome.fault)
        }
    }

    // MARK: Tasks

    /// Makes a task's rows.
    package func work(on task: Int, now: Moment) {
        Importer.run(task, now: { now }) { body in service.world.withLock { body(&$0) } }
    }

    /// Ends a task of several rows as FAILED, with a message; one of a single row goes its way.
    package func fail(_ task: Int, _ message: String, now: Moment) {
        service.world.withLock { world in
            guard world.tasks[task].status == .inProgress, world.tasks[task].expected > 1 else { return }
            world.fail(task, .string(message), now: now)
        }
    }

    /// Tasks that have not ended.
    package var openTasks: [(number: Int, id: String)] {
        service.world.withLock { world in
            world.tasks.indices.filter { world.tasks[$0].status == .inProgress }.map { ($0, world.tasks[$0].id) }
        }
    }

    // MARK: Faults

    /// Makes requests go wrong from now on.
    package func inject(_ rule: Faults.Rule) { service.control.withLock { $0.faults.add(rule) } }
    /// Lets everything go right again.
    package func resetFaults() { service.control.withLock { $0.faults.removeAll() } }
    /// How often each fault was given.
    package var injected: [Faults.Kind: Int] { service.control.withLock { $0.faults.injected } }

    // MARK: What it holds

    /// A row that is there, with what identifies it.
    package struct HeldRow: Sendable {
        package let id: String
        package let dataset: String
        package let globalKey: String?
        /// The object that was sent.
        package let payload: [UInt8]
    }

    /// Every row that is there, in the order of creation.
    package var rows: [HeldRow] {
        service.world.withLock { world in
            world.rows.indices.filter { !world.rows[$0].isDeleted }.map { number in
                let row = world.rows[number]
                return HeldRow(
                    id: World.rowID(Int32(number)), dataset: world.datasets[Int(row.dataset)].id,
                    globalKey: row.globalKey.exists ? String(decoding: world.slabs[row.globalKey], as: UTF8.self) : nil,
                    payload: Array(world.slabs[row.payload]))
            }
        }
    }

    /// What became of one task.
    package struct HeldTask: Sendable {
        package let status: String
        /// Payloads of the rows that it made or changed.
        package let taken: [[UInt8]]
        /// Payloads of the rows that it refused because another row has their global key.
        package let duplicates: [[UInt8]]
        /// Payloads of the rows that it refused for another reason.
        package let refused: [[UInt8]]
    }

    /// Every task that was accepted, in order.
    package var tasks: [HeldTask] {
        service.world.withLock { world in
            world.tasks.map { task in
                func payloads(_ isDuplicate: Bool) -> [[UInt8]] {
                    task.failures.filter { ($0.problem == .duplicateGlobalKey) == isDuplicate }
                        .map { Array(world.slabs[$0.payload]) }
                }
                return HeldTask(
                    status: task.status.rawValue,
                    taken: task.rows.map { Array(world.slabs[world.rows[Int($0)].payload]) },
                    duplicates: payloads(true), refused: payloads(false))
            }
        }
    }
}
