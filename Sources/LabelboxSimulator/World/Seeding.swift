/// Makes rows from nothing, as many as are wanted: for tests and benchmarks of what reads rows.
enum Seeding {
    /// Rows made at a time, so that requests are answered in between.
    private static let batch = 10_000

    /// Makes rows `PREFIX0`, `PREFIX1`, … with that as external id and as global key; `access` gives the world for a moment.
    ///
    /// A key that is taken already gets no second row.
    static func run(_ dataset: Int32, count: Int, prefix: String, access: ((inout World) -> Void) -> Void) {
        var made = 0
        while made < count {
            let end = min(count, made + batch)
            access { world in
                let now = Moment.now()
                for number in made..<end { world.seed("\(prefix)\(number)", in: dataset, now: now) }
            }
            made = end
        }
    }
}

extension World {
    fileprivate mutating func seed(_ name: String, in dataset: Int32, now: Moment) {
        var key = name
        guard key.withUTF8({ row(globalKey: $0) }) == nil else { return }
        var output = JSONOutput(reserving: 128 + name.utf8.count * 3)
        func field(_ start: StaticString, _ text: String, quoted: Bool) -> (start: Int, count: Int) {
            output.raw(start.description)
            let place = output.bytes.count
            output.raw(text)
            return quoted ? (place - 1, text.utf8.count + 2) : (place, text.utf8.count)
        }
        let data = field("{\"row_data\":\"", "https://example.com/\(name).jpg", quoted: true)
        let external = field("\",\"external_id\":\"", name, quoted: true)
        let global = field("\",\"global_key\":\"", name, quoted: false)
        output.raw("\"}")
        let payload = slabs.keep(output.bytes)
        func piece(_ place: (start: Int, count: Int)) -> Piece {
            Piece(slab: payload.slab, start: payload.start + Int32(place.start), count: Int32(place.count))
        }
        _ = insert(
            Row(
                dataset: dataset, payload: payload, externalID: piece(external), rowData: piece(data),
                globalKey: piece(global), created: now, updated: now))
    }
}
