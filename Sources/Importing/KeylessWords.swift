internal import DataRows

/// What was said of rows without a global key that have the same external id, or none.
///
/// The server tells them in no order. They are told apart by their content, where it is said; what cannot be told apart is
/// handed out in the order in which it came, and marked as uncertain.
struct KeylessWords: Sendable {
    private struct Entry {
        var word: TaskReport.Word
        /// Of the content, where that was said and is no object: those the server writes in its own way.
        var mark: Int?
        var isTaken = false
    }

    /// Entries that are taken in the order in which they came.
    private struct Queue {
        var entries: [Int] = []
        var next = 0
    }

    /// The only one, as nearly always: what takes no room of its own.
    private var only: Entry?
    private var entries: [Entry] = []
    private var byContent: [Int: Queue] = [:]
    private var marked = Queue()
    private var unmarked = Queue()

    /// Whether there are several, so that their content must tell them apart.
    var isSeveral: Bool { !entries.isEmpty }

    /// A mark of a row's content: sixty-four bits, and never the content itself, which may be long.
    static func mark(_ content: String) -> Int { ExactName(content).hashValue }

    mutating func add(_ word: TaskReport.Word, content: String?) {
        let isPlain = content?.utf8.first != UInt8(ascii: "{")
        let entry = Entry(word: word, mark: isPlain ? content.map(Self.mark) : nil)
        if let before = only {
            only = nil
            append(before)
        } else if entries.isEmpty {
            only = entry
            return
        }
        append(entry)
    }

    private mutating func append(_ entry: Entry) {
        if let mark = entry.mark {
            byContent[mark, default: Queue()].entries.append(entries.count)
            marked.entries.append(entries.count)
        } else {
            unmarked.entries.append(entries.count)
        }
        entries.append(entry)
    }

    /// Takes one word about a row with this content.
    ///
    /// - Returns: the word, and whether it is about this row and no other.
    mutating func take(content: Int?) -> (word: TaskReport.Word, isCertain: Bool)? {
        if let only {
            self.only?.isTaken = true
            return only.isTaken ? nil : (only.word, true)
        }
        if let content, byContent[content] != nil,
            let index = Self.next(&byContent[content, default: Queue()], &entries)
        {
            return (entries[index].word, true)
        }
        var index = Self.next(&unmarked, &entries)
        if index == nil { index = Self.next(&marked, &entries) }
        return index.map { (entries[$0].word, false) }
    }

    /// Takes out the words that `isMeant` says, in their order.
    mutating func extract(_ isMeant: (TaskReport.Word) -> Bool) -> [TaskReport.Word] {
        if let only {
            guard !only.isTaken, isMeant(only.word) else { return [] }
            self.only?.isTaken = true
            return [only.word]
        }
        var extracted: [TaskReport.Word] = []
        for index in entries.indices where !entries[index].isTaken && isMeant(entries[index].word) {
            entries[index].isTaken = true
            extracted.append(entries[index].word)
        }
        return extracted
    }

    private static func next(_ queue: inout Queue, _ entries: inout [Entry]) -> Int? {
        while queue.next < queue.entries.count {
            let index = queue.entries[queue.next]
            queue.next += 1
            guard !entries[index].isTaken else { continue }
            entries[index].isTaken = true
            return index
        }
        return nil
    }
}
