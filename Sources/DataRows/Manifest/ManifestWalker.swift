internal import SystemPackage

/// Goes from row to row through a manifest, or a part of one, in constant memory.
///
/// It knows lists, lines and envelopes, and checks that the text is JSON; what a row may say is not its business.
struct ManifestWalker: ~Copyable {
    struct Options {
        var depthLimit = 64
        var maximumRowBytes = 10_000_000
        var windowBytes = 1 << 20
        var hashes = false
    }

    private enum Layout { case list, envelope, lines, listPart }

    private(set) var window: ManifestWindow
    var members: JSONMembers
    /// The rows' number in the manifest; one before the first row, it is not yet any row's.
    private(set) var row: Int
    /// Where the current row stands in the window.
    private(set) var rowStart = 0
    private(set) var rowEnd = 0
    /// Where the current row stands in the file.
    private(set) var rowRange: Range<Int64> = 0..<0
    /// The current row is longer than rows may be, and not in the window.
    private(set) var isOversize = false
    private(set) var header = ManifestHeader()
    var isEnvelope: Bool { layout == .envelope }

    private let file: ManifestFile
    private let options: Options
    private let firstRow: Int
    private var layout = Layout.lines
    private var at = 0
    private var isDone = false
    private var headerKeysSeen: Set<String> = []
    private var hasRows = false
    private var shape = RowShape()

    /// Starts at the beginning of a manifest; an envelope's header is read, wherever in the file it stands.
    ///
    /// - Throws: ``ManifestError``, `Errno`.
    init(_ file: ManifestFile, options: Options, isCancelled: () -> Bool = { false }) throws {
        self.init(file, options: options, range: 0..<file.byteCount, firstRow: 0)
        try begin()
        guard layout == .envelope, try !Self.endsWithRows(file) else { return }
        // Something may follow the rows, and it decides what they mean: look ahead first.
        var scout = ManifestWalker(file, options: options, range: 0..<file.byteCount, firstRow: 0)
        try scout.begin()
        while try scout.next() {
            if scout.row & 0xfff == 0, isCancelled() { throw CancellationError() }
        }
        header = scout.header
    }

    /// Starts at a row within a manifest; `range` ends with the last row's last byte.
    init(_ file: ManifestFile, options: Options, part range: Range<Int64>, firstRow: Int) {
        self.init(file, options: options, range: range, firstRow: firstRow)
        layout = file.format.layout == .lines ? .lines : .listPart
    }

    private init(_ file: ManifestFile, options: Options, range: Range<Int64>, firstRow: Int) {
        members = JSONMembers()
        self.file = file
        self.options = options
        self.firstRow = firstRow
        row = firstRow - 1
        window = ManifestWindow(
            file, range: range, capacity: options.windowBytes, largestValue: options.maximumRowBytes,
            hashes: options.hashes)
    }

    deinit {
        members.deallocate()
    }

    /// Goes to the next row; false when there is none.
    ///
    /// - Throws: ``ManifestError``, `Errno`.
    mutating func next() throws -> Bool {
        if isDone { return false }
        switch layout {
        case .list, .envelope:
            guard var byte = try peek() else { throw truncated() }
            if row >= firstRow, byte != 0x5d {
                guard byte == 0x2c else {
                    throw fault("unexpected_character", "there is no comma or closing bracket after a row", Self.mend)
                }
                at += 1
                guard let following = try peek() else { throw truncated() }
                byte = following
                if byte == 0x5d {
                    throw fault("unexpected_character", "a comma stands before the closing bracket", "remove the comma")
                }
            }
            if byte == 0x5d {
                at += 1
                try endOfRows()
                return false
            }
        case .listPart:
            guard let byte = try peek() else { return end() }
            if row >= firstRow {
                guard byte == 0x2c else { throw changed() }
                at += 1
                guard try peek() != nil else { throw changed() }
            }
        case .lines:
            guard try nextLine() else { return end() }
        }
        row += 1
        try scanRow()
        return true
    }

