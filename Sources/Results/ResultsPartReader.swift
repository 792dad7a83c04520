internal import Glibc
internal import Ledger
internal import SystemPackage

/// Reads the lines of one part of the results, in order.
///
/// Holds a window of the part and no descriptor: the file is opened for each window, so any number of parts can be
/// read side by side.
final class ResultsPartReader {
    /// Names the part in errors.
    let name: String
    /// Of the current line.
    private(set) var row = 0
    private(set) var outcome = ResultLine.Outcome.created
    private(set) var line: Range<Int> = 0..<0
    private(set) var window: [UInt8] = []

    private let file: FilePath?
    /// Where in the file the byte after the window is.
    private var offset: Int64 = 0
    private var isAtEnd: Bool
    private var next = 0
    private var isFirstLine = true

    /// A line longer than this is no result that was written here.
    static let maximumLine = 16 << 20

    init(_ part: ResultsPart) {
        switch part.lines {
        case .file(let path):
            file = path
            name = path.string
            isAtEnd = false
        case .inline(let data):
            file = nil
            name = "results from row \(part.firstRow) on, in the ledger"
            window = Array(data)
            isAtEnd = true
        }
    }

    /// Goes to the next line, reading `windowSize` bytes where the window has no whole line left.
    ///
    /// - Returns: `false` at the end.
    func advance(windowSize: Int) throws(ResultsMergeError) -> Bool {
        let start = next
        var searched = start
        while true {
            if let end = lineBreak(from: searched) {
                line = next..<end + 1
                next = end + 1
                try parse()
                return true
            }
            searched = window.count
            if isAtEnd {
                guard next < window.count else { return false }
                throw .damaged(part: name, why: "its last line is cut off")
            }
            guard window.count - next <= Self.maximumLine else {
                throw .damaged(part: name, why: "a line has more than \(Self.maximumLine) bytes")
            }
            let kept = window.count - next
            try refill(windowSize)
            searched = kept
        }
    }

    private func lineBreak(from index: Int) -> Int? {
        window.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, index < bytes.count,
                let found = memchr(base + index, 10, bytes.count - index)
            else { return nil }
            return found - UnsafeMutableRawPointer(mutating: base)
        }
    }

    private func refill(_ size: Int) throws(ResultsMergeError) {
        guard let file else { return }
        if next > 0 {
            window.removeFirst(next)
            next = 0
        }
        do {
            let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
            defer { try? descriptor.close() }  // Nothing was written, so a failure to close loses nothing.
            let kept = window.count
            window.append(contentsOf: repeatElement(0, count: size))
            let position = offset
            let count = try window.withUnsafeMutableBytes { bytes in
                try descriptor.read(
                    fromAbsoluteOffset: position, into: UnsafeMutableRawBufferPointer(rebasing: bytes[kept...]))
            }
            window.removeLast(size - count)
            offset += Int64(count)
            isAtEnd = count == 0
        } catch {
            throw .unreadable(part: name, why: "\(error)")
        }
    }

    /// Finds the row and the outcome in a line of ``ResultLine/append(to:)``.
    private func parse() throws(ResultsMergeError) {
        let line = line
        let found = window.withUnsafeBytes { bytes -> (row: Int, outcome: ResultLine.Outcome)? in
            let text = UnsafeRawBufferPointer(rebasing: bytes[line])
            let prefix = ResultLine.rowPrefix
            guard text.count > prefix.count, text.starts(with: prefix) else { return nil }
            var index = prefix.count
            var row = 0
            while index < text.count, case let digit = Int(text[index]) - 48, (0...9).contains(digit) {
                let (ten, tooMany) = row.multipliedReportingOverflow(by: 10)
                let (sum, oneTooMany) = ten.addingReportingOverflow(digit)
                guard !tooMany, !oneTooMany else { return nil }
                row = sum
                index += 1
            }
            guard index > prefix.count else { return nil }
            guard let start = Self.outcome(in: text, from: index) else { return nil }
            let word = UnsafeRawBufferPointer(rebasing: text[start...])
            for outcome in ResultLine.Outcome.allCases where Self.begins(word, with: outcome) { return (row, outcome) }
            return nil
        }
        guard let found else { throw .damaged(part: name, why: "a line is not one of results") }
        guard isFirstLine || found.row > row else {
            throw .damaged(part: name, why: "row \(found.row) stands after row \(row)")
        }
        isFirstLine = false
        row = found.row
        outcome = found.outcome
    }

    /// Where the word of the outcome begins.
    ///
    /// The key before it cannot be found within a value: there, each quote has a backslash before it.
    private static func outcome(in text: UnsafeRawBufferPointer, from index: Int) -> Int? {
        guard let base = text.baseAddress else { return nil }
        let needle = ResultLine.outcomePrefix
        var index = index
        while index + needle.count <= text.count {
            guard let comma = memchr(base + index, CInt(UInt8(ascii: ",")), text.count - needle.count - index + 1)
            else {
                return nil
            }
            index = UnsafeRawPointer(comma) - base
            if memcmp(comma, needle, needle.count) == 0 { return index + needle.count }
            index += 1
        }
        return nil
    }

    private static func begins(_ text: UnsafeRawBufferPointer, with outcome: ResultLine.Outcome) -> Bool {
        let word = outcome.rawValue.utf8
        return text.count > word.count && text.starts(with: word) && text[word.count] == UInt8(ascii: "\"")
    }
}
