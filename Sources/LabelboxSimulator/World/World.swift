/// All that the service knows: a value, owned by one lock.
package struct World: Sendable {
    struct Dataset: Sendable {
        let id: String
        var name: String
        var description: String
        let created: Moment
        var updated: Moment
        var isDeleted = false
        /// Row numbers in the order of creation, deleted ones included.
        var rows: [Int32] = []
        var liveRows = 0

        func hasID(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
            id.utf8.withContiguousStorageIfAvailable { KeyIndex.same($0, bytes) } ?? id.utf8.elementsEqual(bytes)
        }
    }

    struct Row: Sendable {
        var dataset: Int32
        /// The object that was sent, byte for byte.
        var payload: Piece
        /// String literals with their quotes, or any JSON for `rowData`; places within the payload.
        var externalID: Piece
        var rowData: Piece
        /// Decoded, without quotes.
        var globalKey: Piece
        var created: Moment
        var updated: Moment
        var isDeleted = false
    }

    /// A project: a name for some datasets, as far as importing is concerned.
    struct Project: Sendable {
        let id: String
        var name: String
        let created: Moment
        var updated: Moment
        var datasets: [Int32]
    }

    /// A lookup of global keys, answered later.
    struct Job: Sendable {
        let keys: [String]
        let due: Moment
    }

    package let settings: Simulator.Settings
    var datasets: [Dataset] = []
    private var datasetNumbers: [String: Int32] = [:]
    var rows: [Row] = []
    var slabs = Slabs()
    private var keys = KeyIndex()
    var externalIDs = ExternalIDIndex()
    private(set) var projects: [Project] = []
    private var projectNumbers: [String: Int] = [:]
    var tasks: [ImportTask] = []
    var jobs: [Job] = []
    var files: [String: StoredFile] = [:]
    var metadata = Metadata.standard
    let started: Moment
    /// Where files are handed out; known once the port is.
    package var baseURL = "" {
        didSet { fileLiteral = Array("\"\(baseURL)/files/".utf8) }
    }
    /// How row data begins that is one of our files, as JSON.
    private(set) var fileLiteral: [UInt8] = []

    package init(settings: Simulator.Settings, now: Moment) {
        self.settings = settings
        started = now
        rows.reserveCapacity(1024)
    }

    static let userID = Identifier.make("cmuser", 1)
    static let organizationID = Identifier.make("cmorgn", 1)
    static let rowPrefix: StaticString = "cmr"
    static func rowID(_ row: Int32) -> String { Identifier.make("\(rowPrefix)", Int(row)) }

    // MARK: Datasets

    package mutating func createDataset(
        id: String? = nil, name: String, description: String = "", now: Moment
    ) -> String {
        if let id, let number = datasetNumbers[id] {
            datasets[Int(number)].name = name
            return id
        }
        let id = id ?? Identifier.make("cmdset", datasets.count + 1)
        datasetNumbers[id] = Int32(datasets.count)
        datasets.append(Dataset(id: id, name: name, description: description, created: now, updated: now))
        return id
    }

    func datasetNumber(_ id: String) -> Int32? {
        guard let number = datasetNumbers[id], !datasets[Int(number)].isDeleted else { return nil }
        return number
    }

    /// A dataset by the bytes of its id, without making a string when it is the one that was asked for last.
    func datasetNumber(_ id: UnsafeBufferPointer<UInt8>, last: inout Int32) -> Int32? {
        if last >= 0, datasets[Int(last)].hasID(id) { return last }
        guard let number = datasetNumber(String(decoding: id, as: UTF8.self)) else { return nil }
        last = number
        return number
    }

    mutating func deleteDataset(_ number: Int32, now: Moment) {
        datasets[Int(number)].isDeleted = true
        datasets[Int(number)].updated = now
        for row in datasets[Int(number)].rows { _ = delete(row, now: now) }
    }

    // MARK: Projects

    /// Creates a project, or gives one other datasets; those that are not there are left out.
    package mutating func createProject(id: String? = nil, name: String, datasets: [String], now: Moment) -> String {
        let numbers = datasets.compactMap(datasetNumber)
        if let id, let number = projectNumbers[id] {
            projects[number].name = name
            projects[number].datasets = numbers
            projects[number].updated = now
            return id
        }
        let id = id ?? Identifier.make("cmproj", projects.count + 1)
        projectNumbers[id] = projects.count
        projects.append(Project(id: id, name: name, created: now, updated: now, datasets: numbers))
        return id
    }

    func projectNumber(_ id: String) -> Int? { projectNumbers[id] }

    // MARK: Rows

    func row(id: String) -> Int32? {
        guard let number = Identifier.number("cmr", in: id), number < rows.count, !rows[number].isDeleted else {
            return nil
        }
        return Int32(number)
    }

    func row(globalKey: UnsafeBufferPointer<UInt8>) -> Int32? {
        keys.find(globalKey) { slabs[rows[Int($0)].globalKey] }
    }

    /// A row as lookups see it: only some time after it was made.
    func indexedRow(globalKey: String, now: Moment) -> Int32? {
        var text = globalKey
        guard let row = text.withUTF8({ row(globalKey: $0) }) else { return nil }
        return rows[Int(row)].created + settings.indexLag <= now ? row : nil
    }

    mutating func insert(_ row: Row) -> Int32 {
        let number = Int32(rows.count)
        rows.append(row)
        datasets[Int(row.dataset)].rows.append(number)
        datasets[Int(row.dataset)].liveRows += 1
        index(number)
        return number
    }

    mutating func delete(_ number: Int32, now: Moment) -> Bool {
        guard !rows[Int(number)].isDeleted else { return false }
        unindex(number)
        rows[Int(number)].isDeleted = true
        rows[Int(number)].updated = now
        datasets[Int(rows[Int(number)].dataset)].liveRows -= 1
        return true
    }

    /// Puts a changed row in the place of an old one.
    mutating func replace(_ number: Int32, with row: Row) {
        unindex(number)
        rows[Int(number)] = row
        index(number)
        // Moved out while it reads the world, so that neither is copied.
        var index = ExternalIDIndex()
        swap(&index, &externalIDs)
        index.changed(number, in: self)
        swap(&index, &externalIDs)
    }

    private mutating func index(_ number: Int32) {
        let key = rows[Int(number)].globalKey
        guard key.exists else { return }
        keys.add(number, key: slabs[key])
    }

    private mutating func unindex(_ number: Int32) {
        let key = rows[Int(number)].globalKey
        guard key.exists else { return }
        let (rows, slabs) = (rows, slabs)
        keys.remove(slabs[key]) { slabs[rows[Int($0)].globalKey] }
    }

    /// A page of a dataset's rows, newest first, that starts after the row `cursor`.
    func page(
        of dataset: Int32, after cursor: Int32?, first: Int, where matches: (Int32) -> Bool = { _ in true }
    ) -> (rows: [Int32], hasMore: Bool) {
        let all = datasets[Int(dataset)].rows
        var position = all.count
        if let cursor {
            // Row numbers grow with creation, so the list is sorted.
            var low = 0
            var high = all.count
            while low < high {
                let middle = (low + high) / 2
                if all[middle] < cursor { low = middle + 1 } else { high = middle }
            }
            position = low
        }
        var page: [Int32] = []
        while position > 0 {
            position -= 1
            let row = all[position]
            guard !rows[Int(row)].isDeleted, matches(row) else { continue }
            if page.count == first { return (page, true) }
            page.append(row)
        }
        return (page, false)
    }

    /// Whether a row's external id reads `text`, once lookups may know it.
    func row(_ row: Int32, hasExternalID text: String) -> Bool {
        let piece = rows[Int(row)].externalID
        guard piece.exists else { return false }
        return text.utf8.elementsEqual(decodedLiteral(piece))
    }

    /// A string literal's text; other JSON as it stands.
    func decodedLiteral(_ piece: Piece) -> [UInt8] {
        let raw = slabs[piece]
        guard let first = raw.first, first == UInt8(ascii: "\"") else { return Array(raw) }
        let inner = UnsafeBufferPointer(rebasing: raw[1..<raw.count - 1])
        return inner.contains(UInt8(ascii: "\\")) ? decodedString(inner) : Array(inner)
    }
}
