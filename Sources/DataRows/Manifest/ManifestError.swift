/// Why a manifest as a whole cannot be read; nothing of it is imported.
public struct ManifestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A stable name of the rule, such as `unexpected_character` or `truncated`.
    public var code: String
    /// The file, as it is named in messages.
    public var file: String
    /// The row that it happened in, from 0.
    public var row: Int?
    /// The place, in bytes from the start of the (uncompressed) text.
    public var byteOffset: Int64?
    /// The place's line, from 1.
    public var line: Int?
    /// The place's column in its line, in characters (Unicode scalars) from 1.
    public var column: Int?
    /// The place as a JSON pointer (RFC 6901).
    public var pointer: String?
    /// What is wrong.
    public var reason: String
    /// What to do about it.
    public var remedy: String
    /// The text is right so far and merely ends too early: it may still be on its way.
    public var isTruncation: Bool

    init(
        code: String, file: String, row: Int? = nil, byteOffset: Int64? = nil, pointer: String? = nil,
        reason: String, remedy: String, isTruncation: Bool = false
    ) {
        self.code = code
        self.file = file
        self.row = row
        self.byteOffset = byteOffset
        self.pointer = pointer
        self.reason = reason
        self.remedy = remedy
        self.isTruncation = isTruncation
    }

    public var description: String {
        var place = file
        if let line, let column { place += ":\(line):\(column)" }
        if let byteOffset { place += " (byte \(byteOffset)\(pointer.map { $0.isEmpty ? "" : ", \($0)" } ?? ""))" }
        return "\(place): \(reason): \(remedy)"
    }
}