    private mutating func end() -> Bool {
        isDone = true
        return false
    }

    /// The SHA-256 of the whole file, once all of it was walked.
    func sha256() -> [UInt8]? { window.sha256() }

    /// All bytes of the file up to here.
    var place: Int64 { window.place(at) }

    // MARK: Between the rows

    /// The next byte that is no space; nil at the end.
    @inline(__always) private mutating func peek() throws -> UInt8? {
        while true {
            scanner.skipSpace(&at)
            if at < window.count { return window.bytes[at] }
            if window.isLast { return nil }
            try refill(keeping: at)
        }
    }

    private mutating func refill(keeping kept: Int) throws {
        try window.refill(keeping: kept)
        at -= kept
    }

    private var scanner: JSONScanner {
        @inline(__always) get {
            JSONScanner(
                bytes: window.bytes, end: window.count, isLast: window.isLast, depthLimit: options.depthLimit)
        }
    }

    /// To the next line with something on it; false at the end.
    @inline(__always) private mutating func nextLine() throws -> Bool {
        var hasBreak = row < firstRow
        while true {
            while window.bytes[at].isJSONSpace {
                if window.bytes[at] == 0x0a || window.bytes[at] == 0x0d { hasBreak = true }
                at &+= 1
            }
            if at < window.count {
                guard hasBreak else {
                    throw fault(
                        "unexpected_character", "something follows a row on its line",
                        "write each row on a line of its own, without a comma after it")
                }
                return true
            }
            if window.isLast { return false }
            try refill(keeping: at)
        }
    }

    private mutating func begin() throws {
        while window.count < 3, !window.isLast { try window.refill(keeping: 0) }
        // A byte order mark, at the start of the file only.
        if window.count >= 3, window.bytes[0] == 0xef, window.bytes[1] == 0xbb, window.bytes[2] == 0xbf { at = 3 }
        if file.format.layout == .lines { return }
        switch try peek() {
        case 0x5b:
            at += 1
            layout = .list
        case 0x7b:
            at += 1
            layout = .envelope
            try readHeader()
        case nil: throw truncated()
        default:
            throw fault(
                "not_a_manifest", "the text is neither a list of rows nor an object with \"rows\"",
                "write [{\"row_data\": \"https://…\"}, …]; one row a line belongs in a .jsonl file")
        }
    }

    private mutating func endOfRows() throws {
        isDone = true
        if layout == .envelope {
            guard let byte = try peek() else { throw truncated() }
            switch byte {
            case 0x2c:
                at += 1
                try readHeader()
            case 0x7d: at += 1
            default:
                throw fault("unexpected_character", "there is no comma or closing brace after the rows", Self.mend)
            }
        }
        if try peek() != nil {
            let next = window.bytes[at]
            throw fault(
                "trailing_data", "something follows the end of the manifest",
                next == 0x5b || next == 0x7b
                    ? "one file holds one list; put several lists into several files" : "remove it")
        }
    }

    // MARK: An envelope's own keys

    /// Reads members from where a key should stand, up to the opening bracket of `rows` or through the closing brace.
    private mutating func readHeader() throws {
        var isFirst = headerKeysSeen.isEmpty
        while true {
            guard let byte = try peek() else { throw truncated() }
            if byte == 0x7d, isFirst {
                throw fault(
                    "missing_rows", "the object has no \"rows\"", "write {\"rows\": [{\"row_data\": \"https://…\"}]}")
            }
            isFirst = false
            guard byte == 0x22 else { throw fault("unexpected_character", "a key should stand here", Self.mend) }
            let key = try value(named: "").string ?? ""
            guard headerKeysSeen.insert(key).inserted else {
                throw fault("repeated_key", "the key \"\(key)\" stands here twice", "keep the one that is meant")
            }
            guard try peek() == 0x3a else {
                if window.isLast, at >= window.count { throw truncated() }
                throw fault("unexpected_character", "there is no colon after a key", Self.mend)
            }
            at += 1
            guard let first = try peek() else { throw truncated() }
            if key == "rows" {
                guard first == 0x5b else {
                    throw fault("invalid_rows", "\"rows\" is not a list", "write \"rows\": [ … ]", pointer: "/rows")
                }
                at += 1
                hasRows = true
                return
            }
            let pointer = "/" + JSONText.pointerToken(key)
            let value = try value(named: pointer)
            do throws(HeaderFault) {
                try header.take(key, value)
            } catch {
                throw failure(
                    error.code, at: window.place(error.at), error.reason, error.remedy,
                    pointer: pointer + error.pointer)
            }
            guard let after = try peek() else { throw truncated() }
            at += 1
            if after == 0x7d {
                if !hasRows {
                    throw fault("missing_rows", "the object has no \"rows\"", "add \"rows\": [ … ]")
                }
                return
            }
            guard after == 0x2c else {
                at -= 1
                throw fault("unexpected_character", "there is no comma or closing brace after a value", Self.mend)
            }
        }
    }

