/// Why one row is not imported, or, as a warning, what may come of it; and how to mend it.
///
/// The rows around it are not concerned. Which rules are warnings is told by where a problem stands, and by the table of
/// rules in the manual.
public struct RowProblem: Error, Sendable, Codable, Hashable, CustomStringConvertible {
    /// The row's number in its manifest, from 0.
    public var row: Int
    /// Where the offending value begins, in bytes from the start of the (uncompressed) manifest.
    public var byteOffset: Int64
    /// The offending value as a JSON pointer (RFC 6901) into the manifest; in JSON Lines the first token is
    /// the row's number.
    public var pointer: String
    /// A stable name of the rule, such as `invalid_attachment_type`.
    public var code: String
    /// What is wrong and how to mend it, in a sentence or two.
    public var message: String

    /// Creates a problem.
    public init(row: Int, byteOffset: Int64, pointer: String, code: String, message: String) {
        self.row = row
        self.byteOffset = byteOffset
        self.pointer = pointer
        self.code = code
        self.message = message
    }

    public var description: String {
        "row \(row) (byte \(byteOffset), \(pointer)): \(code): \(message)"
    }

    private enum CodingKeys: String, CodingKey {
        case row, pointer, code, message
        case byteOffset = "byte_offset"
    }
}
