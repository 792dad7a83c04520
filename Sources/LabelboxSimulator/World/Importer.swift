/// Does the work of an import task: checks all of its files, then makes the rows.
enum Importer {
    /// Rows taken in at a time, so that requests are answered in between.
    private static let batch = 4096
    /// Rows that an older import refuses together.
    private static let legacyBlock = 1000

    /// Runs a task while other requests go on; `access` gives the world for a moment.
    static func run(
        _ task: Int, now: () -> Moment = Moment.now, access: ((inout World) -> Void) -> Void
    ) {
        var paths: [String?] = []
        var reader = RowReader(metadata: .standard)
        var isWanted = false
        var expected: Int?
        var duplicates = Simulator.LegacyDuplicates.row
        access { world in
            if case .legacy = world.tasks[task].form { duplicates = world.settings.legacyDuplicates }
            isWanted = world.tasks[task].status == .inProgress
            paths = world.tasks[task].sources.map { world.files[$0]?.path }
            reader = RowReader(metadata: world.metadata)
            if case .upsert = world.tasks[task].form { expected = world.tasks[task].expected }
        }
        guard isWanted else { return }

        let chunks: [Chunk]
        do throws(ImportFailure) {
            chunks = try checked(paths, expected: expected, by: reader)
        } catch {
            let moment = now()
            access { $0.fail(task, error.json, now: moment) }
            return
        }
        for chunk in chunks { take(chunk, task, duplicates, now, access) }
        let end = now()
        access { world in
            guard world.tasks[task].status == .inProgress else { return }
            if let message = world.tasks[task].refusal, world.tasks[task].rows.isEmpty {
                world.tasks[task].failures = []
                return world.fail(task, .string(message), now: end)
            }
            world.tasks[task].status = .complete
            world.tasks[task].updated = end
        }
    }

    /// Runs a task at once; nil, or why it failed.
    static func run(_ task: Int, in world: inout World, now: Moment) -> String? {
        run(task, now: { now }) { body in body(&world) }
        return world.tasks[task].error?.string ?? world.tasks[task].error?.text
    }

    private struct Chunk {
        let slab: Slab
        let rows: [Candidate]
    }

    private struct ImportFailure: Error {
        let message: String
        var isObject = false

        var json: JSONValue {
            isObject ? ["code": "IMPORT_FAILED", "message": .string(message)] : .string(message)
        }
    }

    /// Reads every file through before the first row is made: a task that fails has made none.
    private static func checked(
        _ paths: [String?], expected: Int?, by reader: RowReader
    ) throws(ImportFailure) -> [Chunk] {
        var chunks: [Chunk] = []
        var count = 0
        for path in paths {
            guard let path, let slab = try? Slab(file: path) else {
                throw ImportFailure(message: "A chunk cannot be read")
            }
            let found: (rows: [Candidate], isPoisoned: Bool)
            do throws(JSONError) { found = try reader.read(slab.bytes) } catch {
                throw ImportFailure(message: "A chunk is not a list of rows: \(error)")
            }
            if found.isPoisoned {
                let isObject = ByteSearch("poison-task-object".utf8).first(in: slab.bytes) != nil
                throw ImportFailure(message: "Failed to process the import", isObject: isObject)
            }
            count += found.rows.count
            chunks.append(Chunk(slab: slab, rows: found.rows))
        }
        if let expected, expected != count {
            throw ImportFailure(message: "The manifest says \(expected) rows, its chunks have \(count)")
        }
        return chunks
    }

    private static func take(
        _ chunk: Chunk, _ task: Int, _ duplicates: Simulator.LegacyDuplicates, _ now: () -> Moment,
        _ access: ((inout World) -> Void) -> Void
    ) {
        var number: Int32 = 0
        access { number = $0.slabs.add(chunk.slab) }
        let size =
            switch duplicates {
            case .row: Self.batch
            case .block: Self.legacyBlock
            case .task: Int.max
            }
        var rest = chunk.rows[...]
        repeat {
            let batch = rest.prefix(size)
            rest = rest.dropFirst(batch.count)
            let moment = now()
            access { world in
                if duplicates != .row, let message = world.duplicates(among: batch, of: number) {
                    return world.refuse(batch, of: number, in: task, message)
                }
                world.apply(batch, of: number, to: task, now: moment)
            }
        } while !rest.isEmpty
    }
}

extension World {
    mutating func fail(_ task: Int, _ error: JSONValue, now: Moment) {
        tasks[task].status = .failed
        tasks[task].error = error
        tasks[task].updated = now
    }
}