    /// One whole value of the header, in the window.
    private mutating func value(named pointer: String) throws -> JSONSlice {
        while true {
            let end = scanner.value(at: at, members: &members)
            // However much of it is held: what is refused does not depend on the window.
            guard (end >= 0 ? end : window.count) - at <= options.maximumRowBytes || end == JSONScanner.malformed else {
                throw fault(
                    "header_too_large", "a value of the manifest's own is larger than \(options.maximumRowBytes) bytes",
                    "make it smaller", pointer: pointer)
            }
            if end >= 0 {
                defer { at = end }
                return JSONSlice(bytes: window.bytes, start: at, end: end)
            }
            guard end == JSONScanner.incomplete, !window.isLast else { throw explanation(at: at, base: pointer) }
            try refill(keeping: at)
        }
    }

    /// Whether the text ends with `]}`: then the last member of the envelope is a list, which only `rows` may be.
    private static func endsWithRows(_ file: ManifestFile) throws -> Bool {
        let start = max(0, file.byteCount - 4096)
        let tail = try file.bytes(in: start..<file.byteCount).filter { !$0.isJSONSpace }.suffix(2)
        return tail.elementsEqual([0x5d, 0x7d])
    }

    // MARK: A row

    @inline(__always) private mutating func scanRow() throws {
        if let end = shape.end(ofRowAt: at, scanner, &members) { return take(end) }
        while true {
            let end = scanner.value(at: at, members: &members)
            if end >= 0 {
                shape.learn(window.bytes, at, end, members)
                return take(end)
            }
            guard end == JSONScanner.incomplete, !window.isLast else {
                throw explanation(at: at, base: rowPointer)
            }
            if window.count - at > options.maximumRowBytes { return try skimRow() }
            try refill(keeping: at)
        }
    }

    @inline(__always) private mutating func take(_ end: Int) {
        rowStart = at
        rowEnd = end
        rowRange = window.place(at)..<window.place(end)
        isOversize = end &- at > options.maximumRowBytes
        at = end
    }

    /// Passes over a row that is too long to be held, as strictly as over any other.
    private mutating func skimRow() throws {
        var skimmer = JSONSkimmer(depthLimit: options.depthLimit)
        let start = window.place(at)
        while true {
            let rest = UnsafeRawBufferPointer(start: window.bytes + at, count: window.count - at)
            switch skimmer.feed(rest) {
            case .ended(let count):
                return passed(from: start, to: at + count)
            case .fault(let index, let fault):
                throw malformed(fault, at: window.place(at + index), pointer: rowPointer)
            case .open:
                at = window.count
                if window.isLast {
                    // A number has no end of its own: the end of the text is one.
                    guard case .ended = [UInt8(ascii: "\n")].withUnsafeBytes({ skimmer.feed($0) }) else {
                        throw truncated()
                    }
                    return passed(from: start, to: at)
                }
                try refill(keeping: at)
            }
        }
    }

