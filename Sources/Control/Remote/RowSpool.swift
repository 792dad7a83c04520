internal import DataRows
internal import Glibc
internal import SystemPackage

/// Rows that were chosen, in a file without a name: as many as there are, and none of them in memory.
///
/// Used by one task at a time.
final class RowSpool {
    /// A row and what it was chosen by.
    struct Entry: Sendable, Hashable {
        var id: DataRowID
        var name: RowName
    }

    private let file: FileDescriptor
    private var pending: [UInt8] = []
    private(set) var count = 0

    /// Opens one in a folder for temporary files.
    init(in folder: FilePath) throws(ControlError) {
        var template = folder.appending("datarowctl-XXXXXX").string.utf8CString.map(\.self)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Self.failure(folder, Errno(rawValue: errno)) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        file = FileDescriptor(rawValue: descriptor)
    }

    deinit {
        // What was in it is not needed any more, whatever the file system says.
        try? file.close()
    }

    func append(_ entry: Entry) throws(ControlError) {
        let (tag, name): (UInt8, String) =
            switch entry.name {
            case .id: (0, "")
            case .globalKey(let text): (1, text)
            case .externalID(let text): (2, text)
            }
        pending.append(tag)
        for text in [entry.id.rawValue, name] {
            withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { pending += $0 }
            pending += text.utf8
        }
        count += 1
        if pending.count >= 1 << 16 { try flush() }
    }

    private func flush() throws(ControlError) {
        do { _ = try file.writeAll(pending) } catch { throw Self.failure("/tmp", error) }
        pending.removeAll(keepingCapacity: true)
    }

    /// Goes through the rows, in the order in which they came, so many at a time.
    func forEachBatch(of size: Int, _ body: ([Entry]) async throws -> Void) async throws {
        try flush()
        var reader = Reader(file: file)
        var batch: [Entry] = []
        for _ in 0..<count {
            batch.append(try reader.next())
            if batch.count == size {
                try await body(batch)
                batch.removeAll(keepingCapacity: true)
            }
        }
        if !batch.isEmpty { try await body(batch) }
    }

    /// The first rows.
    func first(_ size: Int) throws -> [Entry] {
        try flush()
        var reader = Reader(file: file)
        return try (0..<min(size, count)).map { _ in try reader.next() }
    }

    private struct Reader {
        let file: FileDescriptor
        var offset: Int64 = 0
        var buffer: [UInt8] = []
        var place = 0

        mutating func next() throws -> Entry {
            let tag = try take(1).first ?? 0
            let id = DataRowID(rawValue: String(decoding: try take(try length()), as: UTF8.self))
            let text = String(decoding: try take(try length()), as: UTF8.self)
            let name: RowName =
                switch tag {
                case 1: .globalKey(text)
                case 2: .externalID(text)
                default: .id(id.rawValue)
                }
            return Entry(id: id, name: name)
        }

        private mutating func length() throws -> Int {
            try take(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }

        private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
            while buffer.count - place < count {
                buffer.removeFirst(place)
                place = 0
                let piece = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { space, count in
                    count = try file.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(space))
                }
                guard !piece.isEmpty else {
                    throw ControlError(
                        "temporary file", why: "it ends too early", hint: "report this as a defect", status: .software)
                }
                offset += Int64(piece.count)
                buffer += piece
            }
            defer { place += count }
            return buffer[place..<place + count]
        }
    }

    private static func failure(_ folder: FilePath, _ error: any Error) -> ControlError {
        ControlError(
            "temporary file in \(folder)", why: "\(error)", hint: "make room there, or set TMPDIR", status: .io)
    }
}
