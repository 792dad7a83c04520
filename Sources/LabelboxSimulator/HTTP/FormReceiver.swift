internal import Crypto
import Glibc

/// Takes an upload's parts in: `operations` and `map` in memory, files to the disk as they come.
struct FormReceiver: MultipartReceiver {
    let folder: String
    let discardsMedia: Bool
    private(set) var operations: [UInt8] = []
    private(set) var map: [UInt8] = []
    private(set) var files: [(part: String, file: StoredFile)] = []
    private var part = PartHeader()
    private var sink: FileSink?
    private let freshID: () -> String

    /// More than this is no `operations` part.
    private static let fieldLimit = 64 << 20

    init(folder: String, discardsMedia: Bool, freshID: @escaping () -> String = Self.randomID) {
        self.folder = folder
        self.discardsMedia = discardsMedia
        self.freshID = freshID
    }

    private static func randomID() -> String {
        var random = SystemRandomNumberGenerator()
        return String(random.next(), radix: 16) + String(random.next(), radix: 16)
    }

    mutating func begin(_ header: PartHeader) throws {
        part = header
        guard header.name != "operations", header.name != "map" else { return }
        guard !operations.isEmpty, !map.isEmpty else {
            throw MultipartError(description: "'operations' and 'map' must come before the files")
        }
        let name = header.filename ?? header.name
        let type = header.contentType ?? "application/octet-stream"
        // The official client gives name and type of a chunk the wrong way round.
        let isJSON = name.contains("json") || type.contains("json")
        sink = try FileSink(id: freshID(), folder: folder, isKept: isJSON || !discardsMedia)
    }

    mutating func receive(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        switch part.name {
        case "operations" where operations.count + bytes.count <= Self.fieldLimit: operations += bytes
        case "map" where map.count + bytes.count <= Self.fieldLimit: map += bytes
        case "operations", "map": throw MultipartError(description: "'\(part.name)' is too long")
        default: try sink?.write(bytes)
        }
    }

    mutating func endPart() throws {
        guard let sink else { return }
        let name = part.filename ?? part.name
        files.append((part.name, sink.finish(name: name, contentType: part.contentType ?? "application/octet-stream")))
        self.sink = nil
    }

    /// Forgets what was received, when no answer will name it.
    mutating func abandon() {
        sink?.abandon()
        sink = nil
    }
}

/// One file on its way in: written, hashed and counted, each byte once.
private struct FileSink {
    private let id: String
    private let path: String?
    private let descriptor: Int32
    private var hash = SHA256()
    private var head: [UInt8] = []
    private var count = 0
    private static let headLength = 64

    init(id: String, folder: String, isKept: Bool) throws {
        self.id = id
        guard isKept else {
            path = nil
            descriptor = -1
            return
        }
        let path = "\(folder)/\(id)"
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Errno(path) }
        self.path = path
    }

    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        if head.count < Self.headLength { head += bytes.prefix(Self.headLength - head.count) }
        count += bytes.count
        hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
        guard descriptor >= 0 else { return }
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw Errno(path ?? "")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    func finish(name: String, contentType: String) -> StoredFile {
        if descriptor >= 0 { close(descriptor) }
        let digest = hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        return StoredFile(
            id: id, name: name, contentType: contentType, bytes: count, sha256: digest, head: head, path: path)
    }

    func abandon() {
        if descriptor >= 0 { close(descriptor) }
        if let path { unlink(path) }
    }
}
