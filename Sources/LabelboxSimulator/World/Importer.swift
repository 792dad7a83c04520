/// Does the work of an import task: checks all of its files, then makes the rows.
enum Importer {
    /// Rows taken in at a time, so that requests are answered in between.
    private static let batch = 4096

    /// Runs a task while other requests go on; `access` gives the world for a moment.
    static func run(
        _ task: Int, now: () -> Moment = Moment.now, access: ((inout World) -> Void) -> Void
    ) {
        var paths: [String?] = []
        var reader = RowReader(metadata: .standard)
        var isWanted = false
        var expected: Int?
        access { world in
            isWanted = world.tasks[task].status == .inProgress
            paths = world.tasks[task].sources.map { world.files[$0]?.path }
            reader = RowReader(metadata: world.metadata)
            if case .upsert = world.tasks[task].form { expected = world.tasks[task].expected }
        }
        guard isWanted else { return }

        let slabs: [Slab]
        do throws(ImportFailure) {
            slabs = try checked(paths, expected: expected, by: reader)
        } catch {
            let moment = now()
            access { $0.fail(task, error.message, now: moment) }
            return
        }
        for slab in slabs { take(slab, task, reader, now, access) }
        let end = now()
        access { world in
            guard world.tasks[task].status == .inProgress else { return }
            world.tasks[task].status = .complete
            world.tasks[task].updated = end
        }
    }

    /// Runs a task at once; nil, or why it failed.
    static func run(_ task: Int, in world: inout World, now: Moment) -> String? {
        run(task, now: { now }) { body in body(&world) }
        return world.tasks[task].error
    }

    private struct ImportFailure: Error { let message: String }

    /// Reads every file through before the first row is made: a task that fails has made none.
    private static func checked(
        _ paths: [String?], expected: Int?, by reader: RowReader
    ) throws(ImportFailure) -> [Slab] {
        var slabs: [Slab] = []
        var count = 0
        for path in paths {
            guard let path, let slab = try? Slab(file: path) else {
                throw ImportFailure(message: "A chunk cannot be read")
            }
            let found: (rows: Int, isPoisoned: Bool)
            do throws(JSONError) { found = try reader.check(slab.bytes) } catch {
                throw ImportFailure(message: "A chunk is not a list of rows: \(error)")
            }
            if found.isPoisoned { throw ImportFailure(message: "Failed to process the import") }
            count += found.rows
            slabs.append(slab)
        }
        if let expected, expected != count {
            throw ImportFailure(message: "The manifest says \(expected) rows, its chunks have \(count)")
        }
        return slabs
    }

    private static func take(
        _ slab: Slab, _ task: Int, _ reader: RowReader, _ now: () -> Moment,
        _ access: ((inout World) -> Void) -> Void
    ) {
        var number: Int32 = 0
        access { number = $0.slabs.add(slab) }
        var batch: [Candidate] = []
        batch.reserveCapacity(Self.batch)
        func flush() {
            let moment = now()
            access { $0.apply(batch[...], of: number, to: task, now: moment) }
            batch.removeAll(keepingCapacity: true)
        }
        // The bytes were found to be well formed a moment ago and cannot have changed.
        try? reader.rows(of: slab.bytes) { (candidate) throws(JSONError) in
            batch.append(candidate)
            if batch.count == Self.batch { flush() }
        }
        flush()
    }
}

extension World {
    mutating func fail(_ task: Int, _ message: String, now: Moment) {
        tasks[task].status = .failed
        tasks[task].error = message
        tasks[task].updated = now
    }
}