    private mutating func passed(from start: Int64, to end: Int) {
        at = end
        rowRange = start..<window.place(at)
        rowStart = at
        rowEnd = at
        isOversize = true
        members.removeAll()
    }

    // MARK: What is wrong

    private static let mend = "mend the JSON; a validator shows the same place"

    /// The current row as a JSON pointer.
    var rowPointer: String { Self.pointer(row: row, isEnvelope: isEnvelope) }

    static func pointer(row: Int, isEnvelope: Bool) -> String { isEnvelope ? "/rows/\(row)" : "/\(row)" }

    /// Finds out what is wrong with the value that begins at `start`.
    private func explanation(at start: Int, base: String) -> ManifestError {
        var skimmer = JSONSkimmer(depthLimit: options.depthLimit, tracksPath: true)
        let rest = UnsafeRawBufferPointer(start: window.bytes + start, count: window.count - start)
        switch skimmer.feed(rest) {
        case .fault(let index, let fault):
            return malformed(fault, at: window.place(start + index), pointer: base + skimmer.pointer)
        case .open:
            return truncated(pointer: base + skimmer.pointer)
        case .ended(let index):
            // The two checks disagree, which tests rule out; the stricter one is believed.
            return malformed(.unexpectedByte, at: window.place(start + index), pointer: base)
        }
    }

    private func malformed(_ fault: JSONFault, at place: Int64, pointer: String) -> ManifestError {
        let (reason, remedy): (String, String) =
            switch fault {
            case .unexpectedByte: ("a character stands where none like it may stand", Self.mend)
            case .controlCharacter:
                ("a control character stands in the text", "write it as an escape such as \\n or \\u0000")
            case .invalidUTF8: ("the text is not UTF-8", "save the file as UTF-8")
            case .invalidEscape: ("a backslash begins no escape of JSON", "double the backslash, or write \\uXXXX")
            case .invalidNumber: ("a number is not written as JSON numbers are", Self.mend)
            case .tooDeep:
                ("lists and objects are nested deeper than \(options.depthLimit) levels", "flatten the row")
            }
        return failure(fault.rawValue, at: place, reason, remedy, pointer: pointer)
    }

    private func truncated(pointer: String? = nil) -> ManifestError {
        let end = window.place(window.count)
        return failure(
            "truncated", at: end, end == 0 ? "the file is empty" : "the text ends before the manifest does",
            "write the file in full, or move it in when it is complete", pointer: pointer ?? "", isTruncation: true)
    }

    private func changed() -> ManifestError {
        failure(
            "changed", at: place, "the rows are not where they were when the manifest was read first",
            "leave the file alone while it is imported", pointer: rowPointer)
    }

    private func fault(_ code: String, _ reason: String, _ remedy: String, pointer: String? = nil) -> ManifestError {
        failure(code, at: place, reason, remedy, pointer: pointer ?? (row >= firstRow ? rowPointer : ""))
    }

    private func failure(
        _ code: String, at place: Int64, _ reason: String, _ remedy: String, pointer: String,
        isTruncation: Bool = false
    ) -> ManifestError {
        var error = ManifestError(
            code: code, file: file.name, row: row >= firstRow ? row : nil, byteOffset: place, pointer: pointer,
            reason: reason, remedy: remedy, isTruncation: isTruncation)
        if let (line, column) = try? TextPlace.find(place, in: file) {
            error.line = line
            error.column = column
        }
        return error
    }
}

/// Lines and columns, counted only once something is wrong.
enum TextPlace {
    static func find(_ place: Int64, in file: ManifestFile) throws -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        var offset: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 1)
        defer { buffer.deallocate() }
        while offset < place {
            let wanted = min(Int64(buffer.count), place - offset)
            let read = try file.descriptor.read(
                fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<Int(wanted)]))
            if read == 0 { break }
            for byte in buffer[0..<read] {
                if byte == 0x0a {
                    line += 1
                    column = 1
                } else if byte & 0xc0 != 0x80 {
                    column += 1
                }
            }
            offset += Int64(read)
        }
        return (line, column)
    }
}
