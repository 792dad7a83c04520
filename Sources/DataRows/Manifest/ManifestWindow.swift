internal import Crypto
internal import SystemPackage

/// The part of a manifest that is in memory: a buffer that slides over the file, and grows only while one row
/// does not fit.
///
/// Raw memory, since the scanner reads it without bounds checks; ``JSONScanner/slack`` zero bytes always follow
/// what was read.
struct ManifestWindow: ~Copyable {
    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private let initialCapacity: Int
    private let largestCapacity: Int
    /// How many bytes are in the buffer.
    private(set) var count = 0
    /// Where in the file the buffer begins.
    private(set) var offset: Int64
    /// Nothing follows what is in the buffer.
    private(set) var isLast = false
    private let limit: Int64
    private let descriptor: FileDescriptor
    private var hasher: SHA256?

    /// Creates an empty one at the beginning of a range, which is all that may be read.
    ///
    /// `largestValue` is up to which size a value may be kept from one refill to the next.
    init(_ file: ManifestFile, range: Range<Int64>, capacity: Int, largestValue: Int, hashes: Bool) {
        // No more than there is to read: most manifests are small, and there are many of them.
        self.capacity = max(min(capacity, Int(clamping: range.upperBound - range.lowerBound)), 16)
        initialCapacity = self.capacity
        largestCapacity = min(largestValue, 1 << 30) + 2 * self.capacity
        bytes = .allocate(capacity: self.capacity + JSONScanner.slack)
        bytes.initialize(repeating: 0, count: JSONScanner.slack)
        offset = range.lowerBound
        limit = range.upperBound
        descriptor = file.descriptor
        hasher = hashes ? SHA256() : nil
    }

    deinit {
        bytes.deallocate()
    }

    /// The place in the file of an index into the buffer.
    @inline(__always) func place(_ at: Int) -> Int64 { offset + Int64(at) }

    /// Reads more, dropping what stands before `kept`; what stood at `kept` is then at 0.
    ///
    /// - Throws: `Errno`.
    mutating func refill(keeping kept: Int) throws {
        let rest = count - kept
        if rest == 0, capacity > initialCapacity {
            resize(to: initialCapacity, from: kept, rest)
        } else if rest > capacity / 2, capacity < largestCapacity {
            // One row fills it: twice the room, so that however long it is, it is scanned some two times in all.
            resize(to: min(capacity * 2, largestCapacity), from: kept, rest)
        } else if kept > 0 {
            bytes.update(from: bytes + kept, count: rest)
        }
        offset += Int64(kept)
        count = rest
        let room = min(Int64(capacity - count), limit - offset - Int64(count))
        if room > 0 {
            let target = UnsafeMutableRawBufferPointer(start: bytes + count, count: Int(room))
            let read = try descriptor.read(fromAbsoluteOffset: offset + Int64(count), into: target)
            hasher?.update(bufferPointer: UnsafeRawBufferPointer(rebasing: target[0..<read]))
            count += read
            isLast = read == 0
        } else {
            isLast = true
        }
        (bytes + count).initialize(repeating: 0, count: JSONScanner.slack)
    }

    private mutating func resize(to newCapacity: Int, from kept: Int, _ rest: Int) {
        let roomier = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity + JSONScanner.slack)
        roomier.initialize(repeating: 0, count: min(newCapacity, rest) + JSONScanner.slack)
        roomier.update(from: bytes + kept, count: rest)
        bytes.deallocate()
        bytes = roomier
        capacity = newCapacity
    }

    /// The SHA-256 of all that was read; nil if it was not asked for.
    func sha256() -> [UInt8]? {
        hasher.map { Array($0.finalize()) }
    }
}
