/// What a row has in common with the row before: all but the strings that are values, and the numbers.
///
/// Programs write manifests, and the rows of one differ in some values only. Where a row that is JSON has a string, any other string may
/// stand, and any other number where it has a number. So a row whose remaining bytes are those of a row that was checked is JSON too if
/// its strings and numbers are; its members are those of the other row, and only stand somewhere else. That is found out by comparing
/// sixteen bytes at a time, without looking for brackets, keys and what they mean.
///
/// It says yes only where ``JSONScanner`` would; wherever it does not, that one is to be asked.
struct RowShape: ~Copyable {
    /// A row of more strings and numbers has no shape.
    private static let values = 128
    /// Nor has one with more bytes than these around them, in blocks of sixteen.
    private static let blocks = 512
    /// The most rows after which another shape is tried, where those before did not last.
    private static let longestPause = 256

    private typealias Block = SIMD16<UInt8>

    /// Bytes that are always the same, and what follows them: a string, a number, or the end of the row.
    private struct Part {
        /// Where they stood in the row.
        var offset: Int32
        var length: Int32
        var blocks: Int32
        var isNumber: Bool
    }

    /// Where a member stood in the row, and how many values came before its own and before its end.
    private struct Place {
        var keyStart: Int32
        var keyEnd: Int32
        var valueStart: Int32
        var valueEnd: Int32
        var before: Int32
        var through: Int32
    }

    /// All of it in memory of its own, which a manifest of a single row never needs.
    private struct Memory {
        let parts = UnsafeMutablePointer<Part>.allocate(capacity: RowShape.values + 1)
        let places = UnsafeMutablePointer<Place>.allocate(capacity: RowShape.values)
        /// How far a part has moved, from row to row.
        let shifts = UnsafeMutablePointer<Int32>.allocate(capacity: RowShape.values + 1)
        /// Each block of bytes, and after it, which of them count.
        let texts = UnsafeMutablePointer<Block>.allocate(capacity: RowShape.blocks * 2)
    }

    private var memory: Memory?
    /// How many parts there are; 0 when there is nothing to compare with.
    private var partCount = 0
    private var placeCount = 0
    /// How many rows the shape has fitted.
    private var hits = 0
    private var pause = 1
    /// How many rows are left of the pause.
    private var rowsLeft = 2

    init() {}

    deinit {
        guard let memory else { return }
        memory.parts.deallocate()
        memory.places.deallocate()
        memory.shifts.deallocate()
        memory.texts.deallocate()
    }

    /// Finds the end of the row that begins at `start`, if it is like the one before, and notes where its members are.
    ///
    /// - Returns: the index after the row; nil when the row is to be scanned, and then `members` are as they were.
    @inline(__always) mutating func end(
        ofRowAt start: Int, _ scanner: JSONScanner, _ members: inout JSONMembers
    ) -> Int? {
        guard partCount > 0, let memory else { return nil }
        let bytes = UnsafeRawPointer(scanner.bytes)
        var at = start
        var text = memory.texts
        var index = 0
        while true {
            let part = memory.parts[index]
            // Past the row's last byte there are more than fifteen bytes that may be read, and the masks leave them out.
            if at &+ Int(part.length) > scanner.end { return forget() }
            memory.shifts[index] = Int32(truncatingIfNeeded: at) &- part.offset
            var difference = Block(repeating: 0)
            for block in 0..<Int(part.blocks) {
                let found = bytes.loadUnaligned(fromByteOffset: at &+ block &* 16, as: Block.self)
                difference |= (found ^ text[0]) & text[1]
                text += 2
            }
            let halves = unsafeBitCast(difference, to: SIMD2<UInt64>.self)
            if halves.x | halves.y != 0 { return forget() }
            at &+= Int(part.length)
            index &+= 1
            if index == partCount { break }
            at = part.isNumber ? scanner.number(at) : scanner.string(at)
            if at < 0 { return forget() }
        }
        for index in 0..<placeCount {
            let place = memory.places[index]
            let shift = memory.shifts[Int(place.before)]
            members.move(
                index, place.keyStart &+ shift, place.keyEnd &+ shift, place.valueStart &+ shift,
                place.valueEnd &+ memory.shifts[Int(place.through)])
        }
        hits &+= 1
        return at
    }

    private mutating func forget() -> Int? {
        partCount = 0
        return nil
    }

    /// Takes in a row that was scanned, so that the next one can be compared with it.
    ///
    /// Where shapes do not last, more and more rows pass before another is taken in: looking at it costs as much as scanning it.
    mutating func learn(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ members: JSONMembers) {
        partCount = 0
        rowsLeft -= 1
        guard rowsLeft <= 0 else { return }
        pause = hits >= 8 ? 1 : min(pause * 2, Self.longestPause)
        rowsLeft = pause
        hits = 0
        guard bytes[start] == 0x7b, members.total <= Self.values else { return }
        let memory = memory ?? Memory()
        self.memory = memory
        guard let parts = Self.divide(bytes, start, end, memory) else { return }
        var before = 0
        for index in 0..<members.total {
            let member = members.list[index]
            func offset(_ at: Int32) -> Int32 { at - Int32(start) }
            // The value's own bytes that are always the same, such as its quote, belong to the part before it.
            while before + 1 < parts, memory.parts[before + 1].offset <= offset(member.keyStart) { before += 1 }
            var through = before
            while through + 1 < parts, memory.parts[through + 1].offset <= offset(member.valueEnd) { through += 1 }
            memory.places[index] = Place(
                keyStart: offset(member.keyStart), keyEnd: offset(member.keyEnd), valueStart: offset(member.valueStart),
                valueEnd: offset(member.valueEnd), before: Int32(before), through: Int32(through))
        }
        placeCount = members.total
        partCount = parts
    }

    /// Divides a row, which is JSON, into parts; nil if there are too many.
    private static func divide(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ memory: Memory
    ) -> Int? {
        var parts = 0
        var blocks = 0
        var partStart = start
        func close(_ partEnd: Int, isNumber: Bool) -> Bool {
            let length = partEnd - partStart
            let count = (length + 15) / 16
            guard parts <= values, blocks + count <= Self.blocks else { return false }
            for block in 0..<count {
                var text = Block(repeating: 0)
                var mask = Block(repeating: 0)
                for index in 0..<min(16, length - block * 16) {
                    text[index] = bytes[partStart + block * 16 + index]
                    mask[index] = 0xff
                }
                memory.texts[(blocks + block) * 2] = text
                memory.texts[(blocks + block) * 2 + 1] = mask
            }
            memory.parts[parts] = Part(
                offset: Int32(partStart - start), length: Int32(length), blocks: Int32(count), isNumber: isNumber)
            parts += 1
            blocks += count
            return true
        }
        var cursor = JSONCursor(bytes: bytes, at: start)
        while cursor.at < end {
            let at = cursor.at
            switch bytes[at] {
            case 0x22:
                let string = cursor.value()
                // What a colon follows is a key, and always the same.
                var next = string.end
                while bytes[next].isJSONSpace { next += 1 }
                if bytes[next] == 0x3a { continue }
                guard close(at + 1, isNumber: false) else { return nil }
                partStart = string.end
            case 0x2d, 0x30...0x39:
                guard close(at, isNumber: true) else { return nil }
                partStart = cursor.value().end
            default: cursor.at += 1
            }
        }
        return close(end, isNumber: false) ? parts : nil
    }
}
