import Glibc

/// Bytes that stay where they are: a stored file mapped into memory, or a block of our own.
///
/// A row is a place in a slab. A million rows are a few mapped chunks and one table, not a million objects.
final class Slab: @unchecked Sendable {
    // `@unchecked`: a mapped slab never changes. A block is only ever appended to, by the world's owner under
    // its lock, and only bytes that were written before a row named them are read.
    let base: UnsafeMutableRawPointer
    let capacity: Int
    private(set) var count: Int
    private let isMapped: Bool

    /// An empty block to be filled.
    init(capacity: Int) {
        base = .allocate(byteCount: max(capacity, 1), alignment: 16)
        self.capacity = capacity
        count = 0
        isMapped = false
    }

    /// Maps a file.
    init(file path: String) throws(Errno) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Errno(path) }
        capacity = Int(status.st_size)
        count = capacity
        if capacity == 0 {
            base = .allocate(byteCount: 1, alignment: 1)
            isMapped = false
            return
        }
        guard let address = mmap(nil, capacity, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw Errno(path)
        }
        base = address
        isMapped = true
    }

    deinit {
        if isMapped { munmap(base, capacity) } else { base.deallocate() }
    }

    var bytes: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: count)
    }

    /// Copies bytes in; nil when there is no room.
    func append(_ bytes: [UInt8]) -> Int? {
        guard capacity - count >= bytes.count else { return nil }
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            memcpy(base + count, start, source.count)
        }
        defer { count += bytes.count }
        return count
    }
}

/// A system call's failure, in words.
struct Errno: Error, CustomStringConvertible {
    let code: Int32
    let subject: String

    init(_ subject: String, code: Int32 = errno) {
        self.code = code
        self.subject = subject
    }

    var description: String { "\(subject): \(String(cString: strerror(code)))" }
}

/// Bytes in one of the world's slabs.
///
/// A count of -1 says that there are none.
struct Piece: Sendable, Equatable {
    var slab: Int32
    var start: Int32
    var count: Int32

    static let none = Piece(slab: 0, start: 0, count: -1)
    var exists: Bool { count >= 0 }
}

/// All slabs, by number.
struct Slabs: Sendable {
    private var slabs: [Slab] = []
    private var block: Int?
    private static let blockSize = 1 << 20

    mutating func add(_ slab: Slab) -> Int32 {
        slabs.append(slab)
        return Int32(slabs.count - 1)
    }

    /// Keeps a copy of bytes that are in no slab yet.
    mutating func keep(_ bytes: [UInt8]) -> Piece {
        if let block, let start = slabs[block].append(bytes) {
            return Piece(slab: Int32(block), start: Int32(start), count: Int32(bytes.count))
        }
        let fresh = Slab(capacity: max(Self.blockSize, bytes.count))
        let number = add(fresh)
        block = Int(number)
        _ = fresh.append(bytes)
        return Piece(slab: number, start: 0, count: Int32(bytes.count))
    }

    @inline(__always)
    subscript(piece: Piece) -> UnsafeBufferPointer<UInt8> {
        guard piece.count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        let base = slabs[Int(piece.slab)].base.assumingMemoryBound(to: UInt8.self)
        return UnsafeBufferPointer(start: UnsafePointer(base + Int(piece.start)), count: Int(piece.count))
    }
}
