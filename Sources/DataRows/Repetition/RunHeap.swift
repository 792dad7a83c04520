internal import SystemPackage

/// Reads one sorted run of pairs, a little at a time.
struct RunCursor {
    private let descriptor: FileDescriptor
    private var rest: Range<Int64>
    private var buffer: ArraySlice<Pair> = []
    private(set) var head: Pair

    /// Nil for an empty run.
    init?(_ descriptor: FileDescriptor, _ run: Range<Int64>) throws {
        self.descriptor = descriptor
        rest = run
        head = Pair(first: 0, second: 0)
        guard try advance() else { return nil }
    }

    mutating func advance() throws -> Bool {
        if buffer.isEmpty {
            let limit = min(256, Int(rest.upperBound - rest.lowerBound) / PairFile.width)
            buffer = try PairFile.read(descriptor, from: rest.lowerBound, limit: limit)[...]
            rest = rest.lowerBound + Int64(buffer.count * PairFile.width)..<rest.upperBound
        }
        guard let next = buffer.popFirst() else { return false }
        head = next
        return true
    }
}

/// Merges sorted runs: a binary heap of their heads.
struct RunHeap {
    private var cursors: [RunCursor]

    init(_ cursors: [RunCursor]) {
        self.cursors = cursors
        for index in stride(from: cursors.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    /// The pair with the lowest row of all that are left.
    mutating func next() throws -> Pair? {
        guard let pair = cursors.first?.head else { return nil }
        if try !cursors[0].advance() {
            cursors.swapAt(0, cursors.count - 1)
            cursors.removeLast()
        }
        sink(0)
        return pair
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < cursors.count && cursors[child].head.first < cursors[least].head.first {
                least = child
            }
            if least == parent { return }
            cursors.swapAt(parent, least)
            parent = least
        }
    }
}
