/// A list of JSON objects that all have the same few keys in the same order, with nothing but text and null in them.
///
/// That is what a page of results is: thousands of rows of three or four short texts. As one object of Swift for each of them and
/// for each text they cost more than everything else that is done with a row, so all the text lies in one piece of memory here.
package struct PackedObjects: Sendable, Equatable {
    /// The keys, in the order that all of the objects have.
    package let keys: [String]
    /// All texts, in UTF-8.
    private var bytes: [UInt8] = []
    private var fields: [Field] = []

    /// Where a text is; there are as many a row as there are keys.
    private struct Field: Sendable, Equatable {
        var start: Int
        /// -1 stands for null.
        var count: Int32
    }

    /// The longest text that it takes.
    static let longestText = Int(Int32.max)

    /// - Parameters:
    ///   - keys: what each of the objects has, in this order.
    ///   - written: how many bytes the list has as JSON, or more: room is made for its texts at once.
    package init(keys: [String], written: Int = 0) {
        self.keys = keys
        // Without the keys, quotes and commas of each object.
        let marks = keys.reduce(3) { $0 + $1.utf8.count + 6 }
        let objects = written / (marks + 24 * keys.count)
        fields.reserveCapacity(objects * keys.count)
        bytes.reserveCapacity(max(0, written - objects * marks))
    }

    /// How many objects there are.
    package var count: Int { keys.isEmpty ? 0 : fields.count / keys.count }

    /// The text of a key, given as its number, to be looked at only within `body`; nil where there is null.
    package func withText<Answer>(_ object: Int, _ key: Int, _ body: (UnsafeRawBufferPointer?) -> Answer) -> Answer {
        let field = fields[object * keys.count + key]
        guard field.count >= 0 else { return body(nil) }
        return bytes.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[field.start..<field.start + Int(field.count)]))
        }
    }

    /// The same as a text of its own.
    package func text(_ object: Int, _ key: Int) -> String? {
        withText(object, key) { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// How long a text is, in bytes; nil where there is null.
    package func length(_ object: Int, _ key: Int) -> Int? {
        let count = fields[object * keys.count + key].count
        return count < 0 ? nil : Int(count)
    }

    /// Adds the next text, up to ``longestText`` bytes of valid UTF-8; nil is null.
    mutating func append(_ text: UnsafeRawBufferPointer?) {
        fields.append(Field(start: bytes.count, count: text.map { Int32(clamping: $0.count) } ?? -1))
        if let text { bytes.append(contentsOf: text) }
    }

    /// Takes back what was added behind the first so many objects.
    mutating func removeAll(after count: Int) {
        let kept = count * keys.count
        guard kept < fields.count else { return }
        bytes.removeSubrange(fields[kept].start...)
        fields.removeSubrange(kept...)
    }

    /// An object as a value like others.
    func value(_ object: Int) -> JSONValue {
        .object(keys.indices.map { JSONValue.Member(keys[$0], text(object, $0).map(JSONValue.string) ?? .null) })
    }
}
